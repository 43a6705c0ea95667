"""The whole use-case on a storage account: init, collect, status, bundle, verify, doctor; locked, add-only, and bare."""

import json
from dataclasses import replace

import pytest

from infra.local.worm import Fault
from shared import layout
from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.deliver.verify.verdict import no_progress
from shared.errors import Misuse
from shared.seal import note
from shared.seal.blobs import CONTAINERS
from shared.service.bundle import bundle
from shared.service.doctor import doctor
from shared.service.init import init
from shared.service.standing import status
from shared.service.stores import store_of
from shared.service.verify import verify
from tests.fixtures.azurite import STORE_URL
from tests.fixtures.commandline import office
from tests.fixtures.estate import estate
from tests.test_crash import check, small

pytestmark = pytest.mark.needs("azurite")


@pytest.fixture
def site(azurite, worm, tmp_path):
    """A new store in the emulator, behind the layer."""
    azurite.fresh()
    with estate(tmp_path, small, account=worm.endpoint) as made:
        yield made


def worm_findings(site):
    return [(record["status"], record["reason"]) for _, record in site.records("finding") if record["control"] == "store-worm"]


@pytest.mark.parametrize("says_of_taken", ["exists", "immutable", "forbidden"])
def test_the_main_job_on_locked_storage_with_a_role_that_may_only_add(site, worm, tmp_path, says_of_taken):
    worm.policy, worm.add_only, worm.says_of_taken, worm.days = "locked", True, says_of_taken, 400
    first = site.collect()
    site.clock.advance(hours=6)
    second = site.collect()
    assert not first.missing and not second.missing
    check(site, 2)
    shown = status(site.reading(), site.clock)
    assert shown["sweeps"] == 2
    assert shown["store"]["retention"]["policy"] == "locked"
    assert {found for found, _ in worm_findings(site)} == {"satisfied"}
    out = tmp_path / "bundle.zip"
    bundle(site.reading(), None, out)
    keys = [note.parse_vkey(site.vkey)]
    assert verify_bundle(out, keys).intact
    assert verify_store(site.store, keys).intact
    assert verify(None, site.settings, [site.vkey], None, no_progress).intact
    record = next(record for _, record in site.records("retention"))
    assert record["source"] == "storage account" and record["written"] < record["storage"]["until"]
    evidence = [(method, target) for method, target in worm.calls if f"/{layout.EVIDENCE}" in target]
    assert not any(method == "DELETE" or "comp=block" in target for method, target in evidence)


def test_bare_storage_is_never_called_protected(site, worm):
    site.collect()
    found, reason = worm_findings(site)[0]
    assert found == "not-satisfied" and "Nothing protects the evidence" in reason
    marks = {check.name: check for check in doctor(site.settings, site.clock)}
    assert marks["write-once storage"].mark == "warning" and "none" in marks["write-once storage"].found
    worm.policy = "unlocked"
    site.collect()
    found, reason = worm_findings(site)[1]
    assert found == "not-satisfied" and "not locked" in reason
    worm.policy = "locked"
    marks = {check.name: check for check in doctor(site.settings, site.clock)}
    assert marks["write-once storage"].mark == "ok"


def test_a_sweep_goes_through_a_storage_account_that_stumbles(site, worm, monkeypatch):
    monkeypatch.setattr(site.store, "_sleep", lambda seconds: None)
    for number, (method, fault) in enumerate([("PUT", {"cut": True, "after": True}), ("PUT", {"status": 503, "after": True}), ("PUT", {"cut": True}),
                                              ("GET", {"cut": True}), ("GET", {"status": 500}), ("HEAD", {"status": 429})]):  # fmt: skip
        worm.faults.append(Fault(method, "", **fault, skip=number, every=11, times=None))
    assert not site.collect().missing
    assert all(fault.fired for fault in worm.faults)
    assert sum(fault.fired for fault in worm.faults) > 20
    worm.faults.clear()
    check(site, 1)
    assert verify_store(site.store, [note.parse_vkey(site.vkey)]).intact


def test_two_machines_collect_at_once(site, azurite, worm):
    import threading

    from shared.service.collect import collect

    other = replace(site.settings, store_endpoint=azurite.blob)  # another connection to the same account
    errors = []

    def run(settings):
        try:
            collect(replace(settings, schedule="0 0 */6 * * *"), now=site.clock)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(settings,)) for settings in (site.settings, other)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert errors == []
    check(site, len(site.records("sweep-closed")))
    assert verify_store(site.store, [note.parse_vkey(site.vkey)]).intact


def test_init_makes_what_is_missing_and_nothing_twice(azurite, worm, tmp_path):
    azurite.fresh()
    with estate(tmp_path, small, account=worm.endpoint) as site:
        service = store_of(site.settings).service
        assert {container.name for container in service.list_containers()} >= set(CONTAINERS)
        with pytest.raises(Misuse, match="there is a store at https://"):
            init(site.settings)
        azurite.fresh()
        with pytest.raises(Misuse, match="EVIDENCE_SIGNING_KEY is not set"):
            init(replace(site.settings, signing_key=None))


def test_the_commands_take_an_account_where_they_take_a_folder(azurite, worm, tmp_path):
    azurite.fresh()
    with office(tmp_path) as desk:
        desk = desk.having(EVIDENCE_STORE=STORE_URL, EVIDENCE_STORE_ENDPOINT=worm.endpoint)
        refused = desk("init", "--origin", "example.org/evidence")
        assert refused.code == 2 and "EVIDENCE_SIGNING_KEY" in refused.err
        desk = desk.having(EVIDENCE_SIGNING_KEY="key.pem")
        made = desk("--json", "init", "--origin", "example.org/evidence")
        assert made.code == 0, made.err
        vkey = json.loads(made.out)["vkey"]
        for line in ("collect --quiet", "status", "findings", "changes", "resources", "doctor", "report -o r.html", "export -o f.csv", "bundle -o b.zip"):
            done = desk(*line.split())
            assert done.code == 0, (line, done.err)
        assert desk("verify", "b.zip", "--key", vkey).code == 0
        assert desk("verify", "--store", STORE_URL, "--key", vkey).code == 0
        assert desk("--store", STORE_URL, "status").code == 0
        elsewhere = desk.having(EVIDENCE_STORE_ENDPOINT=None)("status")
        assert elsewhere.code == 2 and "EVIDENCE_STORE_ENDPOINT" in elsewhere.err
