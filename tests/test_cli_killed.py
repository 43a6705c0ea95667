"""The command as a process: killed, interrupted, told to end, two at once. The next run goes on, and everything verifies."""

import json
import random
import signal
import sys
import time
from datetime import datetime, timedelta
from unittest import mock

import pytest

from infra.local import faults
from shared import cli
from shared.service import compose
from tests.fixtures.commandline import ended, sealed, stays_sound, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def test_killed_at_any_moment_the_next_run_goes_on(desk):
    generator = random.Random(20261123)
    before = desk.azure.served
    desk.azure.faults.add("", faults.slow(0.005))
    desk("collect")
    questions = desk.azure.served - before
    resumed = 0
    for _ in range(8):
        asked, kept = desk.azure.served, sealed(desk.folder)
        process = desk.start("collect", "--quiet")
        moment = generator.randrange(questions + 15)
        until(lambda moment=moment, asked=asked, process=process: desk.azure.served - asked >= min(moment, questions) or process.poll() is not None)
        time.sleep(generator.uniform(0, 0.15 if moment >= questions else 0.01))
        process.kill()
        process.communicate()
        assert kept.items() <= sealed(desk.folder).items(), "what was sealed is as it was"
        done = desk("collect", "--json", "--quiet")
        assert done.code == 0, done.err
        assert done.json["complete"]
        resumed += done.json["resumed"]
        assert stays_sound(desk).code == 0
    assert resumed >= 2, "hardly any of the kills came in the middle of a sweep"
    assert not list((desk.folder / "store/state/torn").glob("*")), "a kill tears nothing: only a loss of power does"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"])
def test_interrupted_it_says_so_in_one_line_and_the_next_run_goes_on(desk, number, code):
    desk.azure.faults.add("", faults.slow(0.02))
    asked = desk.azure.served
    process = desk.start("collect")
    until(lambda: desk.azure.served - asked > 10)
    process.send_signal(number)
    outcome = ended(process)
    assert (outcome.code, outcome.out) == (code, "")
    assert "nothing sealed is lost" in outcome.error
    desk.azure.faults.clear()
    done = desk("collect", "--json", "--quiet")
    assert done.json["resumed"]
    assert done.json["complete"]
    assert stays_sound(desk).code == 0


def test_interrupted_with_json_it_is_one_document(desk):
    desk.azure.faults.add("/deployments", faults.slow(1))
    asked = desk.azure.served
    process = desk.start("collect", "--json", "--quiet")
    until(lambda: desk.azure.served - asked > 3)
    process.send_signal(signal.SIGINT)
    outcome = ended(process)
    assert outcome.json == {"error": outcome.error, "exit_code": 130}


def hanging(desk):
    """A collect that waits for an answer that does not come."""
    desk.azure.faults.add("/accounts/alpha", faults.never_answers())
    asked = desk.azure.served
    process = desk.start("collect", "--quiet")
    until(lambda: desk.azure.served - asked > 15)
    return process


def test_interrupted_twice_it_waits_for_nobody(desk):
    process = hanging(desk)
    process.send_signal(signal.SIGINT)
    time.sleep(0.3)
    assert process.poll() is None, "this is about an answer that does not come"
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    outcome = ended(process)
    assert time.monotonic() - begun < 1.5
    assert outcome.code == 130
    assert outcome.error
    desk.azure.faults.clear()
    assert desk("collect", "--json").json["resumed"]
    assert stays_sound(desk).code == 0


def test_interrupted_once_it_does_not_wait_for_long(desk):
    process = hanging(desk)
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    outcome = ended(process)
    assert time.monotonic() - begun < cli.PATIENCE + 1.5
    assert outcome.code == 143
    assert outcome.error


def test_a_signal_that_is_ignored_stays_ignored(desk):
    desk.azure.faults.add("", faults.slow(0.02))
    asked = desk.azure.served
    process = desk.start("collect", "--quiet", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    until(lambda: desk.azure.served - asked > 5)
    process.send_signal(signal.SIGINT)
    assert ended(process).code == 0


@pytest.mark.parametrize("schedule", ["0 0 */6 * * *", None])
def test_two_at_once_make_one_sound_log(desk, schedule):
    desk.azure.faults.add("", faults.slow(0.01))
    person = desk.having(EVIDENCE_SCHEDULE=schedule)
    both = [person.start("collect", "--json", "--quiet") for _ in range(2)]
    outcomes = [ended(process) for process in both]
    assert [outcome.code for outcome in outcomes] == [0, 0], [outcome.err for outcome in outcomes]
    stays_sound(desk)
    lasts = [json.loads(path.read_text().splitlines()[-1]) for path in (desk.folder / "store/evidence/batch").glob("*/plan.jsonl")]
    plans = [last for last in lasts if last["type"] == "sweep-planned"]
    slots = [plan["slot"] for plan in plans if plan["slot"]]
    assert len(slots) == (1 if schedule else 0)
    assert desk("status", "--json").json["sweeps"] == len(plans)


def test_a_bundle_that_is_killed_leaves_the_old_one(desk):
    generator = random.Random(7)
    (desk.folder / "out").mkdir()
    kept = desk.folder / "out/b.zip"
    assert desk("bundle", "-o", "out/b.zip").code == 0
    before, waits = kept.read_bytes(), [0.0, 0.0]
    for _ in range(4):
        process = desk.start("bundle", "-o", "out/b.zip")
        until(lambda process=process: process.poll() is not None or any(path.name != "b.zip" for path in (desk.folder / "out").iterdir()))
        time.sleep(generator.uniform(0, 0.01))
        waits[process.poll() is None] += 1
        process.kill()
        process.communicate()
        assert kept.read_bytes() == before, "same inputs, same bytes: the old one, or the new one"
    assert waits[True], "no kill came while the bundle was being written"
    assert desk("verify", "out/b.zip", "--key", "store.vkey").code == 0


def at(**shift):
    """The machine's clock, set wrong."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(**shift)

    return mock.patch.object(compose, "datetime", Shifted)


@pytest.mark.parametrize("schedule", ["0 0 */6 * * *", None])
def test_a_clock_that_is_set_back_loses_nothing_and_is_said(desk, schedule):
    person = desk.having(EVIDENCE_SCHEDULE=schedule)
    names = [person("collect", "--json").json["sweep"]]
    for shift in ({"days": -3}, {"days": -3, "seconds": 1}, {"days": -400}, {}):
        kept = sealed(desk.folder)
        with at(**shift):
            done = person("collect", "--json", "--quiet")
            # Azure keeps its Activity Log for 90 days of its own clock: asked for days before those, it refuses, and that is said.
            assert done.code == (3 if shift else 0), done.err
            assert {failed["kind"] for failed in done.json["failures"]} == ({"activityLog", "activityLogInsights", "activityLogAuthorization"} if shift else set())
            names.append(done.json["sweep"])
            [clock] = person("findings", "--control", "clock", "--json").json
            assert clock["status"] == ("not-satisfied" if shift else "satisfied"), "Azure's clock says otherwise: a finding, not silence"
        assert kept.items() <= sealed(desk.folder).items()
    assert len(set(names)) == len(names), "no sweep was taken for another"
    assert desk("status", "--json").json["last_sweep"]["sweep"] == names[-1]
    verified = desk.verify("--json")
    assert verified.json["problems"] == []
    assert any("clock was set back" in note for note in verified.json["notes"])
