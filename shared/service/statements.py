"""The use-cases `statements list`, who must show which of the provider's statements, and `statements compare`, what a newer edition says of them."""

from collections.abc import Sequence
from pathlib import Path

from shared.canonical import Json, sha256
from shared.errors import Misuse
from shared.judge import edition
from shared.judge.catalogue import catalogue
from shared.judge.exhibits import Exhibit, speaking
from shared.judge.responsibility import WHO, Responsibility, matrix
from shared.service.filed import every_exhibit
from shared.service.inputs import read_input
from shared.service.stores import store_of
from shared.settings import Settings


def responsibilities(who: str | None, filed: Sequence[Exhibit] | None = None, at: str = "") -> dict[str, Json]:
    """The matrix as JSON: `catalogue` (version), `seed`, and `statements`, all or those that `who` must show.

    `filed`: the exhibits there are, of which those in force at a time are named; None: nobody looked.

    Raises:
        Misuse: `who` is none of `WHO`.
    """
    if who is not None and who not in WHO:
        raise Misuse(f"--who {who!r}: {', '.join(WHO)}")
    known = catalogue()
    rows = [_row(row, filed, at) for row in matrix(known) if who in (None, row.who)]
    return {"catalogue": known.version, "seed": known.as_json()["seed"], "statements": rows}


def _row(row: Responsibility, filed: Sequence[Exhibit] | None, at: str) -> dict[str, Json]:
    return {
        "id": row.statement.id, "section": row.statement.section, "text": row.statement.text, "who": row.who,
        "customer": {
            "controls": [control.id for control in row.customer if control.collected],
            "unobservable": [control.id for control in row.customer if not control.collected],
        },
        "provider": {"controls": [control.id for control in row.provider], "exhibits": list(row.exhibits), "on_file": _on_file(row, filed, at)},
    }  # fmt: skip


def _on_file(row: Responsibility, filed: Sequence[Exhibit] | None, at: str) -> list[Json] | None:
    """The exhibits that speak to a statement, and until when."""
    if filed is None:
        return None
    return [{"exhibit": one.number, "title": one.title, "issuer": one.issuer, "until": one.until} for one in speaking(filed, [row.statement.id], at)]


def filed_in(settings: Settings) -> Sequence[Exhibit] | None:
    """Every exhibit in the store; None where there is no store.

    Raises:
        StoreConflict: an act is not as it should be.
        Unreachable: the store cannot be read.
    """
    try:
        return every_exhibit(store_of(settings))
    except Misuse:
        return None


def compared(newer: Path, older: Path | None) -> dict[str, Json]:
    """What a newer edition of the provider's page says of each statement: `same` (not a word differs), `seed`, `edition` (the newer one's
    digest and date), `statements` (`state`, `old` and `new` words), `new` (words that are of no statement), `beside` (sentences of none that left).
    `old` is null without `older`, the edition that the catalogue was made from: the catalogue has no words of the provider's.

    Raises:
        Misuse: a file cannot be read, `newer` is no edition of the page, or `older` is not the very one of the catalogue.
    """
    known = catalogue()
    words = [sentence.words for sentence in edition.sentences(_seed(older, known.seed.sha256))] if older else None
    data = read_input(newer, "the page")
    found = edition.compare(_text(data, newer))
    if found is None:
        raise Misuse(f"{newer} is no edition of the provider's page “{known.seed.title}”: hardly one of its sentences is in it (give the page's Markdown source)")
    rows: list[Json] = [
        {
            "id": each.statement.id, "text": each.statement.text, "state": each.state,
            "old": [words[place] for place in each.old] if words is not None else None,
            "new": [sentence.words for sentence in each.new],
        }
        for each in found.statements
    ]  # fmt: skip
    return {
        "catalogue": known.version, "seed": known.as_json()["seed"], "edition": {"sha256": sha256(data), "dated": found.dated}, "same": found.same,
        "statements": rows, "new": [{"section": each.section, "words": each.words} for each in found.new], "beside": found.beside,
    }  # fmt: skip


def _seed(path: Path, digest: str) -> str:
    data = read_input(path, "the edition that the catalogue was made from")
    if sha256(data) != digest:
        raise Misuse(f"{path} is not the edition that the catalogue was made from: its SHA-256 is {sha256(data)}, not {digest}")
    return _text(data, path)


def _text(data: bytes, path: Path) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Misuse(f"{path} is no Markdown page: byte {error.start} is not UTF-8") from None
