"""The parts of the view that are worth trying to break on their own: runs of status, pointers, commands."""

import json
import shlex
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliver.view_commands import commands, parts
from shared.deliver.view_history import Passes, StatusRuns
from shared.deliver.view_points import LONGEST, excerpt, resolve
from shared.deliver.view_tables import lies_in

ACCOUNT = "/subscriptions/0a/resourcegroups/rg-one/providers/microsoft.cognitiveservices/accounts/chat"


def shown(value, pointer):
    return excerpt(value, record=1, page=0, pointer=pointer, question="account", digest="ab")


# -- runs -------------------------------------------------------------------------------------------------------------------

PASS = st.tuples(st.booleans(), st.sampled_from(["satisfied", "not-satisfied", "unknown", None]))


@given(st.lists(PASS, max_size=40))
def test_runs_are_the_statuses_again(passes):
    """A narrowed sweep that does not judge a resource interrupts nothing; a complete pass that does not, does."""
    order = Passes()
    runs = StatusRuns(order)
    told = []
    for narrowed, status in passes:
        number = order.add("t", narrowed=narrowed)
        if status is not None:
            runs.add("control", "resource", status, number)
        if status is not None or not narrowed:
            told.append((status, number))
    expected = [
        (status, [number for _, number in group]) for status, group in groupby(told, key=lambda each: each[0]) if status is not None
    ]
    found = [(run.status, run.first, run.last, run.sweeps) for history in runs.histories() for run in history.runs]
    assert found == [(status, numbers[0], numbers[-1], len(numbers)) for status, numbers in expected]


# -- pointers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [("", {"a/b": [1, {"m~n": None}], "": 2}), ("/a~1b/0", 1), ("/a~1b/1/m~0n", None), ("/", 2)],
)
def test_pointers_are_rfc_6901(pointer, expected):
    assert resolve({"a/b": [1, {"m~n": None}], "": 2}, pointer) == expected


def test_a_missing_member_shows_what_is_there_instead():
    told = shown({"properties": {"endpoint": 1, "capabilities": []}}, "/properties/encryption/keySource")
    assert told.absent
    assert told.text == 'no member "encryption"; /properties has: endpoint, capabilities'


@pytest.mark.parametrize(
    ("value", "pointer", "said"),
    [
        ([1, 2], "/2", "no item 2; the body is a list of 2"),
        ([1, 2], "/-", "no item -; the body is a list of 2"),
        ([1, 2], "/01", "no item 01; the body is a list of 2"),
        ({}, "/a", 'no member "a"; the body has: nothing'),
        ({"a": 5}, "/a/b", 'no member "b"; /a is 5'),
    ],
)
def test_other_things_that_are_not_there(value, pointer, said):
    assert shown(value, pointer).text == said


def test_what_is_cut_is_counted_and_its_members_named():
    told = shown({"long": "x" * 1000, "short": 1}, "")
    assert len(told.text) == LONGEST
    assert told.cut == len(json.dumps({"long": "x" * 1000, "short": 1}, separators=(",", ":"))) - LONGEST
    assert told.members == ("long", "short")


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.text(),
)
def test_no_pointer_breaks_an_excerpt(value, pointer):
    told = shown(value, pointer)
    assert len(told.text) <= LONGEST


# -- commands ---------------------------------------------------------------------------------------------------------------


def test_parts_of_an_id():
    assert parts(f"{ACCOUNT}/deployments/gpt") | {} == {
        "SUBSCRIPTION": "0a", "GROUP": "rg-one", "NAME": "chat", "ACCOUNT": "chat", "ACCOUNT_ID": ACCOUNT, "DEPLOYMENT": "gpt",
        "RESOURCE": f"{ACCOUNT}/deployments/gpt",
    }  # fmt: skip


def test_the_subscription_is_named_where_the_id_is_not():
    assert commands(["az cognitiveservices account show -n NAME -g GROUP"], ACCOUNT, {}) == (
        "az cognitiveservices account show -n chat -g rg-one --subscription 0a",
    )
    assert commands(["az rest --method get --url 'ACCOUNT_ID/models?api-version=1'"], ACCOUNT, {}) == (
        f"az rest --method get --url '{ACCOUNT}/models?api-version=1'",
    )
    assert commands(["openssl s_client -connect HOST:443"], ACCOUNT, {"HOST": "chat.example"}) == (
        "openssl s_client -connect chat.example:443",
    )


def test_names_that_are_not_known_stay():
    assert commands(["az cognitiveservices account show -n NAME"], None, {}) == ("az cognitiveservices account show -n NAME",)


@given(st.text(st.characters(exclude_characters="/\x00", exclude_categories=["Cs"]), min_size=1))
def test_a_hostile_name_stays_one_word(name):
    resource = f"/subscriptions/0a/resourcegroups/{name}/providers/microsoft.cognitiveservices/accounts/chat"
    (command,) = commands(["az cognitiveservices account show -n NAME -g GROUP --query '[].{a:b}'"], resource, {})
    if name == name.strip("/"):
        assert shlex.split(command) == [
            "az", "cognitiveservices", "account", "show", "-n", "chat", "-g", name, "--query", "[].{a:b}", "--subscription", "0a",
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("resource", "wanted", "answer"),
    [
        (ACCOUNT, None, True),
        (None, None, True),
        (None, ACCOUNT, False),
        (ACCOUNT, ACCOUNT.upper() + "/", True),
        (ACCOUNT + "2", ACCOUNT, False),
    ],
)
def test_what_lies_in_what(resource, wanted, answer):
    assert lies_in(resource, wanted) is answer
