"""Commands that make evidence: init, collect, doctor, erase."""

from typing import Annotated

import typer

from shared.canonical import Json
from shared.commands.context import FailOn, check_statuses, settings, terminal
from shared.commands.keys import check_algorithm
from shared.terminal import table


def init(
    origin: Annotated[str | None, typer.Option(help="Name of the log, such as example.com/evidence.")] = None,
    algorithm: Annotated[str, typer.Option(help="Of a key file that is made: ed25519 or ecdsa-p256.")] = "ed25519",
) -> None:
    """Make a new store with a signing key, and print the verifier keys to hand to the auditor."""
    from shared.service.init import init as make

    check_algorithm(algorithm)
    made = make(settings(), origin=origin, algorithm=algorithm)
    screen = terminal()
    if made.key_file:
        screen.note(f"store {made.store}: made. Its signing key is {made.key_file}: keep it safe, and out of copies of the store.")
    else:
        screen.note(f"store {made.store}: made. Its signing key is {made.vaults[made.vkey]}: it stays in the vault.")
    screen.note(f"The verifier key{'s' if len(made.vkeys) > 1 else ''}, to hand to the auditor by another way than the evidence:")
    value = {"store": made.store, "origin": made.origin, "vkey": made.vkey, "vkeys": list(made.vkeys), "vaults": made.vaults, "key_file": made.key_file}
    screen.answer(value, made.vkeys)


def collect(
    subscription: Annotated[list[str] | None, typer.Option(help="A subscription's id; may be repeated. Default: all you may read.")] = None,
    resource: Annotated[list[str] | None, typer.Option(help="An account's ARM id; may be repeated.", metavar="ID")] = None,
    cause: Annotated[str | None, typer.Option(help="Why this sweep is run; goes into the evidence.")] = None,
    fail_on: FailOn = None,
) -> None:
    """Plan, collect, seal and judge: one sweep over the scope, or the rest of the one that was left open."""
    from shared.service.alert_list import untold
    from shared.service.collect import collect as sweep

    screen = terminal()
    check_statuses(fail_on)
    with screen.progress() as progress:
        done = sweep(settings(), subscriptions=subscription or (), resources=resource or (), cause=cause, progress=progress)
    failures = _grouped(done.failures)
    value = {
        "sweep": done.sweep,
        "slot": done.slot,
        "resumed": done.resumed,
        "units": done.units,
        "missing": done.missing,
        "failures": done.failures,
        "findings": done.findings,
        "changes": done.changes,
        "records": done.records,
        "size": done.size,
        "complete": done.complete,
    }
    screen.answer(value, _sweep_lines(value, failures))
    if not done.complete:
        screen.problem(_incomplete(value))
    for line in _owed():
        screen.problem(f"{line}; the next `collect` asks again")
    for line in [*untold(settings()), *_heartbeat(bool(done.missing))]:
        screen.problem(line)
    if done.units == 0 and done.failures and all(f["reason"] in ("unreachable", "unauthenticated", "timeout") for f in done.failures):
        raise typer.Exit(4)
    if fail_on and any(done.findings.get(status) for status in fail_on):
        raise typer.Exit(1)
    raise typer.Exit(0 if done.complete else 3)


def doctor() -> None:
    """Check identity, rights, reachability, storage, key, clock and schedule; say what to do."""
    from dataclasses import asdict

    from shared.service.doctor import doctor as look

    checks = look(settings())
    rows = [[check.mark, check.name, check.found, check.todo] for check in checks]
    terminal().answer([asdict(check) for check in checks], table(["", "what", "found", "to do"], rows))
    failed = {check.name for check in checks if check.mark == "failed"}
    raise typer.Exit(4 if failed & {"azure", "subscriptions"} else 3 if failed else 0)


def erase(
    subject: Annotated[str, typer.Option(help="The e-mail address or name to erase, spelled out; texts that mention it are erased too.")],
    reason: Annotated[str | None, typer.Option(help="Why; goes into the evidence, so name nobody in it.")] = None,
) -> None:
    """Erase a person from what can be disclosed. The evidence keeps commitments that nobody can open; every proof still verifies."""
    from shared.service.erase import erase as remove

    erased = remove(settings(), subject, reason=reason)
    terminal().answer({"commitments": erased}, [f"{len(erased)} values erased; sealed as an erasure record"])


def _owed() -> list[str]:
    """What others owe the checkpoints of the store: no failure of the sweep, which is sealed, and worth a line."""
    from shared.service.attest import owed_line, read_standing
    from shared.service.compose import read_log

    chosen = settings()
    if not (chosen.timestamp_urls or chosen.witnesses or chosen.copies):
        return []
    store, log, _ = read_log(chosen)
    return [line for one in read_standing(store).of(log.size) if (line := owed_line(one))]


def _heartbeat(missing: bool) -> list[str]:
    """Call who waits to hear that the sweep is closed; why he did not hear."""
    from shared.service.heartbeat import beat

    chosen = settings()
    error = beat(chosen) if chosen.heartbeat_url and not missing else None
    return [error] if error else []


def _sweep_lines(done: Json, failures: list[tuple[str, str, int]]) -> list[str]:
    counts = ", ".join(f"{count} {status}" for status, count in sorted(done["findings"].items()))
    lines = [
        f"sweep {done['sweep']}{' (the rest of one that was left open)' if done['resumed'] else ''}: "
        f"{done['units']} units, {done['records']} records, log at {done['size']}",
        f"findings: {counts or 'none'}; changes: {done['changes']}",
    ]
    if not done["complete"]:
        lines.append(f"incomplete: {len(done['missing'])} units missing, {len(done['failures'])} questions without an answer:")
        lines += [f"  {count} × {kind}: {reason}" for kind, reason, count in failures]
    return lines


def _incomplete(done: Json) -> str:
    """One line: how much is missing, and what to do about most of it. What was skipped is missing for another reason."""
    from collections import Counter

    said = [f"units not collected in time: {len(done['missing'])}"] if done["missing"] else []
    if done["failures"]:
        reasons = Counter(failure["reason"] for failure in done["failures"])
        reason, count = max(reasons.items(), key=lambda counted: (counted[0] != "skipped", counted[0] in _WHAT_TO_DO, counted[1]))
        among = f"{count} of them " if count < len(done["failures"]) else "all of them " if count > 1 else ""
        said.append(f"questions without an answer: {len(done['failures'])}, {among}{_explained(reason)}")
    return f"sealed, but incomplete; {'; '.join(said)}"


def _grouped(failures: list[Json]) -> list[tuple[str, str, int]]:
    from collections import Counter

    counted = Counter((failure["kind"], failure["reason"]) for failure in failures)
    return [(kind, _explained(reason), count) for (kind, reason), count in sorted(counted.items())]


def _explained(reason: str) -> str:
    return f"{reason} ({_WHAT_TO_DO[reason]})" if reason in _WHAT_TO_DO else reason


_WHAT_TO_DO = {
    "forbidden": "give the identity the reader role there (`aoai-evidence doctor` names the action)",
    "unauthenticated": "log in again, `az login`",
    "not-found": "check the id, or it was deleted meanwhile",
    "throttled": "Azure asked for patience until the budget was spent; run again later",
    "unreachable": "no connection; check network and proxy",
    "timeout": "no answer in time; run again",
    "server-error": "a fault on Azure's side; run again later",
    "malformed": "what answers is not Azure, or not in its right mind; check network and proxy",
    "redirected": "what answers is not Azure; check network and proxy",
    "foreign-host": "not a host of the cloud that EVIDENCE_CLOUD names; it was not asked",
}
