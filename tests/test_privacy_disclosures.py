"""Commitments, and the side that can be erased: agreed on by everybody, disclosed to whom may know, gone when erased."""

import base64
import hashlib
import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.canonical import Json, canonical
from shared.errors import StoreConflict
from shared.privacy.disclosures import KEY, Disclosures, check, commitment_of
from shared.privacy.redact import redact


class MemoryStore:
    """A store in memory that fails after a given number of writes, and calls back before each write."""

    def __init__(self, blobs: dict[str, bytes] | None = None) -> None:
        self.blobs = {} if blobs is None else blobs
        self.calls = 0
        self.writes_left: int | None = None
        self.before_write: Callable[[str], None] = lambda path: None

    def _write(self, path: str) -> None:
        self.before_write(path)
        self.calls += 1
        if self.writes_left is not None:
            if not self.writes_left:
                raise OSError("crash")
            self.writes_left -= 1

    def get(self, path: str) -> bytes | None:
        self.calls += 1
        return self.blobs.get(path)

    def put_new(self, path: str, data: bytes) -> bool:
        self._write(path)
        return self.blobs.setdefault(path, data) is data

    def delete(self, path: str) -> None:
        self._write(path)
        self.blobs.pop(path, None)

    def list(self, prefix: str) -> Iterator[str]:
        return iter(sorted(path for path in self.blobs if path.startswith(prefix)))


def randomness(seed: int = 0) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


def disclosures(store: MemoryStore, seed: int = 0) -> Disclosures:
    return Disclosures(store, randomness(seed))


def committed(data: bytes) -> str:
    found = json.loads(data)
    assert list(found) == ["committed"] and data == canonical(found)
    return str(found["committed"])


def test_a_commitment_is_what_the_format_says() -> None:
    ours = disclosures(MemoryStore())
    commitment = committed(ours.commit({"b": 1, "a": "ü"}))
    disclosed = ours.disclose(commitment)
    salt = base64.b64decode(disclosed["salt"])
    assert len(salt) == 32 and disclosed["value"] == {"b": 1, "a": "ü"}
    assert commitment == base64.b64encode(hashlib.sha256(salt + '{"a":"ü","b":1}'.encode()).digest()).decode()
    assert check(commitment, disclosed["salt"], disclosed["value"])


@pytest.mark.parametrize(("commitment", "salt", "value"), [
    ("", "", "bob"), ("x", "not base64!", "bob"), ("x", base64.b64encode(b"short").decode(), "bob"), ("x", "é", "bob"),
    (commitment_of(b"s" * 31, "bob"), base64.b64encode(b"s" * 31).decode(), "bob"),
    (commitment_of(b"s" * 32, "bob"), base64.b64encode(b"s" * 32).decode(), "Bob"),
    (commitment_of(b"s" * 32, "bob"), base64.b64encode(b"t" * 32).decode(), "bob"),
    ("x", base64.b64encode(b"s" * 32).decode(), float("nan")), ("x", base64.b64encode(b"s" * 32).decode(), object()), ("x", None, "bob"),
])
def test_a_wrong_disclosure_is_told(commitment: str, salt: str, value: Json) -> None:
    assert check(commitment, salt, value) is False


def test_one_value_has_one_commitment_and_others_have_others() -> None:
    store = MemoryStore()
    ours = disclosures(store)
    values: list[Json] = ["bob", "Bob", 1, 1.5, True, "1", ["bob"], {"bob": "bob"}, {"bob": ["bob"]}, "\ud800", 10**30]
    first = [ours.commit(value) for value in values]
    assert len(set(first)) == len(values)
    assert [ours.commit(value) for value in values] == first
    ours.forget()
    assert [ours.commit(value) for value in values] == first
    assert [disclosures(store, seed=1).commit(value) for value in values] == first
    assert [ours.disclose(committed(data))["value"] for data in first] == values


def test_the_layout_and_that_names_give_nobody_away() -> None:
    store = MemoryStore()
    commitment = committed(disclosures(store).commit("bob@contoso.com"))
    digest = base64.b64decode(commitment).hex()
    key, pointer, value = KEY, f"personal/commitment/{digest[:2]}/{digest}.json", next(store.list("personal/value/"))
    assert sorted(store.blobs) == sorted([key, pointer, value])
    assert len(store.blobs[key]) == 32
    assert json.loads(store.blobs[value]).keys() == {"committed", "salt", "value"}
    name = value.rpartition("/")[2].removesuffix(".json")
    assert value == f"personal/value/{name[:2]}/{name}.json" and json.loads(store.blobs[pointer]) == {"value": name}
    for guess in ("bob@contoso.com", '"bob@contoso.com"'):
        for digest_of in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.sha512):
            assert digest_of(guess.encode()).hexdigest() not in "".join(store.blobs)


def test_what_is_remembered_is_bounded_and_saves_the_store() -> None:
    store = MemoryStore()
    ours = Disclosures(store, randomness(), remembered=3)
    for number in range(10):
        ours.commit(number)
    before = store.calls
    for _ in range(5):
        for number in (7, 8, 9):
            ours.commit(number)
    assert store.calls == before
    ours.commit(0)
    assert store.calls > before


def test_two_processes_at_once_agree() -> None:
    store = MemoryStore()
    other = disclosures(MemoryStore(store.blobs), seed=1)
    won: list[bytes] = []

    def race(path: str) -> None:
        if path.startswith("personal/value/") and not won:
            won.append(other.commit("bob"))

    store.before_write = race
    assert disclosures(store, seed=2).commit("bob") == won[0]
    assert len(list(store.list("personal/value/"))) == len(list(store.list("personal/commitment/"))) == 1


def test_two_processes_at_once_agree_on_the_key() -> None:
    store = MemoryStore()
    store.before_write = lambda path: store.blobs.setdefault(KEY, b"k" * 32) and None
    ours = disclosures(store).commit("bob")
    assert store.blobs[KEY] == b"k" * 32
    assert disclosures(MemoryStore(store.blobs), seed=5).commit("bob") == ours


def test_threads_agree() -> None:
    store = MemoryStore()
    ours = disclosures(store)
    results: list[list[bytes]] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        results.append([ours.commit(f"person {number}") for number in range(200)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8 and all(result == results[0] for result in results)
    assert len(list(store.list("personal/value/"))) == 200


@pytest.mark.parametrize("writes", range(4))
def test_a_crash_after_any_write_is_repaired_by_the_next_use(writes: int) -> None:
    store = MemoryStore()
    store.writes_left = writes
    first = None
    try:
        first = disclosures(store).commit("bob")
    except OSError:
        assert writes < 3
    store.writes_left = None
    again = disclosures(store, seed=1).commit("bob")
    assert first in (None, again)
    assert disclosures(store, seed=2).disclose(committed(again)) is not None


@pytest.mark.parametrize("writes", range(3))
def test_a_crash_while_erasing_is_finished_by_the_next_erase(writes: int) -> None:
    store = MemoryStore()
    commitment = committed(disclosures(store).commit("bob"))
    store.writes_left = writes
    erased: list[str] = []
    try:
        erased = disclosures(store).erase("bob")
    except OSError:
        assert writes < 2
    store.writes_left = None
    erased += disclosures(store).erase("bob")
    assert erased == [commitment]
    assert sorted(store.blobs) == [KEY]


def test_erasing_takes_what_is_the_subject_and_what_mentions_it() -> None:
    store = MemoryStore()
    ours = disclosures(store)
    gone: list[Json] = [
        "bob@contoso.com", "BOB@Contoso.com", " bob@contoso.com ", "Ask bob@contoso.com, please.", "owner=Bob@contoso.com",
        "mail:bob@contoso.com.", ["x", ["bob@contoso.com"]], {"upn": "Bob@contoso.com"}, {"bob@contoso.com": 1},
        '{"caller":"bob@contoso.com"}',
    ]
    stays: list[Json] = ["jim-bob@contoso.com", "bob@contoso.com.au", "bob@contoso.community", "bob", "ann@contoso.com", ["x"], 5, True]
    commitments = {canonical(value): committed(ours.commit(value)) for value in gone + stays}
    assert ours.erase("bob@CONTOSO.com") == sorted(commitments[canonical(value)] for value in gone)
    assert all(ours.disclose(commitments[canonical(value)]) is None for value in gone)
    assert all(ours.disclose(commitments[canonical(value)])["value"] == value for value in stays)
    assert not any(b"bob@contoso.com\"" in blob.lower() for path, blob in store.blobs.items() if b"jim-" not in blob)
    assert ours.erase("bob@contoso.com") == []


def test_numbers_and_names_in_other_scripts_are_erased_too() -> None:
    ours = disclosures(MemoryStore())
    number, name, composed = committed(ours.commit(4711)), committed(ours.commit("STRASSE Müller")), committed(ours.commit("Zoe\u0308"))
    assert ours.erase("4711") == [number]
    assert ours.erase("straße müller") == [name]
    assert ours.erase("zoë") == [composed]


@pytest.mark.parametrize("subject", ["", "  ", "\t"])
def test_erasing_nothing_is_a_mistake(subject: str) -> None:
    ours = disclosures(MemoryStore())
    ours.commit("")
    with pytest.raises(ValueError, match="name what"):
        ours.erase(subject)


def test_after_erasure_the_same_value_is_somebody_new() -> None:
    store = MemoryStore()
    ours, other = disclosures(store), disclosures(store, seed=1)
    before = ours.commit("bob")
    assert other.commit("bob") == before
    ours.erase("bob")
    after = ours.commit("bob")
    assert after != before and ours.disclose(committed(before)) is None
    assert other.commit("bob") == before  # another process remembers, until it is told
    other.forget()
    assert other.commit("bob") == after


def test_erased_between_two_calls_of_a_commit() -> None:
    store = MemoryStore()
    ours = disclosures(store)
    eraser = disclosures(MemoryStore(store.blobs), seed=1)
    times = itertools.count()

    def race(path: str) -> None:
        if path.startswith("personal/value/") and next(times) < 3:
            eraser.commit("bob")
            store.blobs.setdefault(path, b"")  # taken when we try to create it, gone when we look
            eraser.erase("bob")

    store.before_write = race
    commitment = committed(ours.commit("bob"))
    assert ours.disclose(commitment) is not None


def test_a_pointer_that_outlived_its_value_discloses_nothing() -> None:
    store = MemoryStore()
    ours = disclosures(store)
    commitment = committed(ours.commit("bob"))
    value = next(store.list("personal/value/"))
    kept = store.blobs.pop(value)
    assert ours.disclose(commitment) is None
    ours.forget()
    assert committed(ours.commit("bob")) != commitment
    assert ours.disclose(commitment) is None
    store.blobs[value] = kept
    assert ours.disclose(commitment)["value"] == "bob"


@pytest.mark.parametrize("commitment", ["", "x", "é", "A" * 44, "A" * 43 + "=", "../../evidence", base64.b64encode(b"x" * 31).decode()])
def test_what_was_never_committed_is_not_disclosed(commitment: str) -> None:
    assert disclosures(MemoryStore()).disclose(commitment) is None


@pytest.mark.parametrize("damage", [
    b"", b"{", b"[]", b"{}", b'{"committed":5,"salt":"x","value":"bob"}', b'{"committed":"x","salt":"x","value":"bob"}', b"\xff",
    b"[" * 100_000,
])
def test_damage_is_told_and_never_taken_for_a_disclosure(damage: bytes) -> None:
    store = MemoryStore()
    commitment = committed(disclosures(store).commit("bob"))
    value, pointer = next(store.list("personal/value/")), next(store.list("personal/commitment/"))
    good = store.blobs[value]
    store.blobs[value] = damage
    with pytest.raises(StoreConflict, match="personal/"):
        disclosures(store).commit("bob")
    try:
        assert disclosures(store).disclose(commitment) is None
    except StoreConflict as error:
        assert "bob" not in str(error)
    store.blobs[value], store.blobs[pointer] = good, damage
    with pytest.raises(StoreConflict, match="personal"):
        disclosures(store).disclose(commitment)


def test_a_changed_value_or_salt_is_told() -> None:
    store = MemoryStore()
    commitment = committed(disclosures(store).commit("bob"))
    value = next(store.list("personal/value/"))
    good = json.loads(store.blobs[value])
    for change in ({"value": "ann"}, {"salt": base64.b64encode(b"x" * 32).decode()}):
        store.blobs[value] = canonical(good | change)
        with pytest.raises(StoreConflict):
            disclosures(store).disclose(commitment)
        with pytest.raises(StoreConflict):
            disclosures(store).commit("bob")


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 33])
def test_a_key_that_is_none_is_told(key: bytes) -> None:
    with pytest.raises(StoreConflict, match="personal/key"):
        disclosures(MemoryStore({KEY: key})).commit("bob")


def test_what_is_no_json_value_is_refused() -> None:
    ours = disclosures(MemoryStore())
    with pytest.raises(ValueError):
        ours.commit(float("inf"))
    with pytest.raises(TypeError):
        ours.commit(object())


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES)
def test_whatever_is_committed_is_disclosed(value: Json) -> None:
    ours = disclosures(MemoryStore())
    disclosed = ours.disclose(committed(ours.commit(value)))
    assert canonical(disclosed["value"]) == canonical(value)


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=20).filter(str.strip), st.booleans())
def test_whatever_text_was_committed_can_be_erased_by_name(text: str, within: bool) -> None:
    store = MemoryStore()
    ours = disclosures(store)
    value: Json = {"a": [text]} if within else text
    commitment = committed(ours.commit(value))
    assert ours.erase(text) == [commitment]
    assert sorted(store.blobs) == [KEY]


def test_with_redact_one_person_is_one_pseudonym_across_answers() -> None:
    ours = disclosures(MemoryStore())
    account = redact(b'{"systemData":{"createdBy":"bob@contoso.com"}}', "account", ours.commit).body
    event = redact(b'{"caller":"bob@contoso.com"}', "activityLog", ours.commit).body
    pseudonym = json.loads(account)["systemData"]["createdBy"]
    assert json.loads(event)["caller"] == pseudonym
    assert ours.disclose(pseudonym["committed"])["value"] == "bob@contoso.com"
    ours.erase("bob@contoso.com")
    assert ours.disclose(pseudonym["committed"]) is None
