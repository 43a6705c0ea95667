"""index.html of a bundle: one page that opens from disk, without a network, and checks the bundle that is dropped on it.

    report, sha256, zip, bundle, signature, sweeps, completeness, check   what checks, in the order in which it is joined
    page.js, page.css, page.html                                          what is seen

Same manifest, same bytes. The policy in it allows this one script and this one style sheet, and no connection to anywhere.
"""

import base64
import hashlib
import html
import json
from importlib import resources

from shared.deliver.bundle.manifest import Manifest

SCRIPTS = ("report.js", "sha256.js", "zip.js", "bundle.js", "signature.js", "sweeps.js", "completeness.js", "check.js", "page.js")


def _source(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def _allowed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def checking() -> str:
    """The script that checks a bundle which is dropped on a page, in one piece."""
    return "\n".join(map(_source, SCRIPTS))


def page(manifest: Manifest) -> bytes:
    """index.html of the bundle with this manifest; its list of files is not looked at."""
    script, css = checking(), _source("page.css")
    policy = f"default-src 'none'; script-src {_allowed(script)}; style-src {_allowed(css)}; base-uri 'none'; form-action 'none'"
    facts = {"origin": manifest.origin, "size": manifest.size, "from": manifest.period[0], "to": manifest.period[1]}
    scope = "everything that the collector looked at" if manifest.resources is None else ", ".join(manifest.resources)
    words = {
        "ORIGIN": manifest.origin, "FROM": _day(manifest.period[0]), "TO": _day(manifest.period[1]), "SIZE": f"{manifest.size:,}",
        "RECORDS": f"{sum(count for _, count in manifest.ranges):,}", "SCOPE": scope, "SOFTWARE": manifest.software, "CATALOGUE": manifest.catalogue,
    }  # fmt: skip
    made = {name: html.escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)) for name, text in words.items()}
    # "</script>" and "<!--" would end or hide the block: no "<" is left in it.
    made |= {"DATA": json.dumps(facts).replace("<", "\\u003c"), "POLICY": policy, "CSS": css, "SCRIPT": script}
    return "".join(_filled(part, made) for part in _source("page.html").split("%")).encode("utf-8", "backslashreplace")


def _filled(part: str, words: dict[str, str]) -> str:
    return words.get(part, part)


def _day(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"
