"""Keys in a Key Vault, with Microsoft's own SDK against a stand-in: what signs, what every refusal says, and where no token goes."""

import itertools
import time

import pytest
from azure.core.credentials import AccessToken

from infra.local.vault import LocalVault, RefusedError
from shared.errors import Misuse, Unreachable
from shared.seal import note, vault_calls
from shared.seal.pen import try_out
from shared.seal.vault import Access, open_key, read_secret
from tests.fixtures.vaults import signed

ORIGIN = "example.org/log"
HERE = Access("")
TEXT = b"example.org/log\n1\nAAAA\n"


def key_at(found, name="evidence"):
    return f"{found.endpoint}/keys/{name}"


@pytest.fixture
def signer(local_vault):
    local_vault.add_key("evidence")
    return open_key(key_at(local_vault), ORIGIN, HERE)


def version_of(found, name="evidence", sort="keys"):
    return list(found.held[sort][name].values())[-1]


# -- signing -------------------------------------------------------------------------------------------------------------


def test_a_signature_is_one_of_a_signed_note_and_the_digest_is_all_that_is_sent(local_vault, signer):
    for _ in range(40):  # r or s is shorter than 32 bytes once in 128 times
        signature = signer.sign(TEXT)
        assert signer.key.verifies(TEXT, signature)
        line = note.signature_line(signer.key, signature)
        assert note.parse_note(TEXT + b"\n" + line.encode()).signers([signer.key]) == [signer.key]
    assert note.parse_vkey(str(signer.key)) == signer.key
    assert {method for method, _, _ in local_vault.requests} == {"GET", "POST"}
    assert {path.rpartition("/")[2] for method, path, _ in local_vault.requests if method == "POST"} == {"sign"}


def test_a_key_is_pinned_to_the_version_that_was_current(local_vault, signer):
    newer = local_vault.add_key("evidence")
    signer.sign(TEXT)
    assert newer not in signer.identifier
    assert local_vault.requests[-1][1] == "/" + signer.identifier.split("/", 3)[3] + "/sign"
    assert open_key(key_at(local_vault), ORIGIN, HERE).identifier.endswith(newer)
    assert open_key(signer.identifier, ORIGIN, HERE).key == signer.key


def test_signing_asks_for_nothing_else_once_the_key_is_known(local_vault, signer):
    signer.sign(TEXT)
    local_vault.requests.clear()
    for _ in range(5):
        signer.sign(TEXT)
    assert [(method, path.endswith("/sign")) for method, path, _ in local_vault.requests] == [("POST", True)] * 5


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: raw[::-1], lambda raw: raw[:63], lambda raw: raw + b"\0", lambda raw: b"", lambda raw: b"\0" * 64,
        lambda raw: bytes([raw[0] ^ 1]) + raw[1:], lambda raw: raw[32:] + raw[:32],
    ],
    ids=["reversed", "short", "long", "empty", "zeros", "one bit", "halves exchanged"],
)  # fmt: skip
def test_a_wrong_signature_is_never_used(local_vault, signer, spoil):
    local_vault.spoil = spoil
    with pytest.raises(Unreachable, match="a signature that is not this key's, so nothing was signed"):
        signer.sign(TEXT)
    local_vault.spoil = lambda raw: raw
    assert signer.sign(TEXT)


def test_der_where_the_raw_form_is_due_is_no_signature(local_vault, signer):
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    local_vault.spoil = lambda raw: encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    with pytest.raises(Unreachable, match="nothing was signed"):
        signer.sign(TEXT)


# -- weather -------------------------------------------------------------------------------------------------------------


def disabled(found):
    version_of(found).enabled = False


def expired(found):
    version_of(found).expires = int(time.time()) - 5


def too_early(found):
    version_of(found).not_before = int(time.time()) + 600


def gone(found):
    found.held["keys"].clear()


def no_right(found):
    found.permissions = frozenset({"keys/get"})


def refused(status, code="", inner="", message="", **headers):
    def fault(found):
        found.faults.extend([RefusedError(status, code, message, inner, headers)] * 9)

    return fault


WEATHER = {
    "disabled": (disabled, Misuse, "is disabled: enable it in the vault"),
    "expired": (expired, Misuse, "has expired: move its expiry date"),
    "not valid yet": (too_early, Misuse, "is not valid yet"),
    "gone": (gone, Misuse, "there is no http.*: correct the address, or make it there"),
    "no right": (no_right, Misuse, "not allowed to sign .ForbiddenByRbac.: give this identity the role Key Vault Crypto User"),
    "no right, old vault": (refused(403, "Forbidden", "AccessDenied"), Misuse, "not allowed to sign .AccessDenied."),
    "disabled, no inner code": (refused(403, "Forbidden", "", "Operation sign is not allowed on a disabled key."), Misuse, "is disabled: enable"),
    "expired, no inner code": (refused(403, "Forbidden", "", "Operation sign is not allowed on an expired key."), Misuse, "has expired"),
    "firewall": (refused(403, "Forbidden", "ForbiddenByFirewall"), Unreachable, "refuses this network .ForbiddenByFirewall."),
    "private endpoint": (refused(403, "Forbidden", "ForbiddenByConnection"), Unreachable, "or use its private endpoint"),
    "throttled": (lambda found: found.throttle(9), Unreachable, "is throttled and stayed so"),
    "server error": (refused(500, "InternalServerError"), Unreachable, "the vault answers 500 InternalServerError: run again later"),
    "unavailable": (refused(503, "ServiceUnavailable"), Unreachable, "the vault answers 503"),
    "not for this": (refused(400, "BadParameter"), Misuse, "does not sign as it must .BadParameter."),
    "another tenant": (refused(401, "Unauthorized"), Unreachable, "does not take this login"),
    "a web page": (refused(404, "NotFound"), Misuse, "there is no"),
}  # fmt: skip


@pytest.mark.parametrize("weather", WEATHER)
def test_every_refusal_is_one_line_that_says_what_to_do(local_vault, signer, weather):
    spoil, error, words = WEATHER[weather]
    spoil(local_vault)
    with pytest.raises(error, match=words) as told:
        try_out(signer)
    line = str(told.value)
    assert type(told.value) is error
    assert line.isprintable()
    assert "Caller is not authorized" not in line, "Azure's own words name people and addresses"
    if error is Unreachable:
        assert "run again" in line or "allow it" in line or "log in" in line or "see EVIDENCE_CLOUD" in line


def test_after_the_weather_the_same_signer_signs(local_vault, signer):
    for spoil in (disabled, no_right):
        spoil(local_vault)
        with pytest.raises(Misuse):
            signer.sign(TEXT)
        version_of(local_vault).enabled = True
        local_vault.permissions = frozenset({"keys/get", "keys/sign"})
        assert signer.sign(TEXT)


@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_short_throttle_is_waited_for(local_vault, signer, times):
    local_vault.throttle(times)
    before = signed(local_vault)
    assert signer.key.verifies(TEXT, signer.sign(TEXT))
    assert signed(local_vault) - before == times + 1


def test_retry_after_is_obeyed_up_to_a_limit_and_no_longer(local_vault, signer):
    local_vault.throttle(1, retry_after=1)
    begin = time.monotonic()
    signer.sign(TEXT)
    assert time.monotonic() - begin >= 1
    local_vault.throttle(1, retry_after=3600)
    with pytest.raises(Unreachable, match="throttled"):
        signer.sign(TEXT)
    assert time.monotonic() - begin < 30, "a collector that sleeps for an hour looks like one that hangs"


def test_a_connection_that_breaks_is_tried_again_and_a_vault_that_is_away_is_said_to_be(local_vault, signer):
    address = local_vault.endpoint

    def die():
        raise ConnectionResetError

    local_vault.faults.append(die)
    assert signer.sign(TEXT)
    local_vault.__exit__(None, None, None)
    with pytest.raises(Unreachable, match="no answer from the vault .5 tries.: check network and proxy, and run again; nothing is lost"):
        open_key(f"{address}/keys/evidence", ORIGIN, HERE)
    local_vault.__enter__()


def test_no_such_vault_is_told_from_one_that_does_not_answer():
    class Refusing:
        def get_token(self, *scopes, **options):
            raise AssertionError("no token is asked for where nobody answered")

    from azure.core.exceptions import ServiceRequestError

    for said, words in (
        ("Failed to resolve 'x.vault.azure.net' ([Errno -2] Name or service not known)", "its name cannot be resolved"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "REQUESTS_CA_BUNDLE"),
        ("Connection refused", "no answer from the vault"),
    ):
        told = vault_calls.explain(ServiceRequestError(said), "https://x.vault.azure.net/keys/k", "sign")
        assert isinstance(told, Unreachable)
        assert words in str(told)


# -- which key -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curve", ["P-384", "P-256K"])
def test_a_key_of_another_curve_is_refused_before_anything_rests_on_it(local_vault, curve):
    local_vault.add_key("evidence", curve)
    with pytest.raises(Misuse, match=f"is not an EC key with the curve P-256 .EC, {curve}."):
        open_key(key_at(local_vault), ORIGIN, HERE)


def test_a_key_that_is_missing_disabled_or_may_not_be_read(local_vault):
    with pytest.raises(Misuse, match="there is no .*/keys/evidence"):
        open_key(key_at(local_vault), ORIGIN, HERE)
    local_vault.add_key("evidence")
    with pytest.raises(Misuse, match="there is no"):
        open_key(f"{key_at(local_vault)}/{'0' * 32}", ORIGIN, HERE)
    disabled(local_vault)
    with pytest.raises(Misuse, match="is disabled"):
        open_key(key_at(local_vault), ORIGIN, HERE)
    local_vault.permissions = frozenset({"keys/sign"})
    with pytest.raises(Misuse, match="not allowed to get"):
        open_key(key_at(local_vault), ORIGIN, HERE)


def test_a_vault_that_gives_no_point_of_the_curve_is_none(local_vault, monkeypatch):
    local_vault.add_key("evidence")
    real = local_vault._key
    monkeypatch.setattr(local_vault, "_key", lambda held, identifier: {**(told := real(held, identifier)), "key": {**told["key"], "x": "AQ"}})
    with pytest.raises(Unreachable, match="a public key that is none"):
        open_key(key_at(local_vault), ORIGIN, HERE)


def test_a_secret_is_read_with_its_version(local_vault):
    first = local_vault.add_secret("second", "one")
    second = local_vault.add_secret("second", "two")
    place = f"{local_vault.endpoint}/secrets/second"
    assert read_secret(place, HERE) == (b"two", f"{place}/{second}")
    assert read_secret(f"{place}/{first}", HERE) == (b"one", f"{place}/{first}")
    version_of(local_vault, "second", "secrets").value = ""
    with pytest.raises(Misuse, match="is empty: put the private key there"):
        read_secret(place, HERE)
    version_of(local_vault, "second", "secrets").enabled = False
    with pytest.raises(Misuse, match="is disabled: enable it"):
        read_secret(place, HERE)
    local_vault.permissions = frozenset()
    with pytest.raises(Misuse, match="not allowed to read .*Key Vault Secrets User"):
        read_secret(place, HERE)


# -- tokens --------------------------------------------------------------------------------------------------------------


HOSTS = itertools.count()
"""The SDK remembers for a whole process what a vault's challenge said, so each test has a vault of its own."""


class Credential:
    """Counts the tokens that are asked for."""

    def __init__(self):
        self.asked = []
        self.vault = f"https://contoso-{next(HOSTS)}.vault.azure.net"

    def get_token(self, *scopes, **options):
        self.asked.append(scopes)
        return AccessToken("local", 4_102_444_800)


@pytest.fixture
def abroad(local_vault, monkeypatch):
    """The stand-in under a real vault's name, and what is asked of the login."""
    real, credential = vault_calls.RequestsTransport, Credential()

    class Detour(real):
        def send(self, request, **options):
            told = request.url
            try:
                request.url = told.replace(credential.vault, local_vault.endpoint)
                assert request.url != told, f"a request to {told}"
                return super().send(request, **options)
            finally:
                request.url = told

    monkeypatch.setattr(vault_calls, "RequestsTransport", Detour)
    monkeypatch.setattr(vault_calls, "login", lambda authority: credential)
    local_vault.add_key("evidence")
    return credential


def test_a_token_is_for_vaults_alone_and_asked_for_once_the_vault_has_said_so(local_vault, abroad):
    signer = open_key(f"{abroad.vault}/keys/evidence", ORIGIN, Access("login.microsoftonline.com"))
    assert signer.key.verifies(TEXT, signer.sign(TEXT))
    assert set(abroad.asked) == {("https://vault.azure.net/.default",)}
    assert signer.identifier.startswith(f"{abroad.vault}/keys/evidence/")


@pytest.mark.parametrize("resource", ["https://evil.example", "https://management.azure.com", "https://azure.net.evil.example", "nonsense", ""])
def test_no_token_is_asked_for_when_the_challenge_names_another_host(local_vault, abroad, resource):
    local_vault.resource = resource
    with pytest.raises(Unreachable, match=r"No token was sent|does not take this login"):
        open_key(f"{abroad.vault}/keys/evidence", ORIGIN, Access("login.microsoftonline.com"))
    assert abroad.asked == []
    assert all(token == "" for _, _, token in local_vault.requests)


def test_no_redirect_is_followed(local_vault, signer):
    with LocalVault() as other:
        local_vault.faults.append(RefusedError(307, "", "", headers={"Location": f"{other.endpoint}/keys/evidence"}))
        with pytest.raises(Unreachable, match="the vault answers 307"):
            signer.sign(TEXT)
        assert other.requests == []


def test_what_speaks_plain_http_speaks_to_loopback_alone():
    from azure.core.rest import HttpRequest

    for url in ("https://contoso.vault.azure.net/keys/k", "https://127.0.0.1.evil.example:1/keys/k", "https://127.0.0.2:1/keys/k"):
        with pytest.raises(Misuse, match=r"on 127\.0\.0\.1 alone"):
            vault_calls.LoopbackTransport().send(HttpRequest("GET", url))
