"""What Log Analytics is asked: pinned texts, into which an account and a window are put. Pure; the verifier puts them in again.

A text that was ever asked stays here under its number, so that evidence of then can be checked; a new one is put first.

Rows are found by when they were ingested, since they come late; `timespan` bounds when things happened, generously, so that little is
read. Operations are compared in any case, and by what their names contain: Azure does not document them, and they differ between
generations (`Files_Delete`, `Delete_Thread`). Logs of Cognitive Services are in AzureDiagnostics; tables of their own, should Azure
send them there, are met by the beginnings of their names. A workspace has no AzureDiagnostics before its first row came, and a union of
nothing is refused: the empty table at its head is always there. A column that a workspace does not have is empty.
"""

from datetime import timedelta

from shared.canonical import Json
from shared.collect.windows import Window
from shared.records import moment, timestamp

HAPPENED_BEFORE = timedelta(days=7)
"""How much earlier than it was ingested something may have happened."""

HAPPENED_AFTER = timedelta(hours=1)
"""How far the clocks of those who log may be ahead."""

_ROWS = """\
let account = "%(account)s";
let since = datetime(%(from)s);
let until = datetime(%(to)s);
union isfuzzy=true withsource=SourceTable (datatable(TimeGenerated: datetime, _ResourceId: string)[]),
    AzureDiagnostics, CognitiveServices*, AzureOpenAI*, AIServices*
| where ingestion_time() >= since and ingestion_time() <= until
| where _ResourceId =~ account
| extend Operation = tostring(column_ifexists("OperationName", "")),
    Said = tostring(coalesce(tostring(column_ifexists("properties_s", "")), tostring(column_ifexists("Properties", ""))))
"""

_DELETIONS = _ROWS + """\
| where Operation contains "delete" or Operation contains "cancel" or Operation contains "listkey" or Operation contains "list_key"
| project TimeGenerated, IngestedAt = ingestion_time(), SourceTable, ResourceId = _ResourceId,
    Category = tostring(column_ifexists("Category", "")),
    OperationName = Operation,
    ResultType = tostring(column_ifexists("ResultType", "")),
    ResultSignature = tostring(column_ifexists("ResultSignature", "")),
    DurationMs = tostring(column_ifexists("DurationMs", "")),
    CallerIPAddress = tostring(coalesce(tostring(column_ifexists("CallerIPAddress", "")), tostring(column_ifexists("CallerIpAddress", "")))),
    CorrelationId = tostring(column_ifexists("CorrelationId", "")),
    Event = tostring(column_ifexists("event_s", "")),
    Location = tostring(coalesce(tostring(column_ifexists("location_s", "")), tostring(column_ifexists("Location", "")))),
    ObjectId = tostring(coalesce(tostring(column_ifexists("objectId_s", "")), tostring(column_ifexists("callerObjectId_s", "")))),
    Properties = Said
| sort by IngestedAt asc, TimeGenerated asc, CorrelationId asc
"""

_OPERATIONS = _ROWS + """\
| extend Category = tostring(column_ifexists("Category", "")), ResultSignature = tostring(column_ifexists("ResultSignature", "")),
    ApiName = tostring(parse_json(Said).apiName)
| summarize Rows = count(), FirstAt = min(TimeGenerated), LastAt = max(TimeGenerated)
    by SourceTable, Category, OperationName = Operation, ResultSignature, ApiName
| sort by SourceTable asc, Category asc, OperationName asc, ResultSignature asc, ApiName asc
"""

TEXTS: dict[str, tuple[str, ...]] = {"resourceLogDeletions": (_DELETIONS,), "resourceLogOperations": (_OPERATIONS,)}
"""By kind of question, the newest first."""


def request_body(kind: str, account: str, window: Window, text: str | None = None) -> Json:
    """`{"query","timespan"}` of a question about the account with this lower-cased id; `text`: another than the newest."""
    literal = account.replace("\\", "\\\\").replace('"', '\\"')
    start, end = timestamp(moment(window.start) - HAPPENED_BEFORE), timestamp(moment(window.end) + HAPPENED_AFTER)
    query = (text or TEXTS[kind][0]) % {"account": literal, "from": window.start, "to": window.end}
    return {"query": query, "timespan": f"{start}/{end}"}


def is_known(kind: str, account: str, window: Window, body: Json) -> bool:
    """Whether this is what a version of this software asks, about this account and for this window."""
    return any(body == request_body(kind, account, window, text) for text in TEXTS.get(kind, ()))
