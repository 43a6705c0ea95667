"""What was deleted in a period, and what fine-tuned models come from: as plain values for people to look at. Pure; bodies come through a function.

A deletion that a later one of the period takes the place of is not shown; the later one says which it was.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.canonical import Json
from shared.deliver.view_deletion import Deletion, Descent
from shared.deliver.view_pass import Seen
from shared.deliver.view_points import Load, resolve
from shared.judge.assemble import Entry
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.kinds import BY_QUESTION, DEPLOYMENT, FILE, JOB, MODEL
from shared.judge.lives.lineage import Lineage, Listed, lineages_in, node_at
from shared.judge.lives.statement import INVENTORY
from shared.judge.reading import Node
from shared.model import Point

_OF_LINEAGE = (FILE, JOB, MODEL, DEPLOYMENT)


@dataclass(slots=True)
class Gone:
    """Takes in the deletions of a period, and the answers about jobs that they may be about."""

    load: Load
    standing: dict[int, Json] = field(default_factory=dict)
    """Deletions by index, with `superseded`, `last_listed` where it is a job's."""
    _jobs: dict[str, deque[tuple[int, tuple[str, ...]]]] = field(default_factory=dict)
    """By account: the last answers about its jobs."""

    def answered(self, index: int, kind: str, resource: str, digests: tuple[str, ...]) -> None:
        """An answer came by."""
        if kind == JOB.question:
            self._jobs.setdefault(resource, deque(maxlen=4)).append((index, digests))

    def take(self, index: int, record: Json) -> None:
        """Take in a deletion."""
        earlier = [self.standing.pop(before) for before in record["supersedes"] if before in self.standing]
        superseded = sorted({*record["supersedes"], *(before for one in earlier for before in one["superseded"])})
        first = record.get("first_seen") or next((one["first_seen"] for one in earlier if one["first_seen"]), None)
        listed = self._last_listed(record) if record["kind"] == JOB.name else None
        listed = listed or next((one["last_listed"] for one in earlier if one["last_listed"]), None)
        self.standing[index] = {**record, "superseded": superseded, "first_seen": first, "last_listed": listed}

    def _last_listed(self, record: Json) -> Node | None:
        """A job as it was listed last."""
        place = next((w for w in record["witnesses"] if w["witness"] == INVENTORY and w["pointer"]), None)
        for index, digests in self._jobs.get(record["account"], ()):
            if place is not None and index == place["record"] and place["page"] < len(digests):
                try:
                    item = resolve(self.load(digests[place["page"]]), place["pointer"])
                except Exception:  # noqa: BLE001 - whatever `load` raises: then it is not known what it was
                    return None
                return node_at(item, Point(index, place["page"], place["pointer"])) if isinstance(item, dict) else None
        return None

    def deletions(self) -> tuple[Deletion, ...]:
        """What stands, in the order in which it went."""
        found = sorted(self.standing.items(), key=lambda pair: (pair[1]["before"], pair[0]))
        return tuple(_deletion(index, record) for index, record in found)

    def descents(self, seen: Mapping[int, Seen]) -> tuple[Descent, ...]:
        """The fine-tuned models of the sweep whose answers these are, and those whose jobs are gone since, by account and name."""
        shelf = Shelf(self.load)
        accounts: dict[str, list[Entry]] = {}
        for index, each in seen.items():
            kind = BY_QUESTION.get(each.kind)
            if kind in _OF_LINEAGE and not each.failure:
                accounts.setdefault(each.resource, []).append(Entry(each.kind, each.resource, index, "", each.digests, None, each.status))
        return tuple(descent for account in sorted(accounts) for descent in self._of(account, accounts[account], shelf))

    def _of(self, account: str, entries: Sequence[Entry], shelf: Shelf) -> Iterator[Descent]:
        own = [(index, record) for index, record in self.standing.items() if record["account"] == account]
        gone_jobs = {record["object"]["id"]: record["last_listed"] for _, record in own if record["last_listed"] is not None}
        try:
            last = {inv.kind.name: inv for entry in entries if (inv := shelf.inventory(BY_QUESTION[entry.kind], entry)) is not None}
            found = lineages_in(last, own, gone_jobs)
        except Exception:  # noqa: BLE001 - whatever `load` raises: what is not to be had is not drawn
            return
        ends = {(record["kind"], record["object"]["id"]): index for index, record in own if record["status"] != "not-effective"}
        listed_jobs = {name for kind, inventory in last.items() if kind == JOB.name for name in inventory.places}
        yield from (_descent(account, line, ends, gone_jobs, listed_jobs) for line in found)


def _descent(account: str, line: Lineage, ends: Mapping[tuple[str, str], int], gone_jobs: Listed, listed_jobs: Iterable[str]) -> Descent:
    job = str(line.job.value.get("id")) if line.job is not None else ""
    model_record = ends.get((MODEL.name, line.model)) if line.listed is None else None
    job_record = ends.get((JOB.name, job)) if job in gone_jobs and job not in listed_jobs else None
    records = {*line.records, *(record for record in (model_record, job_record) if record is not None)}
    return Descent(
        account, line.model, "listed" if line.listed is not None else "deleted" if model_record is not None else "not-listed", model_record,
        job or None, "listed" if job in listed_jobs else "deleted" if job_record is not None else "not-listed", job_record,
        line.uses, tuple(identifier.rpartition("/")[2] for identifier, _ in line.served_by), line.sentence(), tuple(sorted(records)),
    )  # fmt: skip


def _deletion(index: int, record: Json) -> Deletion:
    by = record["by"]
    first = record["first_seen"]
    return Deletion(
        index, record["sweep"], record["kind"], record["object"]["id"], record["account"], record["resource"], record["count"], record["after"],
        record["before"], record["status"], record["cause"], by if isinstance(by, str) else "withheld" if by else None, record["reason"],
        tuple(dict.fromkeys((w["witness"], w["record"]) for w in record["witnesses"])), tuple(record["superseded"]), first["at"] if first else None,
    )  # fmt: skip
