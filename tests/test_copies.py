"""Copies of checkpoints where the owner of the store has no say: a receiver of webhooks, and a container of another account."""

import base64
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared import layout
from shared.seal import note
from shared.seal.attestor import Asked, Owed
from shared.seal.blob_account import connect_to_emulator
from shared.seal.blob_copy import ContainerCopy
from shared.seal.post import Post
from shared.seal.webhook import Webhook, signed_headers, signing_key
from tests.fixtures.receiver import Receiver
from tests.fixtures.records import P256, SIGNER

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECRET = "a secret of the receiver"


def checkpoint(size=7, root=bytes(32), signer=SIGNER):
    text = note.Checkpoint("example.org/evidence", size, root).text()
    return f"{text}\n{note.signature_line(signer.key, signer.sign(text.encode()))}".encode()


def asked(size=7, beside=None, **options):
    return Asked("example.org/evidence", size, checkpoint(size, **options), 0, lambda _: [], beside or {}, NOW)


# -- webhooks -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def receiver():
    with Receiver(SECRET, NOW.timestamp) as made:
        yield made


def hook(receiver, secret=SECRET):
    return Webhook("hook", receiver.url, secret, Post(proxies=False))


def test_the_receiver_knows_who_sent_it_and_keeps_the_checkpoint_as_it_is(receiver):
    token = b"\x30\x82 a token"
    assert hook(receiver).ask(asked(beside={"00000000000000000007.tsa.tsr": token})) == b""
    assert receiver.checkpoint(7) == checkpoint(7)
    assert base64.b64decode(receiver.kept[7]["beside"]["00000000000000000007.tsa.tsr"]) == token
    assert {key: receiver.kept[7][key] for key in ("v", "kind", "origin", "size")} == {
        "v": 1, "kind": "aoai-evidence-checkpoint", "origin": "example.org/evidence", "size": 7,
    }  # fmt: skip


def test_the_example_of_standard_webhooks():
    """Its specification: secret, id, time and body, and the signature that they give."""
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    import hashlib
    import hmac

    wanted = hmac.new(key, b'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}', hashlib.sha256).digest()
    assert base64.b64encode(wanted) == b"g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    headers = signed_headers(b"body", key, 1614265330)
    again = hmac.new(key, f"{headers['webhook-id']}.1614265330.body".encode(), hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(again).decode()}"
    assert headers["webhook-timestamp"] == "1614265330"


def test_what_is_sent_again_has_the_same_id_and_other_content_another(receiver):
    for beside in ({}, {}, {"00000000000000000007.tsa.tsr": b"x"}):
        hook(receiver).ask(asked(beside=beside))
    ids = [headers["webhook-id"] for _, _, headers, _ in receiver.server.asked]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("secret", ["another secret of 16", "whsec_" + base64.b64encode(b"y" * 24).decode()])
def test_one_with_another_secret_is_refused(receiver, secret):
    with pytest.raises(Owed, match="answers 401"):
        hook(receiver, secret).ask(asked())
    assert receiver.kept == {}


def test_a_copy_that_was_held_back_is_refused(receiver):
    with pytest.raises(Owed, match="answers 401"):
        hook(receiver).ask(replace(asked(), now=datetime(2026, 11, 25, 11, 50, tzinfo=UTC)))


def test_another_log_of_the_same_size_is_an_alarm(receiver):
    hook(receiver).ask(asked())
    with pytest.raises(Owed, match="another checkpoint of 7 records") as caught:
        hook(receiver).ask(asked(root=b"x" * 32))
    assert caught.value.grave
    assert receiver.checkpoint(7) == checkpoint(7)


@pytest.mark.parametrize("status", [301, 400, 410, 500])
def test_what_was_not_taken_is_owed(receiver, status):
    receiver.fault = status
    with pytest.raises(Owed, match=f"answers {status}"):
        hook(receiver).ask(asked())
    assert len(receiver.server.asked) == 1


@pytest.mark.parametrize("secret", ["@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/s)", "whsec_***"])
def test_a_secret_that_is_none_signs_nothing(receiver, secret):
    with pytest.raises(Owed, match="EVIDENCE_COPY_SECRET"):
        hook(receiver, secret).ask(asked())
    assert receiver.server.asked == []


# -- containers -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def container(azurite):
    service = connect_to_emulator(azurite.blob)
    made = service.create_container("copies")
    yield made
    made.delete_container()


def names(container):
    return sorted(container.list_blob_names())


def read(container, name):
    return container.get_blob_client(name).download_blob().readall()


BESIDE = {"00000000000000000007.tsa.tsr": b"a token", "00000000000000000007.w.cosig": b"a line"}


@pytest.mark.needs("azurite")
def test_a_container_has_it_under_the_same_names(container):
    ContainerCopy("copy", container).ask(asked(beside=BESIDE))
    assert names(container) == sorted(f"log/checkpoint/{name}" for name in ("00000000000000000007", *BESIDE))
    assert read(container, layout.checkpoint(7).removeprefix(layout.EVIDENCE)) == checkpoint(7)
    assert read(container, "log/checkpoint/00000000000000000007.w.cosig") == b"a line"


@pytest.mark.needs("azurite")
def test_what_is_there_is_never_replaced_and_what_came_later_is_added(container):
    copy = ContainerCopy("copy", container)
    copy.ask(asked())
    copy.ask(asked(beside=BESIDE))
    copy.ask(asked(beside=dict.fromkeys(BESIDE, b"another")))
    assert read(container, "log/checkpoint/00000000000000000007.tsa.tsr") == b"a token"
    assert read(container, "log/checkpoint/00000000000000000007") == checkpoint(7)


@pytest.mark.needs("azurite")
def test_the_same_checkpoint_signed_again_is_the_same_and_another_is_an_alarm(container):
    copy = ContainerCopy("copy", container)
    copy.ask(asked(signer=P256))
    first = read(container, "log/checkpoint/00000000000000000007")
    copy.ask(asked(signer=P256))  # ECDSA signs differently each time
    assert read(container, "log/checkpoint/00000000000000000007") == first
    with pytest.raises(Owed, match="holds another checkpoint of 7 records") as caught:
        copy.ask(asked(signer=P256, root=b"x" * 32))
    assert caught.value.grave


@pytest.mark.needs("azurite")
def test_a_container_that_is_not_there_is_owed_with_what_to_do(azurite):
    gone = connect_to_emulator(azurite.blob).get_container_client("nothing-here")
    with pytest.raises(Owed, match=r"404 ContainerNotFound\): make the container"):
        ContainerCopy("copy", gone).ask(asked())


@pytest.mark.needs("azurite")
@pytest.mark.parametrize("says", ["exists", "immutable", "forbidden"])
def test_an_identity_that_may_only_add_finds_what_is_there(worm, azurite, says):
    """The role that adds and reads is refused where the name is taken: it is read and compared then."""
    worm.add_only, worm.says_of_taken = True, says
    service = connect_to_emulator(azurite.blob)
    azurite.fresh()
    made = service.create_container("evidence")
    try:
        copy = ContainerCopy("copy", connect_to_emulator(worm.endpoint).get_container_client("evidence"))
        copy.ask(asked())
        copy.ask(asked())
        with pytest.raises(Owed, match="holds another checkpoint"):
            copy.ask(asked(root=b"x" * 32))
    finally:
        made.delete_container()


def test_an_account_that_is_down_is_owed_at_once():
    from shared.seal.blob_copy import TIMEOUTS

    nobody = connect_to_emulator("http://127.0.0.1:1", timeouts=TIMEOUTS).get_container_client("copies")
    with pytest.raises(Owed, match="no answer from the account"):
        ContainerCopy("copy", nobody).ask(asked())
