"""The two-party matrix: each of the 36 statements has somebody who must show it, and the answer is the right one."""

import re
from dataclasses import replace

import pytest

from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.judge.responsibility import matrix
from shared.service.statements import responsibilities
from tests.fixtures.commandline import office
from tests.test_judge_samples import EXAMPLES, need

PROVIDER = {2, 3, 4, 5, 16, 36}
CUSTOMER = {8, 9, 10, 11, 25, 26}
"""By their numbers, read by a person off the provider's page; all others are for both."""

ROWS = {row.statement.id: row for row in matrix(catalogue())}


def test_none_of_the_36_is_without_an_answer_and_the_answer_is_that_of_a_reader():
    expected = {n: "provider" if n in PROVIDER else "customer" if n in CUSTOMER else "both" for n in range(1, 37)}
    assert {int(id_[1:]): row.who for id_, row in ROWS.items()} == expected


def test_what_the_table_of_statements_says_only_the_provider_can_observe_is_for_the_provider():
    rows = re.findall(r"^\| (S\d\d) \|[^|]*\|[^|]*\| ([^|]*?) \|", need(EXAMPLES / "STATEMENTS.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) == 36
    for id_, observable in rows:
        if "–" in observable:
            assert ROWS[id_].who in ("provider", "both"), id_
        if observable != "–":
            assert ROWS[id_].who in ("customer", "both"), id_


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.statement.id)
def test_each_share_says_by_what_it_is_shown(row):
    assert bool(row.customer) == (row.who != "provider")
    assert bool(row.exhibits) == (row.who != "customer")
    assert {control.id for control in (*row.customer, *row.provider)} == set(row.statement.controls)
    assert not [control.id for control in row.customer if control.scope == "provider"]
    assert all(control.exhibit in row.exhibits for control in row.provider)


def test_a_statement_that_nobody_would_have_to_show_is_an_error_and_never_a_row():
    known = catalogue()
    with pytest.raises(ValueError, match="S16: neither"):
        matrix(replace(known, statements=tuple(replace(s, controls=()) if s.id == "S16" else s for s in known.statements)))
    (only,) = matrix(replace(known, statements=(replace(known.statements[15], controls=(), provider_exhibit="product terms"),)))
    assert (only.who, only.exhibits) == ("provider", ("product terms",))


def test_an_exhibit_of_the_providers_own_stands_only_where_no_control_waits_for_one():
    """Else the same share would be asked for twice."""
    assert not [id_ for id_, row in ROWS.items() if row.provider and row.statement.provider_exhibit]


def test_what_nobody_can_look_at_is_not_among_the_controls_that_look():
    (row,) = (row for row in responsibilities(None)["statements"] if row["id"] == "S25")
    assert row["customer"]["unobservable"] == ["threads-unobservable"]
    assert "threads-unobservable" not in row["customer"]["controls"]


def test_who_selects_and_nothing_is_lost_between_the_three():
    parts = [[row["id"] for row in responsibilities(who)["statements"]] for who in ("provider", "customer", "both")]
    assert parts[0] == [f"S{n:02}" for n in sorted(PROVIDER)]
    assert sorted(id_ for part in parts for id_ in part) == list(ROWS)
    with pytest.raises(Misuse, match="--who 'us': provider, customer, both"):
        responsibilities("us")


def test_the_command(tmp_path):
    with office(tmp_path) as desk:
        shown = desk("statements", "list").out
        assert re.findall(r"^(S\d\d)  ", shown, re.MULTILINE) == list(ROWS)
        assert catalogue().seed.sha256 in shown and catalogue().seed.date in shown
        assert "S32  both" in shown and "letter of approval for modified abuse monitoring, naming the subscription" in shown
        found = desk("statements", "list", "--who", "both", "--json").json
        assert found["catalogue"] == catalogue().version and found["seed"]["sha256"] == catalogue().seed.sha256
        row = next(row for row in found["statements"] if row["id"] == "S15")
        assert "geography-allowed" in row["customer"]["controls"] and "data residency" in row["provider"]["exhibits"][0]
        assert {row["who"] for row in found["statements"]} == {"both"}
        wrong = desk("statements", "list", "--who", "provders")
        assert (wrong.code, wrong.out) == (2, "") and wrong.err.count("\n") == 1
    assert not list(tmp_path.glob("evidence-store*")), "it reads no store and makes none"
