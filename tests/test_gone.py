"""What people ask of deletions: `deletions`, `resources --kind`, lineage; over the story of a file and a model, by command and by HTTP's questions."""

import base64
import html
import json
import re
import shlex
from dataclasses import replace
from zipfile import ZipFile

import pytest

from infra.local import tuning_story
from infra.local.scenarios import demo_world
from shared import layout
from shared.deliver.certificate.page import render
from shared.deliver.certificate.told import Certificate, Proven, title
from shared.deliver.verify import verify_bundle
from shared.errors import Misuse
from shared.seal import merkle, note
from shared.seal.keys import read_keys
from shared.service import gone, held
from shared.service.bundle import bundle as make_bundle
from shared.service.certificate import certify
from shared.service.queries import Filter, period
from shared.service.steps.answers import answer
from shared.service.steps.app import App
from tests.fixtures.estate import estate


def tuned(clock):
    world = demo_world(clock)
    tuning_story.prepare(world)
    return world


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The file is withdrawn, the model stays; then a later sweep."""
    with estate(tmp_path_factory.mktemp("story"), tuned, inside=False) as site:
        site.settings = replace(site.settings, logs_endpoint=site.azure.endpoint)
        world = site.azure.world
        site.story = tuning_story.train(world)
        for deed in (lambda: None, lambda: tuning_story.deploy(world, site.story), lambda: tuning_story.withdraw_file(world, site.story), lambda: None):
            site.clock.advance(hours=6)
            deed()
            site.clock.advance(seconds=1)
            site.collect()
        yield site


@pytest.fixture
def command(told, monkeypatch, capsys):
    from shared import cli
    from shared.commands.context import options

    def run(*words, code=0):
        monkeypatch.setattr("sys.argv", ["aoai-evidence", *words])
        for name, value in {"STORE": told.settings.store, "CLOUD": "loopback", "ARM_ENDPOINT": told.settings.arm_endpoint}.items():
            monkeypatch.setenv(f"EVIDENCE_{name}", value)
        options.store, options.json, options.quiet = None, False, False
        with pytest.raises(SystemExit) as done:
            cli.main()
        out = capsys.readouterr()
        assert done.value.code == code, out
        return json.loads(out.out) if "--json" in words else out.out + out.err

    return run


def test_what_stands_is_told_and_what_it_took_the_place_of(told):
    everything = [record for _, record in told.records("deletion")]
    found = gone.deletions(told.reading(), None, Filter())
    assert len(found) < len(everything), "a late row superseded what was said first"
    [file] = [one for one in found if one["kind"] == "file"]
    assert (file["status"], file["object"]["id"]) == ("corroborated", told.story.training)
    assert len(file["superseded"]) == 1 and file["superseded"][0] < file["record"]
    assert file["first_seen"]["at"] == "2026-11-01T06:00:31.000000Z", "of the record that it took the place of"


@pytest.mark.parametrize("by_name", [True, False])
def test_an_object_is_found_by_id_and_by_the_name_that_it_had(told, by_name):
    def ids(wanted):
        return [one["object"]["id"] for one in gone.deletions(told.reading(), None, Filter(), gone.Asked(object=wanted), by_name=by_name)]

    assert ids(told.story.training) == ids(told.story.training.upper()) == [told.story.training]
    assert ids("claims-closed-2025.jsonl") == ([told.story.training] if by_name else [])
    assert ids("claims-closed") == ids("rates.jsonl") == []


def test_a_name_that_was_erased_finds_nothing(told):
    from shared.privacy.disclosures import Disclosures
    from shared.service.compose import random_bytes

    kept = {path: told.store.get(path) for path in told.store.list(layout.PERSONAL)}
    Disclosures(told.store, random_bytes).erase("claims-closed-2025.jsonl")
    try:
        assert gone.deletions(told.reading(), None, Filter(), gone.Asked(object="claims-closed-2025.jsonl")) == []
        assert len(gone.deletions(told.reading(), None, Filter(), gone.Asked(object=told.story.training))) == 1
    finally:
        for path, data in kept.items():
            told.store.put_new(path, data)


def test_filters(told):
    def count(when=None, resource=None, *kinds):
        return len(gone.deletions(told.reading(), when, Filter(resource), gone.Asked(kinds)))

    assert count(None, None, "file") == count(None, "bw-underwriting-scus", "file") == count(None, told.story.account) == 1
    assert count(None, "bw-claims-sdc") == count(None, None, "batch") == 0
    with pytest.raises(ValueError, match="'files' is no kind of object: file, "):
        gone.kinds_of(["files"])


def test_everything_that_was_ever_seen_of_a_kind(told):
    found = list(held.objects(told.reading(), Filter("bw-underwriting-scus"), ("file",)))
    ends = {one["id"]: one["gone"] and one["gone"]["status"] for one in found}
    assert ends.pop(told.story.training) == "corroborated"
    assert told.story.validation in ends and set(ends.values()) == {None}
    for one in found:
        assert one["first_seen"]["at"] <= one["last_seen"]["at"]
        assert (one["last_seen"]["at"] >= "2026-11-02") == (one["gone"] is None)
    assert {one["id"] for one in held.objects(told.reading(), Filter(), ("fine-tuned-model",))} == {told.story.model}
    accounts = [one for one in held.objects(told.reading(), Filter(), ("account",)) if one["gone"] is None]
    assert len(accounts) == 7 and all(one["resource"] == one["account"] for one in accounts)


def test_it_is_answered_without_what_is_kept(told):
    kept = {path: told.store.get(path) for path in told.store.list(layout.STATE)}
    before = list(held.objects(told.reading(), Filter(), ("file", "deployment", "account")))
    for path in kept:
        if "/lives/" in path or "/alive/" in path:
            told.store.delete(path)
    try:
        assert list(held.objects(told.reading(), Filter(), ("file", "deployment", "account"))) == before
    finally:
        for path, data in kept.items():
            told.store.put(path, data)


def test_a_model_outlived_its_training_data_and_that_is_said(told):
    [line] = [line for line in held.lineages(told.reading(), Filter()) if line["model"] == told.story.model]
    assert line["sentence"].startswith(f"Training data of {told.story.model} was deleted between ")
    assert line["sentence"].endswith("the model was not, and 1 deployment serves it.")
    assert {use["role"]: use["state"] for use in line["files"]} == {"training": "deleted", "validation": "listed", "result": "listed"}
    assert set(line["records"]) >= {use["deletion"] for use in line["files"] if use["deletion"]}


def test_the_commands_tell_it(told, command):
    said = command("deletions")
    assert told.story.training in said and "corroborated" in said and "inventory, resource-log" in said
    assert f"Training data of {told.story.model} was deleted" in said
    one = command("deletions", "--object", "claims-closed-2025.jsonl")
    assert "It is no longer listed, and a deletion of this kind was logged in that time." in one and "Training data" not in one
    assert [d["kind"] for d in command("deletions", "--kind", "file", "--json")] == ["file"]
    assert command("deletions", "--since", "2026-11-20", "--json") == command("deletions", "--object", "nothing", "--json") == []
    assert "--since and --from mean the same" in command("deletions", "--since", "2026-11-01", "--from", "2026-11-01", code=2)
    assert "'files' is no kind" in command("resources", "--kind", "files", code=2)
    listed = command("resources", "--kind", "file", "--kind", "fine-tuned-model")
    assert "there" in listed and "(corroborated, record" in listed and told.story.model in listed


def test_of_what_is_listed_still_the_command_says_where_and_of_base_models_and_what_was_never_seen_nothing(told, command):
    world, wanted = told.azure.world, told.story.model
    there = command("deletions", "--object", wanted.upper())
    assert there.startswith(f"no deletion of '{wanted.upper()}' is sealed; it is listed still:\n  fine-tuned-model {wanted} of ") and "(record " in there
    account, file = next((account, name) for account in world.accounts() for name in world.data.ids(account, "files"))
    assert f"  file {file} of " in command("deletions", "--object", str(world.data.body(account, "files", file)["filename"]))
    for never in ("gpt-4o", "never.jsonl"):
        assert command("deletions", "--object", never) == (
            f"no deletion of '{never}' is sealed, and no last inventory lists it: `resources --kind file` tells what was ever seen, `deletions` what is gone\n"
        )
    assert command("deletions", "--object", wanted, "--json") == []
    assert "is sealed" not in command("deletions", "--object", wanted, "--from", "2026-11-01")
    assert "no last inventory" in command("deletions", "--object", wanted, "--kind", "file")


def test_the_questions_of_http_tell_it(told):
    app = App(told.settings, told.clock)
    found = answer(app, "deletions", {"kind": "file"})["items"]
    assert [one["object"]["id"] for one in found] == [told.story.training]
    assert answer(app, "deletions", {"object": "claims-closed-2025.jsonl"})["items"] == [], "names are not looked up for everybody"
    page = answer(app, "resources", {"kind": "file", "limit": "1"})
    assert len(page["items"]) == 1 and page["next"] == 0


# -- in the report ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def shown(told):
    from shared.deliver import view as views
    from shared.deliver.view_words import words
    from shared.judge.catalogue import catalogue

    read = told.reading()
    period = views.Period("2026-11-01T00:00:00.000000Z", "2026-11-30T00:00:00.000000Z")
    log = views.LogIdentity(read.facts["origin"], read.log.size, told.vkey, None)
    return views.build(read.log.records(0, read.log.size), read.body, words(catalogue()), period=period, log=log)


def test_the_report_has_what_was_deleted_and_where_models_come_from(told, shown):
    from shared.deliver.report import render
    from tests.test_report import Page

    assert [one.record for one in shown.deletions] == [one["record"] for one in sorted_by_end(gone.deletions(told.reading(), None, Filter()))]
    [line] = [line for line in shown.descents if line.model == told.story.model]
    assert (line.model_state, line.job_state, line.served_by) == ("listed", "listed", (tuning_story.DEPLOYMENT,))
    page = Page(render(shown, written_at=None))
    assert page.problems == []
    for deletion in shown.deletions:
        assert f"del-{deletion.record}" in page.ids and deletion.reason in page.text
    assert line.sentence in page.text and f"training file {told.story.training}: deleted (record" in page.text
    picture = [a for a in page.all("svg") if "descent" in (a.get("class") or "")]
    assert len(picture) == 1


def sorted_by_end(found):
    return sorted(found, key=lambda one: (one["before"], one["record"]))


def certificate(command, out, *words, asked="claims-closed-2025.jsonl"):
    made = command("deletions", "--object", asked, "--certificate", str(out), "--json", *words)
    page = html.unescape(out.read_text())
    return made, page, re.findall(r'<pre class="line">(.*?)</pre>.*?<pre class="proof">(.*?)</pre>', page, re.DOTALL)


def test_a_certificate_proves_each_record_that_it_rests_on_to_whoever_has_the_key(told, command, tmp_path):
    made, page, proven = certificate(command, tmp_path / "gone.html")
    [key] = read_keys(told.store).in_force.keys
    shown = {}
    for line, proof in proven:
        index, hashes, checkpoint = note.parse_proof(proof.encode())
        signed = note.open_checkpoint(checkpoint, [key])
        assert merkle.verify_inclusion(merkle.leaf_hash(line.encode()), index, signed.size, hashes, signed.root)
        shown[index] = json.loads(line)
    [deletion] = gone.deletions(told.reading(), None, Filter(), gone.Asked(object=told.story.training))
    assert set(shown) == {deletion["record"], deletion["first_seen"]["record"], *(each["record"] for each in deletion["witnesses"])} and len(shown) == made["proven"] >= 3
    assert shown[deletion["record"]]["status"] == deletion["status"] == "corroborated"
    assert "It is gone, and a log tells of its deletion" in page and deletion["reason"] in page and told.story.training in page
    assert "Whether the provider erased every copy." in page and "Whether it was this very object." in page


def test_the_bundle_that_a_certificate_names_holds_every_record_of_it_and_concludes_the_same(told, command, tmp_path):
    _, page, proven = certificate(command, tmp_path / "gone.html")
    words = shlex.split(re.search(r"<pre>(aoai-evidence bundle .*?)</pre>", page).group(1))
    bundle = tmp_path / "deletion.zip"
    command(*words[1:-1], str(bundle))
    found = verify_bundle(bundle, list(read_keys(told.store).in_force.keys))
    assert list(found.problems) == [] and found.counts["deletions concluded again"] >= 1
    assert {line for line, _ in proven} <= lines_in(bundle)
    with ZipFile(bundle) as file:
        within = html.unescape(file.read("certificate/certificate.html").decode())
    assert re.findall(r'<pre class="line">(.*?)</pre>', within) == [line for line, _ in proven], "what saw it first, the witnesses, and what is said of them"
    command(*words[1:-1], str(bundle), "--disclose", "claims-closed-2025.jsonl")
    opened = verify_bundle(bundle, list(read_keys(told.store).in_force.keys))
    assert opened.intact and "what the certificate is about was listed under the name claims-closed-2025.jsonl" in opened.checked
    assert "Whether it had the name that was asked for." in within and any("had the name claims-closed-2025.jsonl" in line for line in found.not_checked)


@pytest.mark.parametrize("text", ["short", "x" * 50_000, "<b>&amp;\"", "caf\u00e9 \u202e\u200b"])
def test_the_line_of_a_record_is_printed_so_that_its_leaf_follows_from_what_is_printed(text):
    line = json.dumps({"text": text}, ensure_ascii=False).encode()
    one = Proven(1, line, merkle.leaf_hash(line).hex(), b"proof")
    page = render(Certificate("x", "origin", 2, "key", "2026-11-01T00:00:00Z", "2026-11-01T00:00:00Z", [], [one], "command"))
    printed = html.unescape(re.search(r'<pre class="line">(.*?)</pre>', page, re.DOTALL).group(1))
    assert (printed.encode() if one.legible else base64.b64decode(printed)) == line
    assert "\u202e" not in page and "\u200b" not in page


def test_the_bundle_of_what_went_with_its_account_is_about_that_account(tmp_path):
    """Though its deletion is concluded where the account was listed, and the account was never asked in that sweep."""
    with estate(tmp_path, tuned, inside=False) as site:
        site.settings = replace(site.settings, logs_endpoint=site.azure.endpoint)
        site.collect()
        site.clock.advance(hours=6)
        site.azure.world.delete_account(site.azure.world.account("bw-lab-ncus"))
        site.collect()
        read = site.reading()
        found = gone.deletions(read, None, Filter())
        assert {one["kind"] for one in found} >= {"account", "deployment"}
        went = [one for one in found if one["cause"] == "account-deleted"]
        assert went and all(one["first_seen"]["at"] <= one["after"] for one in went), "since when the account listed them"
        assert make_bundle(read, None, tmp_path / "name.zip", resources=["BW-lab-ncus"])["sweeps"], "though no sweep lists it any more"
        assert {line for line in lines_in(tmp_path / "name.zip") if json.loads(line)["type"] == "deletion"} == {
            line_of(site, one) for one in found if one["account"].endswith("/bw-lab-ncus")
        }  # fmt: skip
        for number, one in enumerate(found):
            asked, bundle = one["object"]["id"] or "it", tmp_path / f"{number}.zip"
            certify(read, [one], asked, tmp_path / "gone.html", site.clock())
            page = html.unescape((tmp_path / "gone.html").read_text())
            words = shlex.split(re.search(r"<pre>(aoai-evidence bundle .*?)</pre>", page).group(1))
            said = dict(zip(words[2::2], words[3::2], strict=True))
            assert said["--resource"] == one["account"] and said.get("--object") == one["object"]["id"]
            when = period(said["--from"], said["--to"], site.clock()) if "--from" in said else None
            make_bundle(read, when, bundle, resources=[said["--resource"]], about=said.get("--object"))
            assert verify_bundle(bundle, list(read_keys(site.store).in_force.keys)).intact
            assert set(re.findall(r'<pre class="line">(.*?)</pre>', page)) <= lines_in(bundle)


def line_of(site, deletion):
    return next(iter(site.reading().log.lines(deletion["record"], deletion["record"] + 1)))[1].decode()


def lines_in(bundle):
    with ZipFile(bundle) as file:
        return {line for name in file.namelist() if name.startswith("records/") for line in file.read(name).decode().splitlines()}


def test_what_nobody_saw_go_has_no_certificate_and_no_file(told, command, tmp_path):
    out = tmp_path / "gone.html"
    assert "no deletion of 'rates.jsonl' is sealed" in command("deletions", "--object", "rates.jsonl", "--certificate", str(out), code=2)
    assert "--certificate is about one object" in command("deletions", "--certificate", str(out), code=2)
    for option in ("--from", "--to", "--since"):
        assert "leave --from and --to out" in command("deletions", "--object", "x", "--certificate", str(out), option, "2026-11-01", code=2)
    assert not out.exists()


@pytest.mark.parametrize(
    ("status", "cause", "witnesses", "said"),
    [
        ("corroborated", "deleted", "inventory resource-log", "It is gone, and a log tells of its deletion"),
        ("corroborated", "deleted", "inventory event", "It is gone, and an event of Azure's tells of its deletion"),
        ("corroborated", "deleted", "inventory deleted-accounts", "It is gone, and Azure's list of deleted accounts tells of its deletion"),
        ("corroborated", "account-deleted", "inventory activity-log event", "It is gone, as its account is, and a log tells of the account's deletion"),
        ("corroborated", "account-deleted", "inventory resource-log", "It is gone, and a log tells of its deletion"),
        ("logged", "deleted", "event", "An event of Azure's tells of its deletion; no inventory can show that it is gone"),
        ("unlogged", "unknown", "inventory", "It is gone, and no log tells of its deletion"),
        ("not-effective", "deleted", "inventory activity-log", "NOT shown to be gone: a deletion is told of, and it was listed after that"),
        ("not-effective", "unknown", "inventory", "NOT shown to be gone: an inventory did not list it, and it was listed after that"),
        ("not-effective", "account-deleted", "inventory", "NOT shown to be gone: its account was deleted, and is there again"),
    ],
)
def test_a_certificate_begins_with_what_its_witnesses_say_and_no_more(status, cause, witnesses, said):
    deletion = {"status": status, "cause": cause, "witnesses": [{"witness": name} for name in witnesses.split()]}
    assert title(deletion) == said


def test_a_certificate_of_what_is_still_there_says_so_and_a_name_is_only_text(told, tmp_path):
    [real] = gone.deletions(told.reading(), None, Filter(), gone.Asked(object=told.story.training))
    still = {**real, "status": "not-effective", "by": {"committed": "x"}}
    out = tmp_path / "still.html"
    certify(told.reading(), [still], "<script>alert(1)</script>\u202e", out, told.clock())
    page = out.read_text()
    assert "NOT shown to be gone" in page and "It is gone" not in page and "every copy" not in page
    assert "withheld here, as personal data" in page and "<script" not in page and "\u202e" not in page
    before = out.read_bytes()
    with pytest.raises(Misuse, match="13 deletions are of 'x'"):
        certify(told.reading(), [real] * 13, "x", out, told.clock())
    assert out.read_bytes() == before
