"""What every command shares: the global options, the settings, and how options are read."""

import difflib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from shared.errors import Misuse
from shared.settings import Settings, read
from shared.terminal import Terminal

if TYPE_CHECKING:
    from shared.service.queries import Filter, Period

From = Annotated[str | None, typer.Option("--from", help="First day or moment, UTC: 2026-11-01 or 2026-11-01T12:00:00Z.", metavar="DATE")]
To = Annotated[str | None, typer.Option("--to", help="Last day (whole), or the moment before which.", metavar="DATE")]
Resource = Annotated[str | None, typer.Option("--resource", help="An ARM id, or the name of an account or deployment.", metavar="ID")]
Control = Annotated[str | None, typer.Option("--control", help="One control, such as content-logging-off.", metavar="NAME")]
Status = Annotated[list[str] | None, typer.Option("--status", help="satisfied, not-satisfied, unknown, …; may be repeated.")]
Kind = Annotated[list[str] | None, typer.Option("--kind", help="file, fine-tuning-job, fine-tuned-model, batch, vector-store, …; may be repeated.")]
Framework = Annotated[str | None, typer.Option("--framework", help="soc2, gdpr or iso27001.")]
FailOn = Annotated[list[str] | None, typer.Option("--fail-on", help="Exit 1 where a control has this status: not-satisfied, unknown.")]

FRAMEWORKS = ("soc2", "gdpr", "iso27001")


@dataclass(slots=True)
class Options:
    """The global options, wherever on the line they stood."""

    store: str | None = None
    json: bool = False
    quiet: bool = False


options = Options()


def settings() -> Settings:
    """The environment's settings, with the store that the command line names."""
    found = read(os.environ)
    return replace(found, store=options.store) if options.store else found


def terminal() -> Terminal:
    """Where output goes."""
    return Terminal(as_json=options.json, quiet=options.quiet)


def check_statuses(statuses: list[str] | None) -> None:
    """Raise `Misuse` for what is no status."""
    from shared.model import STATUSES

    for status in statuses or ():
        if status not in STATUSES:
            raise Misuse(f"{status!r} is no status: {', '.join(STATUSES)}")


def check_framework(framework: str | None) -> None:
    """Raise `Misuse` for a framework that is not mapped."""
    if framework and framework not in FRAMEWORKS:
        raise Misuse(f"--framework {framework!r}: {', '.join(FRAMEWORKS)}")


def wanted(resource: str | None, control: str | None, statuses: list[str] | None, framework: str | None) -> "Filter":
    """The filter that the options ask for."""
    from shared.judge.catalogue import catalogue
    from shared.service.queries import Filter

    check_statuses(statuses)
    controls = [known.id for known in catalogue().controls]
    if control and control not in controls:
        near = difflib.get_close_matches(control, controls, 1)
        raise Misuse(f"--control {control!r} is not in the catalogue{f': did you mean {near[0]}?' if near else ''}")
    check_framework(framework)
    return Filter(resource, control, tuple(statuses or ()), framework)


def within(first: str | None, last: str | None) -> "Period | None":
    """The period that --from and --to name; None where neither is given."""
    from shared.service.compose import utc_now
    from shared.service.queries import period

    return period(first, last, utc_now()) if first or last else None
