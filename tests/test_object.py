"""A bundle about one object: what is sealed of its end, with a certificate that a verifier makes again, byte by byte."""

import html
import json
import random
import re
from datetime import timedelta

import pytest

from shared.canonical import canonical
from shared.deliver.certificate.request import PAGE, REQUEST
from shared.errors import Misuse
from shared.seal import merkle, note
from shared.seal.store import DirectoryStore
from shared.service.bundle import bundle
from shared.service.queries import Period, reading
from shared.settings import Settings
from tests.fixtures.bundles import KEYS, apart, built, hours, together, verdict
from tests.fixtures.records import START
from tests.test_scope import GONE, STAYS, Deleting, deletions, history, without
from tests.test_verify_alone import run
from tests.test_verify_deletions import holding

TWIN = holding("file-1", name="twin")
ESTATES = ([GONE, STAYS, TWIN], [GONE, STAYS, TWIN], [STAYS, holding(name="twin")], [STAYS, holding(name="twin")])
"""Between 12 and 18 o'clock an account goes with file-1 and file-2, and another file-1 in another account."""


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    place = tmp_path_factory.mktemp("log") / "store"
    history(DirectoryStore(place), ESTATES)
    return reading(Settings(store=str(place)))


def about(read, folder, asked, when=None, **options):
    made = bundle(read, Period(*when) if when else None, folder / "one.zip", about=asked, **options)
    return made, (folder / "one.zip").read_bytes()


def reasons(data):
    return [problem.reason for problem in verdict(data).problems]


def printed(page):
    """(line, proof) of each record on a page."""
    return re.findall(r'<pre class="line">(.*?)</pre>.*?<pre class="proof">(.*?)</pre>', html.unescape(page.decode()), re.DOTALL)


def test_it_holds_the_end_of_the_object_and_a_certificate_of_every_end_of_its_name(read, tmp_path):
    made, data = about(read, tmp_path, "FILE-1")
    entries, said = apart(data), verdict(data)
    assert (list(said.problems), len(made["sweeps"])) == ([], 2), "from the first sweep that concluded one of them to the last, of four"
    assert any("the certificate of FILE-1 was made again from" in line for line in said.checked)
    page = entries[PAGE].decode()
    assert "<b>2 deletions are known under this name</b>" in page and "It was in an account that was deleted." in page
    told = {json.loads(line)["object"]["id"] for line, _ in printed(entries[PAGE]) if '"type":"deletion"' in line}
    assert told == {"file-1"} and f"accounts/{STAYS.name}" not in page
    for line, proof in printed(entries[PAGE]):
        index, hashes, checkpoint = note.parse_proof(proof.encode())
        signed = note.open_checkpoint(checkpoint, KEYS)
        assert merkle.verify_inclusion(merkle.leaf_hash(line.encode()), index, signed.size, hashes, signed.root)
    for kept_from_it in (str(KEYS[0]), "verifier key", "Written</dt>"):
        assert kept_from_it not in page, "a bundle brings no key, and the same records give the same page"
    (tmp_path / "b.zip").write_bytes(data)
    assert run(tmp_path / "b.zip")[0] == said.exit_code
    assert "certificate.html is a page to read" in entries["README.txt"].decode()
    assert about(read, tmp_path, "FILE-1")[1] == data


def test_one_of_two_accounts_and_a_longer_period(read, tmp_path):
    made, data = about(read, tmp_path, "file-1", resources=[TWIN.id])
    entries = apart(data)
    assert [one["resource"] for one in json.loads(entries[REQUEST])["objects"]] == [f"{TWIN.id}/files/file-1".lower()]
    assert "2 deletions are known" not in entries[PAGE].decode() and list(verdict(data).problems) == []
    first, last = deletions(entries)
    assert len(made["sweeps"]) == 1 and f"record {last}, in place of {first};" in entries[PAGE].decode(), "what it supersedes was sealed before, and comes along"
    assert [json.loads(line)["status"] for line, _ in printed(entries[PAGE]) if '"type":"deletion"' in line] == [deletions(entries)[last]["status"]]
    longer, data = about(read, tmp_path, "file-1", hours(0, 30), resources=[TWIN.id])
    assert len(longer["sweeps"]) == 4 and list(verdict(data).problems) == []
    assert apart(data)[PAGE].decode().count('datetime="2026-11-01T00:00:00.000000Z"') == 1, "the page says what it covers"


@pytest.fixture
def entries(read, tmp_path):
    return apart(about(read, tmp_path, "file-1")[1])


LIES = {
    "a word of the page": (PAGE, lambda data: data.replace(b"corroborated", b"confirmed"), "does not follow from the rest"),
    "an end less on the page": (PAGE, lambda data: re.sub(rb'<section class="end.*?</section>', b"", data, count=1, flags=re.DOTALL), "does not follow"),
    "no page": (PAGE, lambda data: None, "a bundle about one object has this file"),
    "no request": (REQUEST, lambda data: None, "nothing in the bundle accounts for the file"),
    "another name": (REQUEST, lambda data: data.replace(b'"asked":"file-1"', b'"asked":"train.jsonl"'), "does not follow from the rest"),
    "an object less": (REQUEST, lambda data: changed(data, lambda objects: objects[:1]), "is left out of it"),
    "an object more": (REQUEST, lambda data: changed(data, lambda objects: [*objects, {"kind": "zebra", "resource": "/x"}]), "of which no deletion is here"),
    "none": (REQUEST, lambda data: changed(data, lambda objects: []), "does not say what was asked for"),
    "in another order": (REQUEST, lambda data: changed(data, lambda objects: objects[::-1]), "does not say what was asked for"),
    "no JSON": (REQUEST, lambda data: b"\xff{", "does not say what was asked for"),
    "a list": (REQUEST, lambda data: b"[1]", "does not say what was asked for"),
    "numbers": (REQUEST, lambda data: canonical({"v": 1, "asked": 1, "objects": [{"kind": 1, "resource": 2}]}), "does not say what was asked for"),
}


def changed(data, change):
    value = json.loads(data)
    return canonical({**value, "objects": change(value["objects"])})


@pytest.mark.parametrize("lie", LIES)
def test_a_certificate_that_does_not_follow_is_found(entries, lie):
    name, change, word = LIES[lie]
    data = change(entries[name])
    assert data != entries[name], "the lie is one"
    lying = {**{other: each for other, each in entries.items() if other != name}, **({name: data} if data is not None else {})}
    assert any(word in reason for reason in reasons(together(lying)))


def test_an_end_that_was_taken_out_with_its_certificate_made_to_fit_is_found(read, entries, tmp_path):
    """Whoever takes the record out of the bundle, and the object out of the request, can make a page that fits; the closing record counts."""
    gone = {index: one for index, one in deletions(entries).items() if one["account"] == TWIN.id.lower()}
    assert len(gone) == 2, "what was said first, and what took its place"
    lying = {**entries, REQUEST: changed(entries[REQUEST], lambda objects: objects[:1])}
    for taken in (gone, list(gone)[:1], list(gone)[1:]):
        assert sum(f"1 deletions of {TWIN.id.lower()} were concluded, and 0 are here" in reason for reason in reasons(without(lying, taken))) == len(taken)


class Remembers(Deleting):
    """Says when it saw first what is gone."""

    first = None

    def deletions(self, sweep, records, unit, at):
        return [{**one, "first_seen": self.first(one)} for one in super().deletions(sweep, records, unit, at)]


@pytest.mark.parametrize("what", ["the truth", "another time", "what lists another file", "no list", "not there"])
def test_what_is_said_to_have_seen_it_first_lists_it(tmp_path, what):
    """Files: file-0 is there from the first sweep, file-1 from the second; it is gone in the third."""
    maker = Remembers(DirectoryStore(tmp_path / "store")).birth()
    lists = {}

    def first(one):
        for index, record in reading(Settings(store=str(tmp_path / "store"))).log.records(0, maker.size()):
            if record["kind"] == "files":
                lists.setdefault(index, record["at"])
        earlier, seen = sorted(lists)[:2]
        record = {"what lists another file": earlier, "no list": 0, "not there": 10**9}.get(what, seen)
        return {"record": record, "at": "2026-11-01T09:00:00.000000Z" if what == "another time" else lists.get(record, lists[seen])}

    maker.first = first
    for number, files in enumerate((["file-0"], ["file-0", "file-1"], ["file-0"])):
        maker.sweep([holding(*files)], slot=START + timedelta(hours=6 * (number + 1)))
    _, data = about(reading(Settings(store=str(tmp_path / "store"))), tmp_path, "file-1")
    said = verdict(data)
    if what in ("the truth", "not there"):
        assert list(said.problems) == [] and any("is not here" in line for line in said.not_checked) == (what == "not there")
    else:
        assert any("and that record does not list it" in problem.reason for problem in said.problems)


def test_whatever_a_request_holds_is_an_answer_and_no_crash(entries):
    chance, good = random.Random(11), entries[REQUEST]
    for _ in range(20):
        data = bytearray(good)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if bytes(data) != good:
            assert not verdict(together({**entries, REQUEST: bytes(data)})).intact, bytes(data)


@pytest.mark.parametrize("fields", [
    {"created": {}}, {"by": ["x"], "created": 7}, {"cause": None}, {"object": {"kind": "file", "id": "\u202e<b>"}}, {"status": "<script>alert(1)</script>"},
    {"kind": "zebra"}, {"first_seen": {"record": 0, "at": "2026-11-01T12:00:00.000000Z"}}, {"witnesses": []}, {"count": 10**15}, {"supersedes": [1, 2, 3]},
], ids=str)  # fmt: skip
def test_a_well_sealed_lie_gives_a_verdict_and_no_crash(tmp_path, fields):
    def edit(name, records):
        return [{**one, **fields} if one["type"] == "deletion" and one["kind"] == "file" else one for one in records]

    store = DirectoryStore(tmp_path / "store")
    history(store, ESTATES, edit=edit)
    entries = apart(built(store, tmp_path, hours(15, 30), resources=[TWIN.id]))
    request = {"v": 1, "asked": "file-1", "objects": [{"kind": fields.get("kind", "file"), "resource": f"{TWIN.id}/files/file-1".lower()}]}
    said = verdict(together({**entries, REQUEST: canonical(request), PAGE: b"<p>It is gone."}))
    assert any(problem.file == PAGE for problem in said.problems), "the page is none that follows"
    assert all("\u202e" not in line for line in said.as_lines())


def test_what_cannot_be_built_is_refused_and_leaves_no_file(read, tmp_path):
    for asked, when, more, word in (
        ("file-8", None, {}, "no deletion of the object that is asked for is sealed"), ("file-1", hours(0, 15), {}, "that stands was concluded there and then"),
        ("file-1", None, {"resources": [STAYS.id]}, "that stands was concluded there and then"), ("x" * 1001, None, {}, "at most 1,000 characters"),
    ):  # fmt: skip
        with pytest.raises(Misuse, match=word):
            about(read, tmp_path, asked, when, **more)
    assert list(tmp_path.iterdir()) == []
