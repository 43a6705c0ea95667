"""Failed questions, grouped by what was asked and why no answer came."""

from dataclasses import dataclass, field

from shared.deliver.view_model import FailureGroup
from shared.deliver.view_pass import Seen

MOST_DETAILS = 20
"""Different error codes kept of a group; Azure has few, a hostile answer could have many."""

_Key = tuple[str, str, int | None]


@dataclass(slots=True)
class _Group:
    count: int = 0
    resources: dict[str, None] = field(default_factory=dict)
    details: dict[str, None] = field(default_factory=dict)
    first_at: str = ""
    last_at: str = ""
    by_sweep: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Failures:
    """Groups failures while they stream by."""

    _groups: dict[_Key, _Group] = field(default_factory=dict)

    def add(self, failed: Seen, at: str, detail: str | None, sweep: int) -> None:
        """Note one failure of the sweep numbered `sweep`."""
        group = self._groups.setdefault((failed.kind, failed.failure or "", failed.status), _Group(first_at=at))
        group.count += 1
        group.resources[failed.resource] = None
        if detail and len(group.details) < MOST_DETAILS:
            group.details[detail] = None
        group.last_at = max(group.last_at, at)
        group.by_sweep[sweep] = group.by_sweep.get(sweep, 0) + 1

    def groups(self, shown: int | None) -> tuple[FailureGroup, ...]:
        """The groups, the largest first; `shown` is the number of the sweep shown in full."""
        found = [
            FailureGroup(
                kind=kind,
                reason=reason,
                status=status,
                count=group.count,
                in_last=group.by_sweep.get(shown, 0) if shown is not None else 0,
                resources=tuple(sorted(group.resources)),
                details=tuple(sorted(group.details)),
                first_at=group.first_at,
                last_at=group.last_at,
            )
            for (kind, reason, status), group in self._groups.items()
        ]
        return tuple(sorted(found, key=lambda g: (-g.count, g.kind, g.reason, g.status or 0)))
