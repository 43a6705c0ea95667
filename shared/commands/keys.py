"""Commands about the keys that sign: key list, key rotate."""

from typing import Annotated

import typer

from shared.canonical import Json
from shared.commands.context import settings, terminal
from shared.errors import Misuse
from shared.terminal import table

ALGORITHMS = ("ed25519", "ecdsa-p256")


def check_algorithm(algorithm: str) -> None:
    """Raise `Misuse` for what no key here can be."""
    if algorithm not in ALGORITHMS:
        raise Misuse(f"--algorithm {algorithm!r}: {' or '.join(ALGORITHMS)}")


def show() -> None:
    """Which keys could sign the log, from which record on, and whether a change of keys is under way."""
    from shared.service.key_history import key_history

    found = key_history(settings())
    terminal().answer(found, _lines(found))


def rotate(
    to: Annotated[str | None, typer.Option(help="The new signing key: a PEM file (made where it is not there), or a key in a vault. "
                                           "Default: the current version of the key that EVIDENCE_SIGNING_KEY names.", metavar="PLACE")] = None,
    second: Annotated[str | None, typer.Option(help="The new second key: a PEM file, a secret in a vault, or `none`. "
                                               "Default: the one that EVIDENCE_SECOND_SIGNING_KEY names.", metavar="PLACE")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; goes into the evidence.")] = None,
    lost: Annotated[bool, typer.Option("--lost", help="Go on without a key in force that cannot sign any more: auditors who hold it must be given the new one.")] = False,
    algorithm: Annotated[str, typer.Option(help="Of a key file that is made: ed25519 or ecdsa-p256.")] = "ed25519",
) -> None:  # fmt: skip
    """Change the keys that sign: sealed as a record, under a checkpoint that the old keys and the new ones sign. Done again, it finishes what was begun."""
    from shared.service.key_history import history_of
    from shared.service.rotate import Wanted
    from shared.service.rotate import rotate as change

    check_algorithm(algorithm)
    done = change(settings(), Wanted(to, second, lost, reason, algorithm))
    history = history_of(done.keys)
    now, screen = history[-1], terminal()
    vkeys = [key["vkey"] for key in now["keys"]]
    if not done.changed:
        screen.note("The keys in force are these already; nothing was changed. `--to PLACE` names another one.")
    else:
        screen.note(f"Record {now['record']} hands the log over to:")
    value = {"changed": done.changed, "record": now["record"], "vkeys": vkeys, "keys": now["keys"], "lost": now["lost"], "settings": done.settings}
    screen.answer(value, vkeys)
    for name, place in done.settings.items():
        screen.note(f"Set {name}={place} from now on, wherever this log is sealed." if place else f"Unset {name} wherever this log is sealed.")
    if now["lost"]:
        screen.problem("a key was given up as lost: nothing leads from it to the new one, so give the new one to every auditor by another way than the evidence")


def _lines(found: list[Json]) -> list[str]:
    rows = []
    for each in found:
        for position, key in enumerate(each["keys"]):
            where = ("" if each["record"] is None else each["record"], each["at"], each["state"]) if position == 0 else ("", "", "")
            rows.append([*where, f"{key['vkey']}  in {key['vault']}" if key["vault"] else key["vkey"]])
        rows += [["", "", "lost", vkey] for vkey in each["lost"]]
    return table(["from record", "at", "state", "key"], rows)
