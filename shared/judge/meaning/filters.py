"""What changes of content filter policies and blocklists mean."""

from typing import Final

from shared.judge.expectation import THRESHOLDS, Expectation
from shared.judge.meaning.rules import Rule, Said, Seen, fold, note, part, said

_SIDES: Final = {"prompt": "prompts", "completion": "completions"}
_FILTERED_BEFORE: Final = frozenset({"blocking", "default"})


def _what(seen: Seen) -> str:
    """`violence in prompts`, of the member `violence / prompt`."""
    name, _, source = seen.member.partition(" / ")
    return f"{name} in {_SIDES.get(source, 'texts')}"


def _blocks(seen: Seen, _: Expectation) -> Said:
    doing = "blocks" if seen.path[-1] == "blocking" else "looks for"
    if seen.is_ is True and seen.op != "removed":
        return Said("better", f"filter {seen.name} of account {seen.account} {doing} {_what(seen)}")
    return Said("worse", f"filter {seen.name} of account {seen.account} no longer {doing} {_what(seen)}")


def _threshold(seen: Seen, expect: Expectation) -> Said:
    """How severe a text must be to be blocked. Looser, but not more than the profile allows, matters less."""
    was, now = fold(seen.was), fold(seen.is_)
    text = f"filter {seen.name} blocks {_what(seen)} from severity {said(seen.is_)} on (was {said(seen.was)})"
    if was in THRESHOLDS and now in THRESHOLDS and THRESHOLDS.index(now) < THRESHOLDS.index(was):
        return Said("better", text)
    most = expect.threshold(seen.member.partition(" / ")[0])
    return Said("worse", text, "low" if now in THRESHOLDS and THRESHOLDS.index(now) <= THRESHOLDS.index(most) else None)


def _entry(seen: Seen, _: Expectation) -> Said:
    if seen.op == "removed":
        return Said("worse", f"filter {seen.name} of account {seen.account} has no entry for {_what(seen)} any more")
    if part(seen.is_, "enabled") is True and part(seen.is_, "blocking") is True:
        return Said("better", f"filter {seen.name} of account {seen.account} blocks {_what(seen)}")
    return Said("neutral", f"filter {seen.name} of account {seen.account} has an entry for {_what(seen)} that does not block", "medium")


def _mode(seen: Seen, _: Expectation) -> Said:
    if fold(seen.is_) in _FILTERED_BEFORE and seen.op != "removed":
        return Said("better", f"filter {seen.name} filters text before it is released ({said(seen.is_)})")
    return Said("worse", f"filter {seen.name} releases text before it is filtered (mode {'absent' if seen.op == 'removed' else said(seen.is_)}, was {said(seen.was)})")


def _policy(seen: Seen, _: Expectation) -> Said | None:
    if seen.op == "removed":
        return Said("worse", f"content filter policy {seen.name} of account {seen.account} is gone")
    return Said("neutral", f"content filter policy {seen.name} of account {seen.account} is new", "low") if seen.op == "added" else None


def _blocklist(seen: Seen, _: Expectation) -> Said | None:
    if seen.op == "removed":
        return Said("worse", f"blocklist {seen.name} of account {seen.account} is gone")
    return Said("better", f"blocklist {seen.name} of account {seen.account} is new") if seen.op == "added" else None


_ENTRY = ("properties", "contentFilters", "*")

RULES: Final[tuple[Rule, ...]] = (
    Rule("raiPolicies", (), _policy, "content-filter-blocking", "filters.categories"),
    Rule("raiPolicies", _ENTRY, _entry, "content-filter-blocking", "filters.categories"),
    Rule("raiPolicies", (*_ENTRY, "blocking"), _blocks, "content-filter-blocking", "filters.categories"),
    Rule("raiPolicies", (*_ENTRY, "enabled"), _blocks, "content-filter-blocking", "filters.categories"),
    Rule("raiPolicies", (*_ENTRY, "severityThreshold"), _threshold, "content-filter-thresholds", "filters.categories"),
    Rule("raiPolicies", ("properties", "mode"), _mode, "content-filter-mode", "filters.mode"),
    Rule("raiPolicies", ("properties", "basePolicyName"), note("filter {name} is based on {now} (was {was})", "medium"), "content-filter-blocking"),
    Rule("raiPolicies", ("properties", "customBlocklists", "**"), note("the blocklists of filter {name} changed: {was} to {now}", "medium"), "blocklists-present"),
    Rule("raiBlocklists", (), _blocklist, "blocklists-present"),
)  # fmt: skip
"""Of the answers `raiPolicies` and `raiBlocklists`."""
