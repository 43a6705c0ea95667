"""`redact`: nothing personal or secret is left, nothing else is touched, and nothing but ValueError comes out of bad input."""

import base64
import hashlib
import json
import random
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.canonical import Json, canonical
from shared.privacy.fields import rules
from shared.privacy.redact import WITHHELD, redact
from shared.privacy.spans import value_end

HEX32 = "0123456789abcdef" * 2
AI_KEY = "A1b2" * 13 + "JQQJ9" + "9BACxyz" + "Q" * 20
COMMITTED_START = b'{"committed":"'


class Commitments:
    """Stands for `Disclosures`: remembers what was committed."""

    def __init__(self) -> None:
        self.values: dict[bytes, Json] = {}

    def __call__(self, value: Json) -> bytes:
        digest = hashlib.sha256(b"salt" + canonical(value)).digest()
        committed = canonical({"committed": base64.b64encode(digest).decode()})
        self.values[committed] = value
        return committed


def cleaned(body: Json | bytes, kind: str = "account", commit: Callable[[Json], bytes] | None = None) -> Json:
    """What is left of a body, parsed: commitments read `C`, withheld values `W`."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return shortened(json.loads(redact(raw, kind, commit or Commitments()).body))


def shortened(value: Json) -> Json:
    if isinstance(value, dict):
        return {"committed": "C", "withheld": "W"}[next(iter(value))] if set(value) in ({"committed"}, {"withheld"}) else {
            key: shortened(member) for key, member in value.items()
        }
    return [shortened(item) for item in value] if isinstance(value, list) else value


# --- what is replaced ---


@pytest.mark.parametrize(("body", "left"), [
    ({"systemData": {"createdBy": "a", "createdByType": "User", "lastModifiedBy": "b"}},
     {"systemData": {"createdBy": "C", "createdByType": "User", "lastModifiedBy": "C"}}),
    ({"tags": {"Owner": "felixwa", "cost": "7", "empty": ""}}, {"tags": {"Owner": "C", "cost": "C", "empty": ""}}),
    ({"tags": ["felixwa"]}, {"tags": "C"}),
    ({"tags": {"a": {"b": "felixwa"}}}, {"tags": {"a": "C"}}),
    ({"caller": "a", "claims": {"name": "a"}, "httpRequest": {"method": "PUT", "clientIpAddress": "::1", "other": "x"}},
     {"caller": "C", "claims": "C", "httpRequest": {"method": "PUT", "clientIpAddress": "C", "other": "C"}}),
    ({"sharedUserList": ["a"], "isSharedToAll": False}, {"sharedUserList": "C", "isSharedToAll": False}),
    ({"CREATEDBY": "a", "FileName": "b"}, {"CREATEDBY": "C", "FileName": "C"}),
    ({"createdBy": 5, "updatedBy": None, "mail": False}, {"createdBy": "C", "updatedBy": None, "mail": False}),
    ({"anything": "write to bob@contoso.com"}, {"anything": "C"}),
    ({"description": "{no JSON", "message": "[" * 100_000}, {"description": "C", "message": "C"}),
    (["bob@contoso.com", ["x", "bob_contoso.com#EXT#@tenant.onmicrosoft.com"]], ["C", ["x", "C"]]),
    ("bob@contoso.com", "C"),
    ({"azureml": "azureml://x/workspaces/acct@project@AML/agents/a"}, {"azureml": "azureml://x/workspaces/acct@project@AML/agents/a"}),
])
def test_personal_values_are_committed(body: Json, left: Json) -> None:
    assert cleaned(body) == left


@pytest.mark.parametrize(("body", "left"), [
    ({"credentials": {"key": "k"}}, {"credentials": "W"}),
    ({"credentials": {"clientId": "c"}, "authType": "ManagedIdentity"}, {"credentials": "W", "authType": "ManagedIdentity"}),
    ({"credentials": {}, "password": "", "secret": None}, {"credentials": {}, "password": "", "secret": None}),
    ({"eventHubConnectionString": "x", "storageAccountConnectionString": "x", "qnaAzureSearchEndpointKey": "x", "statisticsEnabled": True},
     {"eventHubConnectionString": "W", "storageAccountConnectionString": "W", "qnaAzureSearchEndpointKey": "W", "statisticsEnabled": True}),
    ({"api-key": "x", "API_KEY": "x", "Client Secret": "x"}, {"api-key": "W", "API_KEY": "W", "Client Secret": "W"}),
    ({"key": "x", "keys": ["x"], "key1": "x", "pat": "x", "sas": "x", "accessToken": "x", "migrationToken": 7},
     {"key": "W", "keys": "W", "key1": "W", "pat": "W", "sas": "W", "accessToken": "W", "migrationToken": "W"}),
    ({"key": "openai.dalle.post", "count": 30}, {"key": "openai.dalle.post", "count": 30}),
    ({"key": HEX32, "count": 30}, {"key": "W", "count": 30}),
    ({"bingKey": HEX32, "bingKey2": HEX32, "keyVersion": HEX32, "internalId": HEX32, "token": HEX32, "Token": "https://x/"},
     {"bingKey": "W", "bingKey2": "W", "keyVersion": HEX32, "internalId": HEX32, "token": "W", "Token": "https://x/"}),
    ({"x": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc=="}, {"x": "W"}),
    ({"x": "Endpoint=sb://n/;SharedAccessKeyName=Root;SharedAccessKey=abc"}, {"x": "W"}),
    ({"x": "Endpoint=sb://n/;SharedAccessKeyName=Root"}, {"x": "Endpoint=sb://n/;SharedAccessKeyName=Root"}),
    ({"x": "Server=s;User=u;Password = abc"}, {"x": "W"}),
    ({"sampleBlobUrl": "https://a/b?sv=2024&sig=abcdefghijklmnop%2Fqrs%3D"}, {"sampleBlobUrl": "W"}),
    ({"x": "https://a/b?sv=2024&signed=1"}, {"x": "https://a/b?sv=2024&signed=1"}),
    ({"x": "https://bob:hunter2@git.contoso.com/r"}, {"x": "W"}),
    ({"x": "eyJ" + "a" * 20 + ".eyJ" + "b" * 20 + "." + "c" * 20}, {"x": "W"}),
    ({"x": "-----BEGIN RSA PRIVATE KEY-----\nMII"}, {"x": "W"}),
    ({"x": "-----BEGIN CERTIFICATE-----\nMII"}, {"x": "-----BEGIN CERTIFICATE-----\nMII"}),
    ({"x": AI_KEY}, {"x": "W"}),
    ({"x": ["a", {"y": "abc8Q~" + "d" * 34}]}, {"x": ["a", {"y": "W"}]}),
    ({"x": "A" * 86 + "=="}, {"x": "W"}),
    ({"x": "https://a/?$skiptoken=abc&api-version=2025-09-01"}, {"x": "https://a/?$skiptoken=abc&api-version=2025-09-01"}),
])
@pytest.mark.parametrize("mode", ["commit", "keep"])
def test_secrets_are_withheld_in_either_mode(body: Json, left: Json, mode: str) -> None:
    raw = json.dumps(body).encode()
    assert shortened(json.loads(redact(raw, "account", Commitments() if mode == "commit" else None).body)) == left


@pytest.mark.parametrize("body", [
    {"tags": {"password": "x"}},
    {"tags": {"key": "x", "count": "3"}},
    {"tags": {"note": "AccountKey=abc"}},
    {"claims": {"inner": [{"clientSecret": "x"}]}},
    {"claims": {"myKey": HEX32}},
    {"description": "password=abc"},
    {"description": json.dumps({"properties": {"credentials": {"key": "x"}}})},
])
def test_a_secret_within_a_personal_value_reaches_not_even_the_erasable_side(body: Json) -> None:
    commitments = Commitments()
    assert "W" in json.dumps(cleaned(body, commit=commitments))
    assert "x" not in commitments.values.values() and len(commitments.values) < 2


def test_mode_keep_leaves_what_is_personal() -> None:
    body = b'{"createdBy":"bob@contoso.com","tags":{"owner":"bob"},"credentials":{"key":"x"}}'
    result = redact(body, "account", None)
    assert result.body == b'{"createdBy":"bob@contoso.com","tags":{"owner":"bob"},"credentials":{"withheld":"secret"}}'
    assert (result.withheld, result.committed) == (1, 0)


def test_the_kind_decides_where_the_words_are_azures_own() -> None:
    body = {"displayName": "East US", "description": "x"}
    assert cleaned(body, "locations") == body
    assert cleaned(body, "subscriptions") == {"displayName": "C", "description": "C"}
    metadata = {"ApiType": "Azure", "ResourceId": "/subscriptions/x", "owner": "Bob", "api_key": "x", "Location": "bob@contoso.com"}
    assert cleaned({"metadata": metadata}, "connections")["metadata"] == {
        "ApiType": "Azure", "ResourceId": "/subscriptions/x", "owner": "C", "api_key": "W", "Location": "C",
    }
    assert cleaned({"metadata": {"geography": "Sweden"}}, "locations") == {"metadata": {"geography": "Sweden"}}


def test_what_is_replaced_already_stays_but_nothing_that_only_looks_so() -> None:
    ours = {"committed": base64.b64encode(b"x" * 32).decode()}
    stays = {"createdBy": ours, "tags": {"a": ours}, "credentials": {"withheld": "secret"}, "claims": {"withheld": "secret"}}
    assert redact(json.dumps(stays).encode(), "account", Commitments()).body == json.dumps(stays).encode()
    for forged in ({"committed": "bob"}, {"withheld": "bob"}, {**ours, "name": "bob"}, [ours], {"committed": ours}):
        assert cleaned({"createdBy": forged}) == {"createdBy": "C"}


# --- how it is replaced ---


def test_every_other_byte_stays() -> None:
    body = (
        b'\n{ "b" : 1.50e+2,"a":\t"\\u0041\\/\xc3\xa9","createdBy" : "b\\u006fb" ,"a":"again",'
        b'"createdBy":"ann" ,\r\n "tags": { "x" :"bob" } , "z":[ ]}\n'
    )
    commitments = Commitments()
    bob, ann = commitments("bob"), commitments("ann")
    assert redact(body, "account", commitments).body == (
        b'\n{ "b" : 1.50e+2,"a":\t"\\u0041\\/\xc3\xa9","createdBy" : ' + bob + b' ,"a":"again",'
        b'"createdBy":' + ann + b' ,\r\n "tags": { "x" :' + bob + b' } , "z":[ ]}\n'
    )


def test_key_names_are_met_however_they_are_spelled() -> None:
    body = rb'{"created\u0042y":"bob","\u0063redentials":{"k":"s"},"a\"createdBy":"stays","x":"\"createdBy\":\"stays\"","y":["createdBy"]}'
    left = redact(body, "account", Commitments())
    assert (left.committed, left.withheld) == (1, 1)
    assert rb'"a\"createdBy":"stays","x":"\"createdBy\":\"stays\"","y":["createdBy"]' in left.body
    escaped = rb'{"x":"bob\u0040contoso.com","y":"Account\u004Bey=abc","z":"\u0065yJhbGciOiJIUzI1.eyJhbGciOiJIUzI1.x"}'
    assert cleaned(escaped) == {"x": "C", "y": "W", "z": "W"}


def test_a_byte_order_mark_stays_in_front() -> None:
    assert redact(b'\xef\xbb\xbf{"pat":"x"}', "account", None).body == b'\xef\xbb\xbf{"pat":' + WITHHELD + b"}"


def test_lone_surrogates_are_values_like_others() -> None:
    commitments = Commitments()
    result = redact(rb'{"createdBy":"\ud800x","other":"\udfff"}', "account", commitments)
    assert list(commitments.values.values()) == ["\ud800x"]
    assert result.body.endswith(rb',"other":"\udfff"}')


@pytest.mark.parametrize("body", [
    b"", b" ", b"nul", b"{", b'{"a":1}}', b'{"createdBy":}', b'{"createdBy":bob}', b'{"createdBy":"a" "b"}', b'{"createdBy":"bob', b"NaN",
    b'{"createdBy":NaN}', b'{"a":Infinity}', b"{'a':1}", b'{"a":"\n"}', b'{"createdBy":"\n"}', b'{"createdBy":[}]}', b'{"a":1,}', b"]",
    b'"\xed\xa0\x80"', b'{"createdBy":"\xff"}', b"\xef\xbb\xbf", b"<html>bob@contoso.com</html>", '{"createdBy":"bob"}'.encode("utf-16"),
    '{"createdBy":"bob"}'.encode("utf-16-le"), '{"createdBy":"bob"}'.encode("utf-32"), b'{"a":' + b"9" * 5000 + b"}",
    b'{"createdBy":1e999}', b"[" * 10_000 + b"]" * 10_000, b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"createdBy":' * 10_000 + b'"bob"' + b"}" * 10_000, b'{"tags":{"a":' * 10_000 + b'"bob"' + b"}}" * 10_000,
    b'{"CreatedBy":' + b"[" * 10_000 + b"]" * 10_000 + b"}", b'{"Metadata":{"kind":' * 10_000 + b'"bob"' + b"}}" * 10_000,
])
def test_what_is_not_json_or_cannot_be_looked_through_is_refused_without_quoting_it(body: bytes) -> None:
    with pytest.raises(ValueError) as caught:
        redact(body, "connections", Commitments())
    error: BaseException | None = caught.value
    assert "bob" not in str(error)
    while error is not None:  # the errors of json and of decoding hold the whole text
        assert not hasattr(error, "doc") and not hasattr(error, "object")
        error = error.__cause__


def test_what_cannot_be_replaced_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be replaced"):
        redact(b'{"AccountKey=abc;x":1}', "account", None)
    with pytest.raises(ValueError, match="cannot be replaced"):
        redact(b'{"createdBy":"bob"}', "account", lambda value: b'{"committed":"bob"}')


def test_an_error_of_the_commitments_comes_through() -> None:
    def broken(value: Json) -> bytes:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="disk"):
        redact(b'{"createdBy":"bob"}', "account", broken)


# --- properties ---

PERSONAL_NAMES = ["createdBy", "lastModifiedBy", "updatedBy", "CALLER", "claims", "description", "DisplayName", "sharedUserList"]
SECRET_NAMES = ["key", "keys", "apiKey", "api-key", "clientSecret", "credentials", "connectionString", "password", "sas"]
HARMLESS_NAMES = ["id", "value", "properties", "tags", "keyName", "count", "", 'quo"te', "back\\slash", "createdByType", "é", "\u2028"]


class Marked:
    """A value that must not be seen: every text in it has a mark that occurs nowhere else."""

    def __init__(self, value: Json, name: str) -> None:
        self.value = value
        self.name = name


TEXTS = st.text(st.characters(codec=None, exclude_characters="§"), max_size=6) | st.sampled_from(
    ["=", "@", "~", "a@b", "://", "eyJ", "-----", "\ud800", "x" * 40]
)
MARKED_TEXTS = TEXTS.map(lambda text: f"§{text}§")
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
MARKED_VALUES = st.recursive(
    MARKED_TEXTS,
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(TEXTS, inner, min_size=1, max_size=3),
    max_leaves=4,
)


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> Json:
    """JSON as lists of pairs (objects, keys may repeat), lists and scalars; marked values at random places."""
    sort = draw(st.integers(0, 3 if depth else 0))
    if sort == 0:
        return draw(SCALARS)
    if sort == 1:
        return [draw(trees(depth=depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    pairs = []
    for _ in range(draw(st.integers(0, 5))):
        if draw(st.booleans()):
            name = draw(st.sampled_from(PERSONAL_NAMES + SECRET_NAMES))
            pairs.append((name, Marked(draw(MARKED_VALUES), name)))
        else:
            pairs.append((draw(st.sampled_from(HARMLESS_NAMES)), draw(trees(depth=depth - 1))))
    if any(name == "count" for name, _ in pairs):  # beside it, `key` names a rate limit
        pairs = [pair for pair in pairs if pair[0] != "key"]
    return Pairs(pairs)


class Pairs(list):  # type: ignore[type-arg]
    """An object."""


def spelled(tree: Json, rng: random.Random) -> str:
    """A text of `tree` with random whitespace, escapes and spellings of numbers."""
    gap = lambda: "".join(rng.choices([" ", "\n", "\t", "\r", ""], [1, 1, 1, 1, 12], k=2))  # noqa: E731
    if isinstance(tree, Marked):
        return spelled(tree.value, rng)
    if isinstance(tree, dict):
        tree = Pairs(tree.items())
    if isinstance(tree, Pairs):
        members = (f"{gap()}{spelled_text(name, rng)}{gap()}:{gap()}{spelled(value, rng)}{gap()}" for name, value in tree)
        return "{" + ",".join(members) + "}"
    if isinstance(tree, list):
        return "[" + ",".join(f"{gap()}{spelled(item, rng)}{gap()}" for item in tree) + "]"
    if isinstance(tree, str):
        return spelled_text(tree, rng)
    return json.dumps(tree).replace("e", rng.choice("eE")) if isinstance(tree, float) else json.dumps(tree)


def spelled_text(text: str, rng: random.Random) -> str:
    parts = []
    for character in text:
        plain = json.dumps(character, ensure_ascii=False)[1:-1]
        if 0xD800 <= ord(character) < 0xE000 or (ord(character) < 0x10000 and rng.random() < 0.1):
            plain = f"\\u{ord(character):04x}" if rng.random() < 0.5 else f"\\u{ord(character):04X}"
        parts.append("\\/" if plain == "/" and rng.random() < 0.5 else plain)
    return '"' + "".join(parts) + '"'


def texts(tree: Json) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, list):
        for item in tree:
            yield from texts(item)
    elif isinstance(tree, tuple):
        for name, value in tree:
            yield name
            yield from texts(value)


def unredacted(redacted: bytes, original: bytes, commitments: Commitments) -> bytes:
    """Put back what was replaced, taking each value's spelling from its own place in `original` and its meaning from the commitment."""
    restored, done = b"", 0
    while True:
        starts = [at for at in (redacted.find(COMMITTED_START, done), redacted.find(WITHHELD, done)) if at >= 0]
        if not starts:
            return restored + redacted[done:]
        start = min(starts)
        restored += redacted[done:start]
        done = value_end(redacted, start)
        spelling = original[len(restored) : value_end(original, len(restored))]
        if redacted[start:done] != WITHHELD:
            assert json.loads(spelling) == commitments.values[redacted[start:done]]
        restored += spelling


@settings(max_examples=120, deadline=None)
@given(trees(), st.integers(0, 2**32), st.booleans())
def test_no_marked_value_is_left_and_putting_back_gives_the_same_bytes(tree: Json, seed: int, keep: bool) -> None:
    body = spelled(tree, random.Random(seed)).encode("utf-8", "strict")
    commitments = Commitments()
    result = redact(body, "account", None if keep else commitments)
    if not keep:
        assert "§" not in result.body.decode()
        assert not any("§" in text for text in texts(json.loads(result.body, object_pairs_hook=tuple)))
    assert unredacted(result.body, body, commitments) == body
    again = redact(result.body, "account", None if keep else commitments)
    assert again.body == result.body


@settings(max_examples=100, deadline=None)
@given(trees(), st.integers(0, 2**32))
def test_the_quick_search_and_the_walk_agree(tree: Json, seed: int) -> None:
    body = spelled(tree, random.Random(seed)).encode()
    quick = redact(body, "account", Commitments())
    table = rules("account", personal=True)
    usual, table.usual = table.usual, ()
    try:
        assert redact(body, "account", Commitments()) == quick
    finally:
        table.usual = usual


@settings(max_examples=100, deadline=None)
@given(trees(), st.integers(0, 2**32), st.data())
def test_damaged_bodies_are_refused_or_still_clean(tree: Json, seed: int, data: st.DataObject) -> None:
    body = bytearray(spelled(tree, random.Random(seed)).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(body)))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2) | st.sampled_from([b'"', b"\\", b"{", b"]", b","]))
    try:
        result = redact(bytes(body), "account", Commitments())
    except ValueError:
        return
    json.loads(result.body)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=40).map(lambda text: text.encode("utf-16")))
def test_any_bytes_at_all_give_json_or_value_error(body: bytes) -> None:
    try:
        result = redact(body, "account", Commitments())
    except ValueError:
        return
    json.loads(result.body)


# --- speed ---


def test_it_is_quick(capsys: pytest.CaptureFixture[str]) -> None:
    account = {
        "id": "/subscriptions/x/resourceGroups/y/providers/Microsoft.CognitiveServices/accounts/z",
        "properties": {
            "capabilities": [{"name": f"Capability{n}", "value": "true"} for n in range(40)],
            "endpoints": {f"Service {n} API": f"https://z.openai.azure.com/{n}" for n in range(20)},
        },
        "systemData": {"createdBy": "user@example.com", "lastModifiedBy": "user@example.com", "createdAt": "2026-01-01"},
    }
    small = json.dumps(account, separators=(",", ":")).encode()
    rule = {"key": "openai.dalle.post", "renewalPeriod": 1, "count": 30, "matchPatterns": [{"path": "dalle/*", "method": "POST"}] * 5}
    account["properties"]["callRateLimit"] = {"rules": [rule] * 125}  # type: ignore[index]
    large = json.dumps(account, separators=(",", ":")).encode()
    committed = Commitments()("user@example.com")
    for body, runs, bound in ((small, 300, 0.001), (large, 30, 0.02)):
        took = []
        for _ in range(runs):
            start = time.perf_counter()
            redact(body, "account", lambda value: committed)
            took.append(time.perf_counter() - start)
        parse = []
        for _ in range(runs):
            start = time.perf_counter()
            json.loads(body)
            parse.append(time.perf_counter() - start)
        with capsys.disabled():
            print(f"\nredact {len(body):,} bytes: {min(took) * 1e6:.0f} µs (json.loads alone: {min(parse) * 1e6:.0f} µs)")
        assert min(took) < bound  # twenty times what it takes: for a busy machine
