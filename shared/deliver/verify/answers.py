"""Whether what was planned was asked and answered: every question once, no page missing, no account and no project passed over.

Pure, given bodies. What is found comes with the place of the answer it is about, counted within the unit.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote, urljoin

from shared.canonical import Json
from shared.collect.children import PARENTS, WORKSPACE, Workspace, asked_about, child_resource, usable_id, workspaces
from shared.collect.clouds import CLOUDS, account_base
from shared.collect.endpoints import BY_KIND, OWN
from shared.collect.paging import after, next_cursor
from shared.deliver.verify.bodies import BodyError, NotJsonError, Parsed
from shared.deliver.verify.sweep import SweepState, UnitRecords
from shared.judge.assemble import Likeness

_SUBSCRIPTION = re.compile(r"[0-9A-Za-z_-]{1,64}")


class Remark(NamedTuple):
    """Something that is not as it should be."""

    sort: Literal["problem", "gap"]
    what: str
    reason: str
    answer: int = -1
    """Which of the unit's answers it is about; -1: none."""


def unit_remarks(plan: Json, planned: Json, unit: UnitRecords, bodies: Parsed) -> list[Remark]:
    """Remarks about one unit that the plan describes by `planned`; the first `unit.planned` of its answers are planning's.

    Every planned question has one answer, of the unit itself or of something that follows from its answers: projects, objects that a list
    of the data plane names, workspaces that hold its logs. What was asked at another place than Resource Manager was asked at the right one.
    """
    remarks: list[Remark] = []
    questions = plan["questions"].get(planned["asked"])
    if questions is None:
        return [Remark("problem", "plan", f"the plan asks {planned['asked']} of {planned['unit']}, and does not say what that is")]
    due = Counter((kind, planned["resource"]) for kind in questions)
    already = unit.planned
    own = unit.likes[already:]
    for position, like in enumerate(own):
        if like.resource == planned["resource"] and not like.failure:
            found = list(_following(plan, like, bodies))
            due.update(question for question in found if question)
            if None in found:
                what = "of projects names what is no project of this account" if like.kind == "projects" else f"{like.kind} names what can be none"
                remarks.append(Remark("gap", "item", f"the list {what}", already + position))
    due.update((kind, where.resource(planned["resource"])) for kind, where in _logs(plan, planned, own, bodies))
    answered = Counter((like.kind, like.resource) for like in own)
    for (kind, resource), times in sorted((due - answered).items()):
        remarks.append(Remark("problem", "answer", f"{kind} of {resource} was planned, and has neither an answer nor a failure ({times} missing)"))
    for position, like in enumerate(own):
        if answered[like.kind, like.resource] > due[like.kind, like.resource]:
            often = "more than once" if due[like.kind, like.resource] else "though the plan does not ask it"
            remarks.append(Remark("problem", "answer", f"{like.kind} of {like.resource} was answered {often}", already + position))
    remarks += _misplaced(plan, planned, unit, bodies)
    return remarks


def _following(plan: Json, like: Likeness, bodies: Parsed) -> Iterator[tuple[str, str] | None]:
    """The questions that follow from an answer; None for a member of it that nothing can be asked about."""
    if like.kind == "projects":
        for project in _projects(like, like.resource, bodies):
            yield from ((kind, project) for kind in plan["questions"].get("project", ())) if project else (None,)
    entry = PARENTS.get(like.kind)
    kinds = plan["questions"].get(entry, ()) if entry else ()
    if entry and kinds:
        identifiers = [usable_id(item) for item in _items(like, bodies)]
        yield from (None for identifier in identifiers if identifier is None)
        asked, more = asked_about(identifier for identifier in identifiers if identifier)
        yield from ((kind, child_resource(like.resource, entry, identifier).lower()) for identifier in asked for kind in kinds)
        yield from ((kind, like.resource) for kind in kinds if more)


def _logs(plan: Json, planned: Json, own: Sequence[Likeness], bodies: Parsed) -> Iterator[tuple[str, Workspace]]:
    """The questions about an account's logs, and the workspace each is asked of."""
    kinds = plan["questions"].get(WORKSPACE, ()) if planned["asked"].startswith("account:") else ()
    if kinds:
        settings = [item for like in own if like.kind == "diagnosticSettings" and not like.failure for item in _items(like, bodies)]
        yield from ((kind, where) for where in workspaces(settings, plan.get("workspace")) for kind in kinds)


def _misplaced(plan: Json, planned: Json, unit: UnitRecords, bodies: Parsed) -> Iterator[Remark]:
    """Questions that were asked elsewhere than at the account's own endpoint, or at the workspace that they are about."""
    if not any(unit.addresses):
        return
    own, account = unit.likes[unit.planned :], planned["resource"]
    try:
        base = _base(plan, own, bodies)
    except BodyError:
        return  # said where the record was read; where its endpoint is cannot be known
    at = {(kind, where.resource(account)): f"/v1{quote(where.path)}/query" for kind, where in _logs(plan, planned, own, bodies)}
    for position, (like, url) in enumerate(zip(unit.likes, unit.addresses, strict=True)):
        if not url or like.kind not in BY_KIND:
            continue
        if like.kind in OWN:
            identifier = like.resource.rpartition("/")[2] if like.resource != account else ""
            right = base is not None and url.lower() in {address.lower() for address in BY_KIND[like.kind].addresses(base, identifier)}
        else:
            right = url.startswith(CLOUDS[plan["cloud"]].logs) and url.endswith(at.get((like.kind, like.resource), "?"))
        if not right:
            yield Remark("problem", "answer", f"{like.kind} of {like.resource} was not asked where it had to be", position)


def _base(plan: Json, own: Sequence[Likeness], bodies: Parsed) -> str | None:
    """Where the account's own endpoint is, as the account says.

    Raises:
        BodyError: what it says is not there.
    """
    for like in own:
        if like.kind == "account" and not like.failure:
            body = bodies.load(like.digests[0])
            properties = body.get("properties") if isinstance(body, dict) else None
            url = properties.get("endpoint") if isinstance(properties, dict) else None
            return account_base(url, plan["cloud"]) if isinstance(url, str) and plan["cloud"] in CLOUDS else None
    return None


def _projects(like: Likeness, account: str, bodies: Parsed) -> Iterator[str | None]:
    """Ids of the projects that an account's answer names, each once, lower-cased; None for an item that cannot be one."""
    seen: set[str] = set()
    for item in _items(like, bodies):
        identifier = item.get("id")
        name = identifier.lower().removeprefix(f"{account}/projects/") if isinstance(identifier, str) else ""
        if not isinstance(identifier, str) or not _is_name(name):
            yield None
        elif identifier.lower() not in seen:
            seen.add(identifier.lower())
            yield identifier.lower()


def _is_name(text: str) -> bool:
    return bool(text) and len(text) <= 127 and text[0].isalnum() and all(c.isalnum() or c in "._-" for c in text) and text.isascii()


def _items(like: Likeness, bodies: Parsed) -> Iterator[Json]:
    """The members of a list answer, as far as they can be read."""
    for digest in like.digests:
        try:
            page = bodies.load(digest)
        except BodyError:
            continue  # said where the record was read
        values = page.get("value", page.get("data")) if isinstance(page, dict) else None
        yield from (item for item in values if isinstance(item, dict)) if isinstance(values, list) else ()


# -- pages ----------------------------------------------------------------------------------------------------------------


def page_remark(kind: str, url: str, pages: Sequence[Json], bodies: Parsed, *, whole: bool) -> str | None:
    """What is wrong with the pages of an answer (`whole`: an observation; otherwise those before the page that failed).

    Each page's address is the link that the page before it names, and the last page names none.
    """
    expected: str | None = url
    for number, page in enumerate(pages):
        if expected is None or page["url"] != expected:
            return f"page {number + 1} is not the one that page {number} links to" if number else "the first page is not the one that was asked for"
        try:
            body = bodies.load(page["sha256"])
        except NotJsonError as error:
            return str(error)
        except BodyError:
            return None  # said where the bodies of the record were looked at; what it links to cannot be known
        try:
            expected = _next(kind, url, page["url"], body)
        except ValueError:
            return f"page {number + 1} links to what is no address"
    if whole and expected is not None:
        return f"page {len(pages) + 1} is missing: page {len(pages)} links to it"
    return None


def _next(kind: str, first: str, here: str, body: Json) -> str | None:
    """Where the page after this one is; None: there is none.

    Raises:
        ValueError: it says so in a way that cannot be.
    """
    if not isinstance(body, dict):
        return None
    if kind in OWN:
        cursor = next_cursor(body)
        return after(first, cursor) if cursor is not None else None
    link = body.get("nextLink") if kind not in BY_KIND or BY_KIND[kind].is_list else None
    return urljoin(here, link) if isinstance(link, str) and link else None


def asked_elsewhere(kind: str) -> bool:
    """Whether questions of this kind are asked at another place than Azure Resource Manager."""
    return kind in OWN or (kind in BY_KIND and BY_KIND[kind].scope == WORKSPACE)


def about(kind: str, resource: str, url: str) -> bool:
    """Whether a question at this address is about this resource (an empty one is the tenant); of those asked elsewhere it cannot be told here."""
    return asked_elsewhere(kind) or resource in url.lower() or resource in unquote(url).lower()


# -- the population -------------------------------------------------------------------------------------------------------


def population_remarks(sweep: SweepState, bodies: Parsed) -> Iterator[Remark]:
    """Whether the plan has a unit for everything that Azure named in its scope, and for nothing else."""
    plan, scope = sweep.plan, sweep.plan["scope"]
    planned = {unit["resource"] for unit in plan["units"]}
    if len(planned) != len(plan["units"]) or len(sweep.asked) != len(plan["units"]):
        yield Remark("problem", "plan", "the plan names a unit, or a resource, twice")
    seen = _seen(sweep, bodies)
    if "seen" in plan and (set(plan["seen"]) if plan["seen"] is not None else None) != seen:
        yield Remark("problem", "plan", "does not name the subscriptions that Azure's answer names as seen")
    named = {f"/subscriptions/{subscription}" for subscription in _subscriptions(scope, seen)}
    if scope["resources"] is not None:
        named |= set(scope["resources"])
    kinds = {kind.lower() for kind in scope["kinds"]}
    for entries in list(sweep.records.units.values()):
        for entry in entries.values():
            if entry.kind == "accounts" and not entry.failure:
                named |= set(_accounts(entry.likeness, kinds, scope["resources"], bodies))
    # What a list names and cannot be an account has a failure of its own in the plan's batch: a gap, counted where it is read.
    named -= {resource for entries in sweep.records.units.values() for kind, resource in entries if kind == "account"} - planned
    for resource in sorted(named - planned):
        yield Remark("problem", "population", f"{resource} is in scope, and the plan has no unit for it")
    for resource in sorted(planned - named):
        yield Remark("problem", "population", f"the plan has a unit for {resource}, which neither the scope nor an answer of Azure names")
    for subscription in sorted(r for r in named & planned if r.count("/") == 2):
        unit = next(unit["unit"] for unit in plan["units"] if unit["resource"] == subscription)
        if ("accounts", subscription) not in sweep.records.units.get(unit, {}):
            yield Remark("problem", "population", f"the accounts of {subscription} were not asked for")


def _subscriptions(scope: Json, seen: set[str] | None) -> set[str]:
    """Bare ids of the subscriptions in scope."""
    if scope["resources"] is not None:
        return {resource.split("/")[2] for resource in scope["resources"] if resource.count("/") >= 2}
    return set(scope["subscriptions"]) if scope["subscriptions"] is not None else seen or set()


def _seen(sweep: SweepState, bodies: Parsed) -> set[str] | None:
    """Bare ids of the subscriptions that the identity sees; None where that was not answered.

    What Azure names and cannot be an id has a failure of its own in the plan's batch: a gap, counted where it is read.
    """
    for entries in sweep.records.units.values():
        entry = entries.get(("subscriptions", ""))
        if entry is not None and not entry.failure:
            ids = (item.get("subscriptionId") or str(item.get("id", "")).rpartition("/")[2] for item in _items(entry.likeness, bodies))
            return {identifier.lower() for identifier in ids if isinstance(identifier, str) and _SUBSCRIPTION.fullmatch(identifier)}
    return None


def _accounts(like: Likeness, kinds: set[str], only: Sequence[str] | None, bodies: Parsed) -> Iterator[str]:
    """Lower-cased ids of the accounts in a subscription's list that are of a kind in scope."""
    for item in _items(like, bodies):
        identifier, kind = item.get("id"), item.get("kind")
        if not isinstance(identifier, str) or not identifier.lower().startswith(like.resource + "/"):
            continue  # as above
        if isinstance(kind, str) and kind.lower() in kinds and (only is None or identifier.lower() in only):
            yield identifier.lower()
