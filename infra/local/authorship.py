"""Who changed a resource and when, as its answer shows it: `systemData` and `etag`.

`systemData` carries names of people: this is where personal data enters the evidence, so the stand-in never leaves it out
where Azure has it.
"""

import zlib
from datetime import datetime
from typing import Any, NamedTuple

from infra.local.clock import stamp
from infra.local.ids import guid

Json = Any


class Actor(NamedTuple):
    """Who changes something: goes into systemData, which is where personal data enters the evidence."""

    name: str
    kind: str = "User"

    @property
    def object_id(self) -> str:
        """What the directory calls it: logs of the data plane know nothing else."""
        return guid("object", self.name)

    @property
    def address(self) -> str:
        """Where it calls from: always the same, out of a range that is kept for documents."""
        return f"203.0.113.{zlib.crc32(self.name.encode()) % 254 + 1}"


class Caller(NamedTuple):
    """Who calls the data plane of an account, and how."""

    actor: Actor
    keyed: bool = False
    """With one of the account's keys: Azure does not know by whom."""
    over_http: bool = False
    """The server answers the call, and logs it with its status."""


def etag(moment: datetime, tick: int, *key: str) -> str:
    """As accounts and projects carry it, quotes included: the time of the change is the last group."""
    return f'"{zlib.crc32("/".join(key).encode()):08x}-0000-{tick & 0xFFFF:04x}-0000-{int(moment.timestamp()):08x}0000"'


def system_data(actor: Actor, moment: datetime, tick: int) -> dict[str, Json]:
    """Of something just created."""
    at = stamp(moment, tick)
    return {
        "createdBy": actor.name,
        "createdByType": actor.kind,
        "createdAt": at,
        "lastModifiedBy": actor.name,
        "lastModifiedByType": actor.kind,
        "lastModifiedAt": at,
    }


def touch(body: dict[str, Json], actor: Actor, moment: datetime, tick: int) -> None:
    """Mark `body` as changed: a new etag in the style it has, and systemData.lastModified*; what it does not have stays away."""
    if "etag" in body:
        old = str(body["etag"])
        body["etag"] = etag(moment, tick, str(body["id"])) if old.endswith('0000"') else guid_etag(body["id"], moment, tick)
    if isinstance(body.get("systemData"), dict):
        body["systemData"] |= {
            "lastModifiedBy": actor.name,
            "lastModifiedByType": actor.kind,
            "lastModifiedAt": stamp(moment, tick),
        }


def guid_etag(*parts: object) -> str:
    """As deployments and policies carry it: a quoted GUID."""
    return f'"{guid("etag", *parts)}"'
