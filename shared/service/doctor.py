"""The use-case `doctor`: what must be right before evidence can be, checked one by one, each with what to do."""

from collections.abc import Iterator
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from shared.collect.asked import Asked, Budget, Failed
from shared.collect.endpoints import BY_KIND, ENDPOINTS, Endpoint
from shared.collect.plan import Unit, account_units, project_ids
from shared.collect.unit import Clients
from shared.collect.windows import OVERLAP, Window
from shared.errors import EvidenceError
from shared.records import timestamp
from shared.schedule import parse
from shared.seal.log import open_log
from shared.seal.pen import try_out
from shared.seal.store import Store
from shared.service import state
from shared.service.attest import owed_line, read_standing
from shared.service.attestors import attestors
from shared.service.compose import Clock, Sealing, azure_clients, profile_of, sealing, store_facts, utc_now
from shared.service.doctor_data import Check, data_and_logs
from shared.service.receivers import receivers
from shared.service.signers import SECOND, current, first_place, second_place
from shared.service.stores import is_account, store_of
from shared.settings import Settings


def doctor(settings: Settings, now: Clock = utc_now) -> list[Check]:
    """Look at everything; what cannot be looked at is a failed check, never an exception."""
    checks: list[Check] = []
    for name, look in (("store", _store), ("profile and schedule", _schedule), ("attestations", _attested), ("alerts", _alerts), ("azure", _azure)):
        try:
            checks += look(settings, now)
        except EvidenceError as error:
            checks.append(Check(name, "failed", str(error)))
    return checks


def _store(settings: Settings, _now: Clock) -> Iterator[Check]:
    store = store_of(settings)
    yield Check("store", "ok", f"{settings.store}: log {store_facts(store)['origin']} with {open_log(store).size} records")
    yield from _keys(settings, store)
    store.put("state/doctor", b"x")
    store.delete("state/doctor")
    yield Check("writing", "ok", "the store can be written to")
    policy = store.retention()["policy"]
    if policy == "locked":
        yield Check("write-once storage", "ok", "what is written is under a locked retention policy")
    else:
        todo = "a folder has no retention: keep copies of checkpoints elsewhere, or use immutable blob storage"
        if is_account(settings.store):
            todo = "lock the retention policy of the container `evidence`; what was written before stays as it is protected now"
        yield Check("write-once storage", "warning", f"retention policy: {policy}", todo)
    left = state.open_sweeps(store)
    if left:
        yield Check("open sweeps", "warning", f"left open: {', '.join(left)}", "the next `collect` goes on with them")


def _keys(settings: Settings, store: Store) -> Iterator[Check]:
    """Which keys sign, whether they can, and whether that is to change."""
    try:
        ready = sealing(settings, store)
        signing = list(_signing(ready))
        if all(check.mark != "failed" for check in signing):
            ready.sequencer.catch_up()
    except EvidenceError as error:
        yield Check("key", "failed", str(error))
        return
    yield from signing
    if ready.keys.pending:
        told = "run the same `aoai-evidence key rotate` again"
        yield Check("change of keys", "warning", f"number {ready.keys.pending[-1].number} was begun and is not finished", told)
    second = second_place(settings)
    if second is not None and len(ready.signers) < 2:
        told = "`aoai-evidence key rotate` makes it one of them"
        yield Check("second key", "warning", f"{second} is not among the keys of this store, so it signs nothing", told)
    yield from _newer(settings, ready)


def _signing(ready: Sealing) -> Iterator[Check]:
    at_hand = {signer.key: signer for signer in ready.signers}
    for name, key in zip(("key", "second key"), ready.keys.in_force.keys, strict=False):
        signer = at_hand.get(key)
        if signer is None:
            told = f"set {SECOND}, or seal a list of keys without it: `aoai-evidence key rotate`"
            yield Check(name, "warning", f"{key} signs nothing from here: it is not at hand", told)
            continue
        try:
            try_out(signer)
        except EvidenceError as error:
            yield Check(name, "failed", f"{key} cannot sign", str(error))
        else:
            yield Check(name, "ok", f"signs as {key}" + (f", in {signer.identifier}" if signer.identifier else ""))


def _newer(settings: Settings, ready: Sealing) -> Iterator[Check]:
    """Whether the vault has a newer version of the key than the one that signs."""
    where = first_place(settings, ready.store)
    if where.vault is None:
        return
    try:
        newest = current(where.of_any_version, settings, ready.facts["origin"])
    except EvidenceError as error:
        yield Check("key version", "warning", "which version of the key is current cannot be told", str(error))
        return
    if newest.key not in ready.keys.in_force.keys:
        told = "`aoai-evidence key rotate` makes it the one that signs"
        yield Check("key version", "warning", f"{newest.identifier} is current in the vault, and an older version signs", told)


def _schedule(settings: Settings, now: Clock) -> Iterator[Check]:
    profile = profile_of(settings)
    yield Check("profile", "ok" if settings.profile else "warning", f"{profile.source}, SHA-256 {profile.digest[:16]}…",
                "" if settings.profile else "defaults are judged by: write a profile and set EVIDENCE_PROFILE")  # fmt: skip
    text = settings.schedule or profile.schedule
    if text is None:
        yield Check(
            "schedule", "warning", "none declared", "set EVIDENCE_SCHEDULE, such as '0 0 */6 * * *': without it gaps cannot be shown"
        )
    else:
        yield Check("schedule", "ok", f"{text}: next at {parse(text).next(now()):%Y-%m-%d %H:%M:%S} UTC")


def _attested(settings: Settings, _now: Clock) -> Iterator[Check]:
    """Who vouches for checkpoints and keeps copies: how it stood when they were last asked. Nobody is asked here: what they give stays."""
    wanted = attestors(settings)
    if not wanted:
        todo = "set EVIDENCE_TSA_URL, EVIDENCE_WITNESSES or EVIDENCE_COPIES: without them nobody else can tell if the newest records are cut off"
        yield Check("attestations", "warning", "nobody else vouches for checkpoints or keeps copies", todo)
        return
    store = store_of(settings)
    standing = {one["name"]: one for one in read_standing(store).of(open_log(store).size)}
    for one in wanted:
        known = standing.get(one.name)
        if known is None:
            yield Check(one.sort, "warning", f"{one.name}: not asked yet", "the next `collect`, or the function `seal`, asks")
        elif line := owed_line(known):
            todo = "compare with what they hold before anything else" if known["grave"] else "it is asked again by itself"
            yield Check(one.sort, "failed" if known["grave"] else "warning", line, todo)
        else:
            yield Check(one.sort, "ok", f"{one.name}: the first {known['size']} records, at {known['at']}")


def _alerts(settings: Settings, _now: Clock) -> Iterator[Check]:
    """Who is told of alerts. Nobody is asked: `alerts test` does that."""
    found = receivers(settings)
    if found:
        yield Check("alerts", "ok", f"{len(found)} receivers: {', '.join(f'{one.name} ({one.kind})' for one in found)}")


def _azure(settings: Settings, now: Clock) -> Iterator[Check]:
    clients, identity = azure_clients(settings, lambda url: Failed("skipped", "not tried here"))
    yield Check("login", "ok", f"object id {identity['identity'] or 'not told by the token'}, cloud {settings.cloud}")
    listed = clients.arm.ask(BY_KIND["subscriptions"], "", Budget(retries=2, seconds=10))
    if listed.failed:
        yield _refused(listed, "subscriptions")
        return
    found = [str(item.get("subscriptionId")).lower() for item in listed.items()]
    wanted = list(settings.subscriptions) or found
    unseen = [subscription for subscription in wanted if subscription not in found]
    yield Check("subscriptions", "failed" if unseen or not wanted else "ok", f"{len(found)} seen, {len(wanted)} in scope",
                f"not seen: {', '.join(unseen)}; give the identity Reader there" if unseen else "")  # fmt: skip
    yield _clock(listed, now)
    rights = _Rights(clients, Window(timestamp(now() - timedelta(hours=1)), timestamp(now())))
    yield from rights.of(wanted, settings.store_id)
    yield from data_and_logs(clients, rights.accounts, settings.workspace_id, rights.window)


def _clock(listed: Asked, now: Clock) -> Check:
    date = listed.pages[0].date
    try:
        skew = abs((now() - parsedate_to_datetime(date or "").astimezone(UTC)).total_seconds())
    except ValueError:
        return Check("clock", "warning", "Azure's answer had no date to compare with")
    todo = "" if skew <= 60 else "set this machine's clock (NTP): evidence is timestamped by it"
    return Check("clock", "ok" if skew <= 60 else "failed", f"{skew:.0f} s from Azure's", todo)


class _Rights:
    """Every question to Resource Manager once, about the first that is there to be asked about: which rights are missing."""

    def __init__(self, clients: Clients, window: Window) -> None:
        self.window = window
        self.accounts: list[Unit] = []
        self._arm = clients.arm
        self._missing: dict[str, str] = {}

    def of(self, subscriptions: list[str], store_id: str | None) -> Iterator[Check]:
        """What was found."""
        for subscription in subscriptions:
            for endpoint in ENDPOINTS:
                if endpoint.scope in ("plan", "subscription"):
                    asked = self._try(endpoint, f"/subscriptions/{subscription}")
                    if endpoint.kind == "accounts" and not asked.failed:
                        self.accounts += [unit for unit in account_units(asked, None) if isinstance(unit, Unit)]
        for endpoint in ENDPOINTS if store_id else ():
            if endpoint.scope == "store":
                self._try(endpoint, store_id or "")
        untried = self._account_rights()
        if self._missing:
            for action, reason in sorted(self._missing.items()):
                yield Check("right", "failed", f"{action}: {reason}", f"give the identity a role with {action}")
        else:
            yield Check("rights", "ok", "every question that was tried is answered" + (f" (no {untried} to try the rest on)" if untried else ""))

    def _account_rights(self) -> str:
        """What is asked of accounts, of accounts that may have projects, and of projects; the first of these that there is none of."""
        foundries = [unit for unit in self.accounts if unit.asked == "account:AIServices"]
        projects: list[str] = []
        for endpoint in ENDPOINTS:
            about = foundries if endpoint.foundry_only else self.accounts
            if endpoint.scope == "account" and about:
                asked = self._try(endpoint, about[0].id)
                if endpoint.kind == "projects":
                    projects = list(project_ids(asked.items(), about[0].id))
            elif endpoint.scope == "project" and projects:
                self._try(endpoint, projects[0])
        sorts = {"account": self.accounts, "account of kind AIServices": foundries, "project": projects}
        return next((sort for sort, found in sorts.items() if not found), "")

    def _try(self, endpoint: Endpoint, resource: str) -> Asked:
        """Ask, and note the right that was missing for it."""
        window = self.window if endpoint.kind in OVERLAP else None
        asked = self._arm.ask(endpoint, resource, Budget(retries=1, seconds=5), window=window)
        if asked.failed and asked.failed.reason in ("forbidden", "unauthenticated"):
            self._missing[endpoint.action] = asked.failed.reason
        return asked


def _refused(asked: Asked, name: str) -> Check:
    failed = asked.failed
    reason = f"{failed.reason} ({failed.detail})" if failed else ""
    todo = {"unreachable": "check network and proxy", "unauthenticated": "log in again: `az login`"}.get(
        failed.reason if failed else "", "give the identity Reader"
    )
    return Check(name, "failed", reason, todo)
