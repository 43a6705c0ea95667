"""Names that follow from content: UUIDs of version 5 (RFC 9562, section 5.5)."""

import hashlib

NAMESPACE = bytes.fromhex("6ba7b8119dad11d180b400c04fd430c8")
"""That of URLs (RFC 9562, appendix A)."""
BASE = "https://github.com/aoai-evidence/"
"""Before all names, so that they are ours."""


def uuid5(*parts: str) -> str:
    """The UUID of a list of texts: each is preceded by its length, so that no two lists have one name."""
    name = BASE + "".join(f"{len(part)}:{part}" for part in parts)
    digest = bytearray(hashlib.sha1(NAMESPACE + name.encode("utf-8", "backslashreplace"), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
