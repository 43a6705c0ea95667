"""Whether a value that somebody wrote is one that a key of the profile can have; used for TOML and for a sealed profile alike."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from shared import schedule
from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.expectation import ANY, THRESHOLDS, Key, Value
from shared.judge.reading import shown

_LIKENESS: Final = 0.82
"""How alike a name must be to a known one to be taken for its misspelling (Franse, France: 0.83)."""


class NotAcceptedError(Exception):
    """Not a value for this key: `message` says what is, `item` which part of the value is wrong."""

    def __init__(self, message: str, *item: str | int) -> None:
        """Keep the sentence and the path within the value."""
        super().__init__(message)
        self.message = message
        self.item = item


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` where something known is alike, else nothing."""
    by_folded = {name.casefold(): name for name in known}
    near = get_close_matches(word.casefold(), sorted(by_folded), 1, 0.6)
    return f'; did you mean "{by_folded[near[0]]}"?' if near else ""


def accept(key: Key, raw: Json) -> Value:
    """`raw` as the value of `key`, in its one canonical form.

    Raises:
        NotAcceptedError: it is not one.
    """
    if key.sort == "choice":
        return _choice(raw, key.options)
    if key.sort in ("choices", "names"):
        return _list(key, raw)
    if key.sort == "flag":
        return _flag(raw)
    if key.sort == "number":
        return _number(key, raw)
    if key.sort == "schedule":
        return _schedule(raw)
    return _thresholds(key, raw)


def to_json(key: Key, value: Value) -> Json:
    """A value of `key` as JSON has it; `accept` gives it back."""
    if not isinstance(value, tuple):
        return value
    return {pair[0]: pair[1] for pair in value} if key.sort == "thresholds" else list(value)


def _choice(raw: Json, options: tuple[str, ...], *item: str | int) -> str:
    if not isinstance(raw, str):
        raise NotAcceptedError(f"{_what(raw)} where one of {_quoted(options)} is due", *item)
    for option in options:
        if option.casefold() == raw.casefold():
            return option
    raise NotAcceptedError(f"{shown(raw)} is not one of {_quoted(options)}{suggestion(raw, options)}", *item)


def _list(key: Key, raw: Json) -> Value:
    if key.or_any and isinstance(raw, str) and raw.casefold() == ANY:
        return ANY
    due = 'a list of names or "any"' if key.or_any else "a list of names"
    if not isinstance(raw, list):
        raise NotAcceptedError(f"{_what(raw)} where {due} is due")
    if not raw and not key.may_be_empty:
        or_any = ', or write "any"' if key.or_any else ""
        raise NotAcceptedError(f"the list is empty: name what is allowed{or_any}")
    take = _choice if key.sort == "choices" else _name
    return tuple(sorted({take(item, key.options, number) for number, item in enumerate(raw)}))


def _name(raw: Json, known: tuple[str, ...], number: int) -> str:
    """A name that may be newer than our tables, unless it looks like a misspelling of one in them."""
    if not isinstance(raw, str) or not raw.strip():
        raise NotAcceptedError(f"{_what(raw)} where a name is due", number)
    by_folded = {name.casefold(): name for name in known}
    if raw.casefold() in by_folded:
        return by_folded[raw.casefold()]
    if get_close_matches(raw.casefold(), sorted(by_folded), 1, _LIKENESS):
        raise NotAcceptedError(f"{shown(raw)} is not known{suggestion(raw, known)}", number)
    return raw


def _flag(raw: Json) -> bool:
    if not isinstance(raw, bool):
        raise NotAcceptedError(f"{_what(raw)} where true or false is due")
    return raw


def _number(key: Key, raw: Json) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise NotAcceptedError(f"{_what(raw)} where a whole number is due")
    if not key.least <= raw <= 1_000_000:
        raise NotAcceptedError(f"{shown(raw)} is not between {key.least} and 1000000")
    return raw


def _thresholds(key: Key, raw: Json) -> Value:
    if not isinstance(raw, dict):
        raise NotAcceptedError(f"{_what(raw)} where a table of severities by harm is due")
    found: dict[str, str] = {}
    for name, severity in raw.items():
        if name not in key.options:
            raise NotAcceptedError(f"unknown harm {shown(name)}{suggestion(name, key.options)}", name)
        found[name] = _choice(severity, THRESHOLDS, name)
    return tuple(sorted(found.items()))


def _schedule(raw: Json) -> str:
    if not isinstance(raw, str):
        raise NotAcceptedError(f'{_what(raw)} where a schedule is due, such as "0 0 */6 * * *"')
    try:
        return schedule.parse(raw).text if raw.strip() else ""
    except Misuse as wrong:
        raise NotAcceptedError(str(wrong)) from wrong


def _what(raw: Json) -> str:
    if isinstance(raw, bool | int | float | str):
        return shown(raw)
    if isinstance(raw, list):
        return "a list"
    return "a table" if isinstance(raw, dict) else "a date or time"


def _quoted(options: Iterable[str]) -> str:
    return ", ".join(f'"{option}"' for option in options)
