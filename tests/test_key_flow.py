"""Keys in a vault through the whole job: init, collect, rotate, collect, bundle, verify; on the command line, and in the function app's steps."""

import json
from dataclasses import replace

import pytest

from shared import alarms, layout
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse, StoreConflict, Unreachable
from shared.seal import note
from shared.seal.keys import read_keys
from shared.service.doctor import doctor
from shared.service.rotate import Wanted, rotate
from shared.service.steps.watch import watch
from tests.fixtures.commandline import office
from tests.fixtures.estate import estate
from tests.fixtures.keys import STRANGER, AnyPen, put_change
from tests.fixtures.steps import plant
from tests.fixtures.vaults import signed
from tests.test_crash import small
from tests.test_signers import pem_of


def key_at(vault):
    return f"{vault.endpoint}/keys/evidence"


@pytest.fixture
def vault(local_vault):
    """A vault with the key `evidence`."""
    local_vault.add_key("evidence")
    return local_vault


# -- the command line ----------------------------------------------------------------------------------------------------


def test_the_whole_job_with_a_key_that_is_rotated_in_its_vault(tmp_path, vault):
    with office(tmp_path) as line:
        line = line.having(EVIDENCE_SIGNING_KEY=key_at(vault))
        first = line("init", "--origin", "example.org/evidence").out.strip()
        assert line("collect").code == 0
        vault.add_key("evidence")
        assert line("collect").code == 0, "a new version in the vault changes nothing by itself"
        assert "key version" in {check["name"] for check in line("doctor", "--json").json if check["mark"] == "warning"}
        rotated = line("key", "rotate", "--reason", "a newer version", "--json")
        assert rotated.code == 0
        newest = rotated.json["vkeys"][0]
        assert newest != first
        assert rotated.json["settings"] == {}
        assert line("collect").code == 0
        assert line("bundle", "-o", "all.zip").code == 0
        for what in (("all.zip",), ("--store", "store")):
            told = line("verify", *what, "--key", first, "--json")
            assert told.code == 0, told.out
            newest_id, first_id = (note.parse_vkey(vkey).short for vkey in (newest, first))
            assert f"the newest checkpoint is signed by {newest_id}, to which {first_id} (the key you hold) handed over in record " in told.out
            assert line("verify", *what, "--key", newest).code == 0
            (tmp_path / "both.vkey").write_text(f"# of the keeper\n{first}\n{newest}\n")
            assert line("verify", *what, "--key", "both.vkey").code == 0
        listed = line("key", "list")
        assert [row.split()[2:4] for row in listed.out.splitlines()[1:]] == [["past", first], ["in", "force"]]
        assert newest in listed.out.splitlines()[2]
        assert line("status", "--json").json["store"]["keys"] == [newest]
        assert line("report", "-o", "report.html").code == 0
        assert newest in (tmp_path / "report.html").read_text()


def test_key_rotate_on_the_command_line(tmp_path):
    with office(tmp_path) as line:
        line("init", "--origin", "example.org/evidence")
        done = line("key", "rotate", "--to", "new.pem", "--reason", "yearly")
        assert done.code == 0
        assert note.parse_vkey(done.out.strip()).name == "example.org/evidence"
        assert "Record 1 hands the log over to:" in done.err
        assert "Set EVIDENCE_SIGNING_KEY=new.pem from now on" in done.err
        assert "signs no more since record 1" in line("collect").error
        again = line("key", "rotate", "--to", "new.pem")
        assert (again.code, again.out) == (0, done.out)
        assert "nothing was changed" in again.err
        line = line.having(EVIDENCE_SIGNING_KEY="new.pem")
        assert line("collect").code == 0
        assert "--algorithm 'rsa'" in line("key", "rotate", "--to", "x.pem", "--algorithm", "rsa").error
        assert not (tmp_path / "x.pem").exists()
        (tmp_path / "new.pem").unlink()
        assert "--lost" in line("key", "rotate", "--to", "last.pem").error
        lost = line("key", "rotate", "--to", "last.pem", "--lost")
        assert lost.code == 0
        assert "a key was given up as lost: nothing leads from it to the new one" in lost.err
        first = json.loads(line("key", "list", "--json").out)[0]["keys"][0]["vkey"]
        told = line.having(EVIDENCE_SIGNING_KEY="last.pem")("verify", "--store", "store", "--key", first)
        assert told.code == 1
        assert "is not led to by the key you hold" in told.out
        assert "as lost" in line("verify", "--store", "store", "--key", lost.out.strip()).out


def test_a_collector_in_the_middle_of_a_sweep_stops_with_one_line_and_the_next_goes_on(tmp_path):
    with estate(tmp_path, small) as site:
        new = str(tmp_path / "new.pem")

        def meanwhile(what, done, total):
            if what == "judge" and not (tmp_path / "new.pem").exists():
                rotate(site.settings, Wanted(to=new), site.clock)

        with pytest.raises(Misuse, match=r"the signing key was changed: set EVIDENCE_SIGNING_KEY to the new one .*; nothing is lost") as stopped:
            site.collect(progress=meanwhile)
        assert "\n" not in str(stopped.value)
        done = site.collect(settings={"signing_key": new})
        assert (done.resumed, done.missing) == (True, [])
        found = verify_store(site.store, [note.parse_vkey(site.vkey)])
        assert found.intact, found.as_lines()


@pytest.mark.needs("azurite")
def test_the_same_in_a_storage_account(tmp_path, vault, azurite):
    azurite.fresh()
    with estate(tmp_path, small, account=azurite.blob, signing_key=key_at(vault)) as site:
        site.collect()
        vault.add_key("evidence")
        assert rotate(site.settings, Wanted(), site.clock).changed
        assert not rotate(site.settings, Wanted(), site.clock).changed
        site.collect()
        for key in read_keys(site.store).ever:
            found = verify_store(site.store, [key])
            assert found.intact, found.as_lines()


# -- the steps of the function app ---------------------------------------------------------------------------------------


def sound(works):
    found = works.verify()
    assert found.intact, found.as_lines()
    return found


def test_the_app_seals_with_the_vault_and_follows_a_rotation_without_a_restart(tmp_path, vault):
    with plant(tmp_path, world=small, signing_key=key_at(vault)) as works:
        works.plan()
        works.collect()
        assert len(works.settle()) == 1
        version = vault.add_key("evidence")
        works.estate.clock.advance(hours=6)
        works.plan()
        works.collect()
        rotate(works.estate.settings, Wanted(), works.estate.clock)
        assert len(works.settle()) == 1
        assert read_keys(works.estate.store).in_force.place(read_keys(works.estate.store).in_force.keys[0]).endswith(version)
        assert any("handed over in record" in line for line in sound(works).checked)


def test_a_run_that_has_nothing_to_seal_asks_nothing_of_the_vault(tmp_path, vault):
    with plant(tmp_path, world=small, signing_key=key_at(vault)) as works:
        vault.requests.clear()
        for _ in range(3):
            works.seal()
        assert vault.requests == []


@pytest.mark.parametrize(
    ("weather", "error", "words"),
    [
        (lambda v: v.throttle(999), Unreachable, "throttled"),
        (lambda v: setattr(v, "permissions", frozenset({"keys/get"})), Misuse, "not allowed to sign"),
        (lambda v: [setattr(each, "enabled", False) for each in v.held["keys"]["evidence"].values()], Misuse, "is disabled"),
        (lambda v: setattr(v, "spoil", lambda raw: raw[::-1]), Unreachable, "nothing was signed"),
    ],
    ids=["throttled", "denied", "disabled", "wrong signatures"],
)
def test_in_bad_weather_sealing_is_delayed_and_nothing_is_lost(tmp_path, vault, weather, error, words):
    with plant(tmp_path, world=small, signing_key=key_at(vault)) as works:
        works.plan()
        weather(vault)
        works.collect()
        for _ in range(2):
            with pytest.raises(error, match=words):
                works.seal()
        assert len(list(works.estate.store.list(layout.COMMITS))) == 2, "what was begun is not begun twice"
        vault.faults.clear()
        vault.permissions = frozenset({"keys/get", "keys/sign"})
        vault.spoil = lambda raw: raw
        for version in vault.held["keys"]["evidence"].values():
            version.enabled = True
        [closed] = works.settle()
        assert closed.missing == []
        sound(works)


def test_a_key_that_went_for_good_is_given_up_and_the_sweep_is_closed_with_the_next(tmp_path, vault):
    with plant(tmp_path, world=small, signing_key=key_at(vault)) as works:
        works.plan()
        works.collect()
        vault.held["keys"]["evidence"].clear()
        with pytest.raises(Misuse, match="there is no"):
            works.seal()
        vault.add_key("evidence")
        with pytest.raises(Misuse, match="--lost"):
            rotate(works.estate.settings, Wanted(), works.estate.clock)
        rotate(works.estate.settings, Wanted(lost=True, reason="purged"), works.estate.clock)
        assert len(works.settle()) == 1
        found = works.verify()
        assert [problem.what for problem in found.problems] == ["key"]
        assert "is not led to by the key you hold" in found.problems[0].reason
        newest = verify_store(works.estate.store, list(read_keys(works.estate.store).in_force.keys))
        assert newest.intact, newest.as_lines()
        assert any("was never signed" in told for told in newest.notes)
        assert any("as lost" in told for told in newest.notes)


def test_the_watch_tells_of_a_change_that_nobody_finishes(tmp_path, vault):
    with plant(tmp_path, world=small, signing_key=key_at(vault)) as works:
        put_change(works.estate.store, [STRANGER])
        assert not [alarm for alarm in watch(works.app()) if alarm.id == alarms.BATCH_UNSEALED]
        works.estate.clock.advance(hours=1)
        [told] = [alarm for alarm in watch(works.app()) if alarm.id == alarms.BATCH_UNSEALED]
        assert "a change of the signing keys was begun and not finished" in told.text
        works.plan()
        works.collect()
        works.settle()
        sound(works)


def test_keys_that_somebody_else_changed_are_an_alarm(tmp_path, vault):
    from shared.seal.sequencer import Sequencer

    with plant(tmp_path, world=small, signing_key=key_at(vault)) as works:
        put_change(works.estate.store, [STRANGER])
        Sequencer(works.estate.store, AnyPen([STRANGER])).seal()
        with pytest.raises(StoreConflict, match="somebody else wrote it"):
            works.seal()


# -- doctor --------------------------------------------------------------------------------------------------------------


def checks_of(settings, clock):
    return {check.name: check for check in doctor(settings, clock)}


def test_doctor_says_which_key_signs_and_whether_it_can(tmp_path, vault):
    with estate(tmp_path, small, signing_key=key_at(vault)) as site:
        found = checks_of(site.settings, site.clock)
        assert found["key"].mark == "ok"
        assert site.vkey in found["key"].found
        assert key_at(vault) in found["key"].found
        assert "key version" not in found
        vault.permissions = frozenset({"keys/get"})
        found = checks_of(site.settings, site.clock)
        assert found["key"].mark == "failed"
        assert "give this identity the role Key Vault Crypto User" in found["key"].todo
        assert found["store"].mark == "ok", "what is wrong with the key is not wrong with the store"
        assert found["writing"].mark == "ok"


def test_doctor_says_that_a_newer_version_is_current(tmp_path, vault):
    with estate(tmp_path, small, signing_key=key_at(vault)) as site:
        version = vault.add_key("evidence")
        found = checks_of(site.settings, site.clock)
        assert (found["key"].mark, found["key version"].mark) == ("ok", "warning")
        assert version in found["key version"].found
        assert "key rotate" in found["key version"].todo
        pinned = replace(site.settings, signing_key=read_keys(site.store).in_force.vaults[site.vkey])
        assert version in checks_of(pinned, site.clock)["key version"].found
        vault.permissions = frozenset({"keys/sign"})
        assert "cannot be told" in checks_of(site.settings, site.clock)["key version"].found


def test_doctor_says_what_is_under_way_and_what_is_not_in_force(tmp_path, vault):
    with estate(tmp_path, small, signing_key=key_at(vault)) as site:
        vault.add_secret("second", pem_of("ed25519"))
        with_second = replace(site.settings, second_signing_key=f"{vault.endpoint}/secrets/second")
        assert "is not among the keys of this store" in checks_of(with_second, site.clock)["second key"].found
        rotate(with_second, Wanted(), site.clock)
        assert checks_of(with_second, site.clock)["second key"].mark == "ok"
        assert "it is not at hand" in checks_of(site.settings, site.clock)["second key"].found
        put_change(site.store, [STRANGER])
        assert "was begun and is not finished" in checks_of(with_second, site.clock)["change of keys"].found
        other = replace(site.settings, signing_key=str(tmp_path / "other.pem"))
        assert checks_of(other, site.clock)["key"].mark == "failed"
        assert "cannot read the signing key" in checks_of(other, site.clock)["key"].found


def test_doctor_asks_for_one_signature_and_seals_nothing(tmp_path, vault):
    with estate(tmp_path, small, signing_key=key_at(vault)) as site:
        before, asked = sorted(site.store.list(layout.EVIDENCE)), signed(vault)
        checks_of(site.settings, site.clock)
        assert signed(vault) == asked + 1
        assert sorted(site.store.list(layout.EVIDENCE)) == before
