"""What is stored in the account: files, vector stores, assistants, fine-tuned models, batches. That they are known, and how old they are."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from shared.judge.case import Case
from shared.judge.checks.holdings import BATCH_MEMBERS, FILE_MEMBERS, by_id, created, held, list_place, listed_of, models_of_its_own
from shared.judge.lives.lineage import batch_files, files_named
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
    return [_Stored(case, "files", stored, "purpose", "bytes", "storage.files_max_age_days").judged("file")]


def vector_stores_inventory(case: Case) -> list[Judgement]:
    """The vector stores are listed, and none is older than the profile allows."""
    stored = held(case, "vectorStores")
    if stored is None:
        return [_not_served(case, "vectorStores", "vector stores")]
    return [_Stored(case, "vectorStores", stored, "status", "usage_bytes", "storage.vector_stores_max_age_days").judged("vector store")]


def assistants_inventory(case: Case) -> list[Judgement]:
    """The assistants are counted."""
    stored = held(case, "assistants")
    if stored is None:
        return [_not_served(case, "assistants", "assistants")]
    return [_Stored(case, "assistants", stored, "model", "").judged("assistant")]


def fine_tuned_models_inventory(case: Case) -> list[Judgement]:
    """The fine-tuned models are listed."""
    models = models_of_its_own(case)
    return [_Stored(case, "servedModels", models.values(), "model", "").judged("fine-tuned model")]


def batches_inventory(case: Case) -> list[Judgement]:
    """The batches are listed, and which of the files that they read and wrote are still stored."""
    if held(case, "batches") is None:
        return [_not_served(case, "batches", "batches")]
    batches = by_id(case, "batches", BATCH_MEMBERS)
    if not batches:
        return [not_applicable(case.id, "The account lists no batches.", list_place(case, "batches"))]
    try:
        files = listed_of(case, "files", files_named(batches.values()), FILE_MEMBERS)
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
    """Objects of one kind, counted while they pass: nothing is kept of each."""

    def __init__(self, case: Case, kind: str, nodes: Iterable[Node], sort: str, size: str, limit: str = "") -> None:
        """`sort`, `size`: members; `limit`: the key of the profile that limits their age in days, empty for none."""
        self.case, self.kind, self.limit = case, kind, limit
        self.days = case.expect.number(limit) if limit else 0
        allowed = _days_before(case.evidence.at, self.days) if self.days and case.evidence.at is not None else ""
        self.number = self.bytes = 0
        self.sorts: Counter[str] = Counter()
        self.oldest = ""
        self.old, self.ageless = _Some(), _Some()
        for node in nodes:
            node.needed_text("id")
            self.number += 1
            value, made = node.value.get(sort), created(node)
            self.sorts[value if isinstance(value, str) else "not said"] += 1
            length = node.value.get(size)
            self.bytes += length if isinstance(length, int) else 0
            if made is None:
                self.ageless.add(node)
            else:
                self.oldest = min(self.oldest or made, made)
                if made < allowed:
                    self.old.add(node)

    def judged(self, noun: str) -> Judgement:
        """`noun`: what one is called."""
        case, place = self.case, list_place(self.case, self.kind)
        if not self.number:
            return not_applicable(case.id, f"The account lists no {noun}s.", place)
        said = names(f"{shown(sort)[1:-1]} ({number})" for sort, number in self.sorts.items())
        size = f", {self.bytes:,} bytes" if self.bytes else ""
        oldest = f"; the oldest is of {self.oldest[:10]}" if self.oldest else ""
        fact = f"{count(self.number, noun)} {verb(self.number, 'is', 'are')} stored: {said}{size}{oldest}"
        if not self.days:
            return satisfied(case.id, f"{fact}.", place)
        because = f"{case.expect.because(self.limit)}: at most {count(self.days, 'day')} old"
        if self.ageless.number or case.evidence.at is None:
            reason = f"{fact}; the age of {self.ageless.number or self.number} is not known ({because})."
            return unknown(case.id, reason, *self.ageless.points, place)
        if self.old.number:
            return not_satisfied(case.id, f"{fact}; {self.old.number} {verb(self.old.number, 'is', 'are')} older ({because}).", *self.old.points)
        return satisfied(case.id, f"{fact} ({because}).", place)


class _Some:
    """How many there are, and where the first of them are listed."""

    def __init__(self) -> None:
        self.number = 0
        self.points: list[Point] = []

    def add(self, node: Node) -> None:
        self.number += 1
        if self.number <= _MOST_POINTS:
            self.points.append(node.point())


def _days_before(at: str, days: int) -> str:
    return plus(at, -timedelta(days=days))
