"""Collecting one unit of work: every question that is due for it, in order, each with its answer or the reason for none."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from shared.canonical import Json, canonical
from shared.collect.arm import Arm
from shared.collect.asked import Asked, Budget, Failed, Page, Take
from shared.collect.children import COLLECTIONS, MOST, PARENTS, WORKSPACE, Workspace, asked_about, workspaces
from shared.collect.dataplane import DataPlane, OwnEndpoint
from shared.collect.endpoints import BY_KIND, TLS, Endpoint
from shared.collect.logs import Logs
from shared.collect.paging import Pages
from shared.collect.plan import Unit, project_ids
from shared.collect.windows import window_of

HANDSHAKE = Endpoint(TLS, "account", "", "", "", ("S13",), "lowest TLS version and certificate chain of the account's own endpoint", is_list=False)

Handshake = Callable[[str], "Json | Failed"]
"""Probes the TLS endpoint at a URL: the facts, or why there are none."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Who can be asked."""

    arm: Arm
    data: DataPlane
    logs: Logs
    handshake: Handshake


@dataclass(frozen=True, slots=True)
class Orders:
    """What a plan says that holds for all of its units."""

    questions: dict[str, list[str]]
    windows: Json = None
    """`{"from","to"}` of a question with a window that has no answer before; None in plans of old."""
    workspace: str | None = None
    """A workspace that is asked about every account, whether or not its settings name it."""

    def unknown(self, asked: str) -> list[str]:
        """Kinds of questions that this version does not know, of those that such a unit may come to: the plan is a later one's."""
        entries = {asked}
        if asked.startswith("account:"):  # what follows from answers: of projects, jobs, workspaces, and whatever a later version adds
            entries |= {entry for entry in self.questions if entry != "subscription" and not entry.startswith("account:")}
        return sorted({kind for entry in entries for kind in self.questions[entry]} - {*BY_KIND, TLS})


def collect_unit(clients: Clients, unit: Unit, orders: Orders, take: Take) -> Iterator[Asked]:
    """Ask all that `orders` have for the unit, and yield what came of each question."""
    return _Collecting(clients, unit, orders, take).run()


class _Collecting:
    """One unit, once."""

    def __init__(self, clients: Clients, unit: Unit, orders: Orders, take: Take) -> None:
        self._clients = clients
        self._unit = unit
        self._orders = orders
        self._take = take
        self._budget = Budget()
        self._answered: dict[str, Asked] = {}
        self._own: OwnEndpoint | None = None

    def run(self) -> Iterator[Asked]:
        unit, gone = self._unit, False
        for kind in self._orders.questions[unit.asked]:
            asked = _skipped(kind, unit.id, "the account is gone") if gone else self._ask(kind)
            gone = gone or (kind == "account" and asked.failed is not None and asked.failed.reason in ("not-found", "gone"))
            self._answered[kind] = asked
            yield asked
        yield from self._projects()
        for kind, entry in PARENTS.items():
            yield from self._children(kind, entry)
        if unit.asked.startswith("account:"):
            yield from self._logs()

    def _ask(self, kind: str) -> Asked:
        if kind == TLS:
            return self._shake()
        endpoint = BY_KIND[kind]
        if endpoint.scope == "data":
            return self._of_own(endpoint)
        window = window_of(kind, self._unit.id, self._unit.windows, self._orders.windows)
        return self._clients.arm.ask(endpoint, self._unit.id, self._budget, window=window, take=self._take)

    # -- the account's own endpoint -------------------------------------------------------------------------------------

    def _endpoint(self) -> tuple[str | None, str]:
        """The URL that the account names, or why there is none."""
        account = self._answered.get("account")
        if account is None or account.failed:
            return None, "the account could not be read"
        properties = account.parsed[0].get("properties")
        url = properties.get("endpoint") if isinstance(properties, dict) else None
        return (url, "") if isinstance(url, str) else (None, "the account names no endpoint")

    def _shake(self) -> Asked:
        account_id = self._unit.id
        url, why = self._endpoint()
        if url is None:
            return _skipped(TLS, account_id, why)
        facts = self._clients.handshake(url)
        if isinstance(facts, Failed):
            return Asked(HANDSHAKE, account_id, url, (), facts)
        pages = Pages(TLS, self._take)
        failed = pages.add(Page(url, canonical(facts), None, None, 1))
        return Asked(HANDSHAKE, account_id, url, tuple(pages.pages), failed, (facts,))

    def _of_own(self, endpoint: Endpoint) -> Asked:
        if self._own is None:
            self._own = self._clients.data.of(self._unit.id, *self._endpoint())
        asked = self._own.ask(endpoint, take=self._take)
        return self._not_served(asked) or asked

    def _not_served(self, asked: Asked) -> Asked | None:
        """That an account which answers does not serve this API (any more) is an answer: Azure's 404 or 410 is its page."""
        failed, own = asked.failed, self._own
        if failed is None or own is None or not own.answered or failed.status not in (404, 410) or asked.pages:
            return None
        pages = Pages(asked.endpoint.kind, self._take)
        if pages.add(Page(asked.url, failed.content, failed.request_id, failed.date, failed.attempts)):
            return None
        return replace(asked, pages=tuple(pages.pages), failed=None, served=False, status=failed.status)

    # -- what follows from answers --------------------------------------------------------------------------------------

    def _projects(self) -> Iterator[Asked]:
        projects = self._answered.get("projects")
        if projects is not None and projects.failed is None:
            for project in project_ids(projects.items(), self._unit.id):
                for kind in self._orders.questions["project"]:
                    yield self._clients.arm.ask(BY_KIND[kind], project, self._budget, take=self._take)

    def _children(self, kind: str, entry: str) -> Iterator[Asked]:
        parent, own = self._answered.get(kind), self._own
        kinds = self._orders.questions.get(entry, ())
        if parent is None or parent.failed or own is None:
            return
        identifiers, more = asked_about(parent.members)
        for identifier in identifiers:
            for child in kinds:
                yield own.ask(BY_KIND[child], identifier, self._take)
        for child in kinds if more else ():
            yield _skipped(child, self._unit.id, f"more than {MOST} {COLLECTIONS[entry][0]}: those that follow are not asked about")

    def _logs(self) -> Iterator[Asked]:
        settings = self._answered.get("diagnosticSettings")
        listed: Sequence[Json] = list(settings.items()) if settings is not None and settings.failed is None else ()
        for where in workspaces(listed, self._orders.workspace):
            for kind in self._orders.questions.get(WORKSPACE, ()):
                yield self._of_workspace(BY_KIND[kind], where)

    def _of_workspace(self, endpoint: Endpoint, where: Workspace) -> Asked:
        resource = where.resource(self._unit.id)
        window = window_of(endpoint.kind, resource, self._unit.windows, self._orders.windows)
        if window is None:
            return Asked(endpoint, resource, "", (), Failed("skipped", "the plan has no window for it"))
        return self._clients.logs.ask(endpoint, self._unit.id, where, window, self._budget, self._take)


def _skipped(kind: str, resource: str, detail: str) -> Asked:
    endpoint = HANDSHAKE if kind == TLS else BY_KIND[kind]
    return Asked(endpoint, resource, "", (), Failed("skipped", detail))
