"""Witnesses: cosignatures byte for byte as C2SP writes them, and a witness that enforces its specification."""

import base64
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import layout
from shared.errors import VerificationError
from shared.seal import cosignature, note
from shared.seal.attestor import Asked, Owed
from shared.seal.log import Log
from shared.seal.post import Post
from shared.seal.sequencer import Sequencer
from shared.seal.store import DirectoryStore
from shared.seal.witness import Witness as Client
from shared.seal.witness import add_checkpoint
from tests.fixtures.records import OTHER, P256, SIGNER
from tests.fixtures.witness import ED25519, MLDSA44, Witness

BOTH = pytest.mark.parametrize("algorithm", [ED25519, MLDSA44])

EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
)
"""c2sp.org/tlog-checkpoint."""


def a_log(folder, signer=SIGNER, sizes=(3, 300, 700), text="record"):
    """A log of nonsense, with a checkpoint at each of these sizes."""
    store = DirectoryStore(folder)
    sequencer = Sequencer(store, signer)
    store.put(layout.open_sweep("s"), b'{"since":0}')
    done = 0
    for number, size in enumerate(sizes):
        lines = b"".join(b'{"n":"%s %d"}\n' % (text.encode(), i) for i in range(done, size))
        store.put_new(layout.batch("s", f"b{number}"), lines)
        sequencer.seal()
        done = size
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return a_log(tmp_path_factory.mktemp("log"))


@pytest.fixture
def witness():
    with Witness() as made:
        made.trust(str(SIGNER.key))
        yield made


def asked(store, size, seen=0, now=None):
    data = store.get(layout.checkpoint(size))
    origin = note.parse_checkpoint(note.parse_note(data).text).origin
    return Asked(origin, size, data, seen, Log(store, size).consistency, {}, now or datetime.now(UTC))


def client(witness, key=None):
    return Client("w", key or cosignature.parse_witness_key(witness.vkey), witness.url, Post(proxies=False))


def requests(witness):
    return [body.split(b"\n", 1)[0].decode() for method, _, _, body in witness.server.asked if method == "POST"]


# -- the call -------------------------------------------------------------------------------------------------------------


def test_the_body_is_that_of_the_specification():
    proof = [base64.b64decode("PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw="), bytes(32)]
    assert add_checkpoint(20852014, proof, EXAMPLE.encode()).decode() == (
        f"old 20852014\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n{'A' * 43}=\n\n{EXAMPLE}"
    )
    assert add_checkpoint(0, [], b"x\n") == b"old 0\n\nx\n"


@BOTH
def test_a_log_that_grows_is_cosigned_each_time(store, algorithm):
    with Witness(algorithm=algorithm) as witness:
        witness.trust(str(SIGNER.key))
        seen = 0
        for size in (3, 300, 700):
            line = client(witness).ask(asked(store, size, seen))
            found = cosignature.cosignatures(cosignature.beside(store.get(layout.checkpoint(size)), line), (client(witness).key,))
            assert [(one.key.name, one.line) for one in found] == [(witness.name, line)]
            assert abs(found[0].at.timestamp() - time.time()) < 5
            seen = size
        assert requests(witness) == ["old 0", "old 3", "old 300"]


@pytest.mark.parametrize("hint", [0, 3, 300, 700, 10_000])
def test_a_hint_that_is_wrong_is_put_right_by_the_witness(store, witness, hint):
    client(witness).ask(asked(store, 300))
    assert client(witness).ask(asked(store, 700, hint))
    assert requests(witness)[-1] == "old 300"
    assert len(requests(witness)) <= 3


def test_the_same_checkpoint_again_is_cosigned_again(store, witness):
    """What it gave was lost on the way: it is asked again with the size that it has."""
    client(witness).ask(asked(store, 300))
    assert client(witness).ask(asked(store, 300))
    assert requests(witness) == ["old 0", "old 0", "old 300"]


def test_a_witness_that_saw_more_than_there_is_says_how_much(store, witness):
    client(witness).ask(asked(store, 700))
    with pytest.raises(Owed, match="cosigned this log at 700 records, and here it has 300") as caught:
        client(witness).ask(asked(store, 300))
    assert caught.value.seen == 700


def test_another_log_of_the_same_name_is_not_cosigned(store, witness, tmp_path):
    other = a_log(tmp_path / "fork", text="rewritten")
    client(witness).ask(asked(store, 300))
    for size in (300, 700):
        with pytest.raises(Owed, match="does not extend what it saw") as caught:
            client(witness).ask(asked(other, size, 300))
        assert caught.value.grave
    assert witness.seen["example.org/evidence"][0] == 300


def test_a_log_that_it_does_not_know(store):
    with Witness() as witness, pytest.raises(Owed, match="does not know the log example.org/evidence: ask its operator"):
        client(witness).ask(asked(store, 300))


def test_a_key_that_it_does_not_trust(store):
    with Witness() as witness:
        witness.trust(str(OTHER.key))
        with pytest.raises(Owed, match="trusts none of the keys"):
            client(witness).ask(asked(store, 300))


def test_a_log_signed_with_ecdsa(tmp_path, witness):
    witness.trust(str(P256.key))
    assert client(witness).ask(asked(a_log(tmp_path, P256), 300))


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_whatever_else_it_answers_is_owed(store, witness, status):
    witness.fault = status
    with pytest.raises(Owed, match=f"answers {status}") as caught:
        client(witness).ask(asked(store, 300))
    assert not caught.value.grave


def test_a_signature_of_another_key_is_not_taken_for_its_own(store, witness):
    with Witness() as other, pytest.raises(Owed, match="no cosignature of the key"):
        client(witness, cosignature.parse_witness_key(other.vkey)).ask(asked(store, 300))


def test_one_that_says_yes_and_signs_nothing(store, witness):
    witness.signs = False
    with pytest.raises(Owed, match="not what it must be"):
        client(witness).ask(asked(store, 300))


def test_a_cosignature_of_times_to_come_is_not_kept(store, witness):
    witness.clock = lambda: time.time() + 3600
    with pytest.raises(Owed, match="still to come"):
        client(witness).ask(asked(store, 300))


def test_a_cosignature_from_before_the_newest_records_is_not_kept(store, witness):
    def latest():
        return datetime.now(UTC)

    witness.clock = lambda: time.time() - 3600
    with pytest.raises(Owed, match=r"its cosignature is of .* one of the clocks is wrong"):
        client(witness).ask(replace(asked(store, 300), latest=latest))
    witness.clock = lambda: time.time() - 30
    assert client(witness).ask(replace(asked(store, 300), latest=latest))


@pytest.mark.parametrize("body", [b"", b"x\n", b"-1\n", b"007\n", b"12 \n", "\u0663\n".encode(), b"1" * 30 + b"\n", b"9\n9\n"])
def test_a_409_without_a_size(store, body):
    from tests.fixtures.local_http import Served

    with Served(lambda *_: (409, {"Content-Type": "text/x.tlog.size"}, body)) as server:
        asks = Client("w", cosignature.parse_witness_key(KEY), server.url, Post(proxies=False))
        with pytest.raises(Owed, match="409"):
            asks.ask(asked(store, 300))
        assert len(server.asked) <= 2


def test_one_that_always_says_409_is_not_asked_for_ever(store):
    from tests.fixtures.local_http import Served

    sizes = iter(range(3, 100))
    with Served(lambda *_: (409, {}, b"%d\n" % next(sizes))) as server:
        asks = Client("w", cosignature.parse_witness_key(KEY), server.url, Post(proxies=False))
        with pytest.raises(Owed, match="409"):
            asks.ask(asked(store, 300))
        assert len(server.asked) == 2


def test_one_that_says_409_to_the_very_size_it_names(store):
    from tests.fixtures.local_http import Served

    with Served(lambda *_: (409, {}, b"3\n")) as server:
        asks = Client("w", cosignature.parse_witness_key(KEY), server.url, Post(proxies=False))
        with pytest.raises(Owed, match="the very size that it was told"):
            asks.ask(asked(store, 300, 3))
        assert len(server.asked) == 1


# -- keys and cosignatures ------------------------------------------------------------------------------------------------

KEY = str(cosignature.witness_key("witness.example/w1", ED25519, bytes(range(32))))


@BOTH
def test_a_key_that_is_printed_is_read_again(algorithm):
    with Witness(algorithm=algorithm) as witness:
        assert str(cosignature.parse_witness_key(f" {witness.vkey}\n")) == witness.vkey


@pytest.mark.parametrize(
    "text",
    ["", "x", KEY[:-4], KEY.replace("+", " "), KEY.replace("w1", "w2"), "a+00000000+AAAA", str(SIGNER.key), str(P256.key), KEY + "A", "é" + KEY],
)
def test_what_is_no_key_of_a_witness(text):
    with pytest.raises(VerificationError) as caught:
        cosignature.parse_witness_key(text)
    assert "\n" not in str(caught.value)


def test_a_witness_is_never_taken_for_the_log():
    """A cosigner's key that has the log's name opens no checkpoint: `--key` takes keys that sign logs alone."""
    with Witness(name="example.org/evidence") as witness, pytest.raises(VerificationError, match="neither Ed25519"):
        note.parse_vkey(witness.vkey)


@BOTH
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_every_flipped_bit_is_found(store, data, algorithm):
    with Witness(algorithm=algorithm) as witness:
        signed = store.get(layout.checkpoint(300))
        line = witness.cosign(note.parse_note(signed).text)
        key = cosignature.parse_witness_key(witness.vkey)
        assert cosignature.cosignatures(signed + line, (key,))
        text = bytearray(signed + line)
        body = signed.index(b"\n\n")
        place = data.draw(st.one_of(st.integers(0, body), st.integers(len(signed), len(text) - 1)))
        text[place] ^= 1 << data.draw(st.integers(0, 7))
        try:
            assert cosignature.cosignatures(bytes(text), (key,)) == [], "whose name or id was changed is another's"
        except VerificationError as error:
            assert "\n" not in str(error)


@pytest.mark.parametrize("seconds", [0, 1 << 63, (1 << 64) - 1, 253402300800])
def test_a_time_that_is_none(store, seconds):
    from cryptography.hazmat.primitives.asymmetric import ed25519

    private = ed25519.Ed25519PrivateKey.generate()
    key = cosignature.witness_key("w", ED25519, private.public_key().public_bytes_raw())
    signed = store.get(layout.checkpoint(300))
    message = f"cosignature/v1\ntime {seconds}\n{note.parse_note(signed).text}".encode()
    blob = base64.b64encode(key.key_id + seconds.to_bytes(8, "big") + private.sign(message)).decode()
    with pytest.raises(VerificationError, match="malformed"):
        cosignature.cosignatures(signed + f"\u2014 w {blob}\n".encode(), (key,))


def test_the_example_of_the_specification_is_read():
    """c2sp.org/tlog-cosignature gives no public key, so only its shape can be checked: name, id, time."""
    line = "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    name, key_id, blob = note.parse_note((EXAMPLE + line).encode()).signatures[1]
    assert (name, key_id.hex(), len(blob)) == ("witness.example.com/w1", "8d66cf3f", 72)
    assert int.from_bytes(blob[:8], "big") == 1679315147
