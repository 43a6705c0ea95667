"""The use-case `demo`: the whole job on the local stand-in, told step by step. Time is the stand-in's own: four days pass in seconds."""

import contextlib
import shlex
import shutil
import zipfile
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
from shared.service import queries
from shared.service.bundle import bundle
from shared.service.collect import collect
from shared.service.compose import utc_now
from shared.service.init import NewStore, init
from shared.service.report import report
from shared.service.verify import verify
from shared.settings import Settings

if TYPE_CHECKING:
    from infra.local.clock import Clock
    from infra.local.world import World

SCHEDULE = "0 0 */6 * * *"
QUIET_SLOTS = 15
MISSED_SLOT = 6
"""The slot, counted from 0, in which the collector is "switched off": a gap that the evidence must show."""

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
        _quiet_days(site, say)
        say("4. Then somebody works late:")
        for line in _drift(site.world):
            say(f"   - {line}")
        site.clock.advance(hours=6)
        last = collect(site.settings, by="schedule", now=site.clock)
        say(f"5. The next sweep: {last.changes} resources changed, findings: {_counts(last.findings)}")
        return _hand_over(site, new, say, program)


def _hand_over(site: Site, new: NewStore, say: Say, program: str) -> Json:
    read = queries.reading(site.settings)
    state = queries.status(read, site.clock)
    say(f"6. status: {state['sweeps']} sweeps, {state['store']['records']} records, slots missed: {', '.join(state['missed_slots'])}")
    changes = list(queries.changes(read, None, queries.Filter()))
    say("7. changes, the worst of them:")
    night = [(change, meaning) for change in changes if change["sweep"] == read.sweeps[-1]["sweep"] for meaning in change["means"]]
    for change, meaning in sorted(night, key=lambda pair: SEVERITIES.index(pair[1]["severity"]))[:8]:
        say(f"   record {change['record']}: [{meaning['severity']}] {meaning['text']}")
        say(f"      who: {queries.who_made(change, meaning)}")
    out = site.folder / "bundle.zip"
    when = queries.period(f"{site.clock() - timedelta(days=5):%Y-%m-%d}", f"{site.clock():%Y-%m-%d}", site.clock())
    made = bundle(read, when, out)
    say(f"8. bundle: {out} ({made['records']} records, {made['bytes']:,} bytes)")
    key_file = site.folder / "auditor.vkey"
    with whole_file(key_file) as file:
        file.write(f"{new.vkey}\n".encode())
    sound = verify(out, None, [str(key_file)], None, no_progress)
    say(f"9. verify: {sound.as_lines()[0]}")
    for gap in sound.gaps:
        say(f"   {gap.line()}")
    forged = _forge(out, site.folder / "tampered.zip")
    broken = verify(forged, None, [str(key_file)], None, no_progress)
    say(f"10. One word of a copy is changed ({forged}); verify: {broken.as_lines()[0]}")
    for problem in broken.problems[:4]:
        say(f"   {problem.line()}")
    page = site.folder / "report.html"
    report(read, when, page, site.clock())
    say(f"11. report: {page}")
    check = f"{program} verify {shlex.quote(made['path'])} --key {shlex.quote(str(key_file))}"
    return _shown(site, new, state, changes, made, sound, broken, page, check)


def _shown(
    site: Site, new: NewStore, state: Json, changes: list[Json], made: Json, sound: Verdict, broken: Verdict, page: Path, check: str
) -> Json:
    if not sound.intact or broken.intact or not changes or not sound.gaps:
        raise AssertionError("the demo did not show what it must show; please report this")
    summary = [
        "",
        f"Shown: {state['sweeps']} sweeps of {len(list(queries.resources(queries.reading(site.settings), queries.Filter())))} accounts sealed as "
        f"{state['store']['records']} records; {len(changes)} changes found;",
        "a bundle that verifies offline, with the gap in the schedule named; one changed word found, and where.",
        f"  the report         {page}   (open it in a browser)",
        f"  the bundle         {made['path']}",
        f"  verify it          {check}",
        f"  the store          {site.settings.store}",
        f"  the tampered copy  {site.folder / 'tampered.zip'}",
    ]
    return {
        "report": str(page), "bundle": made["path"], "store": site.settings.store, "vkey": new.vkey, "changes": len(changes),
        "intact": sound.intact, "gaps": len(sound.gaps), "tampering_found": not broken.intact, "summary": summary,
    }  # fmt: skip


def _quiet_days(site: Site, say: Say) -> None:
    say(f"3. Sweeps every six hours, for {QUIET_SLOTS * 6 // 24} days and a bit; in one slot the collector is switched off.")
    for slot in range(QUIET_SLOTS):
        if slot != MISSED_SLOT:
            done = collect(site.settings, by="schedule", now=site.clock)
            if slot == 0:
                say(f"   the first: {done.units} units, {done.records} records, findings: {_counts(done.findings)}")
        if slot < QUIET_SLOTS - 1:
            site.clock.advance(hours=6)


def _counts(findings: dict[str, int]) -> str:
    return ", ".join(f"{count} {status}" for status, count in sorted(findings.items()))


def _drift(world: "World") -> list[str]:
    from infra.local.scenarios import drift

    return drift(world)


@contextmanager
def _site(directory: Path) -> Iterator[Site]:
    from infra.local.clock import Clock
    from infra.local.endpoints_tls import TlsEndpoint
    from infra.local.scenarios import demo_world
    from infra.local.server import StandIn

    clock = Clock(_beginning(utc_now()))
    with TlsEndpoint() as tls:
        world = demo_world(clock, tls.url)
        with StandIn(world, keep_requests=False) as azure:
            settings = Settings(
                store=str(directory / "evidence-store"), schedule=SCHEDULE, cloud="loopback", arm_endpoint=azure.endpoint, reads_per_second=0.0
            )
            yield Site(directory, settings, clock, world)


def _beginning(now: datetime) -> datetime:
    return (now - timedelta(days=QUIET_SLOTS * 6 // 24 + 1)).replace(hour=0, minute=0, second=20, microsecond=0)


def _make_room(directory: Path) -> None:
    ours = {"evidence-store", "evidence-store.key.pem", "bundle.zip", "tampered.zip", "report.html", "auditor.vkey"}
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
