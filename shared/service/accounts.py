"""The question `resources`: the accounts as they were last seen, with their deployments."""

from collections.abc import Iterator

from shared.canonical import Json
from shared.service.current import collected_since
from shared.service.latest import LatestAnswers, answer_key
from shared.service.queries import Filter, Reading, last_plan, plan_of


def resources(read: Reading, wanted: Filter) -> Iterator[Json]:
    """The accounts of the last sweep, and those that an event told of since, with their deployments, as last seen."""
    latest = LatestAnswers(read.store)
    for unit in last_units(read):
        if unit["asked"] == "subscription" or not wanted.passes({"resource": unit["resource"], "control": wanted.control}):
            continue
        answers = latest.of(unit["unit"])
        account = _first_page(read, answers.get(answer_key("account", unit["resource"])))
        yield {
            "resource": unit["resource"],
            "name": unit["id"].rpartition("/")[2],
            "kind": unit["asked"].partition(":")[2],
            "location": account.get("location"),
            "subscription": unit["resource"].split("/")[2],
            "last_seen": answers.get(answer_key("account", unit["resource"]), {}).get("at"),
            "deployments": [_deployment(item) for item in _items(read, answers.get(answer_key("deployments", unit["resource"])))],
        }


def last_units(read: Reading) -> Iterator[Json]:
    """The units of the last sweep, as its plan has them, and those of sweeps that events caused since."""
    plan = last_plan(read)
    planned = plan["units"] if plan else []
    yield from planned
    known = {unit["unit"] for unit in planned}
    for name, sweep in collected_since(read.sweeps).items():
        if name not in known:
            yield from (unit for unit in plan_of(read, sweep)["units"] if unit["unit"] == name)


def _first_page(read: Reading, answer: Json) -> Json:
    page = read.body(answer["pages"][0]) if answer and answer["pages"] else None
    return page if isinstance(page, dict) else {}


def _items(read: Reading, answer: Json) -> Iterator[Json]:
    for digest in answer["pages"] if answer else ():
        page = read.body(digest)
        yield from page["value"] if isinstance(page, dict) and isinstance(page.get("value"), list) else ()


def _deployment(item: Json) -> Json:
    def member(value: Json, *names: str) -> Json:
        for name in names:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return {
        "name": item.get("name"),
        "sku": member(item, "sku", "name"),
        "model": member(item, "properties", "model", "name"),
        "version": member(item, "properties", "model", "version"),
        "rai_policy": member(item, "properties", "raiPolicyName"),
    }
