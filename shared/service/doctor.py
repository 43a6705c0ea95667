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
from shared.service import state
from shared.service.compose import Clock, azure_clients, profile_of, sealing, utc_now
from shared.service.doctor_data import Check, data_and_logs
from shared.service.stores import is_account, store_of
from shared.settings import Settings

def doctor(settings: Settings, now: Clock = utc_now) -> list[Check]:
    """Look at everything; what cannot be looked at is a failed check, never an exception."""
    checks: list[Check] = []
    for name, look in (("store", _store), ("profile and schedule", _schedule), ("azure", _azure)):
        try:
            checks += look(settings, now)
        except EvidenceError as error:
            checks.append(Check(name, "failed", str(error)))
    return checks


def _store(settings: Settings, _now: Clock) -> Iterator[Check]:
    store = store_of(settings)
    ready = sealing(settings, store)
    size = ready.sequencer.catch_up()
    yield Check("store", "ok", f"{settings.store}: log {ready.facts['origin']} with {size} records")
    yield Check("key", "ok", f"signs as {ready.signer.key}")
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
