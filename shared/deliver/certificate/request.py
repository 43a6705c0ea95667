"""What a bundle about one object was asked for, and the certificate that follows from it and from the records. Pure.

`request.json` is what people decided: the words they asked with, and the objects meant. All else follows: every deletion of these objects that
stands among the records of the bundle is told, so that none can be left out of the page that was not left out of the bundle.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from shared.canonical import Json, canonical
from shared.deliver.certificate.page import render
from shared.deliver.certificate.standing import Standing, told_of
from shared.deliver.certificate.told import Certificate, Proven, is_called
from shared.errors import VerificationError
from shared.seal.merkle import leaf_hash

FOLDER = "certificate/"
REQUEST, PAGE = f"{FOLDER}request.json", f"{FOLDER}certificate.html"
MARK = b'"type":"deletion"'
"""In the line of every deletion."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which objects a certificate is about."""

    asked: str
    """In the words of whoever asked: an id, or a name that the object had."""
    objects: tuple[tuple[str, str], ...]
    """Kind, and the `resource` of its deletions; sorted."""

    def encoded(self) -> bytes:
        """`request.json`."""
        return canonical({"v": 1, "asked": self.asked, "objects": [{"kind": kind, "resource": resource} for kind, resource in self.objects]})

    def standing(self) -> Standing:
        """Takes in the deletions of a bundle; those of other objects are kept only where they have the id that was asked for."""
        return Standing(lambda record: self.covers(record) or is_called(record, self.asked))

    def covers(self, record: Json) -> bool:
        """Whether a deletion is of one of the objects."""
        return (record["kind"], record["resource"]) in self.objects


def parse_request(data: bytes) -> Request:
    """What `request.json` says.

    Raises:
        VerificationError: it is none.
    """
    try:
        value = json.loads(data)
        found = Request(value["asked"], tuple((each["kind"], each["resource"]) for each in value["objects"]))
        texts = [found.asked, *(text for each in found.objects for text in each)]
        if all(isinstance(text, str) for text in texts) and list(found.objects) == sorted(set(found.objects)) and found.objects and found.encoded() == data:
            return found
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise VerificationError("it does not say what was asked for")


def left_out(request: Request, standing: Standing) -> list[int]:
    """Deletions that have the id which was asked for, and that the request does not mean."""
    return [index for index, record in standing.found.items() if not request.covers(record)]


def unknown(request: Request, standing: Standing) -> list[str]:
    """Objects that the request means, and of which no deletion stands."""
    there = {(record["kind"], record["resource"]) for record in standing.found.values()}
    return [resource for kind, resource in request.objects if (kind, resource) not in there]


def needed(request: Request, standing: Standing) -> list[int]:
    """The records that the page prints, in their order, as far as they are there."""
    return sorted({index for record in standing.found.values() if request.covers(record) for index in told_of(record)})


def page(
    request: Request, standing: Standing, lines: Mapping[int, bytes], prove: Callable[[int], bytes | None], *, origin: str, size: int, period: tuple[str, str],
) -> bytes:  # fmt: skip
    """The certificate. `lines`: of the records `needed`, those that are there; `prove`: the offline proof of one, None where it cannot be made."""
    found = [record for _, record in sorted(standing.found.items()) if request.covers(record)]
    proven = [Proven(index, lines[index], leaf_hash(lines[index]).hex(), prove(index)) for index in needed(request, standing) if index in lines]
    return render(Certificate(request.asked, origin, size, None, None, None, found, proven, None, period)).encode()
