"""The template environment: autoescape always on, every printed value made visible, files read from this package alone."""

import base64
import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from datetime import time, timedelta
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from shared.canonical import Json
from shared.deliver.report import residency, text
from shared.deliver.report.groups import STATUS_ORDER
from shared.deliver.view_coverage import duration, instant
from shared.deliver.view_model import Excerpt
from shared.deliver.view_sweeps import Period
from shared.deliver.view_words import Reference
from shared.judge.exhibits import last_day
from shared.judge.reading import FAILURES
from shared.model import Status

STRIP_TOP: Final[dict[Status, int]] = {"not-satisfied": 0, "unknown": 7, "satisfied": 12, "provider-attested": 12, "not-applicable": 14}
"""Where a segment begins, of sixteen: the graver, the taller."""


def source(name: str) -> str:
    """A file of this package."""
    return files(__package__).joinpath(name).read_text("utf-8")


def policy(script: str) -> str:
    """The content security policy of a page with this one script: nothing from anywhere else, no other script."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


@cache
def environment() -> Environment:
    """The environment, made once."""
    made = Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        finalize=text.visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "anchor": _anchor,
        "clip": _clip,
        "day": text.day,
        "declared": _declared,
        "destination": residency.NAMES.__getitem__,
        "destination_class": _destination_class,
        "duration": duration,
        "expectations": _expectations,
        "failure": lambda reason: FAILURES.get(reason, reason),
        "framework_groups": _framework_groups,
        "last_day": lambda moment: text.day(last_day(moment)),
        "last_part": text.last_part,
        "meaning": residency.MEANINGS.__getitem__,
        "number": text.number,
        "ordered": _ordered,
        "period": period_words,
        "plain": text.plain,
        "plural": text.plural,
        "question": lambda kind: text.QUESTION_WORDS.get(kind, kind),
        "quoted": shlex.quote,
        "scope": lambda scope: text.SCOPE_WORDS.get(scope, "not known"),
        "short_resource": _short_resource,
        "slot_word": lambda state: text.SLOT_WORDS.get(state, {"part": "some slots without a sweep", "none": "no sweep"}.get(state, state)),
        "status_class": lambda status: f"s-{_known(status)}",
        "status_icon": _known,
        "status_word": text.status_word,
        "strip_top": lambda status: STRIP_TOP.get(status, 7),
        "telling": _telling,
        "when": text.when,
    }
    return made


def own(trusted: str) -> Markup:
    """Text of this package that is markup, a style sheet or a script already."""
    return Markup(trusted)  # noqa: S704 - from this package's own files, never from records


def period_words(period: Period) -> str:
    """`1 Nov 2026 to 30 Nov 2026`; with times where the borders are not midnights."""
    start, end = instant(period.start), instant(period.end)
    if start.time() != time() or end.time() != time():
        return f"{text.when(period.start)} to {text.when(period.end)}"
    last = end - timedelta(days=1)
    first_day, last_day = f"{start.day} {start:%b %Y}", f"{last.day} {last:%b %Y}"
    return first_day if last <= start else f"{first_day} to {last_day}"


def _known(status: Status | None) -> str:
    """The status as a class or icon is named; one this version does not know looks like `unknown`."""
    if status is None:
        return "none"
    return status if status in STATUS_ORDER else "unknown"


def _anchor(name: str, prefix: str) -> str:
    return f"{prefix}-{re.sub(r'[^A-Za-z0-9-]', '-', name)}"


def _clip(value: str, most: int) -> str:
    """A name for a picture: a subscription's by both ends, any other by its beginning."""
    if len(value) <= most:
        return value
    return f"{value[:8]}…{value[-4:]}" if re.fullmatch(r"[0-9a-f-]{36}", value) else f"{value[: most - 1]}…"


def _destination_class(name: str) -> str:
    return {"zone:EU": "zone", "zone:US": "zone", "zone:?": "unknown"}.get(name, name)


def _ordered(counts: Mapping[Status, int]) -> list[tuple[Status, int]]:
    return [(status, counts[status]) for status in STATUS_ORDER if counts.get(status)]


def _framework_groups(references: Iterable[Reference]) -> list[tuple[str, list[Reference]]]:
    found: dict[str, list[Reference]] = {}
    for each in references:
        found.setdefault(each.framework, []).append(each)
    return list(found.items())


def _short_resource(resource: str | None) -> str:
    """The account and the name of what lies in it: `chat-prod / gpt-4o`; of anything else, its last part."""
    pieces = (resource or "").strip("/").split("/")
    return " / ".join(pieces[7::2]) if len(pieces) > 7 else pieces[-1]


def _telling(excerpts: Sequence[Excerpt]) -> list[Excerpt]:
    """Those whose bytes say something: a whole answer only where nothing within it is named."""
    within = [each for each in excerpts if each.pointer or each.digest is None]
    return within or list(excerpts)


def _declared(profile: Json) -> bool:
    return bool(isinstance(profile, dict) and (profile.get("declared") or profile.get("overrides")))


def _expectations(profile: Json) -> list[tuple[str, Json, str]]:
    """Name, value, and whether the profile states it or it is a default; overrides after what they override."""
    expect = profile.get("expect") if isinstance(profile.get("expect"), dict) else {}
    declared = profile.get("declared") if isinstance(profile.get("declared"), list) else []
    rows = [(name, value, "in the profile" if name in declared else "default") for name, value in sorted(expect.items())]
    for override in profile.get("overrides") or ():
        if isinstance(override, dict):
            within = f"for {str(override.get('level')).replace('_', ' ')} {override.get('id')}"
            rows += [(name, value, within) for name, value in sorted((override.get("expect") or {}).items())]
    return rows
