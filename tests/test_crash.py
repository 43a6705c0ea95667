"""Killed at every write of a whole sweep: the next run goes on, nothing is lost, nothing is there twice. Two runs at once, too."""

import itertools
import threading
from collections import Counter

import pytest

from infra.local.world import World
from shared import layout
from shared.records import whole
from shared.seal.sequencer import Sequencer
from shared.service import collect as collect_module
from tests.fixtures.estate import estate
from tests.fixtures.faulty import DyingStore, Killed


def small(clock, names=("alpha", "beta")):
    world = World(clock)
    world.add_subscription("11111111-2222-3333-4444-555555555555", "one")
    for name in names:
        account = world.create_account("11111111-2222-3333-4444-555555555555", "rg", name, kind="OpenAI", location="swedencentral")
        world.put_deployment(account, "chat", model="gpt-4o", version="2024-08-06", sku="Standard")
    return world


def tiny(clock):
    return small(clock, ("alpha",))


def check(site, sweeps):
    """Every sweep is closed, every unit answered once, every finding there once."""
    records = site.records()
    closed = [r for _, r in records if r["type"] == "sweep-closed"]
    assert len(closed) == sweeps
    assert all(not r["missing"] for r in closed)
    for record in closed:
        mine = [r for _, r in records if r["sweep"] == record["sweep"]]
        plan = whole(next(r for r in mine if r["type"] == "sweep-planned"), site.reading().body)
        asked = Counter((r["kind"], r["resource"]) for r in mine if r["type"] in ("observation", "failure"))
        assert set(asked.values()) == {1}
        assert {r["unit"] for r in mine if r["type"] == "observation"} >= {unit["unit"] for unit in plan["units"]}
        found = Counter((r["control"], r["resource"]) for r in mine if r["type"] == "finding")
        assert set(found.values()) == {1}
        assert {r["unit"] for r in mine if r["type"] == "finding"} == {unit["unit"] for unit in plan["units"]} | {"sweep"}
    assert list(site.store.list(layout.OPEN_SWEEPS)) == []


@pytest.fixture(params=["directory", pytest.param("blobs", marks=pytest.mark.needs("azurite"))])
def place(request):
    """Where stores are made: what to add to `estate(folder, …)`. Of blobs there is one at a time."""
    if request.param == "directory":
        return dict
    emulator = request.getfixturevalue("azurite")

    def emptied():
        emulator.fresh()
        return {"account": emulator.blob}

    return emptied


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_write_of_a_sweep(tmp_path, monkeypatch, place, after):
    fatal, step = 0, 1
    stride = 11 if place() else 3  # a write takes the emulator a hundred times as long
    while True:
        fatal += step
        folder = tmp_path / f"{fatal}"
        folder.mkdir()
        with estate(folder, tiny if stride > 3 else small, **place()) as site:
            with monkeypatch.context() as patch:
                patch.setattr(collect_module, "store_of", lambda settings: DyingStore(site.store, fatal, after=after))
                try:
                    site.collect()
                    break
                except Killed:
                    pass
            site.collect()
            sweeps = len(site.records("sweep-closed"))
            assert sweeps in (1, 2)
            check(site, sweeps)
        step = 1 if fatal < 12 and stride == 3 else stride
    assert fatal > 40


def test_a_change_is_neither_lost_nor_doubled_by_a_kill(tmp_path, monkeypatch):
    killed = True
    for fatal in itertools.takewhile(lambda _: killed, itertools.count(5, 9)):
        folder = tmp_path / f"{fatal}"
        folder.mkdir()
        with estate(folder, small) as site:
            site.collect()
            world = site.azure.world
            for account in world.accounts():
                world.put_deployment(account, "burst", model="gpt-4o", sku="GlobalStandard")
            world.delete_deployment(account, "chat")
            with monkeypatch.context() as patch:
                patch.setattr(collect_module, "store_of", lambda settings: DyingStore(site.store, fatal, after=True))
                killed = False
                try:
                    site.collect()
                except Killed:
                    killed = True
            site.collect()
            site.collect()
            changes = Counter((r["kind"], r["resource"]) for _, r in site.records("change"))
            assert set(changes.values()) == {1}
            assert any("deployments" in resource for _, resource in changes)
    assert fatal > 60


def test_two_collectors_at_once_make_one_sweep_of_a_slot(tmp_path):
    with estate(tmp_path) as site:
        errors = []

        def run():
            try:
                site.collect(settings={"schedule": "0 0 */6 * * *"})
            except BaseException as error:
                errors.append(error)

        threads = [threading.Thread(target=run) for _ in range(3)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert errors == []
        slots = [r["slot"] for _, r in site.records("sweep-planned")]
        assert Counter(slots)["2026-11-01T00:00:00.000000Z"] == 1
        check(site, len(site.records("sweep-closed")))


def test_a_sweep_past_its_deadline_is_closed_naming_what_is_missing(tmp_path, monkeypatch):
    with estate(tmp_path, small) as site:
        with monkeypatch.context() as patch:
            patch.setattr(collect_module, "store_of", lambda settings: DyingStore(site.store, 30, after=True))
            with pytest.raises(Killed):
                site.collect()
        site.clock.advance(hours=5)
        site.collect()
        first, second = (r for _, r in site.records("sweep-closed"))
        assert first["missing"] and not first["complete"]
        assert second["missing"] == []
        told = [r for _, r in site.records("finding") if r["control"] == "collection-complete"]
        assert next(r["status"] for r in told) == "not-satisfied"


def test_what_a_loss_of_power_tore_is_collected_again(tmp_path, monkeypatch):
    for damage in ("batch", "body"):
        folder = tmp_path / damage
        folder.mkdir()
        with estate(folder, small) as site:
            with monkeypatch.context() as patch:
                patch.setattr(Sequencer, "seal", _seal_once(Sequencer.seal))
                with pytest.raises(Killed):
                    site.collect()
            batches = [p for p in site.store.list(layout.BATCHES) if "/account-" in p]
            assert batches
            if damage == "batch":
                (site.root / batches[0]).write_bytes(b"")
            else:
                newest = max((site.root / p for p in site.store.list(layout.BODIES)), key=lambda p: p.stat().st_mtime_ns)
                newest.write_bytes(b"")
            site.collect()
            check(site, len(site.records("sweep-closed")))


def _seal_once(real):
    calls = []

    def seal(self, only=None):
        calls.append(1)
        if len(calls) > 2:
            raise Killed
        return real(self, only)

    return seal
