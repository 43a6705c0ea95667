"""The use-case `statements list`: who must show which of the provider's statements, by what."""

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.judge.responsibility import WHO, Responsibility, matrix


def responsibilities(who: str | None) -> dict[str, Json]:
    """The matrix as JSON: `catalogue` (version), `seed`, and `statements`, all or those that `who` must show.

    Raises:
        Misuse: `who` is none of `WHO`.
    """
    if who is not None and who not in WHO:
        raise Misuse(f"--who {who!r}: {', '.join(WHO)}")
    known = catalogue()
    rows = [_row(row) for row in matrix(known) if who in (None, row.who)]
    return {"catalogue": known.version, "seed": known.as_json()["seed"], "statements": rows}


def _row(row: Responsibility) -> dict[str, Json]:
    return {
        "id": row.statement.id, "section": row.statement.section, "text": row.statement.text, "who": row.who,
        "customer": {
            "controls": [control.id for control in row.customer if control.collected],
            "unobservable": [control.id for control in row.customer if not control.collected],
        },
        "provider": {"controls": [control.id for control in row.provider], "exhibits": list(row.exhibits)},
    }  # fmt: skip
