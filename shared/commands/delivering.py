"""Commands that hand evidence over: bundle, verify, report, export."""

from pathlib import Path
from typing import Annotated

import typer

from shared.commands.context import (
    Control,
    Framework,
    From,
    Resource,
    Status,
    To,
    check_framework,
    options,
    settings,
    terminal,
    wanted,
    within,
)
from shared.errors import Misuse
from shared.settings import Settings

Out = Annotated[Path, typer.Option("-o", "--out", help="The file to write.")]


def bundle(
    out: Out,
    first: From = None,
    last: To = None,
    resource: Annotated[list[str] | None, typer.Option(help="An account's ARM id or name; may be repeated.", metavar="ID")] = None,
    object_: Annotated[
        str | None, typer.Option("--object", help="One object that is gone, by its id or name: its end, with a certificate.", metavar="ID|NAME")
    ] = None,
    framework: Framework = None,
    disclose: Annotated[
        list[str] | None, typer.Option(help="Personal values to open to the reader: `all`, or one value; may be repeated.")
    ] = None,
    since: Annotated[Path | None, typer.Option(help="A checkpoint that the auditor holds: its continuation is proved.")] = None,
    sample: Annotated[int | None, typer.Option(help="Draw this many findings, or of each stratum.", metavar="N")] = None,
    seed: Annotated[str | None, typer.Option(help="By what to draw: the auditor chooses it.", metavar="TEXT")] = None,
    stratify: Annotated[str | None, typer.Option(help="Draw of each control, resource or month.", metavar="BY")] = None,
) -> None:
    """Build a bundle for a period: one zip that an auditor verifies offline."""
    from shared.deliver.bundle.sample import Sample
    from shared.service.bundle import bundle as build
    from shared.service.queries import reading

    screen = terminal()
    check_framework(framework)
    if (sample is None) != (seed is None) or (stratify is not None and sample is None):
        raise Misuse("--sample N and --seed TEXT go together, and --stratify with both")
    with screen.progress() as progress:
        made = build(
            reading(settings()),
            within(first, last),
            out,
            resources=resource or [],
            framework=framework,
            disclose=disclose or [],
            since=since,
            about=object_,
            sample=Sample(sample, seed, stratify) if sample is not None and seed is not None else None,
            progress=progress,
        )
    lines = [
        f"{made['path']}: {made['records']} records, {made['bodies']} bodies, {made['bytes']} bytes; manifest SHA-256 {made['identity']}"
    ]
    screen.answer(made, [*lines, "verify it with: aoai-evidence verify " + str(out) + " --key VKEY"])


def verify(
    file: Annotated[Path | None, typer.Argument(help="A bundle; without it, the store that --store names.")] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="The verifier key: the line that `init` printed, or a file with it.", metavar="VKEY|FILE")
    ] = None,
    checkpoint: Annotated[Path | None, typer.Option(help="A checkpoint that you hold from before or after.")] = None,
    tsa_roots: Annotated[
        list[Path] | None, typer.Option(help="Root certificates of the timestamp authorities that you trust; may be repeated.", metavar="PEM")
    ] = None,
    witness: Annotated[
        list[str] | None, typer.Option(help="Key of a witness that you trust, or a file with keys; may be repeated.", metavar="VKEY|FILE")
    ] = None,
) -> None:
    """Check a bundle, or a whole store, offline, trusting nobody; say what holds, what does not and where, and what was not checked."""
    from shared.service.verify import verify as check

    if file is None and not options.store:
        raise Misuse("name a bundle, or a store with --store: `aoai-evidence verify FILE.zip --key VKEY`")
    if file is not None and options.store:
        raise Misuse("a bundle and --store are two things to verify: leave one of them out, and verify the other by a second command")
    screen = terminal()
    with screen.progress() as progress:
        verdict = check(file, _store_alone(), key or [], checkpoint, progress, tsa_roots=tsa_roots or (), witnesses=witness or ())
    screen.answer(verdict.as_json(), verdict.as_lines())
    raise typer.Exit(verdict.exit_code)


def _store_alone() -> Settings:
    """The store that --store names. Of a folder, an auditor needs no settings of ours; of an account, the cloud that it is in."""
    from shared.service.stores import is_account

    return settings() if is_account(options.store or "") else Settings(store=options.store or "")


def report(
    out: Out = Path("report.html"),
    first: From = None,
    last: To = None,
    pdf: Annotated[Path | None, typer.Option(help="Print it to this file as well; needs Chromium.", metavar="FILE.pdf")] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="Verify the store with this key first, and print what was found.", metavar="VKEY|FILE")
    ] = None,
) -> None:
    """Write what a period looks like to one HTML file that needs no network, and to a PDF."""
    from shared.service.compose import utc_now
    from shared.service.pdf import print_pdf, ready
    from shared.service.queries import reading
    from shared.service.report import report as write
    from shared.service.verify import verify as check

    if pdf:
        ready(out, pdf)  # rather than after minutes of work
    screen, verdict = terminal(), None
    if key:
        with screen.progress() as progress:
            verdict = check(None, settings(), key, None, progress)
    made = write(reading(settings()), within(first, last), out, utc_now(), verified=verdict.as_lines() if verdict else None)
    said, lines = {"path": made.path, "bytes": made.bytes, "sweeps": made.sweeps}, [f"{made.path}: {made.sweeps} sweeps, {made.bytes} bytes"]
    if verdict:
        said |= {"intact": verdict.intact, "complete": verdict.complete}
        lines.append(verdict.as_lines()[0])
    if pdf:
        said |= {"pdf": str(pdf), "pdf_bytes": print_pdf(out, pdf)}
        lines.append(f"{pdf}: {said['pdf_bytes']} bytes")
    screen.answer(said, lines)
    raise typer.Exit(verdict.exit_code if verdict else 0)


FORMATS = ("csv", "csv-period", "oscal", "oscal-catalog", "oscal-component", "ocsf", "intoto")


def export(
    out: Out,
    format: Annotated[str, typer.Option("--format", help=", ".join(FORMATS))] = "csv",
    first: From = None,
    last: To = None,
    resource: Resource = None,
    control: Control = None,
    status: Status = None,
    framework: Framework = None,
    bundle: Annotated[Path | None, typer.Option(help="For intoto: the bundle that the signed statement is about.", metavar="FILE.zip")] = None,
) -> None:
    """Write findings or the period view for other tools, or a signed statement about a bundle."""
    from shared.service import standards
    from shared.service.compose import utc_now
    from shared.service.export import export_csv
    from shared.service.period import period
    from shared.service.queries import findings as ask
    from shared.service.queries import reading

    if format not in FORMATS:
        raise Misuse(f"--format {format!r}: {', '.join(FORMATS)}")
    if (format == "intoto") != (bundle is not None):
        raise Misuse("--bundle FILE.zip goes with --format intoto, and with no other: name the bundle that the statement is about")
    if status and format not in ("csv", "ocsf"):
        raise Misuse(f"--status goes with single findings (csv, ocsf): {format} sums up a period")
    read, when, what, now = reading(settings()), within(first, last), wanted(resource, control, status, framework), utc_now()
    if bundle is not None:
        count, noun = standards.export_intoto(settings(), bundle, out), "signature"
    elif format == "csv":
        count, noun = export_csv(ask(read, when, what), out), "findings"
    elif format == "ocsf":
        count, noun = standards.export_ocsf(ask(read, when, what), read, out), "findings"
    elif format == "csv-period":
        count, noun = standards.export_period_csv(period(read, when, what, now), out), "rows"
    else:
        view = period(read, when, what, now) if format == "oscal" else None
        count, noun = standards.export_oscal(view, read, out, now, format), "findings" if format == "oscal" else "controls"
    terminal().answer({"path": str(out), noun: count}, [f"{out}: {count} {noun}"])
