"""Whether what happens would be logged: the account's own operations, and the subscription's Activity Log beyond its 90 days.

Operations on the data plane (deleting a file or a fine-tuned model, reading a stored completion) appear only in resource logs of the
category RequestResponse, or the group allLogs; the group `audit` records little more than the listing of keys.
"""

from shared.judge.case import Case
from shared.judge.expectation import Expectation
from shared.judge.reading import Node, answered, count, listed, names
from shared.judge.verdict import not_applicable, unknown, verdict
from shared.model import Evidence, Judgement, Point

_DESTINATIONS = ("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "serviceBusRuleId", "marketplacePartnerId")


def data_plane_logging(case: Case) -> list[Judgement]:
    """A diagnostic setting with a destination sends every category of log that the profile requires."""
    categories = case.expect.words("logging.categories") or ()
    settings = case.items("diagnosticSettings")
    if not categories:
        return [not_applicable(case.id, "The profile requires no category of log.", case.list_point("diagnosticSettings"))]
    because = f"{case.expect.because('logging.categories')}: {names(categories)}"
    logs = _sent(settings)
    lacking = [category for category in categories if not _covering(logs, category)]
    points = [point for category in categories for point in _covering(logs, category)[:1]]
    if not lacking:
        return [verdict(case.id, True, f"Logs of {names(categories)} are sent to a destination ({because}).", *points)]
    whole = [case.list_point("diagnosticSettings"), *(setting.point() for setting in settings)]
    if any(log == "?" for log, _ in logs):
        return [unknown(case.id, f"A diagnostic setting cannot be read, and none that can sends {names(lacking)} ({because}).", *whole)]
    only_audit = any(log == "group audit" for log, _ in logs)
    hint = "; the group audit, which is sent, does not hold them" if only_audit else ""
    found = count(len(settings), "diagnostic setting")
    fact = f"Of {found} none sends {names(lacking)}" if settings else "There is no diagnostic setting"
    return [verdict(case.id, False, f"{fact}, so these operations would leave no record{hint} ({because}).", *whole)]


def activity_log_exported(evidence: Evidence, expect: Expectation) -> list[Judgement]:
    """A diagnostic setting of the subscription keeps the Activity Log's administrative events beyond the 90 days Azure does."""
    resource = evidence.resource
    answer = answered(evidence, "subscriptionDiagnosticSettings")
    settings = listed(answer)
    logs = _sent(settings)
    kept = _covering(logs, "Administrative")
    wanted = expect.word("logging.activity_log_export")
    if wanted != "required":
        fact = "is" if kept else "is not shown as"
        return [not_applicable(resource, f"The Activity Log {fact} exported; the profile expects nothing here.", Point(answer.record))]
    because = f"{expect.because('logging.activity_log_export')}: required"
    if kept:
        return [verdict(resource, True, f"The Activity Log's administrative events are exported ({because}).", *kept[:1])]
    points = [Point(answer.record, 0, "/value"), *(setting.point() for setting in settings)]
    if any(log == "?" for log, _ in logs):
        return [unknown(resource, f"A diagnostic setting of the subscription cannot be read ({because}).", *points)]
    reason = f"No setting exports the Activity Log's administrative events, which Azure forgets after 90 days ({because})."
    return [verdict(resource, False, reason, *points)]


def _sent(settings: list[Node]) -> list[tuple[str, Point]]:
    """What is enabled and has a destination: `category x`, `group x`, or `?` where a setting cannot be read."""
    return [log for setting in settings for log in _sent_by(setting)]


def _sent_by(setting: Node) -> list[tuple[str, Point]]:
    properties = setting.value.get("properties")
    logs = properties.get("logs") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(logs, list):
        return [("?", setting.point())]
    if not any(isinstance(properties.get(name), str) and properties[name] for name in _DESTINATIONS):
        return []
    return [
        _log(setting, number, entry)
        for number, entry in enumerate(logs)
        if not isinstance(entry, dict) or entry.get("enabled") is not False
    ]


def _log(setting: Node, number: int, entry: object) -> tuple[str, Point]:
    """Azure gives category and group, one of them null."""
    point = setting.point("properties", "logs", str(number))
    if not isinstance(entry, dict) or entry.get("enabled") is not True:
        return "?", point
    category, group = entry.get("category"), entry.get("categoryGroup")
    if isinstance(category, str) and group is None:
        return f"category {category.casefold()}", point
    if isinstance(group, str) and category is None:
        return f"group {group.casefold()}", point
    return "?", point


def _covering(logs: list[tuple[str, Point]], category: str) -> list[Point]:
    enough = {f"category {category.casefold()}", "group alllogs"} | ({"group audit"} if category == "Audit" else set())
    return [point for log, point in logs if log in enough]
