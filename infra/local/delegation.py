"""User-delegation keys and the links signed with them, for the layer in front of the emulator (`infra.local.worm`).

A key is given for a token alone, as Azure does; a link is good when its signature, made again with the SDK's own function, is the same.
"""

import base64
import hashlib
import hmac
import os
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qs
from xml.etree import ElementTree

from azure.storage.blob import UserDelegationKey, generate_blob_sas

_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_VERSION = "2021-08-06"


def signed(method: str, path: str) -> list[tuple[str, str]]:
    """Header fields of a request without a body to the emulator, signed with its well-known key."""
    fields = [("x-ms-date", format_datetime(datetime.now(UTC), usegmt=True)), ("x-ms-version", _VERSION)]
    text = "\n".join([method, *[""] * 11, *(f"{name}:{value}" for name, value in fields), f"/{_ACCOUNT}{path}"])
    signature = base64.b64encode(hmac.new(base64.b64decode(_KEY), text.encode(), hashlib.sha256).digest()).decode()
    return [*fields, ("Authorization", f"SharedKey {_ACCOUNT}:{signature}"), ("Host", "127.0.0.1")]


class Delegations:
    """Keys that were given."""

    def __init__(self) -> None:
        self._keys: dict[str, UserDelegationKey] = {}

    def issue(self, authorization: str, asked: bytes) -> bytes | None:
        """The answer to Get User Delegation Key; None where no token came."""
        if not authorization.lower().startswith("bearer "):
            return None
        wanted = ElementTree.fromstring(asked)
        key = UserDelegationKey()  # type: ignore[no-untyped-call]
        key.signed_oid, key.signed_tid = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"
        key.signed_start, key.signed_expiry = wanted.findtext("Start", ""), wanted.findtext("Expiry", "")
        key.signed_service, key.signed_version = "b", _VERSION
        key.value = base64.b64encode(os.urandom(32)).decode()
        self._keys[f"{key.signed_start}/{key.signed_expiry}"] = key
        fields = {"Oid": key.signed_oid, "Tid": key.signed_tid, "Start": key.signed_start, "Expiry": key.signed_expiry,
                  "Service": "b", "Version": _VERSION}  # fmt: skip
        said = "".join(f"<Signed{name}>{value}</Signed{name}>" for name, value in fields.items())
        return f'<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>{said}<Value>{key.value}</Value></UserDelegationKey>'.encode()

    def good(self, place: tuple[str, str], query: dict[str, str], now: datetime) -> bool:
        """Whether a link's signature is that of a key that was given, for this blob, for reading, and still lasts."""
        key = self._keys.get(f"{query.get('skt')}/{query.get('ske')}")
        if key is None or query.get("sp") != "r" or not now < datetime.fromisoformat(query["se"]):
            return False
        again = generate_blob_sas(
            account_name=_ACCOUNT,
            container_name=place[0],
            blob_name=place[1],
            user_delegation_key=key,
            permission=query["sp"],
            expiry=query["se"],
            version=query["sv"],
            content_disposition=query.get("rscd"),
        )
        return parse_qs(again)["sig"][0] == query.get("sig")
