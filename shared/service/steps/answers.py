"""What is asked over HTTP, answered page by page: the questions of `shared.service.queries`, with what a caller may pass."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice

from shared import layout
from shared.canonical import Json
from shared.deliver.rejudge import frameworks
from shared.errors import Refused
from shared.judge.catalogue import catalogue
from shared.model import STATUSES
from shared.seal.log import open_log
from shared.service import accounts, queries, standing
from shared.service.drifted import drifted
from shared.service.gone import Asked, deletions, kinds_of
from shared.service.held import objects
from shared.service.limited import until
from shared.service.limits import Limits
from shared.service.queries import Filter, Period, Reading, reading
from shared.service.steps.app import App
from shared.service.steps.bundle import period_of

PAGE = 1000
"""Items of an answer, unless `limit` says fewer or more."""
MOST = 10_000

_PERIOD, _PAGING = ("from", "to"), ("limit", "after")
PARAMETERS = {
    "status": (),
    "findings": (*_PERIOD, "resource", "control", "status", "framework", *_PAGING),
    "changes": (*_PERIOD, "resource", *_PAGING),
    "deletions": (*_PERIOD, "resource", "object", "kind", *_PAGING),
    "resources": ("resource", "kind", *_PAGING),
    "drift": ("resource", *_PAGING),
}
"""What may be passed with each question."""


def answer(app: App, question: str, asked: Mapping[str, str], limits: Limits | None = None) -> Json:
    """Answer `status`, or a page of `findings`, `changes`, `deletions`, `resources` or `drift`; within `limits`, where the caller's view has some.

    A page is `{"items": […], "next": …}`: `next`, if not null, is what to pass as `after` for the page that follows.

    Raises:
        Refused: a parameter is not known, or cannot be what it says.
        EvidenceError: the store cannot be read.
    """
    allowed = PARAMETERS[question]
    if unknown := set(asked) - set(allowed):
        raise Refused(f"{sorted(unknown)[0]!r} is no parameter here: {', '.join(allowed) or 'there are none'}")
    now = until(app.now, limits) if limits else app.now
    when = period_of(asked.get("from"), asked.get("to"), now())
    wanted, page, kinds = _filter(asked), _paging(asked), _kinds(asked)
    if limits and kinds and question == "resources":
        raise Refused("kind is not answered in a limited view: what is remembered of objects knows no period")
    read = app.within(limits)() if limits else reading(app.settings)
    if question == "status":
        return standing.status(read, now)
    ask: dict[str, Callable[[Reading, Period | None, Filter], Iterable[Json]]] = {
        "findings": lambda read, when, wanted: queries.findings(read, when, wanted, now),
        "changes": queries.changes,
        # By its id alone: a name is personal, and who asks here may not be one who may look it up.
        "deletions": lambda read, when, wanted: deletions(read, when, wanted, Asked(kinds, asked.get("object")), by_name=False),
        "resources": lambda read, when, wanted: objects(read, wanted, kinds) if kinds else accounts.resources(read, wanted),
        "drift": lambda read, when, wanted: drifted(read, wanted),
    }
    return _page(ask[question](read, when, wanted), *page, by_place=question in ("resources", "drift"))


def checkpoint(app: App) -> bytes | None:
    """The newest signed checkpoint: what an auditor writes down. None where nothing is sealed."""
    store = app.store
    return store.get(layout.LATEST_CHECKPOINT) or store.get(layout.checkpoint(open_log(store).size))


def _filter(asked: Mapping[str, str]) -> Filter:
    statuses = tuple(text for text in asked.get("status", "").split(",") if text)
    for text in statuses:
        if text not in STATUSES:
            raise Refused(f"status {text!r} is none of {', '.join(STATUSES)}")
    control, framework = asked.get("control"), asked.get("framework")
    if control and control not in {known.id for known in catalogue().controls}:
        raise Refused(f"control {control!r} is not in the catalogue: docs/controls.md lists them")
    if framework and framework not in frameworks():
        raise Refused(f"framework {framework!r} is none of {', '.join(frameworks())}")
    return Filter(asked.get("resource"), control, statuses, framework)


def _kinds(asked: Mapping[str, str]) -> tuple[str, ...]:
    try:
        return kinds_of(name for name in asked.get("kind", "").split(",") if name)
    except ValueError as error:
        raise Refused(f"kind {error}") from None


def _paging(asked: Mapping[str, str]) -> tuple[int, int]:
    limit, after = _number(asked, "limit", PAGE), _number(asked, "after", -1)
    if not 1 <= limit <= MOST:
        raise Refused(f"limit must lie between 1 and {MOST}")
    return limit, after


def _page(items: Iterable[Json], limit: int, after: int, *, by_place: bool) -> Json:
    placed = ((place if by_place else item["record"], item) for place, item in enumerate(items))
    found = list(islice((pair for pair in placed if pair[0] > after), limit + 1))
    more = len(found) > limit
    return {"items": [item for _, item in found[:limit]], "next": found[limit - 1][0] if more else None}


def _number(asked: Mapping[str, str], name: str, otherwise: int) -> int:
    text = asked.get(name)
    if text is None:
        return otherwise
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise Refused(f"{name} is {text!r}: it must be a number")
    return int(text)
