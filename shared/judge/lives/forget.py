"""What need not be kept in mind any longer. Pure.

A disappearance is remembered until logs were read well past it; what logs tell, as long as an inventory to come may show what it was about;
an answer about a log, as long as it may be needed to show that a log could have told of something.
"""

from collections.abc import Iterable

from shared.judge.assemble import EVENT, Entry
from shared.judge.lives.given import ACCOUNT_ANSWER, ACTIVITY, DELETED_ACCOUNTS, DELETIONS, SETTINGS
from shared.judge.lives.kinds import ACCOUNT, DEPLOYMENT
from shared.judge.lives.state import Kept, Said, State
from shared.judge.lives.times import CLOCKS, FORGET, MEMORY, plus

_BY_NAME = (DEPLOYMENT.question, ACCOUNT.question, DELETED_ACCOUNTS)
"""Inventories of what the Activity Log names."""

_ACCOUNT_MEMORY = 2 * MEMORY
"""Deleted accounts can be restored for 48 hours."""


def forget(state: State, now: str) -> None:
    """Let go of what is settled at the time `now`."""
    kept = list(_kept(state, now))
    for pair in state.kept:
        if pair not in kept:
            state.counted.update(dict.fromkeys(pair.calls, now))
    state.kept = kept
    state.said = [said for said in state.said if _may_change(state, said, now)]
    for kind, questions in ((DELETIONS, None), (ACTIVITY, _BY_NAME)):
        state.logs = _logs(state, kind, _reach(state, questions), now)
    reach = _reach(state, None)
    state.facts = [entry for kind in (SETTINGS, ACCOUNT_ANSWER) for entry in _facts([e for e in state.facts if e.kind == kind], reach)]
    known = plus(min([now, *(entry.window.end for entry in state.logs if entry.window is not None)]), -MEMORY)
    # Whatever was counted earlier is in no answer that is kept, nor in one to come.
    state.counted = {key: at for key, at in state.counted.items() if at >= known}


def _kept(state: State, now: str) -> Iterable[Kept]:
    """In order: a pair of inventories is not forgotten before an earlier one of its kind."""
    held: set[str] = set()
    for kept in state.kept:
        if kept.question in held or not _is_settled(state, kept, now):
            held.add(kept.question)
            yield kept


def _is_settled(state: State, kept: Kept, now: str) -> bool:
    end = plus(kept.now.at, _ACCOUNT_MEMORY if kept.question in (ACCOUNT.question, DELETED_ACCOUNTS) else MEMORY)
    if now < end or not kept.open:
        return now >= end
    read = state.read.get(ACTIVITY if kept.question in _BY_NAME else DELETIONS)
    return read is None or read >= end or now >= plus(kept.now.at, FORGET)


def _may_change(state: State, said: Said, now: str) -> bool:
    account = said.kind == ACCOUNT.name or any(kept.question == ACCOUNT.question and kept.now.at == said.before for kept in state.kept)
    if said.waits or now < plus(said.before, _ACCOUNT_MEMORY if account else MEMORY):
        return True
    return any(kept.was.at <= said.after and said.before <= kept.now.at for kept in state.kept if kept.open)


def _reach(state: State, questions: tuple[str, ...] | None) -> str | None:
    """From when on logs are needed: where the last inventories were had, or something is not explained yet. None: no inventory waits for one."""
    named = questions is not None
    times = [entry.at for question, entry in state.last.items() if (question in _BY_NAME) is named]
    times += [kept.was.at for kept in state.kept if kept.open and (kept.question in _BY_NAME) is named]
    times += [said.after for said in state.said if said.waits]
    return plus(min(times), -CLOCKS) if times else None


def _logs(state: State, kind: str, reach: str | None, now: str) -> list[Entry]:
    """All other answers and events; of those about this log the newest of each, and those that reach so far."""
    newest = {entry.resource: entry.record for entry in state.logs if entry.kind == kind}
    oldest = plus(now, -FORGET)

    def needed(entry: Entry) -> bool:
        if entry.kind == EVENT and kind == ACTIVITY:
            return entry.at >= max(oldest, reach or "")
        if entry.kind != kind or newest[entry.resource] == entry.record:
            return True
        return entry.window is not None and reach is not None and entry.window.end >= max(oldest, reach)

    return [entry for entry in state.logs if needed(entry)]


def _facts(entries: list[Entry], reach: str | None) -> list[Entry]:
    """Answers in force since `reach`, the one at its beginning included; of a row of equal ones the first and the last two."""
    first = max((i for i, entry in enumerate(entries) if reach is not None and entry.at <= reach), default=0)
    rest = entries[first:] if reach is not None else entries[-1:]
    return [
        entry
        for i, entry in enumerate(rest)
        if not (0 < i < len(rest) - 2 and rest[i - 1].digests == entry.digests == rest[i + 1].digests)
    ]
