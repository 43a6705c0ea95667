"""Collecting one unit of work: every question that is due for it, in order, each with its answer or the reason for none."""

from collections.abc import Callable, Iterator

from shared.canonical import Json, canonical
from shared.collect.arm import Arm, Asked, Budget, Failed, Page
from shared.collect.endpoints import BY_KIND, TLS, Endpoint
from shared.collect.plan import Unit, project_ids

HANDSHAKE = Endpoint(TLS, "account", "", "", "", ("S13",), "lowest TLS version and certificate chain of the account's own endpoint", is_list=False)

Handshake = Callable[[str], "Json | Failed"]
"""Probes the TLS endpoint at a URL: the facts, or why there are none."""


def collect_unit(arm: Arm, unit: Unit, questions: dict[str, list[str]], handshake: Handshake) -> Iterator[Asked]:
    """Ask all that `questions` has for the unit, and yield what came of each question."""
    budget = Budget()
    answered: dict[str, Asked] = {}
    gone: Asked | None = None
    for kind in questions[unit.asked]:
        if gone is not None:
            asked = _skipped(kind, unit.id, "the account is gone")
        elif kind == TLS:
            asked = _shake(unit.id, answered.get("account"), handshake)
        else:
            asked = arm.ask(BY_KIND[kind], unit.id, budget)
        if kind == "account" and asked.failed and asked.failed.reason in ("not-found", "gone"):
            gone = asked
        answered[kind] = asked
        yield asked
    projects = answered.get("projects")
    if projects is not None and projects.failed is None:
        for project in project_ids(projects.items(), unit.id):
            for kind in questions["project"]:
                yield arm.ask(BY_KIND[kind], project, budget)


def _skipped(kind: str, resource: str, detail: str) -> Asked:
    endpoint = HANDSHAKE if kind == TLS else BY_KIND[kind]
    return Asked(endpoint, resource, "", (), Failed("skipped", detail))


def _shake(account_id: str, account: Asked | None, handshake: Handshake) -> Asked:
    if account is None or account.failed:
        return _skipped(TLS, account_id, "the account could not be read")
    properties = account.parsed[0].get("properties")
    url = properties.get("endpoint") if isinstance(properties, dict) else None
    if not isinstance(url, str):
        return _skipped(TLS, account_id, "the account names no endpoint")
    facts = handshake(url)
    if isinstance(facts, Failed):
        return Asked(HANDSHAKE, account_id, url, (), facts)
    return Asked(HANDSHAKE, account_id, url, (Page(url, canonical(facts), None, None, 1),), None, (facts,))
