"""Whose signatures count: whoever holds any key of a log is led to the newest one by what both signed, and by nothing else."""

import contextlib
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import layout
from shared.deliver.bundle.manifest import NAME
from shared.deliver.verify import verify_bundle, verify_store
from shared.deliver.verify.trust import Trust
from shared.deliver.verify.verdict import Tally
from shared.errors import StoreConflict, VerificationError
from shared.judge.catalogue import catalogue
from shared.records import record
from shared.seal import note
from shared.seal.log import open_log
from shared.seal.store import DirectoryStore
from tests.fixtures.bundles import apart, built, hours, together, verdict
from tests.fixtures.keys import BESIDE, FIRST, SECOND, STRANGER, THIRD, begun, hand_over, handed_over, put_change, sealed_by, sweeps

LED = "the newest checkpoint is signed by"
CHANGE = 89 + len(catalogue().of_scope("sweep", "provider"))
NEXT = 2 * CHANGE - 1
"""Records that change the keys: after a first sweep, and after a second one."""


def keys_of(*signers):
    return [signer.key for signer in signers]


def signers_named(sentence, *signers):
    """These signers' names stand in a sentence in this order."""
    places = [sentence.index(signer.key.short) for signer in signers]
    return places == sorted(places)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """FIRST, then SECOND, then THIRD signed; a sweep each."""
    return handed_over(DirectoryStore(tmp_path_factory.mktemp("log")))


@pytest.fixture(scope="module")
def bundle(log, tmp_path_factory):
    """The sweep that FIRST signed, in a bundle that THIRD signed."""
    return built(log.store, tmp_path_factory.mktemp("bundle"), hours(0, 8))


def both(log, bundle, *signers):
    """The verdicts on store and bundle of somebody who holds these keys."""
    return verify_store(log.store, keys_of(*signers)), verdict(bundle, keys_of(*signers))


# -- led to --------------------------------------------------------------------------------------------------------------


def test_whoever_holds_the_first_key_is_led_to_the_newest(log, bundle):
    for found in both(log, bundle, FIRST):
        assert found.exit_code == 0, found.as_lines()
        [said] = [line for line in found.checked if line.startswith(LED)]
        assert signers_named(said, THIRD, SECOND, FIRST)
        assert said.count("(the key you hold)") == 1
        assert f"handed over in record {NEXT}" in said
        assert f"handed over in record {CHANGE}" in said


def test_whoever_holds_a_key_in_between_is_led_on(log, bundle):
    for found in both(log, bundle, SECOND):
        assert found.exit_code == 0, found.as_lines()
        [said] = [line for line in found.checked if line.startswith(LED)]
        assert signers_named(said, THIRD, SECOND)
        assert FIRST.key.short not in said


@pytest.mark.parametrize("holder", [(THIRD,), (FIRST, SECOND, THIRD), (STRANGER, THIRD)], ids=["newest", "all", "one of another log too"])
def test_whoever_holds_the_newest_key_needs_no_other(log, bundle, holder):
    for found in both(log, bundle, *holder):
        assert found.exit_code == 0, found.as_lines()
        assert not [line for line in found.checked if line.startswith(LED)]


def test_another_key_is_refused(log, bundle):
    for check in (lambda: verify_store(log.store, keys_of(STRANGER)), lambda: verdict(bundle, keys_of(STRANGER))):
        with pytest.raises(VerificationError, match="not signed by the key given"):
            check()


def test_every_bundle_brings_all_changes_whatever_it_is_about(log, tmp_path):
    for period in (hours(0, 8), hours(8, 14), hours(15, 20), hours(0, 20)):
        for scope in ({}, {"resources": [account_of(log)]}):
            found = verdict(built(log.store, tmp_path, period, **scope), keys_of(FIRST))
            assert found.intact, found.as_lines()
            assert [line for line in found.checked if line.startswith(LED)]


def account_of(log):
    index = open_log(log.store)
    plan = next(record for _, record in index.records(0, index.size) if record["type"] == "sweep-planned")
    return next(unit["resource"] for unit in plan["units"] if "/accounts/" in unit["resource"])


def filled(maker, size):
    """The same log with records about nothing, until it has this many."""
    filler = [record("event", maker.stamp(), sweep=None, kind="filler", number=number) for number in range(size - maker.size())]
    maker.put("filler", f"to-{size}", filler)
    maker.seal("filler")
    return maker


@pytest.mark.parametrize("size", [255, 256, 257, 400, 512])
def test_a_change_anywhere_in_the_tree_is_connected_with_it(tmp_path, size):
    """The change is the last record of a log of `size`; the bundle is about what came long before, or long after."""
    maker = hand_over(filled(begun(DirectoryStore(tmp_path / "store"), FIRST), size - 1), [SECOND], by=[FIRST, SECOND])
    sweeps(filled(maker, 770), 2)
    for period in (hours(0, 8), hours(8, 14)):
        data = built(maker.store, tmp_path, period)
        assert f"keys/{size:020}.checkpoint" in apart(data)
        for holder in (FIRST, SECOND):
            found = verdict(data, keys_of(holder))
            assert found.exit_code == 0, found.as_lines()


def test_a_bundle_of_a_log_whose_keys_never_changed_has_nothing_new(tmp_path):
    store = begun(DirectoryStore(tmp_path / "store"), FIRST).store
    entries = apart(built(store, tmp_path, hours(0, 8)))
    assert not [name for name in entries if name.startswith("keys/")]
    assert b"keys/" not in entries["README.txt"]
    assert len(json.loads(entries[NAME])["ranges"]) == 1


def test_a_bundle_made_when_the_change_was_the_newest_record(tmp_path):
    maker = hand_over(begun(DirectoryStore(tmp_path / "store"), FIRST), [SECOND], by=[FIRST, SECOND])
    data = built(maker.store, tmp_path, hours(0, 8))
    assert not [name for name in apart(data) if name.startswith("keys/")], "`checkpoint` is the one that both signed"
    for holder in (FIRST, SECOND):
        assert verdict(data, keys_of(holder)).exit_code == 0


def test_a_checkpoint_held_from_before_the_change_counts_though_its_key_is_not_given(log, bundle):
    held = log.store.get(layout.checkpoint(CHANGE))
    found = verify_store(log.store, keys_of(THIRD), held=held)
    assert f"the log extends the checkpoint held ({CHANGE} records), unchanged" in found.checked
    assert f"the log extends the checkpoint held ({CHANGE} records), unchanged" in verdict(bundle, keys_of(THIRD), held=held).checked


def test_two_keys_sign_together_and_either_is_enough(tmp_path):
    maker = begun(DirectoryStore(tmp_path / "store"), FIRST, BESIDE)
    maker = sweeps(hand_over(maker, [SECOND, BESIDE], by=[FIRST, BESIDE, SECOND]), 2)
    data = built(maker.store, tmp_path, hours(0, 20))
    for holder in (FIRST, SECOND, BESIDE):
        for found in both(maker, data, holder):
            assert found.intact, found.as_lines()
            assert not [line for line in found.not_checked if "further signatures" in line]


def test_a_key_that_is_named_beside_the_one_held_vouches_where_that_one_did_not_sign(tmp_path):
    """The second key was not at hand for a while: the log's first record, which it signed, names the other."""
    maker = sweeps(sealed_by(begun(DirectoryStore(tmp_path / "store"), FIRST, BESIDE), FIRST), 2)
    found = verify_store(maker.store, keys_of(BESIDE))
    assert found.exit_code == 0
    assert any("which record 0 names beside" in line for line in found.checked)


def test_signatures_of_others_are_passed_over_and_said_to_be_unchecked(log, bundle):
    cosignature = "\u2014 witness.example/w1 " + "AAAAAAAA" * 13 + "\n"
    entries = apart(bundle)
    for name in ("checkpoint", HANDOVERS[0]):
        entries[name] += cosignature.encode()
    for name in [name for name in entries if name.startswith("proofs/")]:
        entries[name] += cosignature.encode()
    found = verdict(together(entries), keys_of(FIRST))
    assert found.exit_code == 0, found.as_lines()
    assert "further signatures on checkpoints: no key was given for them" in found.not_checked


# -- not led to ----------------------------------------------------------------------------------------------------------


def test_a_change_that_the_key_before_did_not_sign_is_refused_and_located(tmp_path):
    """Somebody has the store, and not the key."""
    maker = sweeps(hand_over(begun(DirectoryStore(tmp_path / "store"), FIRST), [SECOND], by=[SECOND], forged=True), 2)
    found = verify_store(maker.store, keys_of(FIRST))
    assert [(problem.what, problem.record) for problem in found.problems] == [("key", CHANGE)]
    assert f"is not signed by {FIRST.key.short}" in found.problems[0].reason
    with pytest.raises(StoreConflict, match="changes the keys of this log"):
        built(maker.store, tmp_path, hours(0, 20))


def test_a_change_that_the_new_key_did_not_sign_is_refused_too(tmp_path):
    """Somebody may write batches, and our collector seals them."""
    maker = sweeps(hand_over(begun(DirectoryStore(tmp_path / "store"), FIRST), [STRANGER], by=[FIRST], forged=True, then=[STRANGER]), 2)
    found = verify_store(maker.store, keys_of(FIRST))
    assert [(problem.what, problem.record) for problem in found.problems] == [("key", CHANGE)]
    assert f"is not signed by {STRANGER.key.short}" in found.problems[0].reason


def test_nobody_is_led_over_a_change_that_was_not_signed_for(tmp_path):
    maker = sweeps(hand_over(begun(DirectoryStore(tmp_path / "store"), FIRST), [STRANGER], by=[FIRST], forged=True, then=[STRANGER]), 2)
    trust = Trust(keys_of(FIRST), Tally())
    trust.take(CHANGE, [line for _, line in open_log(maker.store).lines(CHANGE, CHANGE + 1)])
    sizes = sorted(int(path[-20:]) for path in maker.store.list(layout.CHECKPOINTS))
    vouchers = []
    for size in sizes[sizes.index(CHANGE + 1) :]:
        trust.checkpoint(maker.store.get(layout.checkpoint(size)))
        vouchers.append(trust.voucher)
    assert vouchers == [FIRST.key, *[None] * (len(vouchers) - 1)]
    assert f"record {CHANGE} changes the keys" in trust.refusal()


def test_a_retired_key_signs_nothing_more(tmp_path):
    maker = hand_over(begun(DirectoryStore(tmp_path / "store"), FIRST), [SECOND], by=[FIRST, SECOND])
    sweeps(sealed_by(maker, FIRST, forged=True), 2)
    for holder in (FIRST, SECOND):
        found = verify_store(maker.store, keys_of(holder))
        assert not found.intact
        assert all("signed no more when the log was so long" in problem.reason for problem in found.problems)
        assert min(problem.record for problem in found.problems) > CHANGE
    data = built(maker.store, tmp_path, hours(0, 20))
    assert [p.file for p in verdict(data, keys_of(FIRST)).problems if "signed no more" in p.reason] == ["checkpoint"]
    with pytest.raises(VerificationError):
        verdict(data, keys_of(SECOND))


LOST = "is not led to by the key you hold"


def lost_log(tmp_path):
    """FIRST was lost; SECOND signs since, and hands over to THIRD."""
    maker = sweeps(hand_over(begun(DirectoryStore(tmp_path / "store"), FIRST), [SECOND], by=[SECOND], lost=[FIRST]), 2)
    return sweeps(hand_over(maker, [THIRD], by=[SECOND, THIRD]), 3)


def test_a_key_that_was_lost_leads_nowhere_and_that_is_said(tmp_path):
    maker = lost_log(tmp_path)
    found = verify_store(maker.store, keys_of(FIRST))
    assert [(problem.what, problem.record) for problem in found.problems] == [("key", CHANGE)]
    assert LOST in found.problems[0].reason
    assert signers_named(found.problems[0].reason, FIRST, THIRD)
    with pytest.raises(VerificationError, match=f"record {CHANGE} gives up .*{LOST}"):
        verdict(built(maker.store, tmp_path, hours(0, 20)), keys_of(FIRST))


@pytest.mark.parametrize("holder", [(SECOND,), (THIRD,), (FIRST, THIRD), (FIRST, SECOND)], ids=["next", "newest", "lost and newest", "lost and next"])
def test_whoever_was_given_a_later_key_is_told_of_the_loss(tmp_path, holder):
    maker = lost_log(tmp_path)
    for found in both(maker, built(maker.store, tmp_path, hours(0, 20)), *holder):
        assert found.intact, found.as_lines()
        assert any(f"record {CHANGE} gave up {FIRST.key.short} as lost" in note for note in found.notes)


def test_where_one_of_two_keys_is_lost_the_other_one_leads_on(tmp_path):
    maker = begun(DirectoryStore(tmp_path / "store"), FIRST, BESIDE)
    maker = sweeps(hand_over(maker, [SECOND, BESIDE], by=[BESIDE, SECOND], lost=[FIRST]), 2)
    found = verify_store(maker.store, keys_of(BESIDE))
    assert found.intact
    assert any("as lost" in note for note in found.notes)
    assert verify_store(maker.store, keys_of(FIRST)).intact, "the first record, which it signed, names the other key"


def test_a_checkpoint_that_a_lost_key_owed_is_made_up_for_and_no_other(tmp_path):
    maker = lost_log(tmp_path)
    sizes = sorted(int(path[-20:]) for path in maker.store.list(layout.CHECKPOINTS))
    place = sizes.index(CHANGE + 1)
    (maker.store.root / layout.checkpoint(sizes[place - 1])).unlink()
    found = verify_store(maker.store, keys_of(THIRD))
    assert found.intact, found.as_lines()
    assert any("was never signed" in note for note in found.notes)
    (maker.store.root / layout.checkpoint(sizes[place + 1])).unlink()
    assert [problem.reason for problem in verify_store(maker.store, keys_of(THIRD)).problems] == ["the checkpoint is missing"]


def test_a_change_that_was_given_up_and_followed_by_another_leads_to_the_last(tmp_path):
    maker = begun(DirectoryStore(tmp_path / "store"), FIRST)
    put_change(maker.store, [SECOND])
    put_change(maker.store, [THIRD])
    sealed_by(maker, FIRST, THIRD).sequencer.seal()
    sweeps(sealed_by(maker, THIRD), 2)
    data = built(maker.store, tmp_path, hours(0, 20))
    for holder in (FIRST, THIRD):
        assert all(found.exit_code in (0, 3) for found in both(maker, data, holder))
    with pytest.raises(VerificationError):
        verify_store(maker.store, keys_of(SECOND))


# -- bundles that were falsified -----------------------------------------------------------------------------------------


HANDOVERS = (f"keys/{CHANGE + 1:020}.checkpoint", f"keys/{NEXT + 1:020}.checkpoint")


def line_of(entries, index):
    """(entry, its lines, position) of a record."""
    for first, count in json.loads(entries[NAME])["ranges"]:
        if first <= index < first + count:
            name = f"records/{first:020}.jsonl"
            return name, entries[name].split(b"\n"), index - first
    raise AssertionError(index)


def test_what_leads_on_cannot_be_left_out_for_who_needs_it(bundle):
    for name in HANDOVERS:
        entries = apart(bundle)
        del entries[name]
        with pytest.raises(VerificationError):
            verdict(together(entries), keys_of(FIRST))
        assert not verdict(together(entries), keys_of(THIRD)).intact


def test_a_change_that_is_left_out_is_missed(bundle):
    """FIRST to SECOND is taken out whole: whoever holds SECOND would be led on all the same."""
    entries = apart(bundle)
    name, lines, position = line_of(entries, CHANGE)
    manifest = json.loads(entries[NAME])
    if len(lines) == 2:
        del entries[name]
        ranges = [place for place in manifest["ranges"] if place[0] != CHANGE]
    else:
        entries[name] = b"\n".join(lines[:position] + lines[position + 1 :])
        ranges = [[first, count - 1] if first <= CHANGE < first + count else [first, count] for first, count in manifest["ranges"]]
    del entries[HANDOVERS[0]]
    found = verdict(together(entries, ranges=ranges), keys_of(SECOND))
    assert any(problem.what == "key" and problem.record == NEXT and "left out" in problem.reason for problem in found.problems), found.as_lines()


def signed_again(data, *signers):
    text = note.parse_note(data).text
    return f"{text}\n{''.join(note.signature_line(s.key, s.sign(text.encode())) for s in signers)}".encode()


def cut(entries, keep):
    """The bundle with these ranges of its records and no others."""
    lines = {}
    for first, count in json.loads(entries[NAME])["ranges"]:
        found = entries.pop(f"records/{first:020}.jsonl").splitlines(keepends=True)
        lines |= dict(zip(range(first, first + count), found, strict=True))
    for first, count in keep:
        entries[f"records/{first:020}.jsonl"] = b"".join(lines[index] for index in range(first, first + count))
    return together(entries, ranges=[list(place) for place in keep])


def test_records_that_are_left_out_are_missed_whatever_changes_stand_beside_them(log, tmp_path):
    within = CHANGE + 47
    entries = apart(built(log.store, tmp_path, hours(0, 20)))
    [(first, count)] = json.loads(entries[NAME])["ranges"]
    end = first + count
    for keep in (
        [(first, within), (within + 10, end - within - 10)],
        [(first, within), (NEXT, 1), (NEXT + 5, end - NEXT - 5)],
        [(first, CHANGE), (within, 1), (NEXT, end - NEXT)],
    ):
        found = verdict(cut(dict(entries), keep), keys_of(THIRD))
        assert any(problem.what == "period" and "are left out" in problem.reason for problem in found.problems), found.as_lines()
    small = apart(built(log.store, tmp_path, hours(0, 8)))
    stray = entries[f"records/{first:020}.jsonl"].splitlines(keepends=True)[within - first]
    ranges = sorted([*json.loads(small[NAME])["ranges"], [within, 1]])
    found = verdict(together({**small, f"records/{within:020}.jsonl": stray}, ranges=ranges), keys_of(THIRD))
    assert any(problem.what == "period" and "are left out" in problem.reason for problem in found.problems), found.as_lines()
    found = verdict(cut(dict(entries), [(first, within), (NEXT, 1)]), keys_of(THIRD))
    assert any(problem.what == "period" and f"the bundle ends at record {within}" in problem.reason for problem in found.problems), found.as_lines()


@pytest.mark.parametrize("old_signature", ["kept", "left out"])
def test_another_key_put_into_the_change_leads_nowhere(bundle, old_signature):
    """Somebody without a key of the log makes himself the successor of the first one: in the record, under the checkpoint, at the end."""
    entries = apart(bundle)
    name, lines, position = line_of(entries, CHANGE)
    lines[position] = lines[position].replace(str(SECOND.key).encode(), str(STRANGER.key).encode())
    entries[name] = b"\n".join(lines)
    theirs = signed_again(entries[HANDOVERS[0]], STRANGER)
    if old_signature == "kept":
        theirs += entries[HANDOVERS[0]].partition(b"\n\n")[2].splitlines(keepends=True)[0]
    entries[HANDOVERS[0]] = theirs
    entries["checkpoint"] = signed_again(entries["checkpoint"], STRANGER)
    with pytest.raises(VerificationError):
        verdict(together(entries), keys_of(FIRST))  # the change after it takes the stranger out of force again
    del entries[HANDOVERS[1]]
    name, lines, position = line_of(entries, NEXT)
    lines[position] = lines[position].replace(b'"kind":"key"', b'"kind":"kex"')
    entries[name] = b"\n".join(lines)
    if old_signature == "left out":
        with pytest.raises(VerificationError, match=f"record {CHANGE} changes the keys .* is not signed by .*{FIRST.key.key_id.hex()}"):
            verdict(together(entries), keys_of(FIRST))
    else:  # at a glance it leads on; the record is not what was sealed, and that decides
        found = verdict(together(entries), keys_of(FIRST))
        assert {CHANGE, NEXT} <= {problem.record for problem in found.problems}
        assert any(problem.what == "record" and problem.record == CHANGE for problem in found.problems)


def test_a_handover_out_of_another_log_with_the_same_keys_is_found(bundle, tmp_path):
    """The keeper has two logs: a change that one of them has leads to no checkpoint of the other."""
    other = hand_over(begun(DirectoryStore(tmp_path / "other"), FIRST, slot=5), [SECOND], by=[FIRST, SECOND])
    entries = apart(bundle)
    entries[HANDOVERS[0]] = other.store.get(layout.checkpoint(CHANGE + 1))
    assert note.parse_checkpoint(note.parse_note(entries[HANDOVERS[0]]).text).size == CHANGE + 1
    for holder in (FIRST, THIRD):
        found = verdict(together(entries), keys_of(holder))
        assert any(problem.file == HANDOVERS[0] and "does not have the root" in problem.reason for problem in found.problems), found.as_lines()


def test_a_checkpoint_that_covers_no_change_is_accounted_for_by_nothing(log, bundle):
    entries = apart(bundle)
    entries["keys/00000000000000000300.checkpoint"] = log.store.get(sorted(log.store.list(layout.CHECKPOINTS))[-2])
    size = note.parse_checkpoint(note.parse_note(entries["keys/00000000000000000300.checkpoint"]).text).size
    entries[f"keys/{size:020}.checkpoint"] = entries.pop("keys/00000000000000000300.checkpoint")
    found = verdict(together(entries), keys_of(THIRD))
    assert [problem.reason for problem in found.problems if "covers no change of keys" in problem.reason]


def test_every_altered_byte_of_a_handover_is_found_or_means_nothing(bundle):
    """Another spelling of the same is found by the manifest; a manifest that fits is what an attacker makes."""
    entries = apart(bundle)
    good = entries[HANDOVERS[0]]
    for position in range(0, len(good), 3):
        bad = bytearray(good)
        bad[position] ^= 1
        entries[HANDOVERS[0]] = bytes(bad)
        with contextlib.suppress(VerificationError):
            assert not verdict(together(entries), keys_of(FIRST)).intact, position


@pytest.mark.parametrize("damage", ["a bit", "all of it", "gone"])
def test_a_damaged_handover_in_a_store_is_one_problem_and_no_accusation(tmp_path, damage):
    maker = handed_over(DirectoryStore(tmp_path / "store"))
    path = maker.store.root / layout.checkpoint(CHANGE + 1)
    good = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(good[:-9] + b"AAAA" + good[-5:] if damage == "a bit" else b"x")
    for holder in (SECOND, THIRD):
        found = verify_store(maker.store, keys_of(holder))
        assert [(problem.what, problem.file) for problem in found.problems] == [("checkpoint", layout.checkpoint(CHANGE + 1))], found.as_lines()
    found = verify_store(maker.store, keys_of(FIRST))
    assert [problem.what for problem in found.problems] == ["checkpoint", "key"]
    assert "is not led to by the key you hold" in found.problems[1].reason


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_stands_where_a_handover_should_one_type_is_raised(bundle, data):
    entries = {**apart(bundle), HANDOVERS[0]: data}
    with pytest.raises(VerificationError):
        verify_bundle(io.BytesIO(together(entries)), keys_of(FIRST))
    assert not verify_bundle(io.BytesIO(together(entries)), keys_of(THIRD)).intact


def test_more_changes_than_anybody_makes_are_not_followed():
    tally = Tally()
    trust = Trust(keys_of(FIRST), tally)
    trust.take(5, [b'{"kind":"key","type":"event"}'] * 1_500)
    assert len(trust.records) == 1_000
    assert any("too many" in sentence for sentence in tally.not_checked)

