"""An account that lists a hundred thousand objects: they pass, page by page, and what is kept of each is its id and its place.

Every object that is parsed here can be asked whether it is still there; none may be, but those of the page at hand.
"""

from dataclasses import replace
from typing import Any
from weakref import WeakSet

import pytest

from shared.judge.assemble import Bodies, Entry
from shared.judge.engine import judge_account
from shared.judge.lives.fold import UnitSweep, fold
from shared.judge.lives.inventory import Places, Shelf, listed
from shared.judge.lives.kinds import BATCH, FILE, JOB, KINDS, STORE
from shared.judge.lives.state import State
from tests.fixtures.lives import ONE, at, file, listing
from tests.test_judge_samples import as_profile, evidence, held

PAGES, EACH = 12, 50


class Member(dict[str, Any]):
    """A listed object that can be watched."""

    __slots__ = ("__weakref__",)
    __hash__ = object.__hash__


class Pages:
    """Pages of objects, made when they are loaded; `most` of the objects were there at once."""

    def __init__(self, make: Any, pages: int = PAGES) -> None:
        self.make, self.pages, self.most, self.loads = make, pages, 0, 0
        self.there: WeakSet[Member] = WeakSet()

    @property
    def digests(self) -> tuple[str, ...]:
        return tuple(str(number) for number in range(self.pages))

    def load(self, digest: str) -> Any:
        page = int(digest)
        data = [Member(self.make(page * EACH + position)) for position in range(EACH)]
        self.loads += 1
        self.there.update(data)
        self.most = max(self.most, len(self.there))
        return {"object": "list", "data": data, "has_more": page < self.pages - 1}


LISTS = {
    "files": lambda n: held(f"file-{n}", 1700000000 + n, purpose="batch", bytes=1, status="processed"),
    "fineTuningJobs": lambda n: held(f"ftjob-{n}", training_file=f"file-{n}", fine_tuned_model=f"m.ft-{n}", status="succeeded"),
    "servedModels": lambda n: held(f"m.ft-{n}", model="m", fine_tune=f"ftjob-{n}"),
    "batches": lambda n: held(f"batch_{n}", input_file_id=f"file-{n}", output_file_id=f"file-{n + 1}"),
    "vectorStores": lambda n: held(f"vs_{n}", 1700000000 + n, status="completed", usage_bytes=5),
}


@pytest.mark.parametrize("limit", [0, 30])
def test_judging_an_account_holds_one_page_of_each_list_and_no_more(limit):
    lists = {kind: Pages(make) for kind, make in LISTS.items()}
    given = evidence()
    answers = {
        key: replace(answer, pages=Bodies(lists[key[0]].digests, lists[key[0]].load)) if key[0] in lists else answer
        for key, answer in given.answers.items()
    }
    assert {key[0] for key in answers} >= lists.keys()
    text = f"[storage]\nfiles_max_age_days = {limit}\nvector_stores_max_age_days = {limit}\n" if limit else ""
    judged = dict(judge_account(replace(given, answers=answers, at=None if not limit else "2026-11-22T18:00:00.000000Z"), as_profile(text), "public"))
    for kind, pages in lists.items():
        assert pages.loads >= PAGES, kind
        assert pages.most <= 2 * EACH, f"{kind}: {pages.most} of {PAGES * EACH} objects were there at once"
    said = judged["files-inventory"]
    assert f"{PAGES * EACH} files are stored" in said.reason and (f"{PAGES * EACH} are older" in said.reason) == bool(limit)
    assert len(said.points) <= 21
    assert f"{PAGES * EACH} fine-tuned models lead to their training data, which is still stored" in judged["fine-tuning-lineage"].reason
    left = PAGES * EACH
    assert f"{left} batches name {2 * left} files; still stored: input ({left}), output ({left - 1})" in judged["batches-inventory"].reason


@pytest.mark.parametrize("kind", [FILE, JOB, BATCH, STORE], ids=lambda kind: kind.name)
def test_an_inventory_holds_no_object(kind):
    pages = Pages(LISTS[kind.question])
    entry = Entry(kind.question, ONE, 7, at(0), pages.digests, None, 200)
    inventory = Shelf(pages.load).inventory(kind, entry)
    assert inventory is not None and len(inventory.places) == PAGES * EACH
    assert pages.most <= 2 * EACH and not pages.there
    name = LISTS[kind.question](EACH + 3)["id"]
    assert inventory.point(name).pointer == "/data/3" and inventory.point(name).page == 1 and inventory.item(name)["id"] == name


def test_the_end_of_one_object_among_many_reads_the_page_that_it_was_on():
    before, after = Pages(LISTS["files"]), Pages(lambda n: LISTS["files"](n if n < 70 else n + 1))
    loads = {**dict.fromkeys(before.digests, before.load), **{f"later-{d}": lambda d: after.load(d.removeprefix("later-")) for d in after.digests}}
    shelf = Shelf(lambda digest: loads[digest](digest))
    state = State()
    for number, digests in enumerate([before.digests, tuple(f"later-{d}" for d in after.digests)]):
        entry = Entry(FILE.question, ONE, 10 * number, at(6 * number), digests, None, 200)
        done = fold(state, UnitSweep(f"s{number}", at(6 * number), ONE, [entry], lambda _: ()), shelf)
        state = done.state
    assert [deletion.statement.id for deletion in done.deletions] == ["file-70"]
    assert before.most <= 2 * EACH and after.most <= 2 * EACH
    assert before.loads <= PAGES + 2, "each list is parsed once, and again the page of what is gone"


def test_places_are_what_a_dict_of_them_would_be():
    odd = [1700000000, 0, -5, 2**62, 2**70, 1.5, True, None, "2026-11-01T00:00:00Z", [1], {"a": 1}]
    items = [file("same"), *({"id": f"f{n}", "created_at": value, "expires_at": n or None} for n, value in enumerate(odd))]
    items.append({"id": "same", "created_at": 1, "expires_after": {"seconds": 5}})
    places = listed(FILE, ONE, [listing(*items)])
    assert isinstance(places, Places) and list(places) == ["same", *(f"f{n}" for n in range(len(odd)))]
    assert places["same"].position == len(items) - 1 and places["same"].told == {"expires_after": {"seconds": 5}} and places["same"].made == 1
    for n, value in enumerate(odd):
        brief = places[f"f{n}"]
        assert (brief.page, brief.position) == (0, n + 1) and brief.told == ({"expires_at": n} if n else ())
        assert brief.made == (value or None) and (not value or type(brief.made) is type(value))
    assert "f1" in places and "nothing" not in places and 5 not in places and places.get("nothing") is None
    assert places.keys() - {"same"} == {f"f{n}" for n in range(len(odd))}


def test_every_kind_that_may_be_long_is_watched():
    assert set(LISTS) | {"assistants", "containers", "deployments"} == {kind.question for kind in KINDS}
