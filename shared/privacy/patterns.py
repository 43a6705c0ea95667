"""What a secret, and a person's address, look like wherever they stand: patterns over the text of one value.

A pattern is here when it is sure by its shape alone; what is only suspicious (32 hexadecimal digits are an `internalId` or a
`keyVersion` as often as a key) counts under a name like a key's and nowhere else. Sources: the shapes that Azure documents for
connection strings and SAS; microsoft/security-utilities for the keys of Cognitive Services (84 characters around a fixed mark) and
Entra client secrets.
"""

import json
import re
from collections.abc import Iterable
from functools import lru_cache

from shared.canonical import Json
from shared.privacy.fields import RATE_LIMIT_SIBLINGS, Rules

_SECRETS = re.compile(
    r"""(?aix)
      \b(?:account|access|shared|sharedaccess|sharedsecret|primary|secondary|api|subscription)[ _-]?key[ ]{0,8}=[ ]*[^;&\s]
    | \b(?:password|pwd|passwd|client[ _-]?secret|shared[ _-]?access[ _-]?signature)[ ]{0,8}=[ ]*[^;&\s]
    | (?:^|[?&;])(?:sig|code|access_token)=[a-z0-9%+/=_.~-]{16}         # SAS, function keys, tokens in URLs
    | ://[^/?\#\s:@]+:[^/?\#\s@]+@                                      # user:password in URLs
    | -----begin\ [a-z0-9 ]*private\ key
    | \b(?-i:eyJ)[a-z0-9_-]{8,}\.[a-z0-9_-]{8,}\.                       # JWT
    | (?-i:[A-Za-z0-9]{40,52}JQQJ9[A-Za-z0-9]{20,})                     # Cognitive Services, 84 characters
    | (?-i:[A-Za-z0-9_.~-]{3}[78]Q~[A-Za-z0-9_.~-]{31,34})              # Entra client secret
    | ^[a-z0-9+/]{86}==$                                                # 64 random bytes: storage, Cosmos DB
    """
)
_DASHES, _ESCAPE, _TOKENS = re.compile(rb"-----"), re.compile(rb"\\u"), re.compile(rb"J(?:QQJ9|(?<=eyJ))")
"""Each begins with a byte that is rare in Azure's answers, which is what makes the search quick."""
_BEFORE_EQUALS = (b"key", b"password", b"pwd", b"passwd", b"secret", b"signature", b"sig", b"code", b"access_token")
_KEY_SHAPE = re.compile(r"[0-9a-fA-F]{32}|[A-Za-z0-9]{52}|[A-Za-z0-9]{84}|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{86}==|sk-\S{20,}")
_ADDRESS = re.compile(r"[^\s@/:;,<>\"'()]@(?:[\w-]+\.)+[^\W\d_]{2,}")
_OURS = re.compile(r"[A-Za-z0-9+/]{43}=")


def marked(body: bytes) -> bool:
    """Whether a text that is secret could stand in `body` (JSON) where no `@` does: no, for most of Azure's answers, and told quickly.

    An escape counts, since it can spell any character.
    """
    if b"~" in body or _DASHES.search(body) or _ESCAPE.search(body) or _TOKENS.search(body):
        return True
    position = body.find(b"=")
    while position >= 0:
        # URLs in Azure's answers hold `=` too: what stands before it tells
        if body[max(0, position - 24) : position].rstrip().lower().endswith(_BEFORE_EQUALS) or body[position + 1 : position + 2] == b"=":
            return True
        position = body.find(b"=", position + 1)
    return False


def secret_text(text: str) -> bool:
    """Whether `text` is, or holds, a secret by its shape."""
    possible = "=" in text or "~" in text or "eyJ" in text or "JQQJ9" in text or "-----" in text or ("@" in text and "://" in text)
    return possible and _SECRETS.search(text) is not None


def key_shaped(value: Json) -> bool:
    """Whether `value` is shaped like a key: to be asked only of what stands under a name like a key's."""
    return isinstance(value, str) and _KEY_SHAPE.fullmatch(value) is not None


def personal_text(text: str) -> bool:
    """Whether `text` holds an e-mail address (or a user name, which looks like one)."""
    return "@" in text and _ADDRESS.search(text) is not None


def names_rate_limit(value: Json, siblings: Iterable[str]) -> bool:
    """Whether `value`, under `key` beside `siblings` (the keys of the same object), names a rate limit rather than unlocks something."""
    return isinstance(value, str) and not RATE_LIMIT_SIBLINGS.isdisjoint(siblings) and _harmless_name(value)


@lru_cache(maxsize=4096)
def _harmless_name(text: str) -> bool:
    return len(text) <= 100 and not key_shaped(text) and not secret_text(text)


def clear(value: Json) -> bool:
    """Whether `value` says something that can be personal or secret, and is not replaced already.

    Objects come as dicts, or as tuples of (key, value) pairs where repeated keys matter.
    """
    if isinstance(value, dict):
        value = tuple(value.items())
    if value is None or isinstance(value, bool) or value in ("", [], ()):
        return False
    return not (isinstance(value, tuple) and replaced(value))


WITHHELD = frozenset(("secret", "unlisted", "out-of-scope"))
"""Why a value was left out: it is a secret; nobody listed it; it is about something that is no business of ours."""


def replaced(members: tuple[tuple[str, Json], ...]) -> bool:
    """Whether an object with these members is what stands in place of a value: `{"committed": …}` or `{"withheld": …}`."""
    if len(members) != 1:
        return False
    name, value = members[0]
    if name == "committed":
        return isinstance(value, str) and _OURS.fullmatch(value) is not None
    return name == "withheld" and isinstance(value, str) and value in WITHHELD


def holds_secret(value: Json, rules: Rules) -> bool:
    """Whether a secret is anywhere within `value`: then all of it is withheld, so that none reaches the erasable side either.

    Looks into texts of JSON too, which is how the activity log quotes requests.
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            if secret_text(item):
                return True
            if item.startswith(("{", "[")):
                waiting.append(_parsed(item))
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            if any(_secret_member(name, member, item, rules) for name, member in item.items()):
                return True
            waiting.extend(item.values())
    return False


def _secret_member(name: str, member: Json, siblings: Iterable[str], rules: Rules) -> bool:
    rule = rules[name]
    if rule is None or not clear(member):
        return False
    if rule.does == "key":
        return not names_rate_limit(member, siblings)
    return rule.does == "withhold" or (rule.does == "like-key" and key_shaped(member))


def _parsed(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
