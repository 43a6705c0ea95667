"""Is anything left? Parses a whole body anew and looks every key and value of it up again.

Knows nothing of positions in bytes, and so shares no mistake with what replaced them: keys come decoded, whatever escapes spelled
them; a key that is repeated in an object is seen each time, where a parser that returns dicts drops all but the last.
"""

from functools import lru_cache
from json import JSONDecoder
from typing import NoReturn

from shared.canonical import Json
from shared.privacy.fields import Rule, Rules, rules
from shared.privacy.patterns import clear, key_shaped, names_rate_limit, personal_text, replaced, secret_text

Pairs = tuple[tuple[str, Json], ...]
"""An object, with repeated keys; arrays are lists."""


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


_PLAIN = JSONDecoder(parse_constant=_no_constant)
PAIRS = JSONDecoder(object_pairs_hook=tuple, parse_constant=_no_constant)
"""Gives objects as `Pairs`."""


def parsed(text: bytes, decoder: JSONDecoder = _PLAIN) -> Json:
    """Parse a JSON text in UTF-8 strictly: no NaN, no other encoding.

    Raises:
        ValueError: it is none, or is nested too deeply to be looked through. Neither the message nor the error holds any of it.
    """
    try:
        return decoder.decode(text.decode("utf-8"))
    except RecursionError:
        raise ValueError("JSON nested too deeply") from None
    except ValueError:
        # json's and the decoder's own errors carry the text they were given
        raise ValueError("not JSON in UTF-8") from None


class _LeftError(Exception):
    """A rule matches: there is no need to read on."""


@lru_cache(maxsize=256)
def _looking(kind: str, personal: bool) -> JSONDecoder:
    """A parser that raises `_LeftError` at the first key whose value a rule should have replaced."""
    of_name = rules(kind, personal)
    harmless = of_name.harmless

    def look(pairs: list[tuple[str, Json]]) -> Pairs:
        for name, value in pairs:
            if name not in harmless:
                rule = of_name[name]
                if rule is not None and stands(rule, value, pairs, of_name):
                    raise _LeftError
        return tuple(pairs)

    return JSONDecoder(object_pairs_hook=look, parse_constant=_no_constant)


def anything_left(body: bytes, kind: str, personal: bool, texts: bool) -> bool:
    """Whether a rule still matches in `body`: by key, and (`texts`) by the look of every text; addresses only if `personal`.

    Raises:
        ValueError: not JSON (see `parsed`).
    """
    try:
        tree = parsed(body, _looking(kind, personal))
    except _LeftError:
        return True
    return texts and _text_left(tree, personal)


def stands(rule: Rule, value: Json, pairs: list[tuple[str, Json]] | Pairs, rules: Rules) -> bool:
    """Whether `value`, in an object of `pairs`, is what `rule` should have replaced."""
    if rule.does == "like-key":
        return key_shaped(value)
    if rule.does == "key":
        return clear(value) and not names_rate_limit(value, dict(pairs))
    if rule.does == "members" and isinstance(value, tuple) and not replaced(value):
        of_members = ((rules.member(rule, name), member) for name, member in value)
        return any(of_member is not None and stands(of_member, member, value, rules) for of_member, member in of_members)
    return clear(value)


def _text_left(tree: Json, personal: bool) -> bool:
    """Whether a text of `tree` should have been replaced for what it looks like, or a key is a secret (which cannot be)."""
    names: list[str] = []
    texts: list[str] = []
    waiting = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            texts.append(item)
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, tuple):
            for name, value in item:
                names.append(name)
                waiting.append(value)
    return any(map(secret_text, names)) or any(map(secret_text, texts)) or (personal and any(map(personal_text, texts)))
