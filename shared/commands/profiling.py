"""The commands `profile check` and `profile schema`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from shared.commands.context import settings, terminal
from shared.terminal import table


def check(
    file: Annotated[Path | None, typer.Argument(help="The profile; default: the one that EVIDENCE_PROFILE names, else the defaults.", metavar="FILE")] = None,
    resource: Annotated[str | None, typer.Option(help="ARM id: say what is expected of it, and which rule decides.", metavar="ID")] = None,
) -> None:
    """Check a profile, line and column; with --resource, explain which of its rules decides each key for that resource."""
    from shared.service import profiles
    from shared.service.compose import profile_of

    found = profile_of(replace(settings(), profile=str(file)) if file else settings())
    if resource is None:
        value = profiles.summary(found)
        lines = [f"{found.source}: a profile, SHA-256 {found.digest}", f"{len(value['declared'])} keys declared: {', '.join(value['declared']) or 'none'}"]
        lines += [f"{override['level'].replace('_', ' ')} {override['id']}: {', '.join(override['keys'])}" for override in value["overrides"]]
        terminal().answer(value, [*lines, f"schedule: {found.schedule or 'none'}"])
        return
    rules = profiles.explain(found.profile, resource)
    answer = [{"key": rule.key, "value": rule.value, "source": rule.source, "instead_of": list(rule.beside)} for rule in rules]
    rows = [[rule.key, _shown(rule.value), rule.source, "; ".join(rule.beside)] for rule in rules]
    terminal().answer(answer, table(["key", "expected", "decided by", "instead of"], rows))


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) or "(none)" if isinstance(value, list) else str(value)


def schema() -> None:
    """Print the JSON Schema of profiles, for an editor: put `#:schema profile.schema.json` into the first line of yours."""
    import json

    from shared.judge.profile_schema import schema as made

    terminal().show(json.dumps(made(), indent=2))
