"""From end to end, as commands: the newest records are cut off by whoever has store and key, and each place that he does not control shows it."""

import json
import shutil
import time
import urllib.request
from hashlib import sha256

import pytest

from shared.seal.blob_account import connect_to_emulator
from shared.seal.store import DirectoryStore
from tests.fixtures.authority import Authority
from tests.fixtures.commandline import office
from tests.fixtures.receiver import Receiver
from tests.fixtures.vouched import SECRET, cut
from tests.fixtures.witness import Witness

pytestmark = [pytest.mark.needs("openssl"), pytest.mark.needs("azurite")]
ORIGIN = "example.org/evidence"


@pytest.fixture(scope="module")
def parties(tmp_path_factory, azurite):
    folder = tmp_path_factory.mktemp("parties")
    container = connect_to_emulator(azurite.blob).create_container("elsewhere")
    with Authority(folder) as authority, Witness() as witness, Receiver(SECRET, time.time) as receiver, office(folder / "office") as made:
        command = made.having(
            EVIDENCE_TSA_URL=authority.url, EVIDENCE_WITNESSES=witness.setting, EVIDENCE_COPY_SECRET=SECRET,
            EVIDENCE_COPIES=f"{receiver.url}, {azurite.blob}/devstoreaccount1/elsewhere",
        )  # fmt: skip
        assert command("init", "--origin", ORIGIN).code == 0
        witness.trust(command.vkey)
        for _ in range(2):
            assert command("collect").code == 0
        (folder / "witness.vkey").write_text(f"# the witness\n{witness.vkey}\n")
        yield command, authority, witness, receiver, container, folder
    container.delete_container()


@pytest.fixture
def trusting(parties):
    """What an auditor adds to `verify` who trusts them."""
    _, authority, _, _, _, folder = parties
    return ["--tsa-roots", authority.roots, "--witness", folder / "witness.vkey"]


def newest(names):
    return max(name for name in names if "." not in name.rpartition("/")[2])


def held_by(party, parties, folder):
    """The checkpoint that a party kept, in a file; without anything of the store."""
    _, _, witness, receiver, container, _ = parties
    if party == "witness":
        with urllib.request.urlopen(f"{witness.url}/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint") as answer:
            data = answer.read()
    elif party == "webhook":
        data = receiver.checkpoint()
    else:
        data = container.get_blob_client(newest(container.list_blob_names())).download_blob().readall()
    (folder / "held").write_bytes(data)
    return folder / "held"


def test_all_of_it_verifies_and_is_said(parties, trusting):
    command = parties[0]
    found = command.verify(*trusting)
    assert found.code == 0, found.out
    assert "existed at" in found.out and "says CN=Test TSA" in found.out and "witness.example/w1 saw the log at" in found.out
    said = command("status").out
    assert "timestamped" in said and "cosigned" in said and said.count("copied") == 2


@pytest.mark.parametrize("party", ["witness", "webhook", "container"])
def test_newest_records_that_are_cut_off_are_missed_by(party, parties, trusting, tmp_path):
    command = parties[0]
    moved = command.moved(tmp_path / "office")
    kept = cut(DirectoryStore(moved.store), 4)
    alone = moved.verify(*trusting)
    assert alone.code == 0, "nothing in the store itself shows it"
    assert "that the newest records were not cut off" in alone.out
    found = moved.verify("--checkpoint", held_by(party, parties, tmp_path), *trusting)
    assert found.code == 1
    assert "NOT INTACT" in found.out and "records are cut off: the checkpoint held covers" in found.out and f"this log has {kept}" in found.out
    assert command.verify("--checkpoint", held_by(party, parties, tmp_path), *trusting).code == 0


@pytest.mark.parametrize("party", ["witness", "webhook", "container"])
def test_a_bundle_out_of_a_store_that_was_cut_off_is_found_by(party, parties, trusting, tmp_path):
    moved = parties[0].moved(tmp_path / "office")
    key = moved.vkey
    assert moved("bundle", "--out", tmp_path / "whole.zip").code == 0
    cut(DirectoryStore(moved.store), 4)
    assert moved("bundle", "--out", tmp_path / "cut.zip").code == 0
    held = held_by(party, parties, tmp_path)
    whole = moved("verify", tmp_path / "whole.zip", "--key", key, "--checkpoint", held, *trusting)
    assert whole.code == 0 and "extends the checkpoint held" in whole.out and "says CN=Test TSA" in whole.out
    found = moved("verify", tmp_path / "cut.zip", "--key", key, "--checkpoint", held, *trusting)
    assert found.code == 1 and "are cut off" in found.out


def test_collect_says_who_owes_what_and_is_no_worse_for_it(parties, tmp_path):
    command, authority, *_ = parties
    moved = command.moved(tmp_path / "office")
    authority.server.stop()
    try:
        found = moved.having(EVIDENCE_WITNESSES="", EVIDENCE_COPIES="")("collect")
    finally:
        authority.server.start()
    assert found.code == 0
    assert "1 checkpoint is owed a timestamp" in found.err and "no connection; the next `collect` asks again" in found.err
    quiet = moved.having(EVIDENCE_WITNESSES="", EVIDENCE_COPIES="")("--json", "status")
    [one] = json.loads(quiet.out)["attested"]
    assert (one["sort"], one["owed"], one["error"]) == ("timestamp", 1, "no connection")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--tsa-roots", "absent.pem"], "cannot read the root certificates absent.pem"),
        (["--tsa-roots", "witness.vkey"], "--tsa-roots witness.vkey: no certificates in PEM"),
        (["--witness", "nobody"], "cannot read the verifier key nobody"),
        (["--witness", "a+00000000+AAAA"], "--witness: not a witness's key"),
    ],
)
def test_options_that_cannot_be_are_one_line_and_exit_2(parties, arguments, says):
    command, *_, folder = parties
    shutil.copy(folder / "witness.vkey", command.folder / "witness.vkey")
    found = command.verify(*arguments)
    assert found.code == 2
    assert says in found.error
