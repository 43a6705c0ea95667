"""index.html of a bundle, in a real Chromium, opened from disk: it says what `aoai-evidence verify` says of what both check, and asks nothing of any host."""

import io
import itertools
import json
import random
import re
import shutil
import zipfile
from datetime import timedelta
from zipfile import ZipFile

import pytest

from shared import __version__
from shared.deliver.bundle.manifest import Manifest
from shared.deliver.bundle.page import SCRIPTS, page
from shared.deliver.verify import verify_bundle
from shared.errors import VerificationError
from shared.seal.store import DirectoryStore
from shared.service.bundle import bundle
from shared.service.queries import reading
from shared.settings import Settings
from tests import test_scope as scope
from tests.fixtures import browser as chromium
from tests.fixtures.bundles import RECORDS, apart, built, hours, together, zipped
from tests.fixtures.records import OTHER, P256, SIGNER, START, Account, LogMaker, small_log
from tests.test_verify_alone import FULL

BEYOND = {"derived", "finding", "disclosure", "key", "deletion", "attribution"}
"""Sorts of problems that the page says it does not look for."""


@pytest.fixture(scope="module")
def folder(good, tmp_path_factory):
    made = tmp_path_factory.mktemp("unpacked") / "bundle"
    with ZipFile(io.BytesIO(good)) as bundle:
        bundle.extractall(made)
    return made


@pytest.fixture(scope="module")
def browser(folder):
    with chromium.running() as made:
        made.open(folder / "index.html")
        yield made


@pytest.fixture
def check(browser, tmp_path):
    """`check(bytes, key)`: (kind of answer, sentence, everything else that the page says)."""

    numbers = itertools.count()

    def run(data, key=SIGNER.key):
        path = tmp_path / f"bundle-{next(numbers)}.zip"  # a file that changes under a browser's hands cannot be read any more
        path.write_bytes(data)
        browser.put("#zip", path)
        return browser.run(CHECKED, str(key or ""))

    yield run
    assert browser.complaints == [], "the page broke its own policy, or threw"
    assert {url.partition(":")[0] for url in browser.requests} <= {"file"}, browser.requests


def choose_folder(browser, folder):
    browser.run("chosen = null")
    browser.put("#folder", folder)
    browser.wait("chosen")  # the browser lists it after a while


SAID = """(() => {
  const answer = document.getElementById('answer');
  return [answer.className, answer.querySelector('.sentence').textContent, answer.innerText + document.getElementById('details').innerText];
})()"""

CHECKED = f"""async (key) => {{
  document.getElementById('key').value = key;
  clear();
  document.getElementById('form').requestSubmit();
  while (busy) await new Promise((resolve) => {{ setTimeout(resolve); }});
  return {SAID};
}}"""
"""What the page answers, asked by a script: for those who ask a hundred times."""


def answered(browser, key):
    """What the page answers to somebody who pastes the key and clicks."""
    browser.page.get_by_label("2. The verifier key").fill(str(key or ""))
    browser.page.get_by_role("button", name="Check the bundle").click()
    browser.page.locator("#answer .sentence").wait_for()
    return browser.run(SAID)


def same(check, data, *, key=SIGNER.key, what=""):
    """Where ours finds a problem of a sort that both look for, so does the page; it never cries wolf, and counts the same gaps."""
    kind, sentence, text = check(data, key)
    try:
        verdict = verify_bundle(io.BytesIO(data), [key])
    except VerificationError as error:
        assert kind == "bad", (what, str(error), text)
        return kind
    if verdict.intact or {problem.what for problem in verdict.problems} - BEYOND:
        assert kind == {0: "good", 1: "bad", 3: "gap"}[verdict.exit_code], (what, verdict.as_lines()[:4], text)
        if kind == "gap":
            assert f"{verdict.counts['gaps']} gap" in sentence, (what, verdict.as_lines(), text)
            assert all(gap.line() in text for gap in verdict.gaps if gap.times > 1), (what, verdict.as_lines(), text)
    return kind


def some(names):
    """Every entry, but of the many tables of `by-control/` two, and of the bodies five."""
    tables, bodies = ([name for name in names if name.startswith(sort)] for sort in ("by-control/", "body/"))
    left_out = {*tables[1:-1], *bodies} - set(bodies[:: len(bodies) // 5 + 1])
    return [name for name in names if name not in left_out]


# -- what it says ---------------------------------------------------------------------------------------------------------


def test_a_period_that_begins_long_before_its_log_is_incomplete(check, store, tmp_path):
    assert same(check, built(store, tmp_path, (START - timedelta(days=31), START + timedelta(hours=13)))) == "gap"
    assert same(check, built(store, tmp_path, (START - timedelta(hours=18), START + timedelta(hours=13)))) == "good"


def test_a_good_bundle_is_verified(check, good):
    kind, sentence, text = check(good)
    assert (kind, sentence) == ("good", "Verified: intact and complete, and signed by the key that you gave.")
    assert re.search(r"[0-9]{3} records of the [0-9]{3} in the log hash to the root of the checkpoint", text)
    assert "follow from the answers: aoai-evidence verify judges again" in text


def test_by_hand_and_then_with_what_is_dropped_on_the_page(browser, folder, good, entries, tmp_path):
    """Pasted and clicked; dropped, with the key's file; and by the keyboard alone. What was said before is never left standing."""
    browser.open(folder / "index.html")
    page, submit = browser.page, browser.page.get_by_role("button", name="Check the bundle")
    assert submit.is_disabled(), "there is nothing to check yet"
    (tmp_path / "good.zip").write_bytes(good)
    (tmp_path / "bad.zip").write_bytes(zipped({**entries, "findings.csv": entries["findings.csv"] + b"x"}))
    (tmp_path / "auditor.vkey").write_text(f"{SIGNER.key}\n")
    page.get_by_label("1. The bundle").set_input_files(tmp_path / "good.zip")
    assert answered(browser, SIGNER.key)[0] == "good"
    assert page.get_by_role("status").filter(has_text="Verified: intact and complete").is_visible()
    browser.drop(tmp_path / "bad.zip")
    page.locator("#chosen").filter(has_text="bad.zip, ").wait_for()
    assert page.locator("#answer .sentence").count() == 0, "the old answer is not about the new file"
    submit.click()
    page.get_by_text("findings.csv: its bytes are not those that the manifest names").wait_for()
    assert page.locator("#answer").get_attribute("class") == "bad"
    page.get_by_label("2. The verifier key").fill(str(OTHER.key))
    browser.drop(tmp_path / "good.zip", tmp_path / "auditor.vkey")
    page.locator("#chosen").filter(has_text="good.zip, ").wait_for()
    browser.wait("document.getElementById('key').value", seconds=10)
    submit.focus()
    browser.press("Enter")
    page.get_by_text("Verified: intact and complete, and signed by the key that you gave.").wait_for()
    assert browser.run("document.activeElement.id") == "answer", "a screen reader is taken to the answer"
    assert browser.complaints == []


def test_no_key_is_not_verified(check, good):
    kind, sentence, text = check(good, key=None)
    assert kind == "gap" and sentence.startswith("Not verified: ") and "no key was given, so who made it was not checked" in sentence
    assert "is signed by the key" not in text


def test_a_key_of_somebody_else(check, good):
    kind, sentence, _ = check(good, key=OTHER.key)
    assert kind == "bad" and "not signed by the key that you gave" in sentence
    for wrong in ("x", "a+b+c", str(SIGNER.key)[:-3], str(SIGNER.key).replace("+", "-", 1)):
        kind, sentence, _ = check(good, key=wrong)
        assert kind == "bad" and "verifier key" in sentence, wrong


def test_both_sorts_of_keys(check, tmp_path):
    other = DirectoryStore(tmp_path / "store")
    small_log(other, sweeps=2, signer=P256)
    data = built(other, tmp_path, hours(0, 13))
    assert check(data, key=P256.key)[0] == "good"
    signed = apart(data)["checkpoint"]
    for position in range(len(signed) - 90, len(signed) - 4, 9):
        forged = signed[:position] + (b"B" if signed[position : position + 1] == b"A" else b"A") + signed[position + 1 :]
        assert same(check, together({**apart(data), "checkpoint": forged}), key=P256.key) == "bad"


def test_tampered_and_then_verified_again(check, good, entries):
    lines = entries[RECORDS].split(b"\n")
    lines[70] = lines[70].replace(b"2026", b"2025", 1)
    kind, _, text = check(together({**entries, RECORDS: b"\n".join(lines)}))
    assert kind == "bad" and ": the record is not what was sealed" in text and "record 71" in text
    assert check(good)[0] == "good"


# -- the same answer ------------------------------------------------------------------------------------------------------


def test_a_flipped_bit_in_every_entry(check, good):
    with ZipFile(io.BytesIO(good)) as bundle:
        infos = [bundle.getinfo(name) for name in some(bundle.namelist())]
        spans = [(i.header_offset, i.header_offset + 30 + len(i.filename) + i.compress_size) for i in infos]
    generator = random.Random(5)
    chosen = [position for span in spans for position in (generator.randrange(*span), span[1] - 1)]
    chosen += generator.sample(range(spans[-1][1], len(good)), 20)
    for position in chosen:
        bad = bytearray(good)
        bad[position] ^= 1 << generator.randrange(8)
        assert same(check, bytes(bad), what=position) == "bad"


def test_entries_dropped_altered_and_put_in(check, good, entries):
    for name in some(entries):
        data = entries[name]
        rest = {each: content for each, content in entries.items() if each != name}
        assert same(check, zipped(rest), what=f"without {name}") == "bad"
        if name != "manifest.json":
            kind = same(check, together(rest), what=f"without {name}, and a manifest that fits")
            assert kind == "bad" or name.startswith("by-control/"), name
            flipped = data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
            same(check, together({**entries, name: flipped}), what=f"{name} flipped, with a manifest that fits")
    for name in ("body/sha256/00/" + "0" * 64, "records/00000000000000000900.jsonl", "note.txt", "../up", "tile/0/009"):
        assert same(check, together({**entries, name: b"x"}), what=name) == "bad"
    for data in (b"", b"PK", good[:-1], good[: len(good) // 2], good + b"x", b"x" + good, b"PK\x05\x06" + b"\xff" * 18):
        assert same(check, data, what=len(data)) == "bad"


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:50] + lines[51:],
        lambda lines: [*lines[:50], lines[50], *lines[50:]],
        lambda lines: [*lines[:50], lines[51], lines[50], *lines[52:]],
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines, b"x" * 70_000],
        lambda lines: [b"[" * 60_000, *lines[1:]],
    ],
)
def test_records_dropped_doubled_swapped_put_in(check, entries, change):
    lines = entries[RECORDS][:-1].split(b"\n")
    assert same(check, together({**entries, RECORDS: b"\n".join(change(lines)) + b"\n"})) == "bad"


def test_incomplete_bundles_have_the_same_gaps(check, tmp_path):
    store = DirectoryStore(tmp_path / "store")
    maker = LogMaker(store).birth()
    estate = [Account("a"), Account("b", "AIServices", projects=["p", "q"], fails={"deployments": "throttled"}), Account("c", deployments=[["S"], ["T", "U"]])]
    maker.sweep(estate, slot=START + timedelta(hours=6))
    maker.sweep(estate[:2], slot=START + timedelta(hours=18))
    maker.sweep(estate, slot=START + timedelta(hours=24))
    for hour in (30, 36):
        maker.sweep(estate[:1], slot=START + timedelta(hours=hour), scope_resources=[estate[0].id.lower()])
    for period in (hours(0, 7), hours(0, 25), hours(0, 49), hours(12, 25)):
        assert same(check, built(store, tmp_path, period)) == "gap"
    assert same(check, built(store, tmp_path, hours(0, 25), resources=[Account("b").id])) == "gap"


def test_data_planes_and_logs(check, tmp_path):
    """Lists with their own way of paging, questions about their members and workspaces with logs: no false alarm, and what is not counted is said."""
    store = DirectoryStore(tmp_path / "store")
    maker = LogMaker(store).birth()
    for number in range(2):
        maker.sweep([FULL], slot=START + timedelta(hours=6 * (number + 1)))
    data = built(store, tmp_path, hours(0, 13))
    assert same(check, data) == "good"
    assert "each member of a list, and each workspace with logs" in check(data)[2]


@pytest.mark.parametrize("seed", range(2))
def test_lies_that_the_keeper_of_the_key_sealed(check, tmp_path, seed):
    """A record left out, or said twice, and sealed so: an answer, a plan, a closing record, a finding."""
    generator, tried = random.Random(seed), 0
    for number in range(8):
        chosen, seen, twice = generator.randrange(160), [0], generator.random() < 0.4

        def edit(name, records, chosen=chosen, seen=seen, twice=twice):
            found = []
            for record in records:
                seen[0] += 1
                found += [record] * (2 if twice else 0) if seen[0] == chosen else [record]
            return found

        store = DirectoryStore(tmp_path / f"store-{number}")
        try:
            maker = LogMaker(store, edit=edit).birth()
            for hour in (6, 12):
                maker.sweep([Account("a"), Account("b")], slot=START + timedelta(hours=hour))
            data = built(store, tmp_path, hours(0, 13))
        except Exception:
            continue  # a lie that cannot be sealed, or of which no bundle can be built
        tried += 1
        same(check, data, what=(chosen, twice))
    assert tried > 2


def test_zips_of_other_programs_and_bombs(check, entries):
    again, bomb = io.BytesIO(), io.BytesIO()
    with ZipFile(again, "w", zipfile.ZIP_DEFLATED) as file:
        for name in reversed(list(entries)):
            file.writestr(name, entries[name])
    assert same(check, again.getvalue()) == "good"
    with ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in {**entries, "body/sha256/00/" + "0" * 64: b"\0" * 50_000_000}.items():
            file.writestr(name, data)
    assert same(check, bomb.getvalue()) == "bad"


def test_an_unpacked_folder(browser, folder, tmp_path):
    choose_folder(browser, folder)
    assert answered(browser, SIGNER.key)[0] == "good"
    shutil.copytree(folder, tmp_path / "altered")
    (tmp_path / "altered/findings.csv").write_bytes((folder / "findings.csv").read_bytes() + b"x")
    choose_folder(browser, tmp_path / "altered")
    kind, _, text = answered(browser, SIGNER.key)
    assert kind == "bad" and "findings.csv: its bytes are not those that the manifest names" in text


# -- the page itself ------------------------------------------------------------------------------------------------------


def manifest(**fields):
    values = {"software": __version__, "catalogue": "1", "period": ("2026-11-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z"), "resources": None}
    values |= {"framework": None, "origin": "example.org/log", "size": 9, "ranges": ((1, 8),), "files": ()}
    return Manifest(**{**values, **fields})


def test_hostile_names_stay_text(browser, tmp_path):
    nasty = "</script><script>window.owned=1</script><!--<img src=x onerror='window.owned=1'>%SCRIPT%\u202e"
    (tmp_path / "index.html").write_bytes(page(manifest(origin=nasty, resources=(nasty,))))
    browser.open(tmp_path / "index.html")
    assert browser.run("window.owned") is None
    assert "<script>window.owned" in browser.run("document.querySelector('dd').textContent")
    assert json.loads(browser.run("document.getElementById('bundle').textContent"))["origin"] == nasty
    assert browser.complaints == []


def test_the_policy_lets_nothing_out(browser, folder):
    browser.open(folder / "index.html")
    policy = browser.run("document.querySelector('meta[http-equiv]').content")
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and "unsafe" not in policy and "connect" not in policy
    assert browser.run("fetch('https://example.com/').then(() => 'went out', () => 'kept in')") == "kept in"
    assert any("Content Security Policy" in line for line in browser.complaints)
    browser.complaints.clear()
    assert not re.search(rb"""(?:src|href)\s*=\s*["']?(?:https?:)?//""", (folder / "index.html").read_bytes())


def test_on_a_phone(browser, folder, entries, tmp_path):
    browser.looks(width=360, height=800)
    browser.open(folder / "index.html")
    assert browser.run(chromium.FITS), "wider than a phone"
    (tmp_path / "bad.zip").write_bytes(together({**entries, "x" * 200: b"x"}))
    browser.put("#zip", tmp_path / "bad.zip")
    kind, _, text = answered(browser, SIGNER.key)
    assert kind == "bad" and "x" * 200 in text and browser.run(chromium.FITS), "what it found is wider than a phone"
    browser.looks()


def test_keyboard_names_and_announcements(browser, folder):
    browser.open(folder / "index.html")
    nodes = browser("Accessibility.getFullAXTree")["nodes"]
    asked = [node for node in nodes if node.get("role", {}).get("value") in ("button", "textbox", "progressbar", "heading")]
    assert len(asked) >= 6 and all(node["name"]["value"].strip() for node in asked)
    focused = []
    for _ in range(8):
        browser.press("Tab")
        focused.append(browser.run("document.activeElement.id"))
    assert [name for name in focused if name][:4] == ["zip", "folder", "key", "keyfile"]
    assert browser.run("document.getElementById('answer').getAttribute('role')") == "status"


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(browser, folder, dark):
    """WCAG 2.2, 1.4.3: every text has 4.5:1 against what is behind it, after a check of each outcome."""
    browser.open(folder / "index.html")
    browser.looks(dark=dark)
    for kind in ("good", "bad", "gap"):
        browser.run(f"show('{kind}', 'A sentence.', 'small'), document.getElementById('details').replaceChildren(section('Checked', ['x']))")
        low = browser.run(chromium.CONTRAST)
        assert low == [], (kind, low)
    browser.looks()


def test_the_same_manifest_has_the_same_page_and_every_script_is_short():
    assert page(manifest()) == page(manifest())
    from shared.deliver.bundle import page as package

    for name in SCRIPTS:
        assert len(package._source(name).splitlines()) < 300, name


def test_deletions_that_went_with_an_account_are_looked_for(check, tmp_path):
    store = DirectoryStore(tmp_path / "store")
    scope.history(store)
    entries = apart(data := built(store, tmp_path, hours(15, 30), resources=[scope.GONE.id]))
    assert same(check, data) == "good"
    assert same(check, scope.without(entries, list(scope.deletions(entries))[:1])) == "bad"
    bundle(reading(Settings(store=str(tmp_path / "store"))), None, tmp_path / "one.zip", about="file-1")
    assert same(check, (tmp_path / "one.zip").read_bytes()) == "good", "with a certificate"
