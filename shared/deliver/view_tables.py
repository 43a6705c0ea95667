"""What the command line prints: the view, and single records, as JSON-able rows."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from shared.canonical import Json
from shared.deliver.view_coverage import instant
from shared.deliver.view_model import Account, PeriodView
from shared.deliver.view_sweeps import Sweep


def status(view: PeriodView) -> dict[str, Json]:
    """The last sweep, coverage, gaps, controls by status, the store's protection."""
    cover = view.coverage
    return {
        "period": asdict(view.period),
        "log": {"origin": view.log.origin, "size": view.log.size},
        "last_sweep": sweep(view.shown) if view.shown else None,
        "sweeps": len(view.sweeps),
        "coverage": {
            "declared": cover.declared,
            "slots": len(cover.slots),
            "complete": cover.count("complete"),
            "with_failures": cover.count("failures"),
            "with_missing_units": cover.count("missing-units"),
            "not_closed": cover.count("not-closed"),
            "without_sweep": cover.count("gap"),
            "outside_schedule": cover.besides,
            "gaps": [asdict(gap) for gap in cover.gaps],
            "longest_unobserved": asdict(cover.longest) if cover.longest else None,
        },
        "controls": [
            {"control": headline.control, "title": headline.title, "status": headline.status, "counts": dict(headline.counts)}
            for headline in view.headlines
        ],
        "by_status": dict(sorted(Counter(headline.status or "not-judged" for headline in view.headlines).items())),
        "accounts": sum(not account.gone for account in view.accounts),
        "changes": len(view.changes),
        "failures": [
            {"kind": group.kind, "reason": group.reason, "status": group.status, "count": group.count, "in_last_sweep": group.in_last}
            for group in view.failures
        ],
        "storage": asdict(view.storage[-1]) if view.storage else None,
    }


def sweep(each: Sweep) -> dict[str, Json]:
    """One sweep's numbers."""
    return {**asdict(each), "missing": list(each.missing), "findings": dict(each.findings)}


def resources(view: PeriodView) -> list[dict[str, Json]]:
    """The accounts of the period with their deployments."""
    return [_account(account) for account in view.accounts]


def _account(account: Account) -> dict[str, Json]:
    return {**asdict(account), "deployments": [asdict(deployment) for deployment in account.deployments]}


def changes(view: PeriodView, *, resource: str | None = None) -> list[dict[str, Json]]:
    """The changes of the period; `resource` keeps those of one ARM id and of what lies in it."""
    return [
        {**asdict(change), "fields": [asdict(each) for each in change.fields]}
        for change in view.changes
        if lies_in(change.resource, resource)
    ]


def findings(
    records: Iterable[tuple[int, Json]],
    *,
    controls: frozenset[str] | None = None,
    statuses: frozenset[str] | None = None,
    resource: str | None = None,
    sweeps: frozenset[str] | None = None,
    start: str | None = None,
    end: str | None = None,
) -> Iterator[dict[str, Json]]:
    """The finding records that match, one after another, each with its index; nothing is kept.

    `resource` keeps those of one ARM id and of what lies in it; `start` and `end` bound the time of judging.
    """
    since, until = instant(start) if start else None, instant(end) if end else None
    for index, record in records:
        if record["type"] != "finding":
            continue
        if controls is not None and record["control"] not in controls:
            continue
        if statuses is not None and record["status"] not in statuses:
            continue
        if sweeps is not None and record.get("sweep") not in sweeps:
            continue
        if not lies_in(record.get("resource"), resource):
            continue
        if since or until:
            at = instant(record["at"])
            if (since and at < since) or (until and at >= until):
                continue
        yield {"record": index, **{name: value for name, value in record.items() if name not in ("v", "type", "kind")}}


def lies_in(resource: str | None, wanted: str | None) -> bool:
    """Whether `resource` is the ARM id `wanted` or lies in it; everything does where nothing is wanted."""
    if wanted is None:
        return True
    if resource is None:
        return False
    wanted = wanted.lower().rstrip("/")
    return resource == wanted or resource.startswith(f"{wanted}/")
