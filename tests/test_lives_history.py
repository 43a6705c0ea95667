"""Deletions against what really happened, from end to end: random histories of two accounts that are swept, with events of Event Grid that come late,
twice or never, data planes out of reach, logs switched off, accounts deleted, restored, purged and made anew.

No deletion stands that did not happen; none that two whole inventories show is left out, nor one that the Activity Log tells of; a verifier agrees.
"""

import json
import random
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from infra.local.authorship import Actor
from infra.local.history import History
from infra.local.resource_events import resource_events
from shared import layout
from shared.judge.assemble import entry_of
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.kinds import BY_QUESTION
from shared.records import moment
from tests.fixtures.steps import plant
from tests.test_reconciled import standing

SLACK = timedelta(minutes=10)


@pytest.fixture(params=[2, 24])
def lived(request, tmp_path):
    """(works, history) after some days; each seed is a history of its own."""
    chance, history = random.Random(request.param), History(request.param, sweeps_may_fail=False)
    with plant(tmp_path, world=lambda _: history.world, start=history.clock()) as works:
        site = works.estate
        site.clock, site.settings = history.clock, replace(site.settings, logs_endpoint=site.azure.endpoint)
        sweep(works, chance)
        since, late = history.clock(), []
        for part in range(36):
            history.pass_hours(2, busy=3)
            late += [json.dumps(told).encode() for told in resource_events(history.world, since, cloud=chance.random() < 0.5) if chance.random() < 0.9]
            since = history.clock() + timedelta(microseconds=1)
            chance.shuffle(late)
            come = chance.randint(0, len(late))
            works.change(*late[:come])
            del late[:come]
            site.clock.advance(seconds=12)
            works.collect(chance, 0.2)
            works.settle()
            if part % 3 == 2:
                sweep(works, chance)
        for _ in range(3):
            site.clock.advance(hours=13)
            history.world.pass_time()
            sweep(works, chance)
        yield works, history


def sweep(works, chance):
    works.plan()
    works.collect(chance)
    works.settle()


def test_what_is_said_of_a_random_history_is_what_happened(lived):
    works, history = lived
    verdict = works.verify()
    said = [record for _, record in works.estate.records("deletion")]
    assert list(verdict.problems) == [] and verdict.counts["deletions concluded again"] == verdict.counts["deletions"] == len(said) > 30
    stands = standing(works.estate)
    assert any(witness["witness"] == "event" for record in stands for witness in record["witnesses"])
    truth = history.world.truth.happenings
    ends = {}
    for one in truth:
        if one.event in ("deleted", "purged"):
            ends.setdefault((one.event == "purged", one.resource), []).append(one)
    for record in stands:
        if record["object"]["id"] is None or record["status"] == "not-effective":
            continue
        near = [one for one in ends.get((record["cause"] == "account-purged", record["resource"]), ()) if fits(record, one)]
        assert near, record
        who = {Actor(one.by).object_id for one in near if one.by}
        if isinstance(record["by"], str) and who and record["kind"] in ("account", "deployment"):
            assert record["by"] in who, record
    for kind, resource, pair in lost(works):
        assert any((record["kind"], record["resource"]) == (kind, resource) and pair in record["pairs"] for record in said), (kind, resource, pair)
    begun = moment(works.estate.records("sweep-planned")[0][1]["at"])
    for one in truth:
        if one.event == "deleted" and one.cause == "deleted" and one.logged and one.kind in ("account", "deployment") and one.at > begun:
            assert any(record["resource"] == one.resource and fits(record, one) for record in stands), one


def fits(record, happened):
    return moment(record["after"]) - SLACK <= happened.at <= moment(record["before"]) + SLACK


def lost(works):
    """(kind, resource, pair of records) of what one whole inventory lists and the next does not."""
    shelf = Shelf(lambda digest: json.loads(works.estate.store.get(layout.body(digest))))
    answers = {}
    for index, record in works.estate.records("observation"):
        if record["kind"] in BY_QUESTION:
            answers.setdefault((record["kind"], record["resource"]), []).append(entry_of(index, record))
    for (question, resource), entries in answers.items():
        kind = BY_QUESTION[question]
        whole = [inventory for inventory in (shelf.inventory(kind, entry) for entry in entries) if inventory is not None]
        for was, now in pairwise(whole):
            for name in was.places.keys() - now.places.keys():
                yield kind.name, name if kind.key == "value" else f"{resource}/{kind.collection}/{name}".lower(), [was.record, now.record]
