"""The use-case `demo`: the whole job on the local stand-in, told step by step. Time is the stand-in's own: four days pass in seconds."""

import contextlib
import shlex
import shutil
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from shared.canonical import Json
from shared.deliver.verify.verdict import Verdict, no_progress
from shared.deliver.whole_file import whole_file
from shared.errors import Misuse
from shared.model import SEVERITIES
from shared.service import accounts, queries, standing
from shared.service.bundle import bundle
from shared.service.collect import collect
from shared.service.compose import utc_now
from shared.service.demo_decisions import LETTER, SECRET, Decided, alerted, answered, approved
from shared.service.gone import deletions
from shared.service.held import lineages
from shared.service.init import NewStore, init
from shared.service.report import report
from shared.service.verify import verify
from shared.settings import Settings

if TYPE_CHECKING:
    from infra.local.clock import Clock
    from infra.local.tuning_story import Story
    from infra.local.world import World

SCHEDULE = "0 0 */6 * * *"
QUIET_SLOTS = 15
MISSED_SLOT = 6
"""The slot, counted from 0, in which the collector is "switched off": a gap that the evidence must show."""

TRAINED, DEPLOYED, WITHDRAWN, DELETED = 2, 4, 9, 12
"""After which slots the story goes on that deletions tell (infra/local/tuning_story.py)."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Site:
    """What the demo works with."""

    folder: Path
    settings: Settings
    clock: "Clock"
    world: "World"


def demo(directory: Path, say: Say, program: str = "aoai-evidence") -> Json:
    """Do the whole job in `directory` (new or empty, or one of an earlier demo, which is replaced); return what was shown.

    `program`: how the command line is called here.

    Raises:
        Misuse: the folder holds something else, or cannot be made.
        AssertionError: the demo did not show what it must show: a bug.
    """
    _make_room(directory)
    with _site(directory) as site:
        say(f"1. The stand-in for Azure listens at {site.settings.arm_endpoint}; its clock says {site.clock():%Y-%m-%d %H:%M} and is moved by hand.")
        new = init(site.settings, origin="demo.example/evidence", now=site.clock)
        say(f"2. init: a store in {site.settings.store}; the auditor is handed the key\n   {new.vkey}")
        story = _quiet_days(site, say)
        approved(site, say)
        say("4. Then somebody works late:")
        site.clock.advance(hours=6)
        for line in _drift(site.world, timedelta(hours=6)):
            say(f"   - {line}")
        decided = _incident(site, say)
        return _hand_over(site, new, story, decided, say, program)


def _incident(site: Site, say: Say) -> Decided:
    """From a change to an alert, and from there to a decision."""
    from infra.local.receiver import Receiver

    with Receiver(SECRET, site.clock) as receiver:
        say("5. The next sweep finds it, and tells:")
        found = alerted(site, receiver, say)
        say(f"   {found.changes} resources changed, findings: {_counts(found.findings)}")
        return answered(site, receiver, site.world.account("bw-claims-sdc"), say)


def _hand_over(site: Site, new: NewStore, story: "Story", decided: Decided, say: Say, program: str) -> Json:
    read = queries.reading(site.settings)
    state = standing.status(read, site.clock)
    say(f"6. status: {state['sweeps']} sweeps, {state['store']['records']} records, slots missed: {', '.join(state['missed_slots'])}")
    changes = list(queries.changes(read, None, queries.Filter()))
    say("7. changes, the worst of them:")
    night = [(change, meaning) for change in changes if change["sweep"] == read.sweeps[-2]["sweep"] for meaning in change["means"]]
    for change, meaning in sorted(night, key=lambda pair: SEVERITIES.index(pair[1]["severity"]))[:8]:
        say(f"   record {change['record']}: [{meaning['severity']}] {meaning['text']}")
        say(f"      who: {queries.who_made(change, meaning)}")
    gone = _told_deletions(read, story, say)
    out = site.folder / "bundle.zip"
    when = queries.period(f"{site.clock() - timedelta(days=5):%Y-%m-%d}", f"{site.clock():%Y-%m-%d}", site.clock())
    made = bundle(read, when, out, now=site.clock)
    say(f"9. bundle: {out} ({made['records']} records, {made['bytes']:,} bytes)")
    key_file = site.folder / "auditor.vkey"
    with whole_file(key_file) as file:
        file.write(f"{new.vkey}\n".encode())
    sound = verify(out, None, [str(key_file)], None, no_progress)
    say(f"10. verify: {sound.as_lines()[0]}")
    for line in _gaps(sound):
        say(f"   {line}")
    forged = _forge(out, site.folder / "tampered.zip")
    broken = verify(forged, None, [str(key_file)], None, no_progress)
    say(f"11. One word of a copy is changed ({forged}); verify: {broken.as_lines()[0]}")
    for problem in broken.problems[:4]:
        say(f"   {problem.line()}")
    page = site.folder / "report.html"
    report(read, when, page, site.clock())
    say(f"12. report: {page}")
    check = f"{program} verify {shlex.quote(made['path'])} --key {shlex.quote(str(key_file))}"
    return _shown(site, new, state, changes, gone, decided, made, sound, broken, page, check)


def _told_deletions(read: queries.Reading, story: "Story", say: Say) -> list[Json]:
    """What became of one file and of the model that was trained with it, as the evidence tells it."""
    found = [one for one in deletions(read, None, queries.Filter()) if one["account"] == story.account.lower()]
    say("8. deletions, of the file that a customer asked to be erased and of the model that learned from it:")
    for one in found:
        say(f"   record {one['record']}: {one['kind']} {one['object']['id']}: {one['status']}, between {one['after'][:16]} and {one['before'][:16]}")
        say(f"      {one['reason']}")
    for line in lineages(read, queries.Filter()):
        if line["sentence"]:
            say(f"   {line['sentence']}")
    return found


def _shown(
    site: Site, new: NewStore, state: Json, changes: list[Json], gone: list[Json], decided: Decided, made: Json, sound: Verdict, broken: Verdict, page: Path,
    check: str,
) -> Json:
    witnessed = {one["kind"] for one in gone if one["status"] == "corroborated"}
    if not sound.intact or broken.intact or not changes or not sound.gaps or not witnessed >= {"file", "fine-tuned-model", "deployment"}:
        raise AssertionError("the demo did not show what it must show; please report this")
    if not decided.alerts or decided.repeated or decided.waived != 1 or not decided.drifted:
        raise AssertionError("the demo's alerts and decisions did not show what they must show; please report this")
    summary = [
        "",
        f"Shown: {state['sweeps']} sweeps of {len(list(accounts.resources(queries.reading(site.settings), queries.Filter())))} accounts sealed as "
        f"{state['store']['records']} records; {len(changes)} changes found; a file and a model followed from upload to proven deletion;",
        f"{decided.alerts} alerts, each once; a finding that somebody answers for until a day; what differs from what was approved;",
        "a bundle that verifies offline, with the gap in the schedule named; one changed word found, and where.",
        f"  the report         {page}   (open it in a browser)",
        f"  the bundle         {made['path']}",
        f"  verify it          {check}",
        "                     or unpack it: index.html checks it in a browser, verify.py with nothing but Python",
        f"  the store          {site.settings.store}",
        f"  the tampered copy  {site.folder / 'tampered.zip'}",
    ]
    return {
        "report": str(page), "bundle": made["path"], "store": site.settings.store, "vkey": new.vkey, "changes": len(changes), "deletions": len(gone),
        "alerts": decided.alerts, "waived": decided.waived,
        "intact": sound.intact, "gaps": sound.counts["gaps"], "tampering_found": not broken.intact, "summary": summary,
    }  # fmt: skip


def _quiet_days(site: Site, say: Say) -> "Story":
    from infra.local import tuning_story

    tuning_story.prepare(site.world)
    story: Story | None = None
    say(f"3. Sweeps every six hours, for {QUIET_SLOTS * 6 // 24} days and a bit; in one slot the collector is switched off.")
    for slot in range(QUIET_SLOTS):
        if slot != MISSED_SLOT:
            done = collect(site.settings, by="schedule", now=site.clock)
            if slot == 0:
                say(f"   the first: {done.units} units, {done.records} records, findings: {_counts(done.findings)}")
        if slot == TRAINED:
            story = tuning_story.train(site.world)
            say(f"   {site.clock():%a %H:%M}: training data is uploaded ({story.training}), and a model is trained with it")
        elif slot == DEPLOYED:
            tuning_story.deploy(site.world, _told(story))
            say(f"   {site.clock():%a %H:%M}: the model is deployed")
        elif slot == WITHDRAWN:
            tuning_story.withdraw_file(site.world, _told(story))
            say(f"   {site.clock():%a %H:%M}: a customer asks for erasure: the file is deleted, and the model is not")
        elif slot == DELETED:
            tuning_story.delete_model(site.world, _told(story))
            say(f"   {site.clock():%a %H:%M}: the model goes too, with its deployment")
        if slot < QUIET_SLOTS - 1:
            site.clock.advance(hours=6)
    return _told(story)


def _told(story: "Story | None") -> "Story":
    assert story is not None
    return story


def _gaps(found: Verdict) -> list[str]:
    """What could not be seen: failures about one account and of one sort in one line, the rest each in its own."""
    failed: Counter[str] = Counter()
    first: dict[str, str] = {}
    for gap in found.gaps:
        if gap.what == "failure":
            account = (gap.resource or "").rpartition("/")[2]
            failed[account] += gap.times
            first.setdefault(account, gap.reason)
    lines = [f"{account}: {number} questions have no answer, the first: {first[account]}" for account, number in failed.items()]
    return [gap.line() for gap in found.gaps if gap.what != "failure"] + lines


def _counts(findings: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(findings.items()))


def _drift(world: "World", within: timedelta) -> list[str]:
    from infra.local.scenarios import drift

    return drift(world, within)


@contextmanager
def _site(directory: Path) -> Iterator[Site]:
    from infra.local.clock import Clock
    from infra.local.scenarios import demo_world
    from infra.local.server import StandIn

    clock = Clock(_beginning(utc_now()))
    world = demo_world(clock)
    with StandIn(world, keep_requests=False, data_plane="tls") as azure:
        authorities = directory / "stand-in.pem"
        authorities.write_bytes(azure.certificate_pem)
        settings = Settings(
            store=str(directory / "evidence-store"), schedule=SCHEDULE, cloud="loopback", arm_endpoint=azure.endpoint, reads_per_second=0.0,
            ca_file=str(authorities),
        )  # fmt: skip
        yield Site(directory, settings, clock, world)


def _beginning(now: datetime) -> datetime:
    return (now - timedelta(days=QUIET_SLOTS * 6 // 24 + 1)).replace(hour=0, minute=0, second=20, microsecond=0)


def _make_room(directory: Path) -> None:
    ours = {"evidence-store", "evidence-store.key.pem", "bundle.zip", "tampered.zip", "report.html", "auditor.vkey", "stand-in.pem", LETTER}
    try:
        with contextlib.suppress(FileExistsError):
            directory.mkdir(parents=True)
        found = {entry.name for entry in directory.iterdir()} if directory.is_dir() else {""}
        if found - ours:
            raise Misuse(f"{directory} holds something else than a demo: name a new folder with --directory")
        for name in found:
            place = directory / name
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink()
    except OSError as error:
        raise Misuse(f"cannot work in {directory}: {error.strerror}; name a new folder with --directory") from None


def _forge(bundle_file: Path, out: Path) -> Path:
    """A copy in which the filter of one account says Low where it said High: a single word of a single body."""
    with zipfile.ZipFile(bundle_file) as source, whole_file(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as copy:
        forged = False
        for entry in source.infolist():
            data = source.read(entry)
            if not forged and entry.filename.startswith("body/") and b'"High"' in data:
                data, forged = data.replace(b'"High"', b'"Low!"', 1), True
            copy.writestr(entry, data)
    return out
