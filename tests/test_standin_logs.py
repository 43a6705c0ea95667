"""The stand-in's resource logs and their query endpoint: asked by the real client and by hand."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from azure.core.exceptions import HttpResponseError
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsQueryStatus
from hypothesis import given
from hypothesis import strategies as st

from infra.local import faults, log_faults
from infra.local.activity_shape import event_body
from infra.local.authorship import Actor, Caller
from infra.local.clock import Clock
from infra.local.ids import guid
from infra.local.kql import KqlError, read_query
from infra.local.kql_run import run
from infra.local.log_query import customer_id
from infra.local.log_tables import Table
from infra.local.server import StandIn
from infra.local.world import World
from tests.test_standin import SEVEN_DIGITS, Credential, ask
from tests.test_standin_data import Site as DataSite

START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SUBSCRIPTION = guid("test", "logs")
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/ws"
IDA = Actor("ida.holm@brightwater.example")


class Site:
    def __init__(self):
        self.clock = Clock(START)
        self.world = World(self.clock)
        self.world.add_subscription(SUBSCRIPTION, "logs")
        self.world.actor = IDA
        self.account = self.world.create_account(SUBSCRIPTION, "rg-One", "one")
        self.azure = StandIn(self.world)

    def warm(self):
        """Let the workspace have its table: something was logged a month ago, and is forgotten."""
        now = self.clock()
        with self.world.at(now - timedelta(days=40)):
            self.log("allLogs", name="old")
            self.world.data.call(self.account)
            self.world.list_keys(self.account)
            self.world.delete(f"{self.account}/providers/Microsoft.Insights/diagnosticSettings/old")

    def log(self, *logs, name="setting", account=None, **options):
        return self.world.put_diagnostic_setting(account or self.account, name, list(logs), workspace=WORKSPACE, **options)

    def post(self, query, path=None, timespan=None, **headers):
        body = {"query": query} | ({"timespan": timespan} if timespan else {})
        target = path or f"/v1{WORKSPACE}/query"
        return ask(self.azure, target, "POST", body=json.dumps(body).encode(), Content_Type="application/json", **headers)

    def rows(self, query="AzureDiagnostics", **options):
        """The rows of a result, each by column names."""
        answer = self.post(query, **options)
        assert answer.status == 200, answer.body
        [table] = answer.json["tables"]
        names = [column["name"] for column in table["columns"]]
        return [dict(zip(names, row, strict=True)) for row in table["rows"]]

    def operations(self, **options):
        return [row["OperationName"] for row in self.rows("AzureDiagnostics | where properties_s != '{}'", **options)]


@pytest.fixture
def site():
    made = Site()
    with made.azure:
        yield made


# what is logged


def test_calls_are_logged_as_the_settings_of_the_moment_ask(site):
    data = site.world.data
    files = [data.upload_file(site.account) for _ in range(6)]
    data.delete_file(site.account, files[0])  # no setting yet
    site.log("audit")
    data.delete_file(site.account, files[1])  # audit is not enough
    site.log("-RequestResponse", "-allLogs")
    data.delete_file(site.account, files[2])  # listed, and off
    site.log("RequestResponse")
    data.delete_file(site.account, files[3])
    site.log("allLogs")
    data.delete_file(site.account, files[4])
    site.world.put_diagnostic_setting(site.account, "setting", ["allLogs"], storage="/subscriptions/x/storage")
    data.delete_file(site.account, files[5])  # to a storage account alone
    site.clock.advance(hours=1)
    assert site.operations() == ["Files_Delete", "Files_Delete"]


def test_keys_are_in_the_audit_log(site):
    site.log("RequestResponse")
    site.world.list_keys(site.account)
    site.log("audit")
    site.world.list_keys(site.account)
    site.clock.advance(hours=1)
    [row] = site.rows()
    assert (row["Category"], row["OperationName"], row["ResultSignature"]) == ("Audit", "ListKey", "")
    assert json.loads(row["properties_s"]) == {"objectId": IDA.object_id}


def test_a_row_is_shaped_as_azures(site):
    site.log("allLogs")
    data = site.world.data
    file = data.upload_file(site.account)
    data.delete_file(site.account, file)
    site.clock.advance(hours=1)
    full, bare = site.rows('AzureDiagnostics | where OperationName contains "delete"')
    assert full["ResourceId"] == site.account.upper()
    assert full["_ResourceId"] == site.account.lower()
    assert full["CallerIPAddress"].endswith(".***")
    assert SEVEN_DIGITS.fullmatch(full["TimeGenerated"])
    said = json.loads(full["properties_s"])
    assert said["objectId"] == IDA.object_id
    assert isinstance(said["requestTime"], int) and said["requestTime"] > 638_000_000_000_000_000
    assert file not in json.dumps([full, bare])
    assert (bare["properties_s"], bare["CorrelationId"]) == ("{}", full["CorrelationId"])
    site.world.logs.properties_as, site.world.logs.twice = "object", False
    data.call(site.account, caller=Caller(IDA, keyed=True))
    data.calls = "v1"
    data.call(site.account)
    site.clock.advance(hours=1)
    chats = 'AzureDiagnostics | where OperationName has "ChatCompletions_Create" or OperationName == "createChatCompletion"'
    keyed, newer = site.rows(f"{chats} | order by OperationName asc")
    assert keyed["properties_s"]["objectId"] == ""
    assert newer["properties_s"]["callerObjectId"] == IDA.object_id


def test_rows_arrive_late_and_are_forgotten(site):
    site.warm()
    site.log("allLogs")
    site.world.data.call(site.account)
    site.clock.advance(minutes=2)
    assert site.rows() == []
    site.clock.advance(minutes=9)
    assert len(site.rows()) == 2
    site.clock.advance(days=31)
    assert site.rows() == []


def test_what_comes_over_http_is_logged_with_its_status_and_request_id():
    site = DataSite()
    site.world.put_diagnostic_setting(site.account, "all", ["allLogs"], workspace=WORKSPACE)
    with site.azure:
        ids = [site.v1("/files").headers["apim-request-id"], site.v1("/files/none", "DELETE").headers["apim-request-id"]]
        site.v1("/files", Authorization="")
        site.clock.advance(hours=1)
        rows = site.world.logs.rows(WORKSPACE, site.clock())
    assert [(row.operation, row.status) for row in rows if not row.bare and row.correlation in ids] == [
        ("listFiles", 200), ("deleteFile", 404),
    ]  # fmt: skip
    assert sorted(row.status for row in rows if not row.bare) == [200, 401, 404]


def test_rows_may_be_lost_and_clocks_may_differ(site):
    site.log("allLogs")
    site.world.logs.lose(site.account)
    site.world.data.call(site.account)
    site.world.logs.lose(site.account, lost=False)
    site.world.logs.skew = timedelta(minutes=3)
    site.world.data.call(site.account)
    site.clock.advance(hours=1)
    full, _ = site.rows()
    assert full["TimeGenerated"].startswith("2026-11-22T18:03:00")


def test_settings_of_type_dedicated_fill_a_table_of_their_own(site):
    site.warm()
    site.log("allLogs", dedicated=True)
    site.world.data.call(site.account)
    site.clock.advance(hours=1)
    assert site.rows() == []
    full, bare = site.rows(site.world.logs.specific_table)
    assert full["Properties"]["objectId"] == IDA.object_id
    assert bare["Properties"] == {}
    both = site.rows(
        f"union isfuzzy=true withsource=Source AzureDiagnostics, {site.world.logs.specific_table}, NoSuchTable"
        ' | extend Said = coalesce(tostring(column_ifexists("properties_s", "")), tostring(column_ifexists("Properties", "")))'
        ' | project Source, Said, Other = column_ifexists("none", "-")'
    )
    assert [row["Source"] for row in both] == [site.world.logs.specific_table] * 2
    assert json.loads(both[0]["Said"])["objectId"] == IDA.object_id
    assert both[0]["Other"] == "-"


def test_a_name_with_a_star_is_every_table_whose_name_begins_so(site):
    site.warm()
    site.log("allLogs", dedicated=True)
    site.world.data.call(site.account)
    site.clock.advance(hours=1)
    assert len(site.rows("union isfuzzy=true AzureDiagnostics, CognitiveServices*, AzureOpenAI*")) == 2
    assert site.rows("union isfuzzy=true AzureDiagnostics, AzureOpenAI*") == []
    assert site.post("union AzureDiagnostics, AzureOpenAI*").status == 400


def test_a_new_workspace_has_no_table_until_its_first_row_and_columns_come_with_rows(site):
    site.log("allLogs")
    answer = site.post("AzureDiagnostics")
    assert (answer.status, answer.json["error"]["innererror"]["innererror"]["code"]) == (400, "SEM0100")
    assert site.post("union isfuzzy=true AzureDiagnostics, CognitiveServices*").status == 400
    always = "union isfuzzy=true withsource=Table (datatable(TimeGenerated: datetime, _ResourceId: string)[]), AzureDiagnostics, Cognitive*"
    assert site.rows(always + " | where _ResourceId =~ 'x' and ingestion_time() > datetime(2026-01-01) | summarize count() by Table") == []
    site.world.list_keys(site.account)
    site.clock.advance(hours=1)
    assert len(site.rows()) == len(site.rows(always)) == 1
    assert site.post("AzureDiagnostics | project event_s").status == 400
    assert site.rows('AzureDiagnostics | project Event = column_ifexists("event_s", "")') == [{"Event": ""}]
    site.world.data.call(site.account)
    site.clock.advance(hours=1)
    assert len(site.rows("AzureDiagnostics | where event_s != ''")) == 2
    other = f"{WORKSPACE}-other"
    assert site.post("AzureDiagnostics", path=f"/v1{other}/query").status == 404
    site.world.logs.open_workspace(other)
    site.world.logs.tables_from_start = True
    assert site.rows(path=f"/v1{other}/query") == []
    assert site.post("AzureDiagnostics", path="/v1/subscriptions/x/query").status == 404


# questions


def test_the_questions_of_a_collector(site):
    site.log("allLogs")
    other = site.world.create_account(SUBSCRIPTION, "rg-One", "two")
    site.log("allLogs", account=other)
    data = site.world.data
    for account in (site.account, other):
        data.delete_file(account, data.upload_file(account))
        data.call(account)
        site.world.list_keys(account)
    site.clock.advance(hours=1)
    window = (
        f'| where _ResourceId =~ "{site.account.upper()}" '
        "| where ingestion_time() >= datetime(2026-11-22T18:00:00Z) and ingestion_time() < datetime(2026-11-22T19:00:00.0000000Z) "
    )
    deletions = site.rows(
        f'AzureDiagnostics {window}| where OperationName contains "delete" or OperationName in~ ("listkey", "x") or OperationName contains "cancel"'
        " | extend Ingested = ingestion_time() | order by TimeGenerated asc, OperationName asc"
    )
    assert [row["OperationName"] for row in deletions] == ["Files_Delete", "Files_Delete", "ListKey"]
    assert {row["_ResourceId"] for row in deletions} == {site.account.lower()}
    assert all(row["Ingested"] > row["TimeGenerated"] for row in deletions)
    counts = site.rows(
        f"AzureDiagnostics {window}| summarize Rows = count(), First = min(TimeGenerated) by Category, OperationName, ResultSignature"
        " | sort by OperationName asc"
    )
    assert [(row["Category"], row["OperationName"], row["ResultSignature"], row["Rows"]) for row in counts] == [
        ("RequestResponse", "ChatCompletions_Create", "200", 2),
        ("RequestResponse", "Files_Delete", "200", 2),
        ("RequestResponse", "Files_Upload", "201", 2),
        ("Audit", "ListKey", "", 1),
    ]
    later = window.replace("18:00:00Z", "19:00:00Z").replace("19:00:00.0000000Z", "20:00:00Z")
    assert site.rows(f"AzureDiagnostics {later}") == []


def test_a_workspace_is_asked_by_three_names_and_by_get(site):
    site.log("allLogs")
    site.world.data.call(site.account)
    site.clock.advance(hours=1)
    by_id, by_account = f"/v1/workspaces/{customer_id(WORKSPACE)}/query", f"/v1{site.account.upper()}/query"
    answers = [site.post("AzureDiagnostics", path=path) for path in (None, by_id, by_account)]
    answers.append(ask(site.azure, f"{by_id}?query={quote('AzureDiagnostics | take 5')}&timespan=P1D"))
    assert [answer.status for answer in answers] == [200] * 4
    assert len({answer.body for answer in answers}) == 1
    assert site.azure.violations == []
    other = site.world.create_account(SUBSCRIPTION, "rg-One", "two")
    assert site.rows(path=f"/v1{other}/query") == []


def test_a_timespan_is_about_the_time_of_the_call(site):
    site.log("allLogs")
    for _ in range(3):
        site.world.data.call(site.account)
        site.clock.advance(hours=1)
    assert len(site.rows(timespan="PT2H30M")) == 4
    assert len(site.rows(timespan="2026-11-22T18:30:00Z/2026-11-22T19:30:00Z")) == 2
    assert len(site.rows(timespan="2026-11-22T18:00:00Z/PT1H")) == 2
    assert len(site.rows(timespan="P1D/2026-11-22T19:00:00Z")) == 2
    assert site.post("AzureDiagnostics", timespan="a while").status == 400


def test_the_real_client_reads_it(site):
    site.log("allLogs")
    data = site.world.data
    data.delete_file(site.account, data.upload_file(site.account))
    site.clock.advance(hours=1)
    client = LogsQueryClient(Credential(), endpoint=site.azure.endpoint)
    span = (START - timedelta(hours=1), site.clock())
    result = client.query_workspace(customer_id(WORKSPACE), "AzureDiagnostics | order by CorrelationId asc", timespan=span, enforce_https=False)
    assert result.status == LogsQueryStatus.SUCCESS
    [table] = result.tables
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert {row["OperationName"] for row in rows} == {"Files_Upload", "Files_Delete"}
    assert all(row["TimeGenerated"] == START for row in rows)
    result = client.query_resource(site.account.lstrip("/"), "AzureDiagnostics | summarize count() by Category", timespan=None, enforce_https=False)
    assert result.tables[0].rows[0]["count_"] == 4
    site.azure.faults.add("/query", log_faults.partial_result(kept=1), times=1)
    partial = client.query_workspace(customer_id(WORKSPACE), "AzureDiagnostics", timespan=span, enforce_https=False)
    assert isinstance(partial, LogsQueryPartialResult)
    assert len(partial.partial_data[0].rows) == 1
    assert partial.partial_error.code == "PartialError"
    with pytest.raises(HttpResponseError, match="Failed to resolve"):
        client.query_workspace(customer_id(WORKSPACE), "NoSuchTable", timespan=span, enforce_https=False)


def test_too_many_rows_are_a_partial_result(site):
    site.log("allLogs")
    for _ in range(5):
        site.world.data.call(site.account)
    site.clock.advance(hours=1)
    site.world.logs.most_rows = 6
    answer = site.post("AzureDiagnostics")
    assert (answer.status, answer.json["error"]["code"], len(answer.json["tables"][0]["rows"])) == (200, "PartialError", 6)
    assert "error" not in site.post("AzureDiagnostics | take 6").json


def test_refusals_are_azures(site):
    site.warm()
    site.log("allLogs")
    answer = site.post("AzureDiagnostics", Authorization="")
    assert (answer.status, answer.code) == (401, "AuthorizationRequiredError")
    for path in (f"/v1/workspaces/{guid('none')}/query", f"/v1{WORKSPACE}x/query"):
        answer = site.post("AzureDiagnostics", path=path)
        assert (answer.status, answer.code) == (404, "PathNotFoundError")
    site.world.logs.deny(WORKSPACE)
    answer = site.post("AzureDiagnostics")
    assert (answer.status, answer.code) == (403, "InsufficientAccessError")
    assert site.post("AzureDiagnostics", path=f"/v1{site.account}/query").status == 200
    site.world.deny(site.account)
    assert site.post("AzureDiagnostics", path=f"/v1{site.account}/query").status == 403
    site.world.logs.deny(WORKSPACE, denied=False)
    for body in (b"", b"[]", b"{}", b'{"query":7}', b'{"query":" "}'):
        answer = ask(site.azure, f"/v1{WORKSPACE}/query", "POST", body=body)
        assert (answer.status, answer.code) == (400, "BadArgumentError")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("NoSuchTable", "SEM0100"),
        ("AzureDiagnostics | where Operationname == 'x'", "SEM0100"),
        ("AzureDiagnostics | project OperationNam", "SEM0100"),
        ("AzureDiagnostics | summarize count() by Categories", "SEM0100"),
        ("AzureDiagnostics | order by When", "SEM0100"),
        ("AzureDiagnostics | where ingestiontime() > datetime(2026-01-01)", "SEM0260"),
        ("AzureDiagnostics | summarize percentile(DurationMs) by Category", "SEM0080"),
        ("union AzureDiagnostics, NoSuchTable", "SEM0100"),
        ("union isfuzzy=true NoSuchTable, Neither", "SEM0100"),
        ("AzureDiagnostics | project Category | where OperationName == 'x'", "SEM0100"),
        ("AzureDiagnostics | were Category == 'x'", "SYN0002"),
        ("AzureDiagnostics | where Category = 'x'", "SYN0002"),
        ("AzureDiagnostics | where Category == 'x", "SYN0002"),
        ("AzureDiagnostics where", "SYN0002"),
        ("AzureDiagnostics | where (Category == 'x'", "SYN0002"),
        ("AzureDiagnostics | where Category in ()", "SYN0002"),
        ("AzureDiagnostics |", "SYN0002"),
        ("datatable(Name)[]", "SYN0002"),
        ("datatable(Name: string)", "SYN0002"),
        ("'AzureDiagnostics'", "SYN0002"),
    ],
)
def test_a_slip_in_a_query_is_found_even_without_rows(site, query, code):
    site.warm()
    site.log("allLogs")
    answer = site.post(query)
    assert (answer.status, answer.code) == (400, "BadArgumentError")
    inner = answer.json["error"]["innererror"]
    assert inner["code"] == ("SyntaxError" if code.startswith("SYN") else "SemanticError")
    assert inner["innererror"]["code"] == code


def test_faults(site):
    site.warm()
    site.log("allLogs")
    site.azure.faults.add("/query", log_faults.log_throttled(3), times=1)
    site.azure.faults.add("/query", log_faults.log_timeout(), times=1, skip=1)
    site.azure.faults.add("/query", log_faults.log_forbidden(), times=1, skip=2)
    site.azure.faults.add("/query", log_faults.no_tables(), times=1, skip=3)
    site.azure.faults.add("/query", faults.invalid_json(), times=1, skip=4)
    answers = [site.post("AzureDiagnostics") for _ in range(5)]
    assert [answer.status for answer in answers] == [429, 504, 403, 200, 200]
    assert answers[0].headers["Retry-After"] == "3"
    assert answers[3].json == {"tables": []}
    with pytest.raises(ValueError):
        answers[4].json


# the language

TABLE = Table(
    {"Name": "string", "Count": "long", "Said": "dynamic", "At": "datetime"},
    [
        {"Name": "Files_Delete", "Count": 3, "Said": '{"a":{"b":"x"}}', "At": "2026-01-01T00:00:00.1234567Z"},
        {"Name": "files_list", "Count": None, "Said": {"a": {"b": "y"}}, "At": "2026-01-02T00:00:00.0000001Z"},
        {"Name": "List Keys", "Count": 5, "Said": "no json", "At": None},
    ],
)


def names(where):
    return [row["Name"] for row in run(f"T | where {where}", {"T": TABLE}, START).rows]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("Name contains 'FILES'", 2), ("Name !contains 'files'", 1), ("Name contains_cs 'FILES'", 0), ("Name has 'keys'", 1), ("Name has 'key'", 0),
        ("Name has 'delete'", 1), ("Name startswith 'FILES'", 2), ("Name !startswith 'FILES'", 1), ("Name endswith 'LIST'", 1),
        ("Name == 'files_delete'", 0), ("Name =~ 'files_delete'", 1), ("Name !~ 'files_delete'", 2), ("Name != 'Files_Delete'", 2),
        ("Name in ('Files_Delete', 'files_list')", 2), ("Name in~ ('FILES_delete')", 1), ("Name !in ('Files_Delete')", 2), ("Name !in~ ('FILES_LIST')", 2),
        ("Count > 3", 1), ("Count >= 3 and Count < 4", 1), ("Count <= 3 or Name =~ 'LIST KEYS'", 2), ("isnull(Count)", 1), ("isnotnull(Count)", 2),
        ("not(Name contains 'files')", 1), ("not(Count > 3) and (true or false)", 2), ("parse_json(Said).a.b == 'x'", 1),
        ("parse_json(Said)['a'][\"b\"] in ('x', 'y')", 2),
        ("At < datetime(2026-01-02)", 1), ("At >= datetime(2026-01-01T00:00:00Z)", 2), ("At == At", 2), ("isempty(Said)", 0), ("isnotempty(At)", 2),
        ("tolower(Name) == 'files_delete'", 1), ("toupper(Name) == 'FILES_LIST'", 1), ("iff(Count > 3, 'y', 'n') == 'y'", 1), ("strcat(Name, '!') endswith 'keys!'", 1),
        ("coalesce(Count, 0) == 0", 1), ("tolong('7') == 7", 3), ("todatetime('2026-01-01') < now()", 3), ("Name == @'Files_Delete' // said so", 1),
        ("Name == \"Files\\u\"", 0), ("null == null", 0), ("'a' < 7", 0),
    ],
)  # fmt: skip
def test_where_means_what_it_means_in_kusto(where, found):
    assert len(names(where)) == found


def test_other_operators():
    def rows(query):
        return run(query, {"T": TABLE, "U": TABLE}, START).rows

    assert rows("T | summarize count(), most = max(Count), dcount(Name), countif(Count > 3), sum(Count)") == [
        {"count_": 3, "most": 5, "dcount_Name": 3, "countif_": 1, "sum_Count": 8}
    ]
    assert [row["Name"] for row in rows("T | order by Count desc")] == ["List Keys", "Files_Delete", "files_list"]
    assert [row["Name"] for row in rows("T | sort by Count asc, Name | take 1")] == ["files_list"]
    assert rows("union (T | where Count == 3), (U | where Count == 3) | distinct Name") == [{"Name": "Files_Delete"}]
    assert rows("let least = 4; T | where Count > least | project Name;")[0]["Name"] == "List Keys"
    assert set(run("T | project-away Said, At", {"T": TABLE}, START).columns) == {"Name", "Count"}
    table = run("T | extend Twice = strcat(Name, Name), At = todatetime(At) | project At, Twice, Count", {"T": TABLE}, START)
    assert table.columns == {"At": "datetime", "Twice": "string", "Count": "long"}
    assert run("T | summarize by Name", {"T": TABLE}, START).columns == {"Name": "string"}


@given(st.text(max_size=60))
def test_any_text_is_a_query_or_refused(text):
    try:
        run(text, {"T": TABLE}, START)
    except KqlError as error:
        assert error.code.startswith(("SYN", "SEM"))


WORDS = ["T", "|", "where", "Name", "==", "'x'", "(", ")", ",", "summarize", "count", "by", "union", "in~", "project", "=", "take", "5", "and", ".", "let", ";"]


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_words_are_a_query_or_refused(words):
    try:
        read_query(" ".join(words))
        run(" ".join(words), {"T": TABLE}, START)
    except KqlError:
        pass


# against recorded and documented examples


EXAMPLES = Path(os.environ.get("AOAI_SHARED", Path(__file__).parents[2] / "shared")) / "examples"


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the recorded answers are not part of the repository")
def test_rows_have_the_columns_and_calls_the_fields_of_the_examples(site):
    site.log("allLogs")
    site.world.data.call(site.account)
    site.world.list_keys(site.account)
    site.clock.advance(hours=1)
    answer = site.post("AzureDiagnostics | order by Category desc").json
    example = json.loads((EXAMPLES / "log_analytics_synthetic" / "SYNTHETIC_query_ok.json").read_bytes())
    columns = {column["name"]: column["type"] for column in answer["tables"][0]["columns"]}
    assert {column["name"]: column["type"] for column in example["tables"][0]["columns"]}.items() <= columns.items()
    real = [json.loads(line) for line in (EXAMPLES / "resource_logs_real" / "elastic_request_response.log").read_text().splitlines()]
    full, audit = site.rows("AzureDiagnostics | where properties_s != '{}' | order by Category desc")
    assert set(json.loads(real[0]["properties"])) == set(json.loads(full["properties_s"]))
    assert (full["event_s"], real[0]["event"]) == ("ShoeboxCallResult", "ShoeboxCallResult")
    [keys] = [json.loads(line) for line in (EXAMPLES / "resource_logs_real" / "elastic_audit.log").read_text().splitlines()]
    assert (audit["Category"], audit["OperationName"], set(json.loads(audit["properties_s"]))) == (
        keys["category"], keys["operationName"], set(keys["properties"]),
    )  # fmt: skip


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the recorded answers are not part of the repository")
def test_objects_and_events_have_the_fields_of_the_examples():
    site = DataSite()
    with site.azure:
        job = site.data.start_job(site.account, site.data.upload_file(site.account))
        site.data.finish_job(site.account, job)
        site.clock.advance(hours=1)
        for path, name in (("/files", "get_files"), ("/fine_tuning/jobs", "get_finetuning_jobs"), ("/models", "get_models")):
            spec = json.loads((EXAMPLES / "spec_dataplane_2024-10-21" / f"{name}.json").read_bytes())["responses"]["200"]["body"]
            shown = site.dated(path).json
            assert set(spec) == set(shown), name
            for row in spec["data"]:
                alike = [one for one in shown["data"] if set(row) <= set(one)]
                assert alike, (name, row)
        [event, *_] = site.world.activity.events(site.world.accounts()[0].split("/")[2], site.clock())
        shown = event_body(event, site.world.tenant)
    for name in ("rest_administrative_event_docs", "SYNTHETIC_cognitive_deployment_delete"):
        held = json.loads((EXAMPLES / "activity_log" / f"{name}.json").read_bytes())
        documented = held["value"][0] if "value" in held else held
        assert set(documented) <= set(shown), name
        assert all(type(documented[field]) is type(shown[field]) for field in documented), name
