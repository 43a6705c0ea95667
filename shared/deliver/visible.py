"""What hides on a page, shown: characters that are not seen but change what is seen, by their number; what is very long is cut, saying by how much.

Those are bidi controls, zero-width and control characters, lone surrogates. Names and reasons come from whoever may create a resource in Azure.
"""

import re
from typing import Final

LONGEST: Final = 4_000
"""Characters of one value on a page."""

_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def shown(text: str) -> str:
    """Text as a page may print it, once it is escaped."""
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}… ({len(text) - LONGEST:,} more characters)"
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(_number, text)


def _number(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"
