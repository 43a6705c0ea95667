"""What is said of a period: a document that follows from its records alone, the same bytes for whoever computes it. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache

from shared.canonical import Json, canonical
from shared.deliver import rejudge
from shared.deliver.period.documented import documented, exhibit_rows, said_of, speaking
from shared.deliver.period.fold import GRACE, UNDECLARED, PeriodFold, stamp
from shared.deliver.period.population import account_of, subscription_of
from shared.deliver.period.timeline import EVIDENCED, Timeline, Window, clip, holes, longest, share, total
from shared.deliver.view_coverage import duration
from shared.judge.catalogue import Statement, catalogue
from shared.judge.responsibility import matrix

VERSION = 1
SECOND = 1_000_000


def document(fold: PeriodFold) -> Json:
    """The whole period view as JSON (docs/period.md has its members)."""
    ordered = sorted(fold.timelines.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    rows = [_row(fold, control, resource, timeline) for (control, resource), timeline in ordered]
    exhibits, period = exhibit_rows(fold), {"from": fold.start, "to": fold.end}
    controls = _controls(rows, exhibits)
    return {
        "v": VERSION,
        "period": period,
        "rules": {"grace_seconds": GRACE // SECOND, "undeclared_seconds": UNDECLARED // SECOND},
        "catalogue": rejudge.catalogue_version(),
        "sweeps": fold.sweeps,
        "failures": fold.failures,
        "population": _population(fold),
        "statements": _statements(controls, exhibits, period),
        "exhibits": exhibits,
        "controls": controls,
        "rows": rows,
        "changes": fold.changes,
        "deletions": fold.deletions,
        "waivers": fold.waivers,
    }


def encoded(fold: PeriodFold) -> bytes:
    """period.json of a bundle."""
    return canonical(document(fold))


def _row(fold: PeriodFold, control: str, resource: str | None, timeline: Timeline) -> Json:
    """One control of one resource."""
    windows, spans = fold.population.windows(resource), timeline.spans()
    evidenced = clip([(span.start, span.end) for span in spans if span.status in EVIDENCED], windows)
    spoken = holes([(span.start, span.end) for span in spans], windows)
    # Between the border of a window and the first answer of its sweep some minutes always pass.
    gaps = [hole for hole in spoken if not any(hole[0] == start and hole[1] - hole[0] <= GRACE for start, _ in windows)]
    satisfied = clip([(span.start, span.end) for span in spans if span.status == "satisfied"], windows)
    return {
        "control": control,
        "resource": resource,
        "observations": sum(timeline.statuses.values()),
        "statuses": dict(sorted(timeline.statuses.items())),
        "records": [timeline.first, timeline.last],
        "window_seconds": total(windows) // SECOND,
        "evidenced": share(total(evidenced), total(windows)),
        "satisfied": share(total(satisfied), total(windows)),
        "longest_between": _stretch(timeline.between),
        "longest_unobserved": _stretch(longest(holes(evidenced, windows))),
        "unexplained_gaps": [_stretch(gap) for gap in gaps],
        "intervals": [
            {
                "status": span.status,
                "from": stamp(start),
                "to": stamp(end),
                "observations": span.observations,
                "records": [span.first, span.last],
            }
            for span in spans
            for start, end in clip([(span.start, span.end)], windows)
        ],
    }


def _stretch(window: Window | None) -> Json:
    if window is None:
        return None
    return {"from": stamp(window[0]), "to": stamp(window[1]), "seconds": (window[1] - window[0]) // SECOND}


def _population(fold: PeriodFold) -> list[Json]:
    return [
        {
            "resource": resource, "present": [[stamp(start), stamp(end)] for start, end in presence.intervals], "appeared": presence.appeared,
            "vanished": presence.vanished, "sweeps": presence.sweeps, "plans": [presence.first, presence.last],
        }
        for resource, presence in sorted(fold.population.accounts.items())
    ]  # fmt: skip


def _controls(rows: Sequence[Json], exhibits: Sequence[Json]) -> list[Json]:
    by_control: dict[str, list[Json]] = {}
    for row in rows:
        by_control.setdefault(row["control"], []).append(row)
    titles = rejudge.titles()
    return [_control(name, titles.get(name, name), of, exhibits) for name, of in sorted(by_control.items())]


def _control(name: str, title: str, rows: Sequence[Json], exhibits: Sequence[Json]) -> Json:
    """What is said of one control over all resources."""
    statuses: Counter[str] = Counter()
    for row in rows:
        statuses.update(row["statuses"])
    found = {
        "control": name,
        "title": title,
        "resources": len(rows),
        "subscriptions": len({subscription_of(row["resource"]) for row in rows if row["resource"]}),
        "accounts": len({account_of(row["resource"]) for row in rows if "/accounts/" in (row["resource"] or "")}),
        "observations": sum(statuses.values()),
        "statuses": dict(sorted(statuses.items())),
        "least_evidenced": min((row["evidenced"] for row in rows), key=float),
        "longest_between": _worst(row["longest_between"] for row in rows),
        "longest_unobserved": _worst(row["longest_unobserved"] for row in rows),
        "unexplained_gaps": sum(len(row["unexplained_gaps"]) for row in rows),
    }
    return {**found, "sentence": sentence(found, exhibits)}


def _worst(stretches: Iterable[Json]) -> Json:
    return max((each for each in stretches if each), key=lambda each: each["seconds"], default=None)


def sentence(control: Json, exhibits: Sequence[Json] = ()) -> str:
    """What an auditor reads about a control."""
    statuses, count = control["statuses"], control["observations"]
    if set(statuses) == {"provider-attested"}:
        speak = speaking(exhibits, _served().get(control["control"], ()))
        return f"{control['control']}: the provider's word only; nothing was observed that could show it; {said_of(speak)}."
    said = ", ".join(
        f"{name} at {share(number, count)} %" for name, number in sorted(statuses.items(), key=lambda item: (-item[1], item[0]))
    )
    between = control["longest_between"]
    apart = f"longest stretch between observations {duration(between['seconds'])}" if between else "no resource was observed twice"
    gaps = control["unexplained_gaps"]
    about = _about(control)
    return (
        f"{control['control']}: {said} of {_of(count, 'observation')} of {about}; {apart}; "
        f"evidenced at no less than {control['least_evidenced']} % of the time; {_of(gaps, 'unexplained gap')}."
    )


@cache
def _served() -> dict[str, tuple[str, ...]]:
    return {control.id: control.statements for control in catalogue().controls}


def _about(control: Json) -> str:
    if control["accounts"]:
        return _of(control["accounts"], "account")
    return _of(control["subscriptions"], "subscription") if control["subscriptions"] else "the collection itself"


def _of(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _statements(controls: Sequence[Json], exhibits: Sequence[Json], period: Json) -> list[Json]:
    """What is said of each statement; of those with a share of the provider's, for how much of the period documents speak to it too."""
    return [
        {**_statement(row.statement, controls), "documented": documented(exhibits, row.statement.id, period) if row.exhibits else None}
        for row in matrix(catalogue())
    ]


def _statement(statement: Statement, controls: Sequence[Json]) -> Json:
    """What the controls that serve a statement come to; none of them shows that it is true."""
    serving = [control for control in controls if control["control"] in statement.controls]
    observed = [control for control in serving if set(control["statuses"]) != {"provider-attested"}]
    statuses: Counter[str] = Counter()
    for control in observed:
        statuses.update(control["statuses"])
    return {
        "statement": statement.id,
        "controls": [control["control"] for control in serving],
        "observations": sum(statuses.values()),
        "statuses": dict(sorted(statuses.items())),
        "least_evidenced": min((control["least_evidenced"] for control in observed), key=float, default=None),
        "unexplained_gaps": sum(control["unexplained_gaps"] for control in observed),
        "attested_only": not observed,
    }


def only(view: Json, passes: Callable[[Json], bool]) -> Json:
    """The view of some of its rows; what is said of controls and statements is said of these alone. The population stays whole."""
    rows = [row for row in view["rows"] if passes(row)]
    controls = _controls(rows, view["exhibits"])
    return {**view, "rows": rows, "controls": controls, "statements": _statements(controls, view["exhibits"], view["period"])}
