"""Settings: whatever the environment says, it is either what it claims to be or one line that names it."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import Misuse
from shared.model import SEVERITIES
from shared.settings import CLOUDS, LEAST, is_container, read, subscription_ids

GUID = "11111111-2222-3333-4444-555555555555"
LOOPBACK = {"EVIDENCE_CLOUD": "loopback", "EVIDENCE_ARM_ENDPOINT": "http://127.0.0.1:8080"}
NAMES = (
    "EVIDENCE_ALERT_RECEIVERS", "EVIDENCE_ALERT_SECRET", "EVIDENCE_ALERT_SECRETS", "EVIDENCE_ALERT_SEVERITY", "EVIDENCE_ALERT_WEBHOOKS", "EVIDENCE_HEARTBEAT_URL",
    "EVIDENCE_ARM_ENDPOINT", "EVIDENCE_CLOUD", "EVIDENCE_COPIES", "EVIDENCE_COPY_SECRET", "EVIDENCE_LOGS_ENDPOINT", "EVIDENCE_PERSONAL_DATA", "EVIDENCE_PROFILE",
    "EVIDENCE_READS_PER_SECOND", "EVIDENCE_SCHEDULE", "EVIDENCE_SIGNING_KEY", "EVIDENCE_STORE", "EVIDENCE_STORE_ENDPOINT",
    "EVIDENCE_SUBSCRIPTIONS", "EVIDENCE_TSA_URL", "EVIDENCE_WITNESSES", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE",
)  # fmt: skip


def test_an_empty_environment_has_the_defaults():
    found = read({})
    assert (found.store, found.cloud, found.personal_data, found.reads_per_second) == ("./evidence-store", "public", "commit", 25.0)
    assert found.subscriptions == ()
    assert (found.schedule, found.signing_key, found.profile, found.arm_endpoint, found.ca_file) == (None, None, None, None, None)


@pytest.mark.parametrize("empty", ["", " "])
def test_a_setting_that_is_empty_is_as_if_it_were_not_there(empty):
    # A Function app cannot take a setting away for one slot: it is set to nothing.
    names = ("EVIDENCE_CLOUD", "EVIDENCE_PERSONAL_DATA", "EVIDENCE_SUBSCRIPTIONS", "EVIDENCE_SCHEDULE", "EVIDENCE_READS_PER_SECOND")
    assert read(dict.fromkeys(names, empty)) == read({})


def test_everything_that_can_be_said():
    found = read(
        LOOPBACK
        | {
            "EVIDENCE_STORE": "/srv/evidence", "EVIDENCE_SUBSCRIPTIONS": f"{GUID.upper()}; /subscriptions/{GUID}\n{'a' * 8}{GUID[8:]}",
            "EVIDENCE_SCHEDULE": " 0 0 */6 * * * ", "EVIDENCE_SIGNING_KEY": "key.pem", "EVIDENCE_PROFILE": "profile.toml",
            "EVIDENCE_PERSONAL_DATA": "Keep", "EVIDENCE_READS_PER_SECOND": "2.5", "SSL_CERT_FILE": "/etc/ca.pem",
        }
    )  # fmt: skip
    assert found.subscriptions == (GUID, f"{'a' * 8}{GUID[8:]}")
    assert (found.store, found.schedule, found.signing_key) == ("/srv/evidence", "0 0 */6 * * *", "key.pem")
    assert (found.profile, found.personal_data, found.reads_per_second) == ("profile.toml", "keep", 2.5)
    assert (found.arm_endpoint, found.ca_file) == ("http://127.0.0.1:8080", "/etc/ca.pem")


def test_on_loopback_nothing_is_paced_unless_asked_for():
    assert read(LOOPBACK).reads_per_second == 0.0
    assert read(LOOPBACK | {"EVIDENCE_READS_PER_SECOND": "25"}).reads_per_second == 25.0


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "https://127.0.0.1:65535", "http://[::1]:8080", "http://127.0.0.1:8080/"])
def test_loopback_is_loopback(endpoint):
    assert read(LOOPBACK | {"EVIDENCE_ARM_ENDPOINT": endpoint}).arm_endpoint == endpoint


NOT_LOOPBACK = [
    "http://10.0.0.1", "http://10.0.0.1:8080", "http://127.0.0.1", "http://127.0.0.1:", "http://127.0.0.1:0", "http://127.0.0.1:65536",
    "http://127.0.0.1:99999", "http://127.0.0.1.evil.example", "http://127.0.0.1.evil.example:80", "http://user@127.0.0.1:1",
    "http://127.0.0.1:1@evil.example", "http://127.0.0.1:1\\@evil.example", "http://127.0.0.1:1#@evil.example", "http://127.0.0.1:1?x",
    "http://127.0.0.1:1/path", "http://127.0.0.1:1/\r\nHost: evil.example", "http://127.0.0.1:1\n", "\nhttp://127.0.0.1:1", " http://127.0.0.1:1",
    "http://localhost:1", "http://LOCALHOST:1", "http://127.1:80", "http://2130706433:80", "http://0x7f.1:80", "http://0:80", "http://0.0.0.0:80",
    "http://127.0.0.2:80", "http://[::]:80", "http://[::ffff:127.0.0.1]:80", "http://[::1", "http://[::1%25lo]:80", "ftp://127.0.0.1:1",
    "127.0.0.1:80", "//127.0.0.1:80", "http:127.0.0.1:80", "file:///etc/passwd", "http://①②⑦.0.0.1:80", "http://127.0.0.1:٨٠", "x",
]  # fmt: skip


@pytest.mark.parametrize("name", ["EVIDENCE_ARM_ENDPOINT", "EVIDENCE_LOGS_ENDPOINT", "EVIDENCE_STORE_ENDPOINT"])
@pytest.mark.parametrize("endpoint", NOT_LOOPBACK)
def test_what_is_not_loopback_for_everybody_is_refused(name, endpoint):
    with pytest.raises(Misuse, match=name):
        read(LOOPBACK | {name: endpoint})


@pytest.mark.parametrize("cloud", ["public", "usgov", "china", ""])
@pytest.mark.parametrize("name", ["EVIDENCE_ARM_ENDPOINT", "EVIDENCE_LOGS_ENDPOINT", "EVIDENCE_STORE_ENDPOINT"])
def test_no_endpoint_is_redirected_in_a_real_cloud(cloud, name):
    with pytest.raises(Misuse, match=f"{name} is for EVIDENCE_CLOUD=loopback alone"):
        read({"EVIDENCE_CLOUD": cloud, name: "http://127.0.0.1:8080"})


def test_loopback_needs_its_endpoint():
    with pytest.raises(Misuse, match="set EVIDENCE_ARM_ENDPOINT"):
        read({"EVIDENCE_CLOUD": "loopback"})


MALFORMED = [
    ("EVIDENCE_CLOUD", "mars"), ("EVIDENCE_CLOUD", "pub lic"), ("EVIDENCE_PERSONAL_DATA", "maybe"),
    ("EVIDENCE_SUBSCRIPTIONS", "1"), ("EVIDENCE_SUBSCRIPTIONS", f"{GUID} {GUID[:-1]}"), ("EVIDENCE_SUBSCRIPTIONS", f"{GUID}x"),
    ("EVIDENCE_SUBSCRIPTIONS", f"{GUID}/resourceGroups/rg"), ("EVIDENCE_SUBSCRIPTIONS", "../" + GUID), ("EVIDENCE_SUBSCRIPTIONS", GUID.replace("1", "١")),
    *(("EVIDENCE_READS_PER_SECOND", text) for text in ("fast", "-1", "nan", "inf", "-inf", "1e99", "10001", "1e-300", "25/s", "0x10")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_what_is_malformed_is_named(name, value):
    with pytest.raises(Misuse, match=name):
        read({name: value})


VKEY = "witness.example/w1+0123abcd+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
BLOBS = "https://second.blob.core.windows.net/checkpoints"
SECRET = "sixteen letters!"


def test_who_vouches_and_where_copies_go():
    found = read(
        {
            "EVIDENCE_TSA_URL": "https://tsa.example/tsr, https://tsa.example/tsr https://freetsa.org/tsr", "EVIDENCE_COPY_SECRET": SECRET,
            "EVIDENCE_WITNESSES": f"{VKEY}  https://witness.example:8443/a/b ;\n;{VKEY} https://witness.example:8443/a/b",
            "EVIDENCE_COPIES": f"{BLOBS},https://audit.example/hook?code=a%2Fb&x=1",
        }
    )  # fmt: skip
    assert found.timestamp_urls == ("https://tsa.example/tsr", "https://freetsa.org/tsr")
    assert found.witnesses == (f"{VKEY} https://witness.example:8443/a/b",)
    assert found.copies == (BLOBS, "https://audit.example/hook?code=a%2Fb&x=1")
    assert [is_container(url) for url in found.copies] == [True, False]


def test_on_loopback_they_are_on_loopback():
    found = read(LOOPBACK | {"EVIDENCE_TSA_URL": "http://127.0.0.1:318/tsr", "EVIDENCE_COPIES": "http://[::1]:10000/devstoreaccount1/copies"})
    assert found.timestamp_urls == ("http://127.0.0.1:318/tsr",) and is_container(found.copies[0])
    for url in ("https://tsa.example/tsr", "http://127.0.0.1/tsr", "http://127.0.0.1.example:80/", "http://localhost:80/"):
        with pytest.raises(Misuse, match="EVIDENCE_TSA_URL.* on 127.0.0.1"):
            read(LOOPBACK | {"EVIDENCE_TSA_URL": url})


@pytest.mark.parametrize(
    "url",
    [
        "http://tsa.example/tsr", "ftp://tsa.example", "tsa.example/tsr", "https://", "https:///tsr", "https://u:p@tsa.example/", "https://tsa.example\\@x/",
        "https://tsa.example/#f", "https://tsa.example:port/", "https://[::1", "https://tsa.exämple/", "HTTPS://tsa.example/", "file:///etc/passwd",
        "https://tsa.example/a\"b", "https://tsa.example:443:443/", "https://tsa.example/a\x00b",
    ],
)  # fmt: skip
def test_what_is_not_surely_an_address_by_tls_is_refused(url):
    for name, value in (("EVIDENCE_TSA_URL", url), ("EVIDENCE_WITNESSES", f"{VKEY} {url}"), ("EVIDENCE_COPIES", url)):
        with pytest.raises(Misuse, match=name):
            read({name: value, "EVIDENCE_COPY_SECRET": SECRET})


@pytest.mark.parametrize("line", ["https://witness.example", VKEY, f"{VKEY},https://w.example", f"{VKEY[:20]} https://w.example", "a+b+c https://w.example"])
def test_what_is_no_witness_is_refused(line):
    with pytest.raises(Misuse, match="EVIDENCE_WITNESSES"):
        read({"EVIDENCE_WITNESSES": line})


@pytest.mark.parametrize(
    "url",
    [
        "https://second.blob.core.windows.net", f"{BLOBS}?sv=2025&sig=secret", f"{BLOBS}/deeper", "https://second.blob.core.windows.net/Upper",
        "https://second.blob.core.windows.net/a--b", "https://second.blob.core.windows.net/ab", "https://second.blob.core.windows.net:444/copies",
    ],
)
def test_what_is_in_a_storage_account_and_no_container_is_refused_and_no_signature_shown(url):
    with pytest.raises(Misuse, match="EVIDENCE_COPIES.* is no container") as caught:
        read({"EVIDENCE_COPIES": url, "EVIDENCE_COPY_SECRET": SECRET})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("secret", ["", "too short"])
def test_a_webhook_needs_a_secret_and_a_container_none(secret):
    assert read({"EVIDENCE_COPIES": BLOBS, "EVIDENCE_COPY_SECRET": secret}).copies == (BLOBS,)
    with pytest.raises(Misuse, match="EVIDENCE_COPY_SECRET is not set, or shorter") as caught:
        read({"EVIDENCE_COPIES": "https://audit.example/hook?code=s3cret", "EVIDENCE_COPY_SECRET": secret})
    assert "s3cret" not in str(caught.value)


@given(st.dictionaries(st.sampled_from(NAMES), st.text() | st.sampled_from([*CLOUDS, *NOT_LOOPBACK, GUID, "http://127.0.0.1:80", "1", "keep", BLOBS, f"{VKEY} https://w.example"])))
@example({"EVIDENCE_CLOUD": "loopback", "EVIDENCE_ARM_ENDPOINT": "http://[::1"})
@example({"EVIDENCE_READS_PER_SECOND": "٣"})
@example({"EVIDENCE_SUBSCRIPTIONS": "\ud800"})
def test_anything_at_all_is_settings_or_misuse(environment):
    try:
        found = read(environment)
    except Misuse as error:
        assert "\n" not in str(error)
        assert re.match(r"EVIDENCE_[A-Z_]+[ :]", str(error)), error
    else:
        assert found.cloud in CLOUDS
        assert found.personal_data in ("commit", "keep")
        assert found.reads_per_second == 0 or 0.01 <= found.reads_per_second <= 10_000
        assert all(re.fullmatch(r"[0-9a-f-]{36}", subscription) for subscription in found.subscriptions)
        assert (found.arm_endpoint is None) == (found.cloud != "loopback")
        assert found.store


@given(st.lists(st.text() | st.from_regex(r"(/subscriptions/)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}/?", fullmatch=True)))
def test_subscriptions_are_lower_case_each_once_or_misuse(names):
    try:
        found = subscription_ids(names, "--subscription")
    except Misuse as error:
        assert str(error).startswith("--subscription: ")
    else:
        assert len(set(found)) == len(found)
        assert all(name == name.lower() and len(name) == 36 for name in found)
        assert subscription_ids(found, "again") == found


def test_who_is_told_of_changes():
    assert LEAST == SEVERITIES
    urls = "https://alerts.example/hook?code=1, https://other.example/"
    found = read({"EVIDENCE_ALERT_WEBHOOKS": urls, "EVIDENCE_ALERT_SECRET": SECRET, "EVIDENCE_ALERT_SEVERITY": " High "})
    assert found.alert_webhooks == ("https://alerts.example/hook?code=1", "https://other.example/")
    assert (found.alert_secret, found.alert_severity) == (SECRET, "high")
    assert (read({}).alert_webhooks, read({}).alert_severity) == ((), "medium")


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"EVIDENCE_ALERT_WEBHOOKS": "http://alerts.example/hook"}, "EVIDENCE_ALERT_WEBHOOKS.* by https"),
        ({"EVIDENCE_ALERT_WEBHOOKS": "https://user@alerts.example/"}, "EVIDENCE_ALERT_WEBHOOKS"),
        ({"EVIDENCE_ALERT_SECRET": "too short"}, "EVIDENCE_ALERT_SECRET is not set, or shorter"),
        ({"EVIDENCE_ALERT_SEVERITY": "urgent"}, "EVIDENCE_ALERT_SEVERITY.* one of high, medium, low, info"),
    ],
)
def test_what_cannot_be_told_to_anybody_is_refused(said, complaint):
    with pytest.raises(Misuse, match=complaint):
        read({"EVIDENCE_ALERT_WEBHOOKS": "https://alerts.example/hook", "EVIDENCE_ALERT_SECRET": SECRET} | said)


def test_secrets_of_receivers_have_names_and_are_in_no_message():
    assert read({"EVIDENCE_ALERT_SECRETS": " a=https://h.example/x?y=z\n b-2=k=\t"}).alert_secrets == (("a", "https://h.example/x?y=z"), ("b-2", "k="))
    withheld = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x)"
    assert read({"EVIDENCE_ALERT_SECRETS": withheld}).alert_secrets == (("*", withheld),)
    with pytest.raises(Misuse, match="part 2 is not NAME=SECRET") as caught:
        read({"EVIDENCE_ALERT_SECRETS": "a=1 s3cret"})
    assert "s3cret" not in str(caught.value)
