"""What users wrote and what was answered: the stand-in gives it to whoever asks, as Azure does, so that a test can see that nobody asked."""

import json

from infra.local.data_shapes import WORDS


def content_of(what: str) -> bytes:
    """A content that nobody is to see; made up, and marked."""
    said = {"role": "user", "content": f"The claim of {WORDS}, whose illness nobody is to know of ({what})."}
    return json.dumps({"object": "list", "data": [said], "has_more": False}, ensure_ascii=False).encode()
