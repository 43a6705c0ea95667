"""The command line `aoai-evidence`: parse, call a use-case, print, exit. Exit codes as DESIGN.md section 8 has them."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from shared import __version__
from shared.canonical import Json
from shared.errors import EvidenceError, Misuse
from shared.terminal import Terminal, printable, table

app = typer.Typer(
    name="aoai-evidence", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Tamper-evident evidence of what was true of your Azure OpenAI resources, that an auditor can check offline.",
    epilog="Global options, anywhere on the line: --store PATH (or EVIDENCE_STORE), --json, --quiet. "
    "Exit codes: 0 fine, 1 the answer is no, 2 misuse, 3 intact but incomplete, 4 Azure or the store unreachable.",
)

From = Annotated[str | None, typer.Option("--from", help="First day or moment, UTC: 2026-11-01 or 2026-11-01T12:00:00Z.", metavar="DATE")]
To = Annotated[str | None, typer.Option("--to", help="Last day (whole), or the moment before which.", metavar="DATE")]
ResourceOption = Annotated[str | None, typer.Option("--resource", help="An ARM id, or the name of an account or deployment.", metavar="ID")]
Control = Annotated[str | None, typer.Option("--control", help="One control, such as content-logging-off.", metavar="NAME")]
StatusOption = Annotated[list[str] | None, typer.Option("--status", help="satisfied, not-satisfied, unknown, …; may be repeated.")]
Framework = Annotated[str | None, typer.Option("--framework", help="soc2, gdpr or iso27001.")]

FRAMEWORKS = ("soc2", "gdpr", "iso27001")

_globals: dict[str, Any] = {"store": None, "json": False, "quiet": False}


def _settings() -> Any:
    from dataclasses import replace

    from shared.settings import read

    settings = read(os.environ)
    return replace(settings, store=_globals["store"]) if _globals["store"] else settings


def _terminal() -> Terminal:
    return Terminal(as_json=_globals["json"], quiet=_globals["quiet"])


def _example(text: str) -> str:
    return f"Example: {text}"


@app.command(epilog=_example("aoai-evidence init --store ./evidence-store --origin example.com/evidence"))
def init(
    origin: Annotated[str | None, typer.Option(help="Name of the log, such as example.com/evidence.")] = None,
    algorithm: Annotated[str, typer.Option(help="ed25519, or ecdsa-p256 (what a Key Vault can do).")] = "ed25519",
) -> None:
    """Make a new store with a signing key, and print the verifier key to hand to the auditor."""
    from shared.service.init import init as make

    if algorithm not in ("ed25519", "ecdsa-p256"):
        raise Misuse(f"--algorithm {algorithm!r}: ed25519 or ecdsa-p256")
    made = make(_settings(), origin=origin, algorithm=algorithm)
    terminal = _terminal()
    terminal.note(f"store {made.store}: made. Its signing key is {made.key_file}: keep it safe, and out of copies of the store.")
    terminal.note("The verifier key, to hand to the auditor by another way than the evidence:")
    terminal.answer({"store": made.store, "origin": made.origin, "vkey": made.vkey, "key_file": made.key_file}, [made.vkey])


@app.command(epilog=_example("aoai-evidence collect --subscription 11111111-2222-3333-4444-555555555555"))
def collect(
    subscription: Annotated[list[str] | None, typer.Option(help="A subscription's id; may be repeated. Default: all you may read.")] = None,
    resource: Annotated[list[str] | None, typer.Option(help="An account's ARM id; may be repeated.", metavar="ID")] = None,
    cause: Annotated[str | None, typer.Option(help="Why this sweep is run; goes into the evidence.")] = None,
    fail_on: Annotated[list[str] | None, typer.Option(help="Exit 1 where a control has this status: not-satisfied, unknown.")] = None,
) -> None:
    """Plan, collect, seal and judge: one sweep over the scope, or the rest of the one that was left open."""
    from shared.service.collect import collect as sweep

    terminal = _terminal()
    _check_statuses(fail_on)
    with terminal.progress() as progress:
        done = sweep(_settings(), subscriptions=subscription or (), resources=resource or (), cause=cause, progress=progress)
    failures = _grouped(done.failures)
    value = {
        "sweep": done.sweep, "slot": done.slot, "resumed": done.resumed, "units": done.units, "missing": done.missing,
        "failures": done.failures, "findings": done.findings, "changes": done.changes, "records": done.records, "size": done.size,
        "complete": done.complete,
    }
    terminal.answer(value, _sweep_lines(value, failures))
    if done.units == 0 and done.failures and all(f["reason"] in ("unreachable", "unauthenticated", "timeout") for f in done.failures):
        raise typer.Exit(4)
    if fail_on and any(done.findings.get(status) for status in fail_on):
        raise typer.Exit(1)
    raise typer.Exit(0 if done.complete else 3)


def _sweep_lines(done: Json, failures: list[tuple[str, str, int]]) -> list[str]:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(done["findings"].items()))
    lines = [
        f"sweep {done['sweep']}{' (the rest of one that was left open)' if done['resumed'] else ''}: "
        f"{done['units']} units, {done['records']} records, log at {done['size']}",
        f"findings: {counts or 'none'}; changes: {done['changes']}",
    ]
    if not done["complete"]:
        lines.append(f"incomplete: {len(done['missing'])} units missing, {len(done['failures'])} questions without an answer:")
        lines += [f"  {count} × {kind}: {reason}" for kind, reason, count in failures]
    return lines


def _grouped(failures: list[Json]) -> list[tuple[str, str, int]]:
    from collections import Counter

    counted = Counter((failure["kind"], failure["reason"]) for failure in failures)
    return [(kind, _explained(reason), count) for (kind, reason), count in sorted(counted.items())]


_WHAT_TO_DO = {
    "forbidden": "give the identity the reader role there (`aoai-evidence doctor` names the action)",
    "unauthenticated": "log in again, `az login`",
    "not-found": "check the id, or it was deleted meanwhile",
    "throttled": "Azure asked for patience until the budget was spent; run again later",
    "unreachable": "no connection; check network and proxy",
    "timeout": "no answer in time; run again",
}


def _explained(reason: str) -> str:
    return f"{reason} ({_WHAT_TO_DO[reason]})" if reason in _WHAT_TO_DO else reason


def _check_statuses(statuses: list[str] | None) -> None:
    from shared.model import STATUSES

    for status in statuses or ():
        if status not in STATUSES:
            raise Misuse(f"{status!r} is no status: {', '.join(STATUSES)}")


def _filter(resource: str | None, control: str | None, statuses: list[str] | None, framework: str | None) -> Any:
    from shared.judge.catalogue import catalogue
    from shared.service.queries import Filter

    _check_statuses(statuses)
    controls = [known.id for known in catalogue().controls]
    if control and control not in controls:
        import difflib

        near = difflib.get_close_matches(control, controls, 1)
        raise Misuse(f"--control {control!r} is not in the catalogue{f': did you mean {near[0]}?' if near else ''}")
    if framework and framework not in FRAMEWORKS:
        raise Misuse(f"--framework {framework!r}: {', '.join(FRAMEWORKS)}")
    return Filter(resource, control, tuple(statuses or ()), framework)


def _period(first: str | None, last: str | None) -> Any:
    from shared.service.compose import utc_now
    from shared.service.queries import period

    return period(first, last, utc_now()) if first or last else None


@app.command(epilog=_example("aoai-evidence status --json"))
def status(fail_on: Annotated[list[str] | None, typer.Option(help="Exit 1 where a control has this status.")] = None) -> None:
    """Where things stand: last sweep, coverage, gaps, controls by status, the store's protection."""
    from shared.service.queries import reading
    from shared.service.queries import status as ask

    _check_statuses(fail_on)
    value = ask(reading(_settings()))
    _terminal().answer(value, _status_lines(value))
    if fail_on and any(counts.get(wanted) for counts in value["controls"].values() for wanted in fail_on):
        raise typer.Exit(1)
    last = value["last_sweep"]
    raise typer.Exit(0 if last and last["complete"] and not value["missed_slots"] else 3)


def _status_lines(value: Json) -> list[str]:
    store, last = value["store"], value["last_sweep"]
    lines = [
        f"log {store['origin']}: {store['records']} records, {value['sweeps']} closed sweeps; "
        f"write-once protection of the storage: {(store['retention'] or {}).get('policy', 'not asked yet')}"
    ]
    if last is None:
        return [*lines, "no sweep was closed yet: run `aoai-evidence collect`"]
    lines.append(f"last sweep {last['sweep']}, closed {last['closed_at']}: {last['units']} units, {last['failures']} failures, {len(last['missing'])} missing")
    lines.append(f"schedule {value['schedule'] or 'none declared: completeness over time cannot be shown'}; slots missed: {len(value['missed_slots'])}")
    lines += [f"  missed {slot}" for slot in value["missed_slots"][-5:]]
    if value["open_sweeps"]:
        lines.append(f"left open: {', '.join(value['open_sweeps'])}; the next `collect` goes on with it")
    columns = ("satisfied", "not-satisfied", "unknown", "not-applicable", "provider-attested")
    rows = [[name, *(counts.get(column, "") for column in columns)] for name, counts in value["controls"].items()]
    return [*lines, "", *table(["control", "yes", "no", "unknown", "n/a", "provider"], rows)]


@app.command(epilog=_example("aoai-evidence findings --status not-satisfied --framework soc2"))
def findings(
    first: From = None, last: To = None, resource: ResourceOption = None, control: Control = None, status: StatusOption = None,
    framework: Framework = None,
) -> None:
    """The findings of the last sweep, or of every sweep in a period."""
    from shared.service.queries import findings as ask
    from shared.service.queries import reading

    found = list(ask(reading(_settings()), _period(first, last), _filter(resource, control, status, framework)))
    rows = ([f["record"], f["status"], f["control"], _short(f["resource"]), f["reason"]] for f in found)
    _terminal().answer(found, table(["record", "status", "control", "resource", "reason"], rows))


@app.command(epilog=_example("aoai-evidence changes --from 2026-11-01 --to 2026-11-30"))
def changes(first: From = None, last: To = None, resource: ResourceOption = None) -> None:
    """The changes between consecutive states of each resource."""
    from shared.service.queries import changes as ask
    from shared.service.queries import reading

    found = list(ask(reading(_settings()), _period(first, last), _filter(resource, None, None, None)))
    rows = ([c["record"], c["until"], _short(c["resource"]), f["op"], f["pointer"] or "(all of it)", _brief(f)] for c in found for f in c["fields"])
    _terminal().answer(found, table(["record", "seen", "resource", "what", "field", "was → is"], rows))


def _brief(field: Json) -> str:
    import json

    def cut(value: Json) -> str:
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= 60 else text[:57] + "…"

    return f"{cut(field.get('was')) if field['op'] != 'added' else '–'} → {cut(field.get('is')) if field['op'] != 'removed' else '–'}"


@app.command(epilog=_example("aoai-evidence resources"))
def resources(resource: ResourceOption = None) -> None:
    """The accounts of the last sweep, and their deployments, as last seen."""
    from shared.service.queries import reading
    from shared.service.queries import resources as ask

    found = list(ask(reading(_settings()), _filter(resource, None, None, None)))
    rows = [
        [r["name"], r["kind"], r["location"], d.get("name", ""), d.get("sku", ""), d.get("model", ""), r["last_seen"] or "never"]
        for r in found for d in (r["deployments"] or [{}])
    ]
    _terminal().answer(found, table(["account", "kind", "location", "deployment", "type", "model", "last seen"], rows))


def _short(resource: str | None) -> str:
    parts = (resource or "").split("/")
    return "/".join(parts[8:]).replace("/deployments/", " › ") if len(parts) > 8 else (resource or "–")


Out = Annotated[Path, typer.Option("-o", "--out", help="The file to write.")]


@app.command(epilog=_example("aoai-evidence bundle --from 2026-10-01 --to 2026-12-31 -o q4.zip"))
def bundle(
    out: Out, first: From = None, last: To = None,
    resource: Annotated[list[str] | None, typer.Option(help="An account's ARM id or name; may be repeated.", metavar="ID")] = None,
    framework: Framework = None,
    disclose: Annotated[list[str] | None, typer.Option(help="Personal values to open to the reader: `all`, or one value; may be repeated.")] = None,
    since: Annotated[Path | None, typer.Option(help="A checkpoint that the auditor holds: its continuation is proved.")] = None,
) -> None:
    """Build a bundle for a period: one zip that an auditor verifies offline."""
    from shared.service.bundle import bundle as build
    from shared.service.queries import reading

    terminal = _terminal()
    if framework and framework not in FRAMEWORKS:
        raise Misuse(f"--framework {framework!r}: {', '.join(FRAMEWORKS)}")
    with terminal.progress() as progress:
        made = build(
            reading(_settings()), _period(first, last), out, resources=resource or [], framework=framework, disclose=disclose or [],
            since=since, progress=progress,
        )
    lines = [f"{made['path']}: {made['records']} records, {made['bodies']} bodies, {made['bytes']} bytes; manifest SHA-256 {made['manifest_sha256']}"]
    terminal.answer(made, [*lines, "verify it with: aoai-evidence verify " + str(out) + " --key VKEY"])


@app.command(epilog=_example("aoai-evidence verify q4.zip --key auditor.vkey --checkpoint last-quarter.checkpoint"))
def verify(
    file: Annotated[Path | None, typer.Argument(help="A bundle; without it, the store that --store names.")] = None,
    key: Annotated[list[str] | None, typer.Option(help="The verifier key: the line that `init` printed, or a file with it.", metavar="VKEY|FILE")] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint that you hold from before or after.")] = None,
) -> None:
    """Check a bundle, or a whole store, offline, trusting nobody; say what holds, what does not and where, and what was not checked."""
    from shared.service.verify import verify as check

    if file is None and not _globals["store"]:
        raise Misuse("name a bundle, or a store with --store: `aoai-evidence verify FILE.zip --key VKEY`")
    terminal = _terminal()
    with terminal.progress() as progress:
        verdict = check(file, _globals["store"], key or [], checkpoint, progress)
    terminal.answer(verdict.as_json(), verdict.lines())
    raise typer.Exit(verdict.exit_code)


@app.command(epilog=_example("aoai-evidence report -o report.html"))
def report(out: Out = Path("report.html"), first: From = None, last: To = None) -> None:
    """Write what a period looks like to one HTML file that needs no network."""
    from shared.service.compose import utc_now
    from shared.service.queries import reading
    from shared.service.report import report as write

    made = write(reading(_settings()), _period(first, last), out, utc_now())
    _terminal().answer({"path": made.path, "bytes": made.bytes, "sweeps": made.sweeps}, [f"{made.path}: {made.sweeps} sweeps, {made.bytes} bytes"])


@app.command(epilog=_example("aoai-evidence export --format csv -o findings.csv --framework soc2"))
def export(
    out: Out, format: Annotated[str, typer.Option("--format", help="csv")] = "csv", first: From = None, last: To = None,
    resource: ResourceOption = None, control: Control = None, status: StatusOption = None, framework: Framework = None,
) -> None:
    """Write findings for other tools."""
    from shared.service.export import export_csv
    from shared.service.queries import findings as ask
    from shared.service.queries import reading

    if format != "csv":
        raise Misuse(f"--format {format!r}: this version writes csv (oscal and ocsf come with a later one)")
    count = export_csv(ask(reading(_settings()), _period(first, last), _filter(resource, control, status, framework)), out)
    _terminal().answer({"path": str(out), "findings": count}, [f"{out}: {count} findings"])


@app.command(epilog=_example("aoai-evidence erase --subject jane.doe@example.com --reason 'request of 2026-11-20'"))
def erase(
    subject: Annotated[str, typer.Option(help="The value to erase, whole: an e-mail address, a name. Case does not matter.")],
    reason: Annotated[str | None, typer.Option(help="Why; goes into the evidence, so name nobody in it.")] = None,
) -> None:
    """Erase a person from what can be disclosed. The evidence keeps commitments that nobody can open; every proof still verifies."""
    from shared.service.erase import erase as remove

    erased = remove(_settings(), subject, reason=reason)
    _terminal().answer({"commitments": erased}, [f"{len(erased)} values erased; sealed as an erasure record"])


@app.command(epilog=_example("aoai-evidence doctor"))
def doctor() -> None:
    """Check identity, rights, reachability, storage, key, clock and schedule; say what to do."""
    from dataclasses import asdict

    from shared.service.doctor import doctor as look

    checks = look(_settings())
    rows = [[check.mark, check.name, check.found, check.todo] for check in checks]
    _terminal().answer([asdict(check) for check in checks], table(["", "what", "found", "to do"], rows))
    raise typer.Exit(4 if any(c.mark == "failed" and c.name in ("azure", "subscriptions") for c in checks) else 3 if any(c.mark == "failed" for c in checks) else 0)


@app.command(epilog=_example("aoai-evidence simulate --port 8080 --scenario demo"), context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def simulate(context: typer.Context) -> None:
    """Run the stand-in for Azure on loopback. --port N, --scenario NAME, --latency-ms N, --throttle, --tls, …"""
    from infra.local.__main__ import main as serve

    raise typer.Exit(serve(context.args))


@app.command(epilog=_example("aoai-evidence demo --directory ./demo"))
def demo(directory: Annotated[Path, typer.Option(help="A new or empty folder to work in.")] = Path("aoai-evidence-demo")) -> None:
    """The whole job on the local stand-in: sweeps with a drift and deletions between, bundle, verify, tampering found, report."""
    from shared.service.demo import demo as show

    terminal = _terminal()
    shown = show(directory, say=terminal.note)
    terminal.answer(shown, shown["summary"])


def main() -> None:
    """Run the command line; every error for a person is one line, and its exit code."""
    arguments = _hoist(sys.argv[1:])
    if arguments == ["--version"]:
        print(f"aoai-evidence {__version__}")
        return
    terminal = _terminal()
    try:
        app(arguments)
    except EvidenceError as error:
        terminal.error(printable(str(error)), error.exit_code)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        terminal.error("interrupted: nothing sealed is lost, the next run goes on", 130)
        sys.exit(130)


def _hoist(arguments: list[str]) -> list[str]:
    """Take the global options out, wherever they stand."""
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            return [*rest, argument, *waiting]
        if argument in ("--json", "--quiet"):
            _globals[argument[2:]] = True
        elif argument == "--store":
            _globals["store"] = next(waiting, None) or _missing_store()
        elif argument.startswith("--store="):
            _globals["store"] = argument.partition("=")[2] or _missing_store()
        else:
            rest.append(argument)
    return rest


def _missing_store() -> str:
    _terminal().error("--store needs a folder after it", Misuse.exit_code)
    sys.exit(Misuse.exit_code)


