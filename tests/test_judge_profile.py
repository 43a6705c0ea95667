"""Profiles: what is wrong with one is said with line and column, overrides reach what they cover, and sealing loses nothing."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.canonical import canonical
from shared.errors import Misuse
from shared.judge.accept import NotAcceptedError, accept, to_json
from shared.judge.expectation import ANY, BY_PATH, DEFAULTS, KEYS, SECTIONS, Key, Value
from shared.judge.location import known_geographies
from shared.judge.places import find_places
from shared.judge.profile import DEFAULT, LEVELS, Override, Profile, canonical_profile, effective, from_canonical
from shared.judge.profile_text import read_profile

Json = Any
A = "/subscriptions/aaaa-1"
RG = f"{A}/resourcegroups/chat"
ACCOUNT = f"{RG}/providers/microsoft.cognitiveservices/accounts/one"
DEPLOYMENT = f"{ACCOUNT}/deployments/gpt"

WRONG = [
    # text, line, column, part of the message
    ("[monitoring\n", 1, 12, "not TOML: Expected ']'"),
    ("a = 1\n[x]\nb = \n", 3, 5, "not TOML: Invalid value"),
    ('x = """\nabc', 2, 4, "not TOML: Unterminated string"),
    ("[location]\neea = true\neea = false\n", 3, 12, "not TOML: Cannot overwrite a value"),
    ("[location]\r\neea = true\r\nfoo = 1\r\n", 3, 1, 'unknown key "foo" in [location]'),
    ("[loaction]\n", 1, 2, 'unknown section "loaction"; did you mean "location"?'),
    ("\n\n  [ loaction ]\n", 3, 5, 'unknown section "loaction"'),
    ("colour = 1\n", 1, 1, 'unknown section "colour"'),
    ("[location]\n  geographys = []\n", 2, 3, 'did you mean "geographies"?'),
    ('location.geographys = ["France"]\n', 1, 10, 'unknown key "geographys"'),
    ('[location]\n"geographys" = []\n', 2, 1, 'did you mean "geographies"?'),
    ("location = { geographys = [] }\n", 1, 14, 'did you mean "geographies"?'),
    ("location = 3\n", 1, 1, "[location] must be a table"),
    ("[[location]]\n", 1, 3, "[location] must be a table"),
    ('[monitoring]\ncontent_logging = "no"\n', 2, 19, '"no" is not one of "off", "any"'),
    ('[monitoring]\n# why\ncontent_logging = "of"\n', 3, 19, 'did you mean "off"?'),
    ("[monitoring]\ncontent_logging = false\n", 2, 19, 'false where one of "off", "any" is due'),
    ('[location]\neea = "true"\n', 2, 7, '"true" where true or false is due'),
    ("[location]\neea = 1979-05-27\n", 2, 7, "a date or time where true or false is due"),
    ('[location]\ngeographies = ["France",\n  "Germny"]\n', 3, 3, '"Germny" is not known; did you mean "Germany"?'),
    ('[location]\ngeographies = ["France", 3]\n', 2, 26, "3 where a name is due"),
    ("[location]\ngeographies = []\n", 2, 15, "the list is empty"),
    ('[location]\ngeographies = "France"\n', 2, 15, 'a list of names or "any" is due'),
    ('[location]\nprocessing_scopes = ["world"]\n', 2, 22, '"world" is not one of'),
    ('[filters]\nthresholds = { hate = "low", sex = "low" }\n', 2, 36, 'unknown harm "sex"; did you mean "sexual"?'),
    ('[filters]\nthresholds = { hate = "lowest" }\n', 2, 23, '"lowest" is not one of "low", "medium", "high"; did you mean "low"?'),
    ('[filters.thresholds]\nhate = "lowest"\n', 2, 8, '"lowest" is not one of'),
    ("[filters]\nthresholds = 1\n", 2, 14, "a table of severities"),
    ('[collection]\nschedule = "0 */6 * * *"\n', 2, 12, "five fields"),
    ("[collection]\nschedule = 6\n", 2, 12, "where a schedule is due"),
    ("[collection]\nretention_days = -1\n", 2, 18, "not between 0 and 1000000"),
    ("[collection]\nretention_days = 1.5\n", 2, 18, "1.5 where a whole number is due"),
    ("[collection]\nretention_days = true\n", 2, 18, "true where a whole number is due"),
    ("[collection]\nclock_skew_seconds = 0\n", 2, 22, "not between 1"),
    ('[[waiver]]\ncontrol = "x"\n', 1, 3, "no part of a profile: `aoai-evidence waiver add`"),
    ("[storage]\nfiles_max_age_days = " + "9" * 5000 + "\n", 2, 22, "too many digits"),
    ("[storage]\nfiles_max_age_days = 0x" + "f" * 5000 + "\n", 2, 22, "too many digits is not between"),
    ("waiver = 1\n", 1, 1, "no part of a profile: `aoai-evidence waiver add`"),
    (f'[subscription."{A}".collection]\nworm = "any"\n', 2, 1, "collection.worm holds for the whole sweep"),
    ("[subscription.a.loaction]\n", 1, 17, 'unknown section "loaction"; did you mean "location"?'),
    ('[subscription."a/b".location]\n', 1, 15, '"a/b" is not a subscription id'),
    ('[resource_group."x".location]\n', 1, 17, '"x" is not /subscriptions/ID/resourceGroups/NAME'),
    (f'[resource."{RG}".location]\n', 1, 11, "is not the ARM id of a resource"),
    ("[subscription]\na = 1\n", 2, 1, "is how an override is written"),
    ("subscription = 1\n", 1, 1, "is how an override is written"),
    ("[subscription.AA.location]\neea = true\n[subscription.aa.location]\n", 3, 15, '"aa" is there twice'),
    ('[subscription.a.location]\ngeographies = ["Germny"]\n', 2, 16, "is not known"),
    ("a" * 200 + " = 1", 1, 1, "unknown section"),
    ('"a\\nb" = 1', 1, 1, 'unknown section "a\\nb"'),
    ("'''x''' = 1\n", 1, 3, "not TOML"),
]


@pytest.mark.parametrize(("text", "line", "column", "message"), WRONG, ids=[str(i) for i in range(len(WRONG))])
def test_what_is_wrong_is_said_with_its_place(text: str, line: int, column: int, message: str) -> None:
    with pytest.raises(Misuse) as caught:
        read_profile(text, "team.toml")
    said = str(caught.value)
    if "not TOML" in said and sys.version_info >= (3, 14):
        assert said.startswith(f"team.toml:{line}:")
    else:
        assert said.startswith(f"team.toml:{line}:{column}: "), said
    assert message in said
    assert "\n" not in said
    assert "(at line" not in said


def test_bytes_that_are_not_text() -> None:
    with pytest.raises(Misuse, match=r"^p:2:3: not UTF-8"):
        read_profile(b"\n# \xff", "p")


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert read_profile("\ufeff[location]\neea = true\n".encode()) == read_profile("[location]\neea = true\n")


def test_a_profile_nested_too_deep() -> None:
    with pytest.raises(Misuse, match=r"nested too deep|not TOML"):
        read_profile("a = " + "[" * 200_000)


TOKENS = [
    *"[]{}=.,\"'#\n\t ab1-\\",
    "location", "eea", "true", "subscription", '"""', "'''", "[location]\n", "[x.location]\n", "eea = true\n", "= [\n",
]  # fmt: skip


@settings(max_examples=200)
@given(st.lists(st.sampled_from(TOKENS), max_size=30))
def test_no_text_does_anything_but_read_or_say_why_not(tokens: list[str]) -> None:
    text = "".join(tokens)
    try:
        read_profile(text, "p")
    except Misuse as said:
        name, line, column, rest = str(said).split(":", 3)
        assert (name, int(line) >= 1, int(column) >= 1, bool(rest)) == ("p", True, True, True)
        assert int(line) <= text.count("\n") + 1


def test_no_profile_is_the_default() -> None:
    assert read_profile("") == DEFAULT
    assert effective(DEFAULT, DEPLOYMENT).because("monitoring.content_logging") == "default expectation"
    assert effective(DEFAULT, None).word("monitoring.content_logging") == "off"


def test_stating_a_default_is_a_declaration() -> None:
    stated = read_profile('[monitoring]\ncontent_logging = "OFF"\n')
    assert stated != DEFAULT
    assert effective(stated, ACCOUNT).word("monitoring.content_logging") == "off"
    assert effective(stated, ACCOUNT).because("monitoring.content_logging") == "expected by the profile"


LAYERS = f"""
[preview]
use = "allowed"
[network]
public_access = "any"
[subscription."AAAA-1".network]
public_access = "restricted"
private_endpoint = "required"
[resource_group."/subscriptions/AAAA-1/resourceGroups/Chat".network]
public_access = "disabled"
[resource."{ACCOUNT.upper()}".network]
private_endpoint = "any"
[resource."{DEPLOYMENT}".preview]
use = "forbidden"
"""


@pytest.mark.parametrize(
    ("resource", "access", "endpoint", "preview", "because"),
    [
        (None, "any", "any", "allowed", "expected by the profile"),
        ("/subscriptions/bbbb/x", "any", "any", "allowed", "expected by the profile"),
        ("/subscriptions/aaaa-11/x", "any", "any", "allowed", "expected by the profile"),
        (A, "restricted", "required", "allowed", "expected by the profile for this subscription"),
        (f"{A}/resourcegroups/chatter/x", "restricted", "required", "allowed", "expected by the profile for this subscription"),
        (RG, "disabled", "required", "allowed", "expected by the profile for this resource group"),
        (ACCOUNT, "disabled", "any", "allowed", "expected by the profile for this resource group"),
        (f"{ACCOUNT}-two", "disabled", "required", "allowed", "expected by the profile for this resource group"),
        (DEPLOYMENT, "disabled", "any", "forbidden", "expected by the profile for this resource group"),
        (f"{DEPLOYMENT}-4", "disabled", "any", "allowed", "expected by the profile for this resource group"),
    ],
)
def test_the_nearer_override_wins(resource: str | None, access: str, endpoint: str, preview: str, because: str) -> None:
    expect = effective(read_profile(LAYERS), resource)
    assert (expect.word("network.public_access"), expect.word("network.private_endpoint"), expect.word("preview.use")) == (
        access,
        endpoint,
        preview,
    )
    assert expect.because("network.public_access") == because


def test_an_override_can_take_an_expectation_back() -> None:
    profile = read_profile('[location]\ngeographies = ["France"]\n[subscription.x.location]\ngeographies = "any"\n')
    assert effective(profile, "/subscriptions/x").words("location.geographies") is None
    assert effective(profile, "/subscriptions/y").words("location.geographies") == ("France",)


def test_thresholds_of_single_harms() -> None:
    expect = effective(read_profile('[filters]\nthreshold = "high"\nthresholds = { hate = "Low" }\n'), None)
    assert (expect.threshold("hate"), expect.threshold("sexual")) == ("low", "high")


def test_a_geography_newer_than_the_table_is_taken() -> None:
    assert effective(read_profile('[location]\ngeographies = ["Finland"]\n'), None).words("location.geographies") == ("Finland",)


def test_every_known_name_is_accepted_as_it_is() -> None:
    """No geography or role is taken for a misspelling of another."""
    for key in KEYS:
        if key.sort in ("names", "choices"):
            assert accept(key, list(key.options)) == tuple(sorted(key.options))
            assert accept(key, [name.upper() for name in key.options]) == tuple(sorted(key.options))
    assert "Switzerland" in known_geographies()


def test_order_and_casing_make_no_other_profile() -> None:
    one = read_profile('[location]\ngeographies = ["germany", "France", "France"]\neea = true\n')
    assert one == read_profile('[location]\neea = true\ngeographies = ["FRANCE", "Germany"]\n')


def test_keys_are_complete() -> None:
    assert len(BY_PATH) == len(KEYS) == len(DEFAULTS)
    for key in KEYS:
        assert key.means
        assert accept(key, _json(key, key.default)) == key.default, key.path
        assert key.section in SECTIONS
    assert not set(SECTIONS) & {*LEVELS, "waiver"}


def _json(key: Key, value: Value) -> Json:
    return json.loads(canonical(to_json(key, value)))


def _values(key: Key) -> st.SearchStrategy[Json]:
    if key.sort == "choice":
        return st.sampled_from(key.options)
    if key.sort in ("choices", "names"):
        lists = st.lists(st.sampled_from(key.options), min_size=0 if key.may_be_empty else 1)
        return lists | st.just(ANY) if key.or_any else lists
    return {
        "flag": st.booleans(),
        "number": st.integers(key.least, 1_000_000),
        "schedule": st.sampled_from(["", "0 0 */6 * * *", "0 30 9 * * Mon-Fri"]),
        "thresholds": st.dictionaries(st.sampled_from(["hate", "sexual"]), st.sampled_from(["low", "high"])),
    }[key.sort]


@st.composite
def _declared(draw: st.DrawFn, keys: tuple[Key, ...]) -> tuple[tuple[str, Value], ...]:
    chosen = draw(st.lists(st.sampled_from(keys), unique=True, max_size=6))
    return tuple(sorted((key.path, accept(key, draw(_values(key)))) for key in chosen))


@st.composite
def _profiles(draw: st.DrawFn) -> Profile:
    declared = dict(draw(_declared(KEYS)))
    overridable = tuple(key for key in KEYS if not key.everywhere)
    targets = draw(st.lists(st.sampled_from([(0, A), (1, RG), (2, ACCOUNT), (2, DEPLOYMENT)]), unique=True))
    overrides = tuple(sorted(Override(rank, target, draw(_declared(overridable))) for rank, target in targets))
    return Profile(tuple(sorted({**DEFAULTS, **declared}.items())), tuple(sorted(declared)), overrides)


@given(_profiles())
def test_sealing_a_profile_loses_nothing(profile: Profile) -> None:
    sealed = canonical(canonical_profile(profile))
    again = from_canonical(json.loads(sealed))
    assert again == profile
    assert canonical(canonical_profile(again)) == sealed
    for resource in (None, A, ACCOUNT, DEPLOYMENT):
        assert effective(again, resource) == effective(profile, resource)
    assert set(json.loads(sealed)["expect"]) == set(DEFAULTS)


def test_a_sealed_profile_keeps_the_defaults_it_was_sealed_with() -> None:
    """A default may change in a later version; what was sealed was judged by is what is judged by again."""
    sealed = canonical_profile(DEFAULT)
    sealed["expect"]["preview.use"] = "allowed"
    expect = effective(from_canonical(sealed), None)
    assert (expect.word("preview.use"), expect.because("preview.use")) == ("allowed", "default expectation")


@pytest.mark.parametrize(
    "sealed",
    [
        None, 5, [], {}, {"v": 2}, {"v": 1}, {"v": 1, "expect": {}, "declared": [5], "overrides": []},
        {"v": 1, "expect": [], "declared": [], "overrides": []},
        {"v": 1, "expect": {"a.b": 1}, "declared": [], "overrides": []},
        {"v": 1, "expect": {"location.eea": "yes"}, "declared": [], "overrides": []},
        {"v": 1, "expect": {}, "declared": [], "overrides": [5]},
        {"v": 1, "expect": {}, "declared": [], "overrides": [{"level": "planet", "id": "/x", "expect": {}}]},
        {"v": 1, "expect": {}, "declared": [], "overrides": [{"level": "resource", "id": None, "expect": {}}]},
    ],
)  # fmt: skip
def test_a_sealed_profile_that_is_none(sealed: Json) -> None:
    with pytest.raises(Misuse):
        from_canonical(sealed)


@given(
    st.sampled_from(KEYS),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)),
)
def test_any_value_is_accepted_in_one_form_or_refused(key: Key, raw: Json) -> None:
    try:
        value = accept(key, raw)
    except NotAcceptedError as wrong:
        assert wrong.message
        return
    assert accept(key, _json(key, value)) == value


def test_places_of_keys_and_values_in_every_form_of_toml() -> None:
    text = """# "a" = 1
title = 'x#y' # [not.a.table]
[ a . "b.c" ]
d = [ 1, # one
  { e = 2 },
  \"\"\" ]]] # \\\"\"\" \"\"\"\"\",
  ''' '' ''', ]
f.g = { h = [1, 2], "i\\u0041" = 1979-05-27 07:32:00 }
[[t]]
k = 1
[[t]]
k = 2
[t.u]
l = true
"""
    places = find_places(text)
    assert places.at(("title",)) == (2, 1)
    assert places.at(("a", "b.c", "d")) == (4, 1)
    assert places.at(("a", "b.c", "d", 1, "e")) == (5, 5)
    assert places.at(("a", "b.c", "d", 2)) == (6, 3)
    assert places.at(("a", "b.c", "d", 3)) == (7, 3)
    assert places.at(("a", "b.c", "f", "g", "h", 1)) == (8, 17)
    assert places.at(("a", "b.c", "f", "g", "iA"), value=True) == (8, 33)
    assert places.at(("t", 1, "k")) == (12, 1)
    assert places.at(("t", 1, "u", "l")) == (14, 1)
    assert places.at(("nothing", "like", "it")) == (1, 1)
    assert places.at(("title", "below")) == (2, 1)
