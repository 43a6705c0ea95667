"""Documentation unit tests: what the documents say of commands, settings, rights, controls and format is what the code has, and the reverse."""

import ast
import importlib.util
import re
import shlex
import subprocess
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import get_args

import pytest

from infra.local.__main__ import parser as stand_in_options
from shared import cli, errors
from shared.collect import fetch, tls
from shared.collect.endpoints import ENDPOINTS
from shared.deliver.shapes import KNOWN_TYPES
from shared.judge.catalogue import catalogue
from shared.judge.profile_text import read_profile
from tests.test_architecture import FLOORS

ROOT = Path(__file__).parents[1]
COMMANDS = cli.every_command()
GROUPS = {name.split()[0] for name in COMMANDS if " " in name}
GLOBAL = {"--store", "--json", "--quiet", "--version", "--help"}


def read(path):
    return (ROOT / path).read_text("utf-8")


def tracked():
    """Every file of the project: what git has or would take; without git, what is there and was not made by `make`."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
        paths = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        made = {".venv", "build", "__pycache__", ".git"}
        paths = [path for path in ROOT.rglob("*") if not made & set(path.relative_to(ROOT).parts)]
    return sorted(path for path in paths if path.is_file())


MARKDOWN = [path for path in tracked() if path.suffix == ".md"]
TEXT = "\n".join(path.read_text("utf-8") for path in MARKDOWN if path.name == "README.md" or "docs" in path.relative_to(ROOT).parts)


def name_of(path):
    return str(path.relative_to(ROOT))


def write_docs():
    loader = SourceFileLoader("write_docs", str(ROOT / "scripts" / "write-docs"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("write_docs", loader))
    loader.exec_module(module)
    return module


# -- the command line ---------------------------------------------------------------------------------------------------


def options_of(command):
    """Every spelling of every option of a command."""
    if command == "simulate":
        return {spelling for action in stand_in_options()._actions for spelling in action.option_strings} - {"-h", "--help"}
    return {spelling for parameter in COMMANDS[command].params for spelling in parameter.opts if spelling.startswith("-")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme_and_every_option_in_the_documents(command):
    assert f"aoai-evidence {command}" in read("README.md")
    missing = [option for option in options_of(command) if not re.search(rf"`{option}\b", TEXT)]
    assert not missing


def test_global_options_are_in_the_documents():
    assert not [option for option in GLOBAL if not re.search(rf"`{option}\b", TEXT)]


def shown_commands(text):
    """What a document shows to be typed: in code blocks and in code within a sentence."""
    for block in re.findall(r"```(?:sh|text)\n(.*?)```", text, re.DOTALL):
        yield from re.findall(r"(?:^|/| )aoai-evidence +([a-z-].*)$", block, re.MULTILINE)
    yield from re.findall(r"`aoai-evidence ([a-z-][^`]*)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_commands_that_a_document_shows_exist_with_their_options(path):
    for shown in shown_commands(path.read_text("utf-8")):
        words = shlex.split(shown, comments=True)
        plain = [word for word in words if not word.startswith("-")]
        command = next((name for name in (" ".join(plain[:2]), *plain[:1]) if name in COMMANDS), None)
        if words[0] in GLOBAL or not re.fullmatch("[a-z]+", words[0]):
            continue
        if plain and plain[0] in GROUPS and len(plain) == 1:
            continue  # named as a whole
        assert command in COMMANDS, shown
        unknown = {word.partition("=")[0] for word in words if re.match("--?[a-z]", word)} - options_of(command) - GLOBAL
        assert not unknown, shown


def test_exit_codes_are_those_of_the_errors():
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", read("README.md"), re.MULTILINE)}
    raised = {error.exit_code for error in vars(errors).values() if isinstance(error, type) and issubclass(error, errors.EvidenceError)}
    assert raised | {0, 3, cli.DEFECT, 130} == codes


# -- settings, rights ---------------------------------------------------------------------------------------------------


def test_every_setting_is_in_the_readme_and_no_other():
    setting = re.compile(r"EVIDENCE_[A-Z_]+")
    read_there = set(setting.findall(read("shared/settings.py")))
    rows = re.findall(r"^\| `(EVIDENCE_[A-Z_]+)` \|", read("README.md"), re.MULTILINE)
    assert sorted(rows) == sorted(read_there)
    assert set(setting.findall(TEXT)) == read_there


def test_the_table_of_rights_is_that_of_the_endpoints():
    rows = re.findall(r"^\| `(\w+)` \| `([^`]*)` \| ([\w-]+) \| `([^`]+)` \| ([^|]*?) \| (\w*) *\|$", read("README.md"), re.MULTILINE)
    assert [(kind, version, action, serves) for kind, _, version, action, serves, _ in rows] == [
        (e.kind, e.api_version, e.action, ", ".join(e.serves)) for e in ENDPOINTS
    ]
    assert all(path.endswith(e.path) for (_, path, *_), e in zip(rows, ENDPOINTS, strict=True))


# -- what is written by scripts/write-docs ------------------------------------------------------------------------------


def test_written_documents_are_up_to_date():
    stale = [path for path, text in write_docs().documents().items() if read(path) != text]
    assert not stale, "run `.venv/bin/python scripts/write-docs`"


def test_every_control_and_every_statement_is_in_the_documents():
    text = read("docs/controls.md")
    assert [control.id for control in catalogue().controls if f"### {control.id}\n" not in text] == []
    assert re.findall(r"^\| (S\d\d) \|", text, re.MULTILINE) == [f"S{number:02}" for number in range(1, 37)]


def test_the_example_of_a_profile_is_one():
    assert read_profile("\n".join(write_docs().EXAMPLE)).declared == ("collection.schedule", "location.geographies", "monitoring.content_logging")


# -- the format of the evidence -----------------------------------------------------------------------------------------


def calls(*names):
    """(file, call) of every call of a function of one of these names in `shared`."""
    for path in sorted((ROOT / "shared").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield path.relative_to(ROOT), node


def texts(node):
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def test_the_format_names_every_type_of_record_that_is_written():
    written = set().union(*(texts(call.args[0]) for _, call in calls("record") if call.args))
    assert written >= {"observation", "failure", "finding", "sweep-planned", "sweep-closed", "change", "retention", "profile", "erasure", "event"}
    assert written <= KNOWN_TYPES
    assert not [kind for kind in written if f"**{kind}**" not in read("docs/format.md")]


def reasons():
    """Every reason of a failure that the code can write."""
    found = set(fetch._REASONS.values()) | set(get_args(tls.FailureReason))
    for made, position in (("Failed", 0), ("_failed", 0), ("_wrong", 1)):
        for path, call in calls(made):
            if path.parts[1] in ("collect", "service") and len(call.args) > position and isinstance(call.args[position], ast.Constant):
                found.add(call.args[position].value)
    for _, call in calls("record"):
        found |= {word.value.value for word in call.keywords if word.arg == "reason" and isinstance(word.value, ast.Constant)}
    tree = ast.parse(read("shared/collect/fetch.py"))
    function = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "_reason")
    return found.union(*(texts(node) for node in ast.walk(function) if isinstance(node, ast.Return)))


def test_the_format_names_every_reason_of_a_failure():
    known = reasons()
    assert known >= {"forbidden", "not-found", "server-error", "skipped", "paging", "foreign-host", "redirected", "malformed", "timeout"}
    section = re.search(r"Reasons: (.*?)\n\n", read("docs/format.md"), re.DOTALL)[1]
    assert sorted(reason for reason in known if f"`{reason}`" not in section) == []


def test_the_format_names_what_a_handshake_can_come_to():
    section = re.search(r"\*\*tls\*\*: (.*?)\n\n", read("docs/format.md"), re.DOTALL)[1]
    outcomes = {"accepted", "refused", "not-offered", "no-answer"}
    details = {"dns", "connect", "closed", "silent", "not-tls"}
    assert not [word for word in outcomes | details | set(get_args(tls.FailureReason)) if f"`{word}`" not in section]


def test_the_glossary_has_the_words_that_the_format_refers_to():
    glossary = read("README.md").partition("## Glossary")[2].partition("\n## ")[0].lower()
    words = set(re.findall(r"(?<![*\w])\*([A-Za-z][a-z -]*)\*(?!\*)", read("docs/format.md")))
    assert words
    assert not [word for word in words if f"| {word.lower()} |" not in glossary and f"*{word.lower()}*" not in glossary]


# -- the house ----------------------------------------------------------------------------------------------------------


def test_the_floors_are_those_that_the_tests_enforce():
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", read("CONTRIBUTING.md"), re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", rooms)) for _, rooms in rows] == FLOORS


def test_tests_and_files_that_are_named_exist():
    text = read("CONTRIBUTING.md") + "".join(path.read_text("utf-8") for path in (ROOT / "docs").rglob("*.md")) + read("README.md")
    named = re.findall(r"`((?:shared|tests|infra|scripts|docs)/[\w./-]+)`", text) + [f"tests/{name}" for name in re.findall(r"`(test_\w+\.py)`", text)]
    assert not [name for name in named if not (ROOT / name).exists()]


def test_decisions_are_numbered_and_complete():
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        headings = re.findall(r"^## (.*)$", page.read_text("utf-8"), re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "What would change our mind"], page.name


# -- every file ---------------------------------------------------------------------------------------------------------


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", MARKDOWN, ids=name_of)
def test_relative_links_resolve(path):
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        page = (path.parent / target) if target else path
        assert page.exists(), link
        assert not anchor or anchor in anchors(page.read_text("utf-8")), link


FOREIGN = {
    "an absolute path of a machine": re.compile(r"(?<![\w.])/(?:home|Users)/\w|(?<![\w.])/(?:roo[t]|wor[k])/|[A-Z]:\\Users\\"),
    "a host of a package registry": re.compile(
        r"pypi[.]org|pythonhosted[.]org|npmjs[.](?:org|com)|yarnpkg[.]com|crates[.]io|golang[.]org|rubygems[.]org|nuget[.]org|maven[.]org", re.IGNORECASE
    ),
}


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_holds(what):
    found = []
    for path in tracked():
        try:
            lines = path.read_text("utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{name_of(path)}:{number}" for number, line in enumerate(lines, 1) if FOREIGN[what].search(line)]
    assert not found


def test_every_picture_is_there_and_described():
    shown = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", "".join(path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")))
    there = {path.name: path.read_bytes() for path in (ROOT / "docs" / "pictures").iterdir()}
    assert {Path(place).name for _, place in shown} == set(there) and all(len(words) > 40 for words, _ in shown)
    assert all(data[:4] + data[8:12] == b"RIFFWEBP" and len(data) < 100_000 for data in there.values())
