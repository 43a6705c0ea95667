"""Where data is processed: deployments by the geography of their account and by where their type may process.

One count, shown twice: as a picture of flows, and as the table that the picture was made from.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from shared.deliver.view_model import Account, Deployment, PeriodView

DESTINATIONS: Final = ("own", "zone:EU", "zone:US", "zone:?", "any", "unknown")
ALWAYS_SHOWN: Final = frozenset({"own", "any"})
"""Columns that stay where nothing goes: that nothing does is an answer."""
NAMES: Final = {
    "own": "Own geography",
    "zone:EU": "EU data zone",
    "zone:US": "US data zone",
    "zone:?": "Data zone not known",
    "any": "Any geography",
    "unknown": "Unknown type",
}
MEANINGS: Final = {
    "own": "processed in the account’s own geography",
    "zone:EU": "processed anywhere in the EU data zone",
    "zone:US": "processed anywhere in the US data zone",
    "zone:?": "processed in a data zone that the table cannot name for this region",
    "any": "processed wherever the model is deployed, worldwide",
    "unknown": "a deployment type that the table does not have: nothing is claimed",
}
NO_GEOGRAPHY: Final = "Geography not known"

_WIDTH: Final = 960.0
_LEFT: Final = 210.0
_RIGHT: Final = 700.0
_NODE: Final = 10.0
_TOP: Final = 8.0
_TALL: Final = 300.0


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """Deployments from one geography to one destination."""

    destination: str
    count: int
    types: str
    """Which deployment types, with counts."""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One geography."""

    geography: str
    regions: str
    accounts: int
    cells: tuple[MatrixCell, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Node:
    """A bar at the left or right, with its label."""

    name: str
    count: int
    x: float
    y: float
    height: float
    destination: str = ""


@dataclass(frozen=True, slots=True)
class Ribbon:
    """A flow from a geography to a destination."""

    path: str
    destination: str
    title: str


@dataclass(frozen=True, slots=True)
class Residency:
    """The table and the picture."""

    rows: tuple[MatrixRow, ...]
    totals: tuple[MatrixCell, ...]
    total: int
    unread: tuple[Account, ...]
    """Accounts whose deployments could not be read: they are in neither."""
    spilling: tuple[tuple[Account, Deployment], ...]
    """Deployments that spill over into another one."""
    height: float
    sources: tuple[Node, ...]
    sinks: tuple[Node, ...]
    ribbons: tuple[Ribbon, ...]


def residency(view: PeriodView) -> Residency:
    """Where the deployments of the sweep shown in full may process."""
    present = [account for account in view.accounts if not account.gone]
    geographies = sorted({geography_of(account) for account in present}, key=lambda name: (name == NO_GEOGRAPHY, name))
    rows = tuple(_row(name, [account for account in present if geography_of(account) == name]) for name in geographies)
    totals = tuple(
        MatrixCell(destination, sum(row.cells[position].count for row in rows), "") for position, destination in enumerate(DESTINATIONS)
    )
    shown = frozenset(cell.destination for cell in totals if cell.count or cell.destination in ALWAYS_SHOWN)
    rows = tuple(replace(row, cells=tuple(cell for cell in row.cells if cell.destination in shown)) for row in rows)
    totals = tuple(cell for cell in totals if cell.destination in shown)
    total = sum(row.total for row in rows)
    spilling = tuple((account, each) for account in present for each in account.deployments if each.spillover)
    unread = tuple(account for account in present if account.deployments_unread)
    return Residency(rows, totals, total, unread, spilling, *_flows(rows, totals, total))


def geography_of(account: Account) -> str:
    """The geography that an account is in, as a row is named."""
    return account.geography or NO_GEOGRAPHY


def destination(account: Account, deployment: Deployment) -> str:
    """Where a deployment may process, as a column is named."""
    if deployment.scope == "data-zone":
        return f"zone:{account.zone}" if account.zone in ("EU", "US") else "zone:?"
    return {"geography": "own", "global": "any"}.get(deployment.scope, "unknown")


def _row(name: str, accounts: list[Account]) -> MatrixRow:
    types: dict[str, Counter[str]] = {}
    for account in accounts:
        for deployment in account.deployments:
            types.setdefault(destination(account, deployment), Counter())[deployment.sku or "no type"] += 1
    cells = tuple(_cell(each, types.get(each, Counter())) for each in DESTINATIONS)
    regions = ", ".join(sorted({account.location for account in accounts if account.location}))
    return MatrixRow(name, regions, len(accounts), cells, sum(cell.count for cell in cells))


def _cell(name: str, types: Counter[str]) -> MatrixCell:
    return MatrixCell(name, types.total(), ", ".join(f"{sku} {count}" for sku, count in sorted(types.items())))


Flows = tuple[float, tuple[Node, ...], tuple[Node, ...], tuple[Ribbon, ...]]


def _flows(rows: tuple[MatrixRow, ...], totals: tuple[MatrixCell, ...], total: int) -> Flows:
    sending = [row for row in rows if row.total]
    if not total:
        return 0.0, (), (), ()
    scale = min(16.0, _TALL / total)
    sources = _stack([(row.geography, row.total, "") for row in sending], _LEFT, scale)
    sinks = _stack([(NAMES[cell.destination], cell.count, cell.destination) for cell in totals if cell.count], _RIGHT, scale)
    filled = {sink.destination: sink.y for sink in sinks}
    ribbons = []
    for row, source in zip(sending, sources, strict=True):
        y = source.y
        for cell in row.cells:
            if cell.count:
                tall = cell.count * scale
                title = f"{row.geography} to {NAMES[cell.destination]}: {cell.count} ({cell.types})"
                ribbons.append(Ribbon(_path(y, filled[cell.destination], tall), cell.destination, title))
                y += tall
                filled[cell.destination] += tall
    height = max(node.y + max(node.height, 16) for node in (*sources, *sinks)) + _TOP
    return round(height, 1), sources, sinks, tuple(ribbons)


def _stack(nodes: list[tuple[str, int, str]], x: float, scale: float) -> tuple[Node, ...]:
    """Bars one below the other, with room for a label each."""
    found, y = [], _TOP
    for name, count, kind in nodes:
        tall = count * scale
        found.append(Node(name, count, x, round(y, 1), round(tall, 1), kind))
        y += max(tall, 18.0) + 12.0
    return tuple(found)


def _path(left: float, right: float, tall: float) -> str:
    """A band from the left bar to the right one."""
    start, end = _LEFT + _NODE, _RIGHT
    middle = (start + end) / 2
    return (
        f"M{start:g},{left:.1f}C{middle:g},{left:.1f} {middle:g},{right:.1f} {end:g},{right:.1f}"
        f"V{right + tall:.1f}C{middle:g},{right + tall:.1f} {middle:g},{left + tall:.1f} {start:g},{left + tall:.1f}Z"
    )
