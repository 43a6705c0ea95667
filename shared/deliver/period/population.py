"""Which accounts there were when, by the plans of complete sweeps. Pure.

A sweep that was narrowed to some resources says nothing about the others, and a subscription whose list failed says nothing about its
accounts. What was there in the first sweep of the period that could see it counts as there from the period's start; whoever appears
later was created or first seen between two sweeps, and counts from the later one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from shared.deliver.period.timeline import Window


def subscription_of(resource: str) -> str:
    """The subscription's ARM id."""
    return "/".join(resource.split("/")[:3])


def account_of(resource: str) -> str:
    """The account that a resource is, or lies in."""
    return "/".join(resource.split("/")[:9])


@dataclass(slots=True)
class Presence:
    """One account."""

    intervals: list[list[int]] = field(default_factory=list)
    """[from, to]; the last is open while `there`."""
    there: bool = False
    appeared: int = 0
    """How often it came to be there after a sweep that did not have it."""
    vanished: int = 0
    sweeps: int = 0
    first: int = -1
    last: int = -1
    """Indexes of the first and last plan that have it."""


@dataclass(slots=True)
class Population:
    """Takes plans in, in the order of the log."""

    period: Window
    accounts: dict[str, Presence] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    """Subscriptions that a sweep has listed."""

    def plan(self, record: int, at: int, units: Mapping[str, str], unlisted: Collection[str]) -> None:
        """A complete sweep's plan: what is asked of each resource; `unlisted`: subscriptions whose list of accounts failed."""
        at = min(max(at, self.period[0]), self.period[1])
        there = {resource for resource, asked in units.items() if asked.startswith("account")}
        listed = {resource for resource, asked in units.items() if asked == "subscription"} - set(unlisted)
        for resource in sorted(there):
            self._present(resource, record, at)
        for resource, presence in self.accounts.items():
            if presence.there and resource not in there and subscription_of(resource) in listed:
                presence.there, presence.intervals[-1][1] = False, at
                presence.vanished += 1
        self._seen |= listed

    def _present(self, resource: str, record: int, at: int) -> None:
        presence = self.accounts.setdefault(resource, Presence())
        if not presence.there:
            known = subscription_of(resource) in self._seen
            presence.intervals.append([at if known else self.period[0], self.period[1]])
            presence.there, presence.appeared = True, presence.appeared + known
        presence.first = record if presence.first < 0 else presence.first
        presence.last = record
        presence.sweeps += 1

    def windows(self, resource: str | None) -> list[Window]:
        """When a resource, or the account that it lies in, was there; the period, for what is in no account."""
        presence = self.accounts.get(account_of(resource)) if resource else None
        if presence is None:
            return [self.period]
        return [(start, end) for start, end in presence.intervals if start < end]
