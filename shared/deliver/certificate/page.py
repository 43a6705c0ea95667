"""A certificate as HTML that needs no network and has no script. Same certificate, same bytes.

Written with the standard library alone, since a verifier makes the page of a bundle again. Every value is made visible and escaped.
"""

from collections.abc import Iterator
from functools import cache
from html import escape
from importlib.resources import files
from typing import get_args

from shared.canonical import Json
from shared.deliver.certificate.told import Certificate, Proven, title, unknowable
from shared.deliver.visible import shown
from shared.judge.lives.statement import Status

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(certificate: Certificate) -> str:
    """The page."""
    asked = _text(certificate.asked)
    return "\n".join([
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">', f"<title>Deletion certificate: {asked}</title>", f"<style>{_css()}</style>", "</head>", "<body>",
        "<main>", '<p class="kicker">Deletion certificate · times are UTC</p>', f"<h1><bdi>{asked}</bdi></h1>",
        *_head(certificate), *(line for each in certificate.deletions for line in _end(each, certificate.asked)),
        *_check(certificate), *_proofs(certificate), "</main>", "</body>", "</html>", "",
    ])  # fmt: skip


@cache
def _css() -> str:
    return files(__package__).joinpath("certificate.css").read_text("utf-8")


def _text(value: object) -> str:
    return escape(shown(str(value)))


def _code(value: object) -> str:
    return f"<code>{_text(value)}</code>"


def _time(text: str) -> str:
    """A time to the minute, in UTC."""
    return f'<time datetime="{_text(text)}">{_text(f"{text[:10]} {text[11:16]}")}</time>'


def _second(text: str) -> str:
    """A border of a period: to the second, since a sweep belongs to it or not by that."""
    return f'<time datetime="{_text(text)}">{_text(f"{text[:10]} {text[11:19]}")}</time>'


def _records(indexes: Json) -> str:
    return _text(", ".join(map(str, indexes)))


def _rows(rows: list[tuple[str, str]]) -> Iterator[str]:
    yield "<dl>"
    yield from (f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    yield "</dl>"


def _head(it: Certificate) -> Iterator[str]:
    rows = [("Log", f"{_code(it.origin)}, {it.size:,} records")]
    if it.as_of is not None:
        rows.append(("As of", f"{_time(it.as_of)}, the last sweep that closed: nothing sealed up to then takes the place of what is said here"))
    if it.period is not None:
        rows.append((
            "Covers", f"the sweeps from {_second(it.period[0])} until before {_second(it.period[1])}, which are in this bundle. "
            "Whether something sealed after them takes the place of what is said here, this bundle cannot show",
        ))  # fmt: skip
    if it.written_at is not None:
        rows.append(("Written", _time(it.written_at)))
    yield from _rows(rows)
    if len(it.deletions) > 1:
        yield f"<p><b>{len(it.deletions)} deletions are known under this name</b>; each is told by itself.</p>"


def _end(each: Json, asked: str) -> Iterator[str]:
    known = each["status"] if each["status"] in get_args(Status) else "other"
    yield f'<section class="end {known}">'
    yield f"<h2>{_text(title(each))}</h2>"
    what = _code(each["object"]["id"]) if each["object"]["id"] else f"({each['count']:,}; which ones is not told)"
    rows = [("What", f"{_text(each['kind'])} {what}"), ("In account", _code(each["account"]))]
    if each["created"]:
        rows.append(("Made, says Azure", _time(each["created"])))
    if each["first_seen"]:
        seen = each["first_seen"]
        rows.append(("First listed", f"{_time(seen['at'])} (record {seen['record']}); that it was not there before is what the collector remembers"))
    by = _code(each["by"]) if isinstance(each["by"], str) else "a name that is withheld" if each["by"] else "not told"
    place = f", in place of {_records(each['superseded'])}" if each["superseded"] else ""
    rows += [
        ("It went after", _time(each["after"])), ("and before", _time(each["before"])), ("Cause", _text(each["cause"])), ("By whom", by),
        ("Status", _text(each["status"])), ("In words", _text(each["reason"])),
        ("Sealed as", f"record {each['record']}{place}; it rests on {_records(each['records'])}"),
    ]  # fmt: skip
    yield from _rows(rows)
    yield "<h3>Witnesses</h3>"
    yield "<ul>"
    yield from map(_witness, each["witnesses"])
    if not each["witnesses"]:
        yield "<li>none</li>"
    yield "</ul>"
    yield "<h3>What cannot be known, and why</h3>"
    yield "<ul>"
    yield from (f"<li>{_text(sentence)}</li>" for sentence in unknowable(each, asked))
    yield "</ul>"
    yield "</section>"


def _witness(one: Json) -> str:
    place = f", {_code(one['pointer'])} of page {one['page'] + 1}" if one["pointer"] else ""
    return f"<li><b>{_text(one['witness'])}</b>, {_time(one['at'])}: record {one['record']}{place}</li>"


def _check(it: Certificate) -> Iterator[str]:
    yield "<h2>How to check this</h2>"
    if it.command is None:
        yield (
            "<p>This page lies in a bundle and follows from the records in it. <code>aoai-evidence verify FILE --key KEY</code> concludes each end again from "
            "the bytes that Azure answered, makes this page again and compares every byte. <code>verify.py</code> and <code>index.html</code> in the bundle check "
            "that the records are what was sealed, and do not read this page. Take the key from the organisation by another way than this bundle.</p>"
        )
    else:
        yield (
            "<p>This page is a print-out and vouches for nothing. Build, or ask for, the bundle in which a verifier concludes the same again from the bytes "
            "that Azure answered:</p>"
        )
        yield f"<pre>{_text(it.command)}</pre>"
        yield (
            "<p>Then <code>aoai-evidence verify FILE --key KEY</code>, or <code>verify.py</code> and <code>index.html</code> within it. Take the key from the "
            "organisation by another way than this page.</p>"
        )
    if it.key is not None:
        yield "<p>The log is signed by:</p>"
        yield f"<pre>{_text(it.key)}</pre>"


def _proofs(it: Certificate) -> Iterator[str]:
    yield '<section class="proofs" aria-labelledby="proofs-h">'
    yield '<h2 id="proofs-h">Proofs</h2>'
    yield (
        "<p>Each record as it was sealed, its leaf (SHA-256 of a zero byte and the line, RFC 6962), and the offline proof that it is in the log "
        "(c2sp.org/tlog-proof), with the signed checkpoint.</p>"
    )
    for each in it.proven:
        yield from _proven(each)
    yield "</section>"


def _proven(each: Proven) -> Iterator[str]:
    yield f"<h3>Record {each.index}</h3>"
    yield f'<pre class="line">{escape(each.exact)}</pre>'
    coded = "" if each.legible else "in base64, since it holds signs that are not plain text; "
    yield f'<p class="note">{coded}leaf {each.digest}</p>'
    if each.proof is not None:
        yield f'<pre class="proof">{escape(each.proof.decode())}</pre>'
