"""Timestamps: a real authority (`openssl ts`), and everything that it, or somebody on the way, can do wrong."""

import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.errors import VerificationError
from shared.seal import post
from shared.seal.attestor import Asked, Owed
from shared.seal.authority import Authority, timestamp_request
from shared.seal.post import Post
from shared.seal.timestamp import MAX_RESPONSE, check_answer, in_order, read_roots, verify_stamp
from tests.fixtures import authority as fixture

pytestmark = pytest.mark.needs("openssl")
CHECKPOINT = b"example.org/evidence\n7\nq9i1AtcQ3D0TWnW7wYoiJcxnGHPTJ2hqOXXWaVdCUgc=\n\n\xe2\x80\x94 example.org/evidence AAAA\n"
ROOMY = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    with fixture.Authority(tmp_path_factory.mktemp("authority")) as made:
        yield made


@pytest.fixture(autouse=True)
def honest(authority):
    authority.fault = None


@pytest.fixture(scope="module")
def roots(authority):
    return read_roots(authority.roots.read_bytes())


@pytest.fixture(scope="module")
def token(authority):
    return authority.reply(timestamp_request(CHECKPOINT).as_bytes())


def asked(checkpoint=CHECKPOINT, latest=None):
    return Asked("example.org/evidence", 7, checkpoint, 0, lambda _: [], {}, datetime.now(UTC), lambda: latest)


def client(authority, **options):
    return Authority("test", authority.url, Post(proxies=False, **options))


def refused(data, checkpoint, roots):
    with pytest.raises(VerificationError) as caught:
        verify_stamp(data, checkpoint, roots)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# -- what is right ----------------------------------------------------------------------------------------------------------


def test_what_a_real_authority_gives_holds(authority, roots):
    before = datetime.now(UTC).replace(microsecond=0)
    data = client(authority).ask(asked())
    found = verify_stamp(data, CHECKPOINT, roots)
    assert before <= found.at <= datetime.now(UTC)
    assert (found.authority, found.accuracy) == ("CN=Test TSA", timedelta(seconds=1))


def test_openssl_says_the_same_of_the_files_in_the_store(authority, token, tmp_path):
    """What docs/auditor.md tells an auditor to type."""
    (tmp_path / "checkpoint").write_bytes(CHECKPOINT)
    (tmp_path / "token.tsr").write_bytes(token)
    words = ["openssl", "ts", "-verify", "-data", tmp_path / "checkpoint", "-in", tmp_path / "token.tsr", "-CAfile", authority.roots]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout + done.stderr
    (tmp_path / "checkpoint").write_bytes(CHECKPOINT + b"x")
    assert subprocess.run(words, capture_output=True, check=False).returncode != 0


def test_every_request_has_a_nonce_of_its_own_and_asks_for_certificates():
    made = [timestamp_request(CHECKPOINT) for _ in range(50)]
    assert len({request.nonce for request in made}) == 50
    assert all(request.cert_req and request.nonce.bit_length() > 40 for request in made)


def test_certificates_come_in_the_order_of_the_chain_and_are_read_all_the_same(token):
    """`openssl ts` sends its own, its CA's, the root's; DER wants a set sorted, and rfc3161-client reads DER alone."""
    from rfc3161_client import decode_timestamp_response

    sorted_ = in_order(token)
    assert sorted_ != token and sorted(sorted_) == sorted(token)
    with pytest.raises(ValueError, match="InvalidSetOrdering"):
        decode_timestamp_response(token)
    assert len(decode_timestamp_response(sorted_).signed_data.certificates) == 3
    assert in_order(sorted_) == sorted_


# -- what is wrong when it is asked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("garbage", "not a timestamp over this checkpoint: malformed"),
        ("wrong imprint", "over other bytes"),
        ("wrong nonce", "another request"),
        ("rejecting", "not granted: rejected"),
        ("no eku", "not one for timestamps"),
        ("closed", "connection broke"),
        ("busy", "answers 503"),
        ("redirect", "a redirect, which is not followed"),
    ],
)
def test_an_answer_that_is_not_the_one_that_was_asked_for_is_not_kept(authority, fault, words):
    authority.fault = fault
    before = authority.asked
    with pytest.raises(Owed, match=words) as caught:
        client(authority).ask(asked())
    assert authority.asked == before + 1, "asked once"
    assert caught.value.wait == (120 if fault == "busy" else None)
    assert not caught.value.grave


def test_a_time_before_the_newest_records_is_not_kept(authority):
    """It would contradict them for ever; a clock that is right tomorrow gives one that does not."""
    with pytest.raises(Owed, match=r"its timestamp is of .* one of the clocks is wrong"):
        client(authority).ask(asked(latest=datetime.now(UTC) + timedelta(minutes=10)))
    assert client(authority).ask(asked(latest=datetime.now(UTC) + timedelta(seconds=30))), "good clocks may differ a little"


def test_a_slow_one_is_not_waited_for(authority, monkeypatch):
    monkeypatch.setattr(post, "SECONDS", 0.3)
    authority.fault = "slow"
    begun = datetime.now(UTC)
    with pytest.raises(Owed, match="no answer within"):
        client(authority).ask(asked())
    assert datetime.now(UTC) - begun < timedelta(seconds=fixture.SLOW)


def test_one_that_is_down_is_named_so(tmp_path):
    with fixture.Authority(tmp_path) as made:
        made.server.stop()
        with pytest.raises(Owed, match="no connection"):
            client(made).ask(asked())


# -- what is wrong years later ----------------------------------------------------------------------------------------------


def test_over_other_bytes(token, roots):
    assert "other bytes" in refused(token, CHECKPOINT + b" ", roots)


def test_an_authority_that_no_root_vouches_for(token, tmp_path):
    with fixture.Authority(tmp_path, "Another TSA") as other:
        assert "no chain leads" in refused(token, CHECKPOINT, read_roots(other.roots.read_bytes()))
        both = read_roots(other.roots.read_bytes())
        data = other.reply(timestamp_request(CHECKPOINT).as_bytes())
        assert verify_stamp(data, CHECKPOINT, both).authority == "CN=Another TSA"


@pytest.mark.parametrize(("start", "end", "words"), [(-20, -1, "had expired at"), (1, 20, "was not valid yet at")])
def test_a_certificate_that_was_not_valid_when_it_signed(tmp_path, start, end, words):
    now = datetime.now(UTC)
    valid = (now + timedelta(days=start), now + timedelta(days=end))
    with fixture.Authority(tmp_path, valid=valid) as made:
        data = made.reply(timestamp_request(CHECKPOINT).as_bytes())
        assert words in refused(data, CHECKPOINT, read_roots(made.roots.read_bytes()))


def test_a_certificate_that_has_expired_since_is_none_the_worse(tmp_path):
    for seconds in (2, 8, 32):  # as long as it takes this machine to have an answer before the certificate expires
        now = datetime.now(UTC)
        ends = (now + timedelta(seconds=seconds)).replace(microsecond=0)
        with fixture.Authority(tmp_path / str(seconds), valid=(now - timedelta(days=1), ends)) as made:
            data = made.reply(timestamp_request(CHECKPOINT).as_bytes())
            if datetime.now(UTC) < ends:
                time.sleep((ends - datetime.now(UTC)).total_seconds() + 1)
                assert verify_stamp(data, CHECKPOINT, read_roots(made.roots.read_bytes())).at <= ends
                return
    pytest.fail("no answer came before the certificate expired")


def test_a_certificate_that_is_not_for_timestamps(authority, roots):
    data = authority.reply(timestamp_request(CHECKPOINT).as_bytes(), "no eku")
    assert "not one for timestamps" in refused(data, CHECKPOINT, roots)


def test_an_answer_that_grants_nothing(authority, roots):
    assert "not granted: rejected" in refused(authority.reply(timestamp_request(CHECKPOINT).as_bytes(), "rejecting"), CHECKPOINT, roots)


def test_without_a_root_nothing_holds(token):
    assert refused(token, CHECKPOINT, [])


# -- any bytes ------------------------------------------------------------------------------------------------------------


@given(data=st.data())
@ROOMY
def test_a_flipped_bit_is_found_or_changes_nothing_that_is_said(token, roots, data):
    """No signature covers the root that a token brings along, nor a few bytes of its wrapping: there a flip says the same as before, or fails."""
    good = verify_stamp(token, CHECKPOINT, roots)
    bad = bytearray(token)
    bad[data.draw(st.integers(0, len(token) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        assert verify_stamp(bytes(bad), CHECKPOINT, roots) == good
    except VerificationError as error:
        assert "\n" not in str(error)


def test_every_flipped_bit_of_what_is_said_is_found(token, roots):
    """Imprint, time, nonce, serial number, accuracy; and the signature."""
    from rfc3161_client import decode_timestamp_response

    said = decode_timestamp_response(in_order(token)).tst_info.as_bytes()
    start = token.index(said)
    for place in [*range(start, start + len(said)), *range(len(token) - 64, len(token))]:
        for bit in range(8):
            bad = bytearray(token)
            bad[place] ^= 1 << bit
            refused(bytes(bad), CHECKPOINT, roots)


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x30\x03\x02\x01\x00")
@example(b"\x30\x84\xff\xff\xff\xff")
@example(b"\x30" * 2000)
@ROOMY
def test_any_bytes_are_one_error(roots, data):
    refused(data, CHECKPOINT, roots)
    in_order(data)
    with pytest.raises(VerificationError):
        check_answer(data, timestamp_request(CHECKPOINT))


def test_a_token_larger_than_any_is_not_looked_at(token, roots):
    assert "larger" in refused(token + bytes(MAX_RESPONSE), CHECKPOINT, roots)


@pytest.mark.parametrize("pem", [b"", b"no", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_no_root(pem):
    with pytest.raises(VerificationError, match="no certificates"):
        read_roots(pem)
