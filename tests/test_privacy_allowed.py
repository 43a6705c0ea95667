"""Answers in which customers write: nothing off the list survives, everything on it keeps its bytes, people and addresses are committed to."""

import json
from copy import deepcopy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local import data_shapes as shapes
from infra.local.data_shapes import WORDS
from shared.collect.endpoints import OWN
from shared.privacy import allowed
from shared.privacy.allowed import COLUMNS, FIGURES, OF_KIND, OTHERS, PLAIN, ROWS, WHOLE
from shared.privacy.allowed import WORDS as SENTENCE
from shared.privacy.fields import ACTIVITY, DATA_PLANE, EVENT, LOGS
from shared.privacy.listed import parsed_pairs, unlisted
from shared.privacy.patterns import clear
from shared.privacy.screen import screened
from tests.test_judge_samples import EXAMPLES as SHARED
from tests.test_judge_samples import need
from tests.test_privacy_redact import Commitments, shortened

EXAMPLES = SHARED / "examples"
MARK = "secret plans of the customer"


def kept(body, kind, commit=None):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return screened(raw, kind, commit or Commitments())


def left(body, kind):
    return shortened(json.loads(kept(body, kind)))


def a_page(*items):
    return {"object": "list", "data": list(items), "has_more": False, "last_id": None}


# -- the tables ---------------------------------------------------------------------------------------------------------


def test_every_kind_in_which_customers_write_has_a_table():
    assert set(OF_KIND) == {*OWN, *LOGS, *ACTIVITY, EVENT}
    assert set(DATA_PLANE) == OWN


def walk(shape, path=()):
    yield path, shape
    if isinstance(shape, dict):
        for name, inner in shape.items():
            yield from walk(inner, (*path, name))


def test_the_tables_hold_no_name_under_which_customers_write_content():
    content = {"metadata", "instructions", "description", "messages", "content", "prompt", "input", "output", "text", "attributes", "grader", "samples"}
    for kind in OWN:
        assert not [path for path, _ in walk(OF_KIND[kind]) if path and path[-1] in content], kind
    assert all(shape is not WHOLE for kind in (*OWN, *LOGS) for _, shape in walk(OF_KIND[kind]))


# -- properties ---------------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.just(MARK) | st.sampled_from(["", "x", "succeeded", "file-0123456789"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*"abc", "metadata", "id", "name", "data", "error"]), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def answers(draw, kind):
    """A body of a kind, along its table, with strange things wherever something may stand."""

    def value(shape):
        if draw(st.integers(0, 9)) == 0:
            return draw(JSON)
        if isinstance(shape, dict):
            names = draw(st.lists(st.sampled_from([*shape, "new_field", "metadata"]), max_size=4, unique=True))
            made = {name: value(shape[name]) if name in shape and name != OTHERS else draw(JSON) for name in names}
            return [made, made] if draw(st.integers(0, 4)) == 0 else made
        if shape is FIGURES:
            return draw(st.dictionaries(st.sampled_from(["total", "n_epochs", MARK]), st.integers() | st.just(MARK) | st.none(), max_size=2))
        if shape is SENTENCE:
            return draw(st.sampled_from(["Job started.", f"The line {MARK} is invalid.", None]))
        return draw(st.sampled_from([1, None, True, "x", ["a", 1], "id-1"]) | JSON)

    items = draw(st.lists(st.just(0), max_size=3))
    return {"object": "list", "data": [value(OF_KIND[kind]["data"]) for _ in items], **draw(st.dictionaries(st.sampled_from(["has_more", "usage"]), JSON))}


def survivors(value, shape, path=""):
    """Everything clear in `value` that `shape` does not list, found the slow and simple way: a third reading of the tables."""
    if isinstance(value, dict) and set(value) in ({"withheld"}, {"committed"}):
        return []
    if isinstance(shape, dict):
        if isinstance(value, list):
            return [found for item in value for found in survivors(item, shape, path)]
        if not isinstance(value, dict):
            return [path] if clear(value) else []
        return [f for name, member in value.items() for f in (survivors(member, shape[name], f"{path}/{name}") if name in shape else
                                                             [f"{path}/{name}"] if (clear(member) and not isinstance(member, dict)) or
                                                             (isinstance(member, dict) and member and set(member) != {"withheld"}) else [])]  # fmt: skip
    if isinstance(value, dict):
        return [path] if (value and shape is not FIGURES) or any(isinstance(v, str) and v for v in value.values()) else []
    if isinstance(value, list):
        return [found for item in value for found in survivors(item, shape, path)]
    if isinstance(value, str) and value and shape is SENTENCE and not allowed.own_words(value):
        return [path]
    return [path] if isinstance(value, str) and value and shape is FIGURES else []


@pytest.mark.parametrize("kind", sorted(OWN))
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_nothing_off_the_list_survives(kind, data):
    body = data.draw(answers(kind))
    for commit in (Commitments(), None):
        result = json.loads(screened(json.dumps(body).encode(), kind, commit))
        assert survivors(result, OF_KIND[kind]) == []


@pytest.mark.parametrize("kind", sorted(OWN))
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_screening_twice_is_screening_once_and_other_bytes_stay(kind, data):
    body = data.draw(answers(kind))
    raw = json.dumps(body, indent=data.draw(st.sampled_from([None, 1]))).encode()
    commitments = Commitments()
    once = screened(raw, kind, commitments)
    assert screened(once, kind, commitments) == once
    if not unlisted(parsed_pairs(raw), OF_KIND[kind]):
        assert screened(raw, kind, None) == raw, "in mode keep, what is listed stays to the byte"


@given(st.binary(max_size=60) | st.text(max_size=40).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_anything_else_is_refused_or_clean(data):
    for kind in ("files", "resourceLogDeletions", "activityLogInsights"):
        try:
            screened(data, kind, Commitments())
        except ValueError as error:
            assert data.decode("utf-8", "replace") not in str(error) or len(data) < 4


@pytest.mark.parametrize("raw", [
    b'{"data":[{"metadata":{"a":"x"},"metadata":{"b":"y"}}],"data":[{"instructions":"z"}]}',
    b'{"data":[{"\\u006detadata":"x"}]}',
    b'  {"data" : [ {"id":"a" , "metadata" : {"k":["v",{"w":"}]"}]} } ] }\n',
    b'\xef\xbb\xbf{"data":[{"metadata":"x"}]}',
    b'{"data":[[{"metadata":"x"}],[[{"description":"y"}]]]}',
    b'{"data":{"id":"a","metadata":"x"}}',
    b'"text"', b'[{"metadata":"x"}]', b'{"data":"text"}',
])  # fmt: skip
def test_in_whatever_shape_it_comes(raw):
    result = kept(raw, "assistants")
    assert not unlisted(parsed_pairs(result.removeprefix(b"\xef\xbb\xbf")), OF_KIND["assistants"])
    for word in (b'"x"', b'"y"', b'"z"', b"text", b'"v"'):
        assert word not in result


def test_deep_nesting_is_cleaned_or_refused_and_raises_nothing_else():
    for raw in (b'{"data":' * 5_000 + b"1" + b"}" * 5_000, b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"data":[[' + b'{"id":[' * 900):
        try:
            assert len(kept(raw, "files")) < 100
        except ValueError as error:
            assert "data" not in str(error)


# -- what stays, what goes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "item", "shown"), [
    ("files", {"id": "file-1", "object": "file", "filename": "Mueller.pdf", "bytes": 5, "purpose": "assistants", "status_details": "line 3: Mueller", "x": 1},
     {"id": "file-1", "object": "file", "filename": "C", "bytes": 5, "purpose": "assistants", "status_details": "W", "x": "W"}),
    ("fineTuningJobs", {"id": "ftjob-1", "suffix": "mueller", "metadata": {"who": "x"}, "result_files": ["file-2"], "error": {"code": "c", "message": "of Mueller"},
                        "method": {"type": "reinforcement", "reinforcement": {"grader": {"prompt": "x"}, "hyperparameters": {"n_epochs": 3}}}},
     {"id": "ftjob-1", "suffix": "C", "metadata": "W", "result_files": ["file-2"], "error": {"code": "c", "message": "W"},
      "method": {"type": "reinforcement", "reinforcement": {"grader": "W", "hyperparameters": {"n_epochs": 3}}}}),
    ("batches", {"id": "batch_1", "input_file_id": "file-1", "errors": {"object": "list", "data": [{"code": "x", "line": 3, "message": "Mueller is"}]},
                 "output_blob": "https://s.blob.core.windows.net/c/Mueller.jsonl", "metadata": None, "request_counts": {"total": 3}},
     {"id": "batch_1", "input_file_id": "file-1", "errors": {"object": "list", "data": [{"code": "x", "line": 3, "message": "W"}]},
      "output_blob": "C", "metadata": None, "request_counts": {"total": 3}}),
    ("vectorStores", {"id": "vs_1", "name": "Mueller", "metadata": {}, "file_counts": {"total": 1}, "description": "x"},
     {"id": "vs_1", "name": "C", "metadata": {}, "file_counts": {"total": 1}, "description": "W"}),
    ("assistants", {"id": "asst_1", "name": "Mueller", "instructions": "never", "tools": [{"type": "function", "function": {"name": "x"}}],
                    "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}},
     {"id": "asst_1", "name": "W", "instructions": "W", "tools": [{"type": "function", "function": "W"}],
      "tool_resources": {"file_search": {"vector_store_ids": ["vs_1"]}}}),
    ("containers", {"id": "cntr_1", "name": "x", "status": "running", "expires_after": {"anchor": "last_active_at", "minutes": 20}},
     {"id": "cntr_1", "name": "C", "status": "running", "expires_after": {"anchor": "last_active_at", "minutes": 20}}),
    ("vectorStoreFiles", {"id": "file-1", "attributes": {"customer": "Mueller"}, "last_error": {"code": "server_error", "message": "x y"}},
     {"id": "file-1", "attributes": "W", "last_error": {"code": "server_error", "message": "W"}}),
    ("fineTuningEvents", {"id": "ftevent-1", "message": "Job started.", "data": {"step": 1, "text": "x"}}, {"id": "ftevent-1", "message": "Job started.", "data": "W"}),
    (
        "servedModels", {"id": "gpt-4o.ft-1", "capabilities": {"fine_tune": True, "note": "x"}, "owned_by": "a"},
        {"id": "gpt-4o.ft-1", "capabilities": "W", "owned_by": "a"},
    ),
])  # fmt: skip
def test_what_stays_of_an_object(kind, item, shown):
    assert left(a_page(item), kind)["data"] == [shown]


def test_an_error_keeps_its_code_and_loses_its_message():
    body = {"error": {"code": "EndpointRetired", "message": f"{MARK} was retired", "type": "x"}}
    assert left(body, "assistants") == {"error": {"code": "EndpointRetired", "message": "W", "type": "x"}}


@pytest.mark.parametrize(("text", "own"), [
    ("Job enqueued. Waiting for jobs ahead to complete.", True),
    ("Preprocessing completed for file file-181a1cbdcdcf4677ada87f63a0928099.", True),
    ("The provided training data failed RAI checks for harm types: [hate_fairness, self_harm, violence]. Please fix the data and try again.", True),
    ("This model is unable to be deployed. Model evaluation identified that this fine tuned model scores above acceptable thresholds for "
     "[Violence, Self Harm]. Please review your training data set and resubmit the job.", True),
    ("New fine-tuned model created: gpt-4o-mini-2024-07-18.ft-0e208cf33a6a466994aff31a08aba678", True),
    ("Step 10/20, train mean reward=0.42, full validation mean reward=0.68", True),
    ("Invalid file format. Line 3: Mary had a little lamb", False),
    ("Training started by Mueller.", False),
    ("The job failed. " * 100, False),
    ("Задание", False),
])  # fmt: skip
def test_messages_of_fine_tuning_in_azures_own_words(text, own):
    assert allowed.own_words(text) is own
    assert left(a_page({"id": "e", "message": text}), "fineTuningEvents")["data"][0]["message"] == (text if own else "W")


def test_recorded_examples_of_the_specification_lose_nothing_but_names():
    folder = need(EXAMPLES / "spec_dataplane_2024-10-21")
    for name, kind, names in (("get_files", "files", 2), ("get_finetuning_jobs", "fineTuningJobs", 0), ("get_models", "servedModels", 0)):
        body = json.dumps(json.loads((folder / f"{name}.json").read_text())["responses"]["200"]["body"], indent=1).encode()
        result = kept(body, kind)
        assert result.count(b'"committed"') == names and b"withheld" not in result
        assert (result == body) == (names == 0)
        assert screened(body, kind, None) == body


def test_nothing_that_the_stand_ins_users_wrote_is_left():
    """The stand-in puts words of users wherever a customer can write."""
    from tests.test_standin_data import Site

    site = Site()
    file = site.data.upload_file(site.account, f"{WORDS}.jsonl")
    site.data.finish_job(site.account, job := site.data.start_job(site.account, file, suffix="zq7", metadata={WORDS: WORDS}))
    site.data.add_to_store(site.account, store := site.data.create_store(site.account, metadata={"a": WORDS}), file, attributes={"a": WORDS})
    site.data.create_assistant(site.account, store=store)
    site.data.create_container(site.account)
    site.data.start_batch(site.account, file, metadata={"a": WORDS})
    with site.azure:
        said = {
            "files": site.v1("/files"), "fineTuningJobs": site.v1("/fine_tuning/jobs"), "fineTuningEvents": site.v1(f"/fine_tuning/jobs/{job}/events"),
            "servedModels": site.v1("/models"), "batches": site.v1("/batches"), "vectorStores": site.v1("/vector_stores"),
            "vectorStoreFiles": site.v1(f"/vector_stores/{store}/files"), "containers": site.v1("/containers"),
            "assistants": site.dated("/assistants", version="2025-04-01-preview"),
        }  # fmt: skip
    assert set(said) == OWN
    assert sum(WORDS.encode() in answer.body for answer in said.values()) >= 5, "the stand-in wrote nothing, so this proves nothing"
    for kind, answer in said.items():
        assert WORDS.encode() not in kept(answer.body, kind), kind
        assert answer.status == 200
    verdicts = [event["message"] for event in json.loads(kept(said["fineTuningEvents"].body, "fineTuningEvents"))["data"]]
    assert all(isinstance(message, str) for message in verdicts) and any("Safety evaluation" in message for message in verdicts)


# -- logs ---------------------------------------------------------------------------------------------------------------


def table(columns, *rows):
    return {"tables": [{"name": "PrimaryResult", "columns": [{"name": name, "type": "string"} for name in columns], "rows": [list(row) for row in rows]}]}


def test_cells_are_screened_by_the_name_of_their_column():
    properties = json.dumps({"apiName": "v", "objectId": "b610ab05-ce06-4cc1-a6dd-174b9f80468a", "prompt": MARK, "callerIpAddress": "1.2.3.4"})
    body = table(["OperationName", "CallerIPAddress", "ResultDescription", "properties_s", "DurationMs"],
                 ["Files_Delete", "81.2.69.***", MARK, properties, 5.0], ["ListKey", "", "", "{}", None])  # fmt: skip
    commitments = Commitments()
    rows = json.loads(kept(body, "resourceLogDeletions", commitments))["tables"][0]["rows"]
    assert shortened(rows[0][:3]) == ["Files_Delete", "C", "W"]
    assert shortened(json.loads(rows[0][3])) == {"apiName": "v", "objectId": "b610ab05-ce06-4cc1-a6dd-174b9f80468a", "prompt": "W", "callerIpAddress": "C"}
    assert rows[0][4] == 5.0 and rows[1] == ["ListKey", "", "", "{}", None]
    assert sorted(commitments.values.values()) == ["1.2.3.4", "81.2.69.***"]


def test_properties_may_be_an_object_and_no_text_that_is_none_survives():
    body = table(["Properties"], [{"apiName": "v", "note": MARK}], [MARK], [json.dumps([MARK])], ['"x"'], [json.dumps({"apiName": "a@b.example"})])
    rows = [row[0] for row in json.loads(kept(body, "resourceLogDeletions"))["tables"][0]["rows"]]
    assert shortened(rows[0]) == {"apiName": "v", "note": "W"}
    assert MARK not in json.dumps(rows) and "a@b" not in json.dumps(rows)


@pytest.mark.parametrize("body", [
    {"tables": [{"rows": [["x"]]}]}, {"tables": [{"columns": 5, "rows": [["x"]]}]}, table(["A"], ["x", "y"]), table([], ["x"]),
    {"tables": [{"columns": [{"name": "A"}], "rows": {"x": "y"}}]}, {"tables": "x"}, {"tables": [["x"]]},
])  # fmt: skip
def test_a_table_that_cannot_be_read_is_refused_or_left_out(body):
    try:
        result = kept(body, "resourceLogDeletions")
    except ValueError:
        return
    assert b'"x"' not in result and b'"y"' not in result


def test_columns_are_in_lower_case_and_what_the_queries_ask_for_is_among_them():
    from shared.collect.kql import TEXTS

    assert all(name == name.lower() for name in COLUMNS)
    for text in (text for texts in TEXTS.values() for text in texts):
        asked = [name for name in ("TimeGenerated", "IngestedAt", "SourceTable", "CallerIPAddress", "Properties", "ObjectId", "ApiName", "FirstAt") if name in text]
        assert asked and all(name.lower() in COLUMNS for name in asked)


def test_recorded_rows_of_resource_logs():
    folder = need(EXAMPLES / "resource_logs_real")
    lines = [json.loads(line) for file in sorted(folder.glob("*.log")) for line in file.read_text().splitlines() if line.strip()]
    columns = ["category", "operationName", "callerIpAddress", "properties", "resultSignature"]
    rows = [[line.get(name) for name in columns] for line in lines]
    result = json.loads(kept(table(columns, *rows), "resourceLogDeletions"))["tables"][0]["rows"]
    for line, row in zip(lines, result, strict=True):
        assert row[1] == line["operationName"] and row[3] == line["properties"], "text or object, whole: all of it is known"
        assert (row[2] is None) == ("callerIpAddress" not in line) and "81.2" not in json.dumps(row)


# -- the Activity Log ---------------------------------------------------------------------------------------------------

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"


def event(resource, **more):
    return {"resourceId": resource, "caller": "rob@contoso.example", "operationName": {"value": "x/write"}, **more}


def test_entries_about_other_things_are_left_out_in_place():
    entries = [
        event(f"{ACCOUNT}/providers/microsoft.insights/diagnosticSettings/d"), event("/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/x"),
        event(ACCOUNT.upper()), {"caller": MARK}, event(None), "text", event("/subscriptions/s/providers/Microsoft.CognitiveServices/locations/x"),
    ]  # fmt: skip
    body = {"value": entries, "nextLink": "https://management.azure.com/x?$skiptoken=abc"}
    for kind in ("activityLogInsights", "activityLogAuthorization"):
        result = json.loads(kept(body, kind))
        assert [entry == {"withheld": "out-of-scope"} for entry in result["value"]] == [False, True, False, True, True, True, True]
        assert result["nextLink"] == body["nextLink"]
    assert [entry == {"withheld": "out-of-scope"} for entry in json.loads(kept(body, "activityLog"))["value"]] == [False] * 7


def test_of_a_token_ids_stay_people_are_committed_and_the_rest_is_left_out():
    example = json.loads((need(EXAMPLES / "activity_log") / "rest_administrative_event_docs.json").read_text())
    shown = left({"value": [example]}, "activityLog")["value"][0]
    claims = shown["claims"]
    assert shown["caller"] == "C"
    assert claims["http://schemas.microsoft.com/identity/claims/objectidentifier"] == "f409edeb-4d29-44b5-9763-ee9348ad91bb"
    assert claims["appid"] == "00001111-aaaa-2222-bbbb-3333cccc4444"
    assert {name for name, value in claims.items() if value == "W"} >= {"iat", "exp", "aio", "uti", "nbf"}
    assert claims["name"] == claims["ipaddr"] == claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] == "C"
    before = deepcopy(example)
    del before["claims"], before["caller"]
    assert {name: value for name, value in shown.items() if name not in ("claims", "caller")} == before


def test_of_an_event_the_ids_of_a_token_stay_and_nobodys_name():
    claims = {"http://schemas.microsoft.com/identity/claims/objectidentifier": "f409edeb", "appid": "app-1", "name": "Rob Roe", "aio": MARK, "iat": "1",
              "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": "rob@contoso.example", "ipaddr": "203.0.113.7"}  # fmt: skip
    data = {"claims": claims, "httpRequest": {"clientIpAddress": "203.0.113.7", "method": "PUT"}, "operationName": "x/write", "correlationId": "c-1"}
    whole = {"id": "e-1", "subject": "/subscriptions/s", "data": data, "type": "Microsoft.Resources.ResourceWriteSuccess", "time": "2026-11-01T00:00:00Z"}
    shown = left(whole, EVENT)
    assert {name: shown[name] for name in whole if name != "data"} == {name: whole[name] for name in whole if name != "data"}
    kept_claims = shown["data"]["claims"]
    assert kept_claims["http://schemas.microsoft.com/identity/claims/objectidentifier"] == "f409edeb" and kept_claims["appid"] == "app-1"
    assert {name for name, value in kept_claims.items() if value == "W"} == {"aio", "iat"}
    assert {name for name, value in kept_claims.items() if value == "C"} == set(claims) - {"aio", "iat", "appid"} - {
        "http://schemas.microsoft.com/identity/claims/objectidentifier",
    }  # fmt: skip
    assert shown["data"]["httpRequest"] == {"clientIpAddress": "C", "method": "PUT"} and shown["data"]["operationName"] == "x/write"
    assert left({**whole, "data": {"claims": "a text"}}, EVENT)["data"]["claims"] == "W"


def test_shapes_name_what_they_are():
    assert {shape for shapes_ in OF_KIND.values() for _, shape in walk(shapes_) if not isinstance(shape, dict)} == {PLAIN, FIGURES, SENTENCE, WHOLE, ROWS}
    assert shapes.WORDS == WORDS
