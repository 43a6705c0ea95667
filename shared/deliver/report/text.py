"""How values from outside become text on a page: made visible where they would hide, and words for what is ours.

Names and reasons come from whoever may create a resource in Azure. Escaping is the templates' (autoescape, always on); here,
characters that are not seen but change what is seen (bidi controls, zero-width, control characters, lone surrogates) are shown by
their number, and what is very long is cut, saying by how much.
"""

from collections.abc import Sized
from datetime import datetime
from typing import Final

from markupsafe import Markup

from shared.canonical import Json
from shared.deliver.view_coverage import instant
from shared.deliver.visible import shown
from shared.model import Status


def visible(value: object) -> object:
    """What a template may print: applied to every `{{ }}` before escaping. Markup is a template's own and passes."""
    if isinstance(value, Markup) or value is None:
        return "" if value is None else value
    return shown(str(value))


STATUS_WORDS: Final[dict[Status | None, str]] = {
    "satisfied": "Satisfied",
    "not-satisfied": "Not satisfied",
    "unknown": "Unknown",
    "not-applicable": "Not applicable",
    "provider-attested": "Provider attests",
    None: "Not judged",
}

SLOT_WORDS: Final = {
    "complete": "complete",
    "failures": "some questions failed",
    "missing-units": "some resources missing",
    "not-closed": "did not finish",
    "gap": "no sweep",
}

SCOPE_WORDS: Final = {"geography": "Own geography", "data-zone": "Data zone", "global": "Any geography", "unknown": "Unknown"}

QUESTION_WORDS: Final = {"tls": "TLS handshake", "sweep-planned": "plan of the sweep", "sweep-closed": "closing of the sweep"}


def status_word(status: Status | None) -> str:
    """A status as people read it; one this version does not know, as it is."""
    return STATUS_WORDS.get(status, str(status))


def when(text: str | None) -> str:
    """A time to the minute, in UTC: `2026-11-12 18:00`; what is no time, as it is."""
    moment = _moment(text)
    return moment.strftime("%Y-%m-%d %H:%M") if moment else str(text or "–")


def day(text: str | None) -> str:
    """The day of a time: `12 Nov 2026`."""
    moment = _moment(text)
    return f"{moment.day} {moment:%b %Y}" if moment else str(text or "–")


def _moment(text: str | None) -> datetime | None:
    try:
        return instant(text) if text else None
    except ValueError:
        return None


def number(value: int) -> str:
    """A number with its thousands set apart."""
    return f"{value:,}"


def plural(value: int | Sized, one: str, many: str = "") -> str:
    """A number, or how many there are, with its noun: `1 account`, `3 accounts`."""
    value = value if isinstance(value, int) else len(value)
    return f"{value:,} {one if value == 1 else many or one + 's'}"


def last_part(resource: str | None) -> str:
    """The name at the end of an ARM id."""
    return (resource or "").rstrip("/").rsplit("/", 1)[-1]


def within(resource: str | None, parent: str) -> str:
    """What `resource` is within `parent`: `deployments/chat`; empty for the parent itself."""
    return resource[len(parent) :].strip("/") if resource and resource.startswith(parent) else resource or ""


def plain(value: Json) -> str:
    """A value of a profile, for a table."""
    if value is None:
        return "not declared"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(plain, value)) or "none"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {plain(each)}" for name, each in value.items()) or "none"
    return str(value)
