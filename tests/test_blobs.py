"""The store in a storage account: what goes over the wire, what is tried again, what refusals mean, and what protects the evidence.

Against the real emulator, through the layer that has Azure's retention, rights and faults (`infra.local.worm`).
"""

import socket
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from requests.adapters import HTTPAdapter

from infra.local.worm import Fault
from shared import layout
from shared.collect.clouds import blob_service
from shared.errors import Misuse, StoreConflict, Unreachable
from shared.seal import blob_calls
from shared.seal.blob_account import LARGEST, connect, connect_to_emulator
from shared.seal.blob_handover import LONGEST, link, upload
from shared.seal.blobs import BlobStore, content_type
from shared.seal.store import put_body, put_same
from shared.service.stores import store_of
from shared.settings import Settings

pytestmark = pytest.mark.needs("azurite")

PATH = layout.batch("s", "u")


@pytest.fixture
def waits():
    """How long was waited between tries: nobody waits here."""
    return []


@pytest.fixture
def store(azurite, worm, waits):
    return azurite.store(worm.endpoint, sleep=waits.append)


def said(action):
    """The one line for people."""
    with pytest.raises((Misuse, Unreachable, StoreConflict)) as caught:
        action()
    text = str(caught.value)
    assert "\n" not in text and "Traceback" not in text and "RequestId" not in text
    return type(caught.value), text


# -- over the wire ------------------------------------------------------------------------------------------------------


def test_a_blob_is_created_by_one_put_blob_however_large(store, worm):
    worm.add_only = True
    worm.calls.clear()
    assert store.put_new(PATH, b"x" * (9 * 1024 * 1024))
    assert [method for method, _ in worm.calls] == ["PUT"]
    assert "comp=" not in worm.calls[0][1]
    worm.calls.clear()
    assert len(store.get(PATH)) == 9 * 1024 * 1024
    assert len(worm.calls) == 1


def test_a_blob_that_one_request_cannot_hold_is_refused_before_it_is_sent(store, worm):
    worm.calls.clear()
    for verb in (store.put_new, store.put):
        kind, text = said(lambda verb=verb: verb(layout.STATE + "x", bytes(LARGEST + 1)))
        assert kind is Misuse and "at most" in text
    assert worm.calls == []


@pytest.mark.parametrize(("path", "kind"), [
    (layout.LOG + layout.tile(0, 1), "application/octet-stream"),
    (layout.LOG + layout.tile("entries", 1, 7), "application/octet-stream"),
    (layout.checkpoint(7), "text/plain; charset=utf-8"),
    (layout.LATEST_CHECKPOINT, "text/plain; charset=utf-8"),
    (layout.commit(1), "application/json"),
    (PATH, "application/jsonl"),
    (layout.body("ab" * 32), "application/octet-stream"),
    (layout.BUNDLES + "x.zip", "application/zip"),
])  # fmt: skip
def test_content_types_are_those_of_the_formats(store, path, kind):
    assert content_type(path) == kind
    store.put_new(path, b"x")
    assert store.blob(path).get_blob_properties().content_settings.content_type == kind


def test_evidence_has_no_verb_for_replacing_or_deleting(store, worm):
    worm.calls.clear()
    for verb in (lambda: store.put(PATH, b"x"), lambda: store.delete(PATH)):
        assert said(verb)[0] is StoreConflict
    assert worm.calls == []


def test_a_path_outside_the_four_folders_is_no_path(store):
    for path in ("other/x", "", "/evidence/x"):
        with pytest.raises(ValueError, match="not a path"):
            store.get(path)


def test_a_listing_goes_on_after_a_page_that_failed(store, worm, waits, monkeypatch):
    for number in range(7):
        store.put(f"state/p/{number}", b"x")
    container = store._containers["state"]
    monkeypatch.setattr(container, "list_blob_names", partial(container.list_blob_names, results_per_page=3))
    worm.faults.append(Fault("GET", "comp=list", status=503, code="ServerBusy", skip=1, times=2))
    assert list(store.list("state/p/")) == [f"state/p/{number}" for number in range(7)]
    assert len(waits) == 2


# -- what is tried again -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "waited"), [
    ({"status": 503, "code": "ServerBusy", "retry_after": 7}, [7, 7]),
    ({"status": 429, "code": "TooManyRequests", "retry_after": 3600}, [30, 30]),
    ({"status": 500, "code": "OperationTimedOut"}, [0.5, 1]),
    ({"cut": True}, [0.5, 1]),
], ids=["busy", "throttled for an hour", "timed out", "cut"])  # fmt: skip
def test_what_passes_is_tried_again_after_what_azure_asks_for(store, worm, waits, fault, waited):
    store.put_new(PATH, b"x\n")
    for method, verb in (("GET", lambda: store.get(PATH)), ("HEAD", lambda: store.exists(PATH)), ("PUT", lambda: store.put("state/x", b"y") or True)):
        waits.clear()
        worm.faults[:] = [Fault(method, "", **fault, times=2)]
        assert verb()
        assert waits == waited


@pytest.mark.parametrize("fault", [{"status": 503, "code": "ServerBusy"}, {"cut": True}], ids=["busy", "cut"])
def test_trying_again_ends(store, worm, waits, fault):
    worm.faults.append(Fault("GET", "", **fault, times=None))
    kind, text = said(lambda: store.get(PATH))
    assert kind is Unreachable and "6 tries" in text and "nothing is lost" in text
    assert len(waits) == blob_calls.ATTEMPTS - 1


@pytest.mark.parametrize("lost", [{"cut": True}, {"status": 500}, {"status": 503}], ids=["cut", "500", "503"])
@pytest.mark.parametrize("taken", ["exists", "immutable", "forbidden"])
def test_a_blob_whose_answer_was_lost_is_ours(store, worm, lost, taken):
    worm.policy, worm.add_only, worm.says_of_taken = "locked", True, taken
    worm.faults.append(Fault("PUT", "/evidence/", **lost, after=True))
    assert store.put_new(PATH, b"mine\n") is True
    assert store.get(PATH) == b"mine\n"
    assert store.put_new(PATH, b"mine\n") is False


def test_a_blob_that_another_made_before_our_answer_was_lost_is_theirs(store, worm):
    store.put_new(PATH, b"theirs\n")
    worm.faults.append(Fault("PUT", "/evidence/", cut=True))
    assert store.put_new(PATH, b"mine\n") is False
    assert store.get(PATH) == b"theirs\n"


def test_a_lease_whose_answer_was_lost_is_ours(store, worm):
    worm.faults.append(Fault("PUT", "comp=lease", cut=True, after=True))
    lease = store.lease(layout.SEQUENCER_LOCK)
    assert lease is not None and lease.renew()
    worm.faults.append(Fault("PUT", "comp=lease", cut=True, after=True))
    lease.release()
    assert store.lease(layout.SEQUENCER_LOCK) is not None


def test_a_lease_that_cannot_be_given_back_is_no_error(store, worm):
    lease = store.lease(layout.SEQUENCER_LOCK)
    worm.faults.append(Fault("PUT", "comp=lease", status=503, times=None))
    lease.release()


# -- what a refusal means --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code", "kind", "words"), [
    (403, "AuthorizationPermissionMismatch", Unreachable, ["not allowed to read evidence", "Storage Blob Data Reader"]),
    (403, "AuthorizationFailure", Unreachable, ["firewall", "private endpoint"]),
    (403, "AuthenticationFailed", Unreachable, ["log in again", "clock"]),
    (403, "KeyBasedAuthenticationNotPermitted", Unreachable, ["shared keys", "identity"]),
    (401, "InvalidAuthenticationInfo", Unreachable, ["does not take this login", "EVIDENCE_CLOUD"]),
    (404, "ContainerNotFound", Misuse, ["no container evidence", "init"]),
    (404, "", Unreachable, ["404"]),
    (409, "ContainerBeingDeleted", Unreachable, ["run again"]),
    (400, "InvalidHeaderValue", Unreachable, ["400", "InvalidHeaderValue"]),
    (412, "LeaseIdMissing", Unreachable, ["412"]),
])  # fmt: skip
@pytest.mark.parametrize("verb", ["get", "exists"])
def test_a_refusal_says_what_to_do_and_is_never_taken_for_an_empty_store(store, worm, status, code, kind, words, verb):
    worm.faults.append(Fault("GET" if verb == "get" else "HEAD", "/evidence/", status=status, code=code, times=None))
    found, text = said(lambda: getattr(store, verb)(PATH))
    assert found is kind
    assert all(word in text for word in words), text


def test_each_verb_names_the_role_it_needs(store, worm):
    verbs = {
        ("PUT", "evidence"): (lambda: store.put_new(PATH, b"x"), "blobs/add/action"),
        ("PUT", "state"): (lambda: store.put("state/x", b"x"), "Storage Blob Data Contributor"),
        ("DELETE", "personal"): (lambda: store.delete("personal/x"), "Storage Blob Data Contributor"),
        ("GET", "bundles"): (lambda: list(store.list("bundles/")), "Storage Blob Data Reader"),
    }
    for (method, container), (verb, role) in verbs.items():
        worm.faults[:] = [Fault(method, f"/{container}", status=403, code="AuthorizationPermissionMismatch", times=None)]
        kind, text = said(verb)
        assert kind is Unreachable and role in text and container in text, text


def test_a_missing_container_is_not_an_empty_store(azurite, store):
    azurite.fresh()
    for verb in (lambda: store.get(PATH), lambda: store.exists(PATH), lambda: list(store.list(layout.COMMITS)), lambda: store.put_new(PATH, b""),
                 lambda: store.put("state/x", b""), lambda: store.delete("state/x"), store.retention):  # fmt: skip
        kind, text = said(verb)
        assert kind is Misuse and "no container" in text


def test_a_policy_where_none_may_be_is_said(store, worm):
    worm.faults.append(Fault("DELETE", "/personal/", status=409, code="BlobImmutableDueToPolicy", times=None))
    kind, text = said(lambda: store.delete("personal/x"))
    assert kind is Misuse and "only evidence may be" in text


def test_an_account_that_is_not_there_is_said(waits, free_port_number):
    nowhere = BlobStore(connect_to_emulator(f"http://127.0.0.1:{free_port_number}"), sleep=waits.append)
    kind, text = said(lambda: nowhere.get(PATH))
    assert kind is Unreachable and "no answer from" in text
    unknown = BlobStore(connect("https://no-such-account.invalid", Token()), sleep=waits.append)
    kind, text = said(lambda: unknown.get(PATH))
    assert kind is Unreachable and "cannot be resolved" in text


@pytest.fixture
def free_port_number():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


class Token:
    """Somebody who is logged in."""

    def get_token(self, *scopes, **_):
        from azure.core.credentials import AccessToken

        assert scopes == ("https://storage.azure.com/.default",)
        return AccessToken("local", 4_000_000_000)


def test_nobody_logged_in_is_said(waits):
    from azure.identity import CredentialUnavailableError

    class Nobody:
        def get_token(self, *scopes, **_):
            raise CredentialUnavailableError("EnvironmentCredential: …\nManagedIdentityCredential: …")

    kind, text = said(lambda: BlobStore(connect("https://x.blob.core.windows.net", Nobody()), sleep=waits.append).get(PATH))
    assert kind is Unreachable and "az login" in text
    assert waits == []


# -- what protects the evidence ------------------------------------------------------------------------------------------------


def test_retention_is_what_a_written_blob_says(store, worm):
    put_body(store, b"x")
    bare = store.retention()
    assert (bare["policy"], bare["until"], bare["source"]) == ("none", None, "storage account")
    for policy in ("unlocked", "locked"):
        worm.policy = policy
        found = store.retention()
        assert found["policy"] == policy
        assert datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["written"]) == timedelta(days=30)


def test_a_containers_own_policy_is_not_taken_for_a_locked_one(store, worm):
    put_body(store, b"x")
    worm.policy, worm.level = "locked", "container"
    assert store.retention()["policy"] == "unlocked"
    worm.policy, worm.legal_hold = "none", True
    assert store.retention()["policy"] == "unlocked"
    worm.faults.append(Fault("GET", "restype=container", status=403, code="AuthorizationPermissionMismatch"))
    worm.faults.append(Fault("HEAD", "restype=container", status=403, code="AuthorizationPermissionMismatch"))
    assert store.retention()["policy"] == "none"


def test_retention_of_a_new_process_is_that_of_the_newest_commit(store, azurite, worm):
    for seq in (1, 2, 3):
        store.put_new(layout.commit(seq), b"x")
    fresh = BlobStore(connect_to_emulator(worm.endpoint))
    worm.calls.clear()
    worm.policy = "locked"
    assert fresh.retention()["policy"] == "locked"
    assert layout.commit(3) in worm.calls[-1][1]


def test_a_role_that_may_only_add_is_enough_for_evidence(store, worm):
    worm.policy, worm.add_only = "locked", True
    for worm.says_of_taken in ("exists", "immutable", "forbidden"):
        name = layout.batch("s", worm.says_of_taken)
        assert store.put_new(name, b"one\n")
        assert not store.put_new(name, b"two\n")
        put_same(store, name, b"one\n")
        with pytest.raises(StoreConflict):
            put_same(store, name, b"two\n")
        assert store.get(name) == b"one\n"


def test_the_layer_is_no_kinder_than_azure(store, worm):
    from azure.core.exceptions import HttpResponseError

    def refused(action):
        with pytest.raises(HttpResponseError) as caught:
            action()
        return caught.value.response.headers["x-ms-error-code"]

    store.put_new(PATH, b"one\n")
    blob = store.blob(PATH)
    worm.policy = "locked"
    assert refused(lambda: blob.upload_blob(b"two\n", overwrite=True)) == "BlobImmutableDueToPolicy"
    assert refused(blob.delete_blob) == "BlobImmutableDueToPolicy"
    assert refused(store._containers["evidence"].delete_container) == "ContainerProtectedFromDeletion"
    worm.policy, worm.add_only = "none", True
    for verb in (blob.delete_blob, lambda: blob.upload_blob(b"two\n", overwrite=True), lambda: blob.stage_block("MDE=", b"x"),
                 lambda: blob.commit_block_list(["MDE="])):  # fmt: skip
        assert refused(verb) == "AuthorizationPermissionMismatch"
    assert store.get(PATH) == b"one\n"


# -- handing bundles over ------------------------------------------------------------------------------------------------------


def test_a_large_file_is_uploaded_in_blocks_and_fetched_by_link(store, worm, tmp_path):
    store.service = with_token(worm)
    file = tmp_path / "big.zip"
    file.write_bytes(bytes(range(256)) * 4 * 1024 * 70)
    path = layout.BUNDLES + "big.zip"
    upload(store, path, file)
    assert any("comp=block" in target for _, target in worm.calls)
    now = datetime.now(UTC)
    url = link(store, path, now + timedelta(minutes=15))
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == file.read_bytes()
        assert answer.headers["Content-Disposition"] == 'attachment; filename="big.zip"'
    store.put(layout.BUNDLES + "other.zip", b"x")
    expired = link(store, path, now - timedelta(seconds=5))
    for bad in (url.replace("big.zip", "other.zip"), url.replace("sig=", "sig=A"), url.partition("?")[0], url.replace("sp=r", "sp=rw"), expired):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(bad)
        assert caught.value.code in (403, 404)


def with_token(worm):
    """A client as in Azure, https and a token, whose requests end at the layer."""

    class Adapter(HTTPAdapter):
        def send(self, request, **how):
            request.url = request.url.replace("https://devstoreaccount1.blob.core.windows.net", f"{worm.endpoint}/devstoreaccount1")
            return super().send(request, **how)

    service = connect("https://devstoreaccount1.blob.core.windows.net", Token())
    service._config.transport.session.mount("https://", Adapter())
    return service


def test_a_key_for_links_is_given_to_a_token_alone(store):
    kind, text = said(lambda: link(store, layout.BUNDLES + "x.zip", datetime.now(UTC) + timedelta(minutes=1)))
    assert kind is Unreachable and "log in" in text


def test_only_bundles_are_handed_over(store, tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"x")
    for action in (lambda: upload(store, "personal/x", file), lambda: link(store, "personal/key", datetime.now(UTC) + LONGEST),
                   lambda: upload(store, "bundles/x", tmp_path / "absent")):  # fmt: skip
        assert said(action)[0] is Misuse


# -- which account ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "cloud", "host"), [
    ("https://evidence01.blob.core.windows.net", "public", "evidence01.blob.core.windows.net"),
    ("https://evidence01.blob.core.windows.net:443/", "public", "evidence01.blob.core.windows.net"),
    ("https://evidence01.z13.blob.storage.azure.net", "public", "evidence01.z13.blob.storage.azure.net"),
    ("https://evidence01.blob.core.usgovcloudapi.net", "usgov", "evidence01.blob.core.usgovcloudapi.net"),
    ("https://evidence01.blob.core.chinacloudapi.cn", "china", "evidence01.blob.core.chinacloudapi.cn"),
    ("https://evidence01.blob.core.windows.net", "usgov", None),
    ("http://evidence01.blob.core.windows.net", "public", None),
    ("https://evidence01.blob.core.windows.net/evidence", "public", None),
    ("https://evidence01.blob.core.windows.net?sv=1&sig=2", "public", None),
    ("https://evidence01.blob.core.windows.net:8443", "public", None),
    ("https://evidence01.blob.core.windows.net@evil.example", "public", None),
    ("https://evil.example/.blob.core.windows.net", "public", None),
    ("https://evilblob.core.windows.net", "public", None),
    ("https://a.b.blob.core.windows.net", "public", None),
    ("https://evidence01.blob.core.windows.net.evil.example", "public", None),
    ("https://devstoreaccount1.blob.core.windows.net", "loopback", None),
])  # fmt: skip
def test_a_token_goes_to_storage_accounts_of_the_cloud_alone(url, cloud, host):
    assert blob_service(url, cloud) == (host and f"https://{host}")
    if host is None and cloud != "loopback":
        kind, text = said(lambda: store_of(Settings(store=url, cloud=cloud)))
        assert kind is Misuse and "is no storage account of the cloud" in text


def test_on_loopback_the_account_is_the_emulators(azurite):
    made = azurite.store()
    made.put_new(layout.commit(1), b"{}")
    known = Settings(store="https://devstoreaccount1.blob.core.windows.net", cloud="loopback", arm_endpoint="x", store_endpoint=azurite.blob)
    direct = Settings(store=f"{azurite.blob}/devstoreaccount1", cloud="loopback", arm_endpoint="x")
    for settings in (known, direct):
        assert store_of(settings).get(layout.commit(1)) == b"{}"
        assert store_of(settings) is store_of(settings)
    for url, endpoint in (("https://other.blob.core.windows.net", azurite.blob), ("https://devstoreaccount1.blob.core.windows.net", None)):
        kind, _ = said(lambda url=url, endpoint=endpoint: store_of(Settings(store=url, cloud="loopback", arm_endpoint="x", store_endpoint=endpoint)))
        assert kind is Misuse


def test_an_account_without_a_log_is_no_store(azurite):
    azurite.fresh()
    settings = Settings(store="https://devstoreaccount1.blob.core.windows.net", cloud="loopback", arm_endpoint="x", store_endpoint=azurite.blob)
    assert said(lambda: store_of(settings))[0] is Misuse
    azurite.store()
    kind, text = said(lambda: store_of(settings))
    assert kind is Misuse and "init" in text

