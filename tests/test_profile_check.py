"""`profile check` says which rule decides for a resource; the JSON Schema agrees with what is read."""

import json
import tomllib

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Misuse
from shared.judge.expectation import DEFAULTS, KEYS
from shared.judge.profile import effective
from shared.judge.profile_schema import schema
from shared.judge.profile_text import read_profile
from shared.service.profiles import explain
from tests.fixtures.commandline import office

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourcegroups/sandbox"
ACCOUNT = f"{GROUP}/providers/microsoft.cognitiveservices/accounts/chat"
TEXT = f"""
[location]
geographies = ["France"]
[preview]
use = "forbidden"
[subscription."00000000-0000-0000-0000-000000000001".location]
geographies = ["Germany"]
[resource_group."{GROUP}".preview]
use = "allowed"
[resource."{ACCOUNT}".location]
geographies = ["Sweden"]
"""


def rules(text, resource):
    return {rule.key: rule for rule in explain(read_profile(text), resource)}


def test_the_nearest_rule_decides_and_the_others_are_named():
    found = rules(TEXT, ACCOUNT.upper().replace("/SUBSCRIPTIONS", "/subscriptions"))["location.geographies"]
    assert (found.value, found.source) == (["Sweden"], f"resource {ACCOUNT}")
    assert [line.partition(" ")[0].rstrip(":") for line in found.beside] == ["default", "profile", "subscription"]
    group = rules(TEXT, ACCOUNT)["preview.use"]
    assert (group.value, group.source) == ("allowed", f"resource group {GROUP}")
    assert rules(TEXT, f"{SUBSCRIPTION}/resourcegroups/other")["location.geographies"].source == f"subscription {SUBSCRIPTION}"
    assert rules(TEXT, "/subscriptions/other")["location.geographies"].source == "profile"
    assert rules(TEXT, ACCOUNT)["tls.minimum"].source == "default"


@pytest.mark.parametrize("resource", [ACCOUNT, GROUP, SUBSCRIPTION, "/subscriptions/other"])
def test_what_is_explained_is_what_is_judged_by(resource):
    expect = effective(read_profile(TEXT), resource)
    for key, rule in rules(TEXT, resource).items():
        value = expect.values[key]
        assert rule.value == (list(value) if isinstance(value, tuple) and key != "filters.thresholds" else dict(value) if isinstance(value, tuple) else value)
        assert rule.source.startswith(expect.sources.get(key, "default"))


def test_the_schema_is_one_and_takes_what_the_reader_takes():
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.validate(tomllib.loads(TEXT), schema())
    jsonschema.validate({}, schema())


@pytest.mark.parametrize("text", [
    '[location]\ngeographys = ["France"]', '[locations]\neea = true', '[location]\neea = "yes"', "[location]\ngeographies = []", '[tls]\nminimum = "TLSv1"',
    '[subscription."x".collection]\nschedule = "0 0 * * * *"', "[collection]\nclock_skew_seconds = 0", '[filters]\nthresholds = { hate = "none" }',
])  # fmt: skip
def test_what_the_reader_refuses_the_schema_refuses(text):
    with pytest.raises(Misuse):
        read_profile(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), schema())


def values(key):
    if key.sort == "choice":
        return st.sampled_from(key.options)
    if key.sort in ("choices", "names"):
        return st.lists(st.sampled_from(key.options), min_size=0 if key.may_be_empty else 1, max_size=3, unique=True)
    if key.sort == "flag":
        return st.booleans()
    if key.sort == "number":
        return st.integers(key.least, 1000)
    return st.just("0 0 */6 * * *") if key.sort == "schedule" else st.just({})


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_the_schema_lets_pass_in_its_own_words_is_read(data):
    chosen = data.draw(st.lists(st.sampled_from(KEYS), max_size=6, unique=True))
    document = {}
    for key in chosen:
        document.setdefault(key.section, {})[key.name] = data.draw(values(key))
    jsonschema.validate(document, schema())
    lines = []
    for section, keys in document.items():
        lines += [f"[{section}]", *(f"{name} = {json.dumps(value) if value != {} else '{}'}" for name, value in keys.items())]
    read_profile("\n".join(lines))


def test_every_key_is_in_the_schema_with_its_default():
    made = schema()["properties"]
    for key in KEYS:
        assert key.means.lower().rstrip(".") in made[key.section]["properties"][key.name]["description"].lower()
    sections = set(made) - {"subscription", "resource_group", "resource"}
    assert set(DEFAULTS) == {f"{section}.{name}" for section in sections for name in made[section]["properties"]}


def test_the_commands(tmp_path):
    (tmp_path / "p.toml").write_text(TEXT)
    (tmp_path / "bad.toml").write_text('[preview]\nuse = "alowed"\n')
    with office(tmp_path) as desk:
        assert "2 keys declared" in desk("profile", "check", str(tmp_path / "p.toml")).out
        found = desk("profile", "check", str(tmp_path / "p.toml"), "--resource", ACCOUNT, "--json").json
        assert next(rule for rule in found if rule["key"] == "preview.use")["source"].startswith("resource group")
        wrong = desk("profile", "check", str(tmp_path / "bad.toml"))
        assert (wrong.code, wrong.out) == (2, "") and "bad.toml:2:7" in wrong.err
        assert desk("profile", "check", "--resource", "chat").code == 2
        assert json.loads(desk("profile", "schema").out) == schema()
