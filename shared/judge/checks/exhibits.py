"""Whether the documents are on file that speak to what nobody outside the provider can observe: one control for each kind that is wanted.

Judged of the sweep, by the exhibits that the log held when the sweep was planned, at the time of the plan.
"""

from collections.abc import Callable

from shared.judge.catalogue import catalogue
from shared.judge.catalogue.exhibits import ExhibitKind, exhibit_kinds
from shared.judge.checks.collection import Collection
from shared.judge.exhibits import Exhibit, day, last_day
from shared.judge.expectation import Expectation
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied
from shared.model import Judgement, Point

WANTED = "exhibits.wanted"


def on_file(kind: ExhibitKind) -> Callable[[Collection, Expectation], list[Judgement]]:
    """The check of one kind."""

    def check(sweep: Collection, expect: Expectation) -> list[Judgement]:
        if sweep.exhibits is None:
            raise Unclear("Which exhibits were on file when the sweep was planned could not be read.", sweep.point)
        of = [one for one in sweep.exhibits if one.kind == kind.kind and one.withdrawn is None]
        good = max((one for one in of if one.in_force(sweep.planned_at)), key=lambda one: (one.until, one.number), default=None)
        shown = good or max(of, key=lambda one: (one.until, one.number), default=None)
        fact = _fact(kind, shown, sweep.planned_at)
        points = [Point(shown.record)] if shown is not None and shown.record is not None else []
        if kind.kind not in (expect.words(WANTED) or ()):
            return [not_applicable(None, f"{fact}; the profile expects nothing here.", *points)]
        if good is None:
            return [not_satisfied(None, f"{fact} ({expect.because(WANTED)}).", *points)]
        return [satisfied(None, f"{fact}.", *points)]

    check.__name__ = (kind.control or kind.kind).replace("-", "_")
    return check


def _fact(kind: ExhibitKind, one: Exhibit | None, at: str) -> str:
    if one is None:
        return f"No exhibit of this kind is on file: {kind.title}"
    said = one.said[0].upper() + one.said[1:]
    if one.start > at:
        return f"{said} is on file, and begins on {day(one.start)} only"
    if one.until <= at:
        return f"{said} is on file, and is relied on until {last_day(one.until)} only, which is past"
    return f"{said} is on file, and is relied on until {last_day(one.until)}{_edition(kind, one)}"


def _edition(kind: ExhibitKind, one: Exhibit) -> str:
    """Of the page that the catalogue was made from: whether this is the very file."""
    if kind.kind != "provider-page":
        return ""
    same = one.sha256 == catalogue().seed.sha256
    return f"; it is {'the edition' if same else 'another file than the one'} that the catalogue was made from{'' if same else ': compare the two'}"


EXHIBIT_CHECKS = {kind.control: on_file(kind) for kind in exhibit_kinds() if kind.control is not None}
"""By control."""
