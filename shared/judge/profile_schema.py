"""The JSON Schema of a profile, for editors: keys, values and what they mean, from the table of expectations.

An editor for TOML reads it by a first line `#:schema profile.schema.json` (Even Better TOML, Taplo). It is for convenience: what holds
is `shared.judge.profile_text`, which says line and column, and takes names in any casing.
"""

from typing import Any, Final

from shared.judge.expectation import ANY, KEYS, SECTIONS, THRESHOLDS, Key
from shared.judge.profile import LEVELS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_TARGETS: Final = {
    "subscription": "By subscription id: what is expected of everything in it.",
    "resource_group": "By /subscriptions/ID/resourceGroups/NAME: what is expected of everything in it.",
    "resource": "By ARM id of an account or deployment: what is expected of it and of what lies in it.",
}


def schema() -> dict[str, Any]:
    """The schema, of draft 2020-12."""
    whole = {section: _section(section, everywhere=True) for section in SECTIONS}
    parts = {section: _section(section, everywhere=False) for section in SECTIONS}
    override = {"type": "object", "additionalProperties": False, "properties": {name: part for name, part in parts.items() if part["properties"]}}
    levels = {level: {"type": "object", "description": _TARGETS[level], "additionalProperties": override} for level in LEVELS}
    return {
        "$schema": DIALECT,
        "title": "Profile of aoai-evidence",
        "description": "What an organisation expects of its Azure OpenAI resources. A key that is not there has its default.",
        "type": "object",
        "additionalProperties": False,
        "properties": whole | levels,
    }


def _section(section: str, *, everywhere: bool) -> dict[str, Any]:
    keys = [key for key in KEYS if key.section == section and (everywhere or not key.everywhere)]
    return {"type": "object", "additionalProperties": False, "properties": {key.name: _key(key) for key in keys}}


def _key(key: Key) -> dict[str, Any]:
    default = dict(key.default) if key.sort == "thresholds" else list(key.default) if isinstance(key.default, tuple) else key.default  # type: ignore[arg-type]
    return {"description": f"{key.means[:1].upper()}{key.means[1:]}.", "default": default, **_values(key)}


def _values(key: Key) -> dict[str, Any]:
    if key.sort == "choice":
        return {"enum": list(key.options)}
    if key.sort in ("choices", "names"):
        item: dict[str, Any] = {"enum": list(key.options)} if key.sort == "choices" else {"type": "string", "examples": list(key.options)}
        found: dict[str, Any] = {"type": "array", "items": item, "minItems": 0 if key.may_be_empty else 1}
        return {"oneOf": [found, {"const": ANY}]} if key.or_any else found
    if key.sort == "flag":
        return {"type": "boolean"}
    if key.sort == "number":
        return {"type": "integer", "minimum": key.least, "maximum": 1_000_000}
    if key.sort == "thresholds":
        return {"type": "object", "additionalProperties": False, "properties": {harm: {"enum": list(THRESHOLDS)} for harm in key.options}}
    return {"type": "string", "examples": ["0 0 */6 * * *"]}
