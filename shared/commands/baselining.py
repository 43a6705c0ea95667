"""The commands `baseline approve`, `baseline list` and `drift`."""

from typing import Annotated

import typer

from shared.canonical import Json
from shared.commands.context import settings, terminal, wanted
from shared.errors import Misuse
from shared.terminal import table

Within = Annotated[
    str | None, typer.Option("--resource", help="The name of an account, or an ARM id: of an account, a resource group, a subscription.", metavar="ACCOUNT|ID")
]
Owner = Annotated[str, typer.Option(help="Who approves it; a personal value of the evidence, that can be erased.")]
Reason = Annotated[str, typer.Option(help="Why; goes into the evidence, so name nobody in it.")]


def approve(
    owner: Owner, reason: Reason, resource: Within = None, all_: Annotated[bool, typer.Option("--all", help="Everything that sweeps ask about.")] = False
) -> None:
    """Approve the state in which resources are, as the last closed sweep saw them: `drift` says from then on what differs from it."""
    from shared.service.baseline import approve as seal

    if (resource is None) == (not all_):
        raise Misuse("name what is approved: --resource with an account or an ARM id, or --all")
    value = seal(settings(), resource, owner=owner, reason=reason).as_json()
    where = value["scope"] or "everything"
    terminal().answer(value, [
        f"baseline {value['baseline']} (record {value['record']}): {where} is approved as of sweep {value['sweep']}",
        "`aoai-evidence drift` says what differs from it, and what nobody could look at",
    ])  # fmt: skip


def list_() -> None:
    """The baselines: what was approved, as of which sweep, when, why, and the record of each. Of those about a resource the last one holds."""
    from shared.service.baseline import baselines
    from shared.service.queries import reading

    found = baselines(reading(settings()))
    rows = ([one["baseline"], one["record"], _minute(one["approved"]), one["scope"] or "all", one["sweep"], one["reason"]] for one in found)
    terminal().answer(found, table(["baseline", "record", "approved", "scope", "as of sweep", "reason"], rows))


def drift(resource: Within = None) -> None:
    """What differs now from what was approved, resource by resource; `changes` says what differs from the sweep before."""
    from shared.service.drifted import AS_APPROVED, drifted
    from shared.service.queries import reading

    read = reading(settings())
    found = list(drifted(read, wanted(resource, None, None, None)))
    if not found and resource:
        raise Misuse(f"--resource {resource!r}: there is no such account, and none was approved; `aoai-evidence resources` lists them")
    rows = [row for one in found for row in _rows(one)]
    same = sum(one["state"] == AS_APPROVED for one in found)
    lines = [f"{same} of {len(found)} resources are as approved", *(["", *table(["state", "severity", "baseline", "approved", "now", "what"], rows)] if rows else [])]
    terminal().answer(found, lines)
    raise typer.Exit(0 if found and same == len(found) else 3)


def _rows(one: Json) -> list[list[Json]]:
    """The lines about a resource that is not as approved, with the records of both states."""
    base = one["baseline"] or "none"
    differs = [
        [one["state"], meaning["severity"], base, _index(each["approved"]), _index(each["now"]), meaning["text"]]
        for each in one["differences"] for meaning in each["means"]
    ]
    where = one["resource"] or "the collection"
    unknown = [
        ["never approved" if one["state"] == "never approved" else "unknown", "", base, "–", "–", f"{each['kind']} of {_short(each['resource'] or where)}: {each['why']}"]
        for each in one["unknown"]
    ]
    return differs + unknown


def _index(record: int | None) -> Json:
    return "–" if record is None else record


def _short(resource: str) -> str:
    parts = resource.split("/")
    return "/".join(parts[8:]) if len(parts) > 8 else resource


def _minute(time: str) -> str:
    return time[:16].replace("T", " ")
