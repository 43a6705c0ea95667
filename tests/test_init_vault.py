"""`init` with a key in a vault, into a folder and into a storage account: the list of keys is printed and sealed, half a start is gone on with."""

import json

import pytest

from shared import layout
from shared.errors import Misuse, Unreachable
from shared.seal import note
from shared.seal.keys import read_keys
from shared.service import init as init_module
from shared.service.compose import read_log, sealing
from shared.service.init import init
from shared.service.stores import store_of
from shared.settings import Settings
from tests.fixtures.azurite import STORE_URL
from tests.fixtures.commandline import CommandLine
from tests.fixtures.faulty import DyingStore, Killed
from tests.test_signers import pem_of

ORIGIN = "example.org/evidence"


@pytest.fixture(params=["directory", pytest.param("blobs", marks=pytest.mark.needs("azurite"))])
def place(request, tmp_path):
    """The settings of a store that is not there yet."""
    if request.param == "directory":
        return {"store": str(tmp_path / "store")}
    emulator = request.getfixturevalue("azurite")
    emulator.fresh()
    return {"store": STORE_URL, "store_endpoint": emulator.blob}


def at(vault, place, **more):
    return Settings(cloud="loopback", signing_key=f"{vault.endpoint}/keys/evidence", **place, **more)


def test_the_list_of_keys_is_sealed_with_where_each_of_them_is(local_vault, place):
    version = local_vault.add_key("evidence")
    secret = local_vault.add_secret("second", pem_of("ed25519"))
    settings = at(local_vault, place, second_signing_key=f"{local_vault.endpoint}/secrets/second")
    made = init(settings, origin=ORIGIN)
    first, second = map(note.parse_vkey, made.vkeys)
    assert (first.algorithm, second.algorithm, made.key_file, made.vkey) == (note.ECDSA, note.ED25519, None, str(first))
    store, log, facts = read_log(settings)
    assert facts["keys"] == list(made.vkeys)
    assert facts["vaults"] == {
        str(first): f"{local_vault.endpoint}/keys/evidence/{version}", str(second): f"{local_vault.endpoint}/secrets/second/{secret}",
    }  # fmt: skip
    assert note.parse_note(log.checkpoint()).signers([first, second]) == [first, second]
    assert sealing(settings, store).keys.in_force.keys == (first, second)


def test_a_key_file_leaves_the_first_record_as_it_was(tmp_path):
    init(Settings(store=str(tmp_path / "store")), origin=ORIGIN)
    first = json.loads((tmp_path / "store" / layout.batch("init", layout.PLAN)).read_bytes())
    assert set(first["store"]) == {"format", "origin", "keys", "personal_data"}


def dies(monkeypatch, settings, fatal):
    with monkeypatch.context() as patch:
        patch.setattr(init_module, "store_of", lambda _, *, create: DyingStore(store_of(settings, create=create), fatal, after=True))
        try:
            init(settings, origin=ORIGIN)
        except Killed:
            return True
    return False


def test_half_a_start_goes_on_with_the_version_it_wrote_though_the_vault_has_a_newer_one(local_vault, place, monkeypatch):
    local_vault.add_key("evidence")
    settings = at(local_vault, place)
    assert dies(monkeypatch, settings, 2), "the first record is written, and not sealed"
    local_vault.add_key("evidence")
    made = init(settings)
    assert made.origin == ORIGIN
    assert read_keys(store_of(settings)).in_force.vaults == made.vaults
    sealing(settings, store_of(settings)).sequencer.seal()


def test_killed_at_any_write_it_can_be_done_again_or_is_done(local_vault, tmp_path, monkeypatch):
    local_vault.add_key("evidence")
    fatal = 0
    while True:
        fatal += 1
        settings = at(local_vault, {"store": str(tmp_path / f"{fatal}" / "store")})
        if not dies(monkeypatch, settings, fatal):
            break
        try:
            init(settings, origin=ORIGIN)
        except Misuse as error:
            assert "there is a store" in str(error)
        sealing(settings, store_of(settings)).sequencer.seal()
        assert read_log(settings)[1].size == 1
    assert fatal > 5


@pytest.mark.parametrize(
    ("spoil", "error", "words"),
    [
        (lambda v: v.held["keys"].clear(), Misuse, "there is no .*/keys/evidence: correct the address, or make it there"),
        (lambda v: setattr(v, "permissions", frozenset({"keys/get"})), Misuse, "not allowed to sign"),
        (lambda v: setattr(v, "permissions", frozenset({"keys/sign"})), Misuse, "not allowed to get"),
        (lambda v: v.throttle(9), Unreachable, "throttled"),
        (lambda v: v.held["keys"].update(evidence={}) or v.add_key("evidence", "P-384"), Misuse, "not an EC key with the curve P-256"),
    ],
    ids=["gone", "may not sign", "may not get", "throttled", "another curve"],
)
def test_a_key_that_cannot_sign_makes_no_store(local_vault, place, spoil, error, words):
    local_vault.add_key("evidence")
    settings = at(local_vault, place)
    spoil(local_vault)
    with pytest.raises(error, match=words):
        init(settings, origin=ORIGIN)
    store = store_of(settings, create=True)
    assert not list(store.list(layout.EVIDENCE))
    local_vault.faults.clear()
    local_vault.permissions = frozenset({"keys/get", "keys/sign"})
    local_vault.held["keys"].clear()
    local_vault.add_key("evidence")
    assert init(settings, origin=ORIGIN).vkey


def test_a_second_key_that_cannot_be_had_makes_no_store(local_vault, place):
    local_vault.add_key("evidence")
    settings = at(local_vault, place, second_signing_key=f"{local_vault.endpoint}/secrets/second")
    with pytest.raises(Misuse, match="there is no .*/secrets/second: correct the address, or put the private key there as PEM"):
        init(settings, origin=ORIGIN)
    assert not list(store_of(settings, create=True).list(layout.EVIDENCE))


def test_what_the_command_prints(local_vault, tmp_path):
    local_vault.add_key("evidence")
    local_vault.add_secret("second", pem_of("ed25519"))
    line = CommandLine(tmp_path, {
        "EVIDENCE_CLOUD": "loopback", "EVIDENCE_ARM_ENDPOINT": "http://127.0.0.1:1", "EVIDENCE_STORE": "store",
        "EVIDENCE_SIGNING_KEY": f"{local_vault.endpoint}/keys/evidence", "EVIDENCE_SECOND_SIGNING_KEY": f"{local_vault.endpoint}/secrets/second",
    })  # fmt: skip
    made = line("init", "--origin", ORIGIN)
    assert made.code == 0
    assert [note.parse_vkey(vkey).name for vkey in made.out.splitlines()] == [ORIGIN, ORIGIN]
    assert "it stays in the vault" in made.err
    assert "The verifier keys, to hand to the auditor" in made.err
    shown = line.having(EVIDENCE_STORE="other")("init", "--json", "--origin", ORIGIN).json
    assert shown["vkey"] == shown["vkeys"][0]
    assert set(shown["vaults"]) == set(shown["vkeys"])
    assert shown["key_file"] is None
    (tmp_path / "auditor.vkey").write_text(made.out)
    assert line("verify", "--store", "store", "--key", "auditor.vkey").code == 0
