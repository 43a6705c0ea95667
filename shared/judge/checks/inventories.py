"""What is stored in the account: files, vector stores, assistants, fine-tuned models, batches. That they are known, and how old they are."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from shared.judge.case import Case
from shared.judge.checks.holdings import by_id, created, held, list_place, models_of_its_own
from shared.judge.lives.lineage import batch_files
from shared.judge.lives.times import plus
from shared.judge.reading import Node, count, names, shown, verb
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown
from shared.model import Judgement, Point

_MOST_POINTS = 20


def files_inventory(case: Case) -> list[Judgement]:
    """The files are listed, and none is older than the profile allows."""
    stored = held(case, "files")
    if stored is None:
        return [_not_served(case, "files", "files")]
    kept = _Stored(case, "files", stored, "purpose", "bytes")
    return [kept.judged("file", "storage.files_max_age_days")]


def vector_stores_inventory(case: Case) -> list[Judgement]:
    """The vector stores are listed, and none is older than the profile allows."""
    stored = held(case, "vectorStores")
    if stored is None:
        return [_not_served(case, "vectorStores", "vector stores")]
    kept = _Stored(case, "vectorStores", stored, "status", "usage_bytes")
    return [kept.judged("vector store", "storage.vector_stores_max_age_days")]


def assistants_inventory(case: Case) -> list[Judgement]:
    """The assistants are counted."""
    stored = held(case, "assistants")
    if stored is None:
        return [_not_served(case, "assistants", "assistants")]
    return [_Stored(case, "assistants", stored, "model", "").judged("assistant", "")]


def fine_tuned_models_inventory(case: Case) -> list[Judgement]:
    """The fine-tuned models are listed."""
    models = models_of_its_own(case)
    return [_Stored(case, "servedModels", models.values(), "model", "").judged("fine-tuned model", "")]


def batches_inventory(case: Case) -> list[Judgement]:
    """The batches are listed, and which of the files that they read and wrote are still stored."""
    if held(case, "batches") is None:
        return [_not_served(case, "batches", "batches")]
    batches = by_id(case, "batches")
    if not batches:
        return [not_applicable(case.id, "The account lists no batches.", list_place(case, "batches"))]
    try:
        files = by_id(case, "files")
    except Unclear as unclear:
        reason = f"{count(len(batches), 'batch', 'batches')} {verb(len(batches), 'is', 'are')} listed; which of their files are stored is not known."
        return [unknown(case.id, f"{reason} {unclear.reason}", list_place(case, "batches"), *unclear.points)]
    uses = [use for batch in batch_files(batches, files) for use in batch.uses]
    left = Counter(use.role for use in uses if use.state == "listed")
    said = names(f"{role} ({number})" for role, number in left.items()) or "none"
    expiring = sum(1 for use in uses if use.listed is not None and use.listed.value.get("expires_at"))
    fact = f"{count(len(batches), 'batch', 'batches')} {verb(len(batches), 'names', 'name')} {count(len(uses), 'file')}; still stored: {said}"
    points = [batch.point() for batch in batches.values()][:_MOST_POINTS]
    return [satisfied(case.id, f"{fact}{f', of which {expiring} will expire' if expiring else ''}.", *points)]


def _not_served(case: Case, kind: str, plural: str) -> Judgement:
    return not_applicable(case.id, f"The account does not serve {plural} (Azure answers that there is no such thing).", list_place(case, kind))


class _Stored:
    """Objects of one kind, counted while they pass."""

    def __init__(self, case: Case, kind: str, nodes: Iterable[Node], sort: str, size: str) -> None:
        self.case, self.kind = case, kind
        self.number = self.bytes = 0
        self.sorts: Counter[str] = Counter()
        self.oldest = ""
        self.ages: list[tuple[str, Point]] = []
        self.ageless: list[Point] = []
        for node in nodes:
            node.needed_text("id")
            self.number += 1
            value, made = node.value.get(sort), created(node)
            self.sorts[value if isinstance(value, str) else "not said"] += 1
            length = node.value.get(size)
            self.bytes += length if isinstance(length, int) else 0
            if made is None:
                self.ageless.append(node.point())
            else:
                self.oldest = min(self.oldest or made, made)
                self.ages.append((made, node.point()))

    def judged(self, noun: str, limit: str) -> Judgement:
        """`noun`: what one is called; `limit`: the key of the profile that limits its age in days, empty for none."""
        case, place = self.case, list_place(self.case, self.kind)
        if not self.number:
            return not_applicable(case.id, f"The account lists no {noun}s.", place)
        said = names(f"{shown(sort)[1:-1]} ({number})" for sort, number in self.sorts.items())
        size = f", {self.bytes:,} bytes" if self.bytes else ""
        oldest = f"; the oldest is of {self.oldest[:10]}" if self.oldest else ""
        fact = f"{count(self.number, noun)} {verb(self.number, 'is', 'are')} stored: {said}{size}{oldest}"
        days = case.expect.number(limit) if limit else 0
        if not days:
            return satisfied(case.id, f"{fact}.", place)
        because = f"{case.expect.because(limit)}: at most {count(days, 'day')} old"
        if self.ageless or case.evidence.at is None:
            return unknown(case.id, f"{fact}; the age of {len(self.ageless) or self.number} is not known ({because}).", *self.ageless[:_MOST_POINTS], place)
        oldest_allowed = _days_before(case.evidence.at, days)
        old = [point for made, point in self.ages if made < oldest_allowed]
        if old:
            return not_satisfied(case.id, f"{fact}; {len(old)} {verb(len(old), 'is', 'are')} older ({because}).", *old[:_MOST_POINTS])
        return satisfied(case.id, f"{fact} ({because}).", place)


def _days_before(at: str, days: int) -> str:
    return plus(at, -timedelta(days=days))
