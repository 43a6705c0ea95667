"""Files that the command line is asked to write, and bundles that it is handed."""

import pytest

from tests.fixtures.commandline import harmless, snapshot

@pytest.mark.parametrize("line", ["report", "export", "bundle"])
def test_a_file_is_written_into_folders_that_are_made(desk, line):
    outcome = desk(line, "-o", "new/deep/file")
    assert outcome.code == 0, outcome.err
    assert [path.name for path in (desk.folder / "new/deep").iterdir()] == ["file"]


@pytest.mark.parametrize("line", ["report", "export", "bundle"])
def test_a_file_that_is_there_is_replaced_whole(desk, line):
    (desk.folder / "out").mkdir()
    for _ in range(2):
        assert desk(line, "-o", "out/file").code == 0
        assert [path.name for path in (desk.folder / "out").iterdir()] == ["file"]
        (desk.folder / "out/file").write_bytes(b"old" * 1_000_000)


@pytest.mark.parametrize("line", ["report", "export", "bundle"])
def test_a_name_that_steers_terminals_is_a_name(desk, line):
    outcome = desk(line, "-o", "\x1b[31m\u202ename")
    assert outcome.code == 0
    assert harmless(outcome.out)
    assert (desk.folder / "\x1b[31m\u202ename").is_file()


def test_a_store_in_a_relative_path_with_spaces_and_more(desk):
    name = "mes preuves/é 证据 \u202e'\"$(x)"
    person = desk.having(EVIDENCE_STORE=name)
    (desk.folder / "mes preuves").mkdir()
    for line in ("init", "collect", "status", "findings", "doctor", "report -o é.html", "bundle -o b.zip"):
        outcome = person(*line.split())
        assert outcome.code == 0, (line, outcome.err)
        assert harmless(outcome.out + outcome.err)
    assert person.verify().code == 0
    assert desk("status", "--store", name, "--json").json["sweeps"] == 1
