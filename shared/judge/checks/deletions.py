"""Whether what is gone was logged, and what was logged is gone: of an account and what it holds, and of the accounts of a subscription.

Judged from the deletions that reconciliation found in this sweep (docs/format.md: they stand before the findings of the unit) and from
this sweep's inventories. Every record that a deletion rests on is among the records of the finding.
"""

from collections import Counter
from collections.abc import Sequence

from shared.canonical import Json
from shared.judge.case import Case
from shared.judge.checks.holdings import held
from shared.judge.expectation import ANY, Expectation
from shared.judge.lives.kinds import FAMILIES, plural
from shared.judge.reading import answered, count, listed, names, verb
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown
from shared.model import Evidence, Judgement, Point

_BY_ITSELF = ("expired", "developer-tier", "idle", "account-deleted", "account-purged")
"""Causes for which no log is due: Azure's own rules, and the end of an account, which is judged where the account was listed."""

_MOST_POINTS = 40


def deletions_reconciled(case: Case) -> list[Judgement]:
    """Of an account: its inventories were had, and what is gone from them was logged."""
    unread = []
    for kind in (kind.question for family in FAMILIES for kind in family):
        try:
            for node in held(case, kind) or ():
                node.needed_text("id")
        except Unclear as unclear:
            unread.append(unclear)
    for kind in ("deployments", "diagnosticSettings"):  # what is there besides, and whether a log could have told
        try:
            case.items(kind)
        except Unclear as unclear:
            unread.append(unclear)
    return [_judged(case.id, case.evidence.deletions, unread, case.expect)]


def account_deletions_reconciled(evidence: Evidence, expect: Expectation) -> list[Judgement]:
    """Of a subscription: its accounts were listed, and what is gone from that list was logged."""
    unread = []
    for kind in ("accounts", "deletedAccounts"):
        try:
            listed(answered(evidence, kind))
        except Unclear as unclear:
            unread.append(unclear)
    return [_judged(evidence.resource, evidence.deletions, unread, expect)]


def _judged(resource: str, deletions: Sequence[Json], unread: Sequence[Unclear], expect: Expectation) -> Judgement:
    silent = [d for d in deletions if d["status"] == "unlogged" and d["cause"] not in _BY_ITSELF]
    vain = [d for d in deletions if d["status"] == "not-effective" and _was_logged(d)]
    unseen = [d for d in deletions if d["status"] == "unobservable" and d["cause"] not in _BY_ITSELF]
    told = f"Gone, or said to be: {_what(deletions)}" if deletions else "Nothing that was listed is gone, and no deletion was logged"
    because = f"{expect.because('deletions.logged')}: {expect.word('deletions.logged')}"
    if expect.word("deletions.logged") != ANY and (silent or vain):
        reason = f"{told}. {_complaint(silent, vain)} ({because})."
        return not_satisfied(resource, reason, *_points([*silent, *vain]), *_rest(deletions))
    if unread:
        more = f" And {len(unread) - 1} more could not be read." if len(unread) > 1 else ""
        said = f" {told}." if deletions else ""
        reason = f"What is gone cannot be seen in full. {unread[0].reason}{more}{said}"
        return unknown(resource, reason, *(point for unclear in unread for point in unclear.points), *_points(deletions), *_rest(deletions))
    if expect.word("deletions.logged") == ANY:
        return not_applicable(resource, f"{told}; the profile expects nothing here.", *_points(deletions), *_rest(deletions))
    if unseen:
        reason = f"{told}. Of {len(unseen)} no log could have told: {unseen[0]['reason']}"
        return unknown(resource, reason, *_points(unseen), *_rest(deletions))
    return satisfied(resource, f"{told} ({because}).", *_points(deletions), *_rest(deletions))


def _what(deletions: Sequence[Json]) -> str:
    counted: Counter[tuple[str, str]] = Counter()
    for deletion in deletions:
        counted[deletion["kind"], deletion["status"]] += deletion["count"]
    return names((f"{number} {kind.replace('-', ' ') if number == 1 else plural(kind)} {status}" for (kind, status), number in counted.items()), 8)


def _complaint(silent: Sequence[Json], vain: Sequence[Json]) -> str:
    said = []
    if silent:
        named = names(str(d["object"]["id"]) for d in silent)
        said.append(f"{count(len(silent), 'object')} went without a log telling of it, though logs were kept and read: {named}")
    if vain:
        said.append(f"{len(vain)} {verb(len(vain), 'is', 'are')} still listed after a deletion that was logged: {names(str(d['object']['id']) for d in vain)}")
    return "; ".join(said)


def _was_logged(deletion: Json) -> bool:
    return any(witness["witness"] in ("activity-log", "event") for witness in deletion["witnesses"]) and deletion["kind"] != "account"


def _points(deletions: Sequence[Json]) -> list[Point]:
    found = [Point(w["record"], w["page"], w["pointer"]) for deletion in deletions for w in deletion["witnesses"]]
    return list(dict.fromkeys(found))[:_MOST_POINTS]


def _rest(deletions: Sequence[Json]) -> list[Point]:
    """Every record that the deletions rest on."""
    return [Point(record) for record in sorted({record for deletion in deletions for record in deletion["records"]})]
