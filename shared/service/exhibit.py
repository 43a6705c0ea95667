"""The use-case `exhibit`: somebody files a document that speaks to what nobody outside the provider can observe; by whom, as what and until when is sealed.

The file's SHA-256, size and name are sealed. The file itself is kept in the store only where that is asked for (docs/adr/0015): it cannot be taken
out again. What is filed by mistake is withdrawn, which is an act as well. The same document again, filed as the same, adds nothing.
"""

import difflib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.judge.catalogue.exhibits import ExhibitKind, exhibit_kinds
from shared.judge.exhibits import Exhibit, is_file_name
from shared.seal.store import Store, put_body
from shared.service.acts import personal, places, ready_to_act, seal_act
from shared.service.compose import Clock, utc_now
from shared.service.covers import Covered, covered
from shared.service.filed import every_exhibit
from shared.service.queries import Reading
from shared.service.stores import store_of
from shared.settings import Settings

LARGEST = 4 * 1024 * 1024 * 1024
"""Bytes of a file whose digest is sealed: it is read once, piece by piece. A device has no end."""
LARGEST_KEPT = 64 * 1024 * 1024
"""Bytes of a file that is kept: it is written in one piece, and travels with bundles."""
LONGEST = 500
"""Characters of a title, an issuer, a reason."""

_PIECE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """What is filed."""

    file: Path
    issuer: str
    covers: str
    """FROM..TO, days or moments; without TO where the document names no end."""
    expires: str | None = None
    statements: tuple[str, ...] = ()
    """None: what a document of the kind speaks to."""
    title: str | None = None
    keep: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """An exhibit and where it is sealed."""

    exhibit: Exhibit
    record: int | None
    """Index of the record that files it; None while it waits to be sealed."""

    def as_json(self, at: str) -> Json:
        """As it is shown; `state` is `in force`, `expired`, `withdrawn` or, where what it covers has not begun, `to come`."""
        one = self.exhibit
        state = "withdrawn" if one.withdrawn else "to come" if at < one.start else "in force" if one.in_force(at) else "expired"
        return {
            "exhibit": one.number, "record": self.record, "kind": one.kind, "title": one.title, "issuer": one.issuer, "filed": one.at,
            "covers": {"from": one.start, "to": one.end}, "expires": one.expires, "until": one.until, "statements": list(one.statements),
            "file": {"name": one.name, "bytes": one.bytes, "sha256": one.sha256, "kept": one.kept},
            "owner": one.owner, "reason": one.reason, "withdrawn": one.withdrawn, "state": state,
        }  # fmt: skip


def add(settings: Settings, what: str, asked: Asked, *, owner: str, reason: str, now: Clock = utc_now) -> Sealed:
    """File a document as an exhibit. `what`: its kind, or a statement or control that wants just one.

    Raises:
        Misuse: no such kind or statement, a time that cannot be, a file that is empty, too large or cannot be read, or nobody and no reason named.
    """
    kind = _kind(what)
    statements = _statements(kind, asked.statements)
    title = _text(asked.title if asked.title is not None else kind.title, "--title")
    issuer, why = _text(asked.issuer, "--issuer"), _text(reason, "--reason")
    when = covered(kind, asked.covers, asked.expires, now())
    ready = ready_to_act(settings, store_of(settings), "an exhibit", owner, why)
    digest, size, data = _read(asked.file, keep=asked.keep)
    for one in every_exhibit(ready.store):
        if one.withdrawn is None and _about(one) == (kind.kind, title, issuer, when, statements, digest) and (one.kept or not asked.keep):
            return _sealed(ready.store, one)
    if data is not None:
        put_body(ready.store, data)
    said = {
        "action": "add", "kind": kind.kind, "title": title, "issuer": issuer, "covers": {"from": when.start, "to": when.end}, "expires": when.expires,
        "statements": list(statements), "file": {"name": _name(asked.file), "bytes": size, "sha256": digest, "kept": asked.keep},
        "owner": personal(ready, owner), "reason": why,
    }  # fmt: skip
    number = seal_act(ready, "exhibit", said, now, type_="exhibit")
    return _sealed(ready.store, _numbered(ready.store, number))


def withdraw(settings: Settings, number: int, *, owner: str, reason: str, now: Clock = utc_now) -> Sealed:
    """Withdraw an exhibit: it speaks no more. Its record, and its file where that was kept, stay.

    Raises:
        Misuse: there is no such exhibit; nobody and no reason named.
    """
    why = _text(reason, "--reason")
    ready = ready_to_act(settings, store_of(settings), "withdrawing an exhibit", owner, why)
    if _numbered(ready.store, number).withdrawn is None:
        said = {"action": "withdraw", "exhibit": number, "owner": personal(ready, owner), "reason": why}
        seal_act(ready, "exhibit", said, now, type_="exhibit")
    return _sealed(ready.store, _numbered(ready.store, number))


def exhibits(read: Reading, at: str, *, over: bool) -> list[Json]:
    """The exhibits in force at a time, and with `over` the others too."""
    known = every_exhibit(read.store)
    records = places(read.store, "exhibit")
    shown = [Sealed(one, records.get(one.number)).as_json(at) for one in known]
    return [one for one in shown if over or one["state"] == "in force"]


def _sealed(store: Store, one: Exhibit) -> Sealed:
    return Sealed(one, places(store, "exhibit").get(one.number))


def _numbered(store: Store, number: int) -> Exhibit:
    found = next((one for one in every_exhibit(store) if one.number == number), None)
    if found is None:
        raise Misuse(f"there is no exhibit {number}: `aoai-evidence exhibit list --all` shows them")
    return found


def _about(one: Exhibit) -> tuple[object, ...]:
    """What tells an exhibit apart. Not who filed it: he may have been erased."""
    return one.kind, one.title, one.issuer, Covered(one.start, one.end, one.expires), one.statements, one.sha256


def _kind(what: str) -> ExhibitKind:
    kinds = {kind.kind: kind for kind in exhibit_kinds()}
    if what in kinds:
        return kinds[what]
    wanted = what.upper() if re.fullmatch(r"[sS][0-9]{2}", what) else None
    served = {control.id: control.statements for control in catalogue().of_scope("provider")}.get(what, (wanted,) if wanted else ())
    fitting = [kind for kind in kinds.values() if served and kind.control and not set(served).isdisjoint(kind.statements)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise Misuse(f"several kinds of documents speak to {what}: name one of {', '.join(kind.kind for kind in fitting)}")
    near = difflib.get_close_matches(what, kinds, 1)
    raise Misuse(f"there is no kind of exhibit {what!r}" + (f": did you mean {near[0]}?" if near else f": {', '.join(kinds)}"))


def _statements(kind: ExhibitKind, given: tuple[str, ...]) -> tuple[str, ...]:
    known = [statement.id for statement in catalogue().statements]
    named = [one.strip().upper() for one in given if one.strip()]
    for one in named:
        if one not in known:
            near = difflib.get_close_matches(one, known, 1)
            raise Misuse(f"--statements: there is no statement {one!r}" + (f": did you mean {near[0]}?" if near else f": {known[0]} to {known[-1]}"))
    if not named and not kind.statements:
        raise Misuse("--statements is needed: what does this document speak to? `aoai-evidence statements list` shows them")
    return tuple(sorted(set(named))) or kind.statements


def _text(value: str, option: str) -> str:
    text = value.strip()
    if not text or len(text) > LONGEST or not text.isprintable():
        raise Misuse(f"{option} must be one line of 1 to {LONGEST} characters")
    return text


def _name(file: Path) -> str:
    """The file's name as any system and a bundle can have it."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", file.name)[-100:].strip(".-_ ")
    return plain if is_file_name(plain) else "document"


def _read(file: Path, *, keep: bool) -> tuple[str, int, bytes | None]:
    """Digest, size and, where it is to be kept, the bytes of a file: all three of one reading."""
    most = LARGEST_KEPT if keep else LARGEST
    digest, size, pieces = hashlib.sha256(), 0, []
    try:
        with file.open("rb") as source:
            while piece := source.read(_PIECE):
                size += len(piece)
                if size > most:
                    todo = "file it without --keep-file, then its digest alone is sealed" if keep else "this is no document"
                    raise Misuse(f"{file} has more than {most // (1024 * 1024)} MiB: {todo}")
                digest.update(piece)
                if keep:
                    pieces.append(piece)
    except OSError as error:
        raise Misuse(f"cannot read the exhibit {file}: {error.strerror}") from None
    if not size:
        raise Misuse(f"{file} is empty: an exhibit is a document")
    return digest.hexdigest(), size, b"".join(pieces) if keep else None
