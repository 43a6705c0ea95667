"""Abuse monitoring: whether prompts are stored for it, whether it has penalised the account, what else reads along.

The provider says of the capability ContentLogging that it appears, as "false", only while data storage for abuse monitoring is turned
off, and is absent otherwise. So there are three states: verified off, not shown as off, and anything else, which is unexpected.
"""

from typing import Literal, NamedTuple

from shared.judge.case import Case
from shared.judge.expectation import ANY
from shared.judge.reading import Node, names, shown
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, verdict
from shared.model import Judgement, Point


class ContentLogging(NamedTuple):
    """What an account shows of storage for abuse monitoring."""

    state: Literal["off", "not-shown"]
    point: Point
    """The capability itself, or the list that lacks it."""


def content_logging(properties: Node) -> ContentLogging:
    """Read the capability from an account's `properties`.

    Raises:
        Unclear: no list of capabilities, an entry that cannot be read, the capability twice, or any value but "false".
    """
    found: list[Node] = []
    for entry in properties.needed_children("capabilities"):
        if entry.needed_text("name").casefold() == "contentlogging":
            found.append(entry)
    if not found:
        return ContentLogging("not-shown", properties.point("capabilities"))
    if len(found) > 1:
        raise Unclear(
            "The capability ContentLogging is there more than once, which the provider does not describe.", *(e.point() for e in found)
        )
    value = found[0].value.get("value")
    if not isinstance(value, str) or value.casefold() != "false":
        said = shown(value) if found[0].has("value") else "without a value"
        raise Unclear(f'The capability ContentLogging is {said}; only "false" is described by the provider.', found[0].point())
    return ContentLogging("off", found[0].point())


def content_logging_off(case: Case) -> list[Judgement]:
    """The account shows that storage for abuse monitoring is off."""
    shows = content_logging(case.properties)
    fact = (
        'ContentLogging is "false": storage of prompts and completions for abuse monitoring is off'
        if shows.state == "off"
        else "ContentLogging is absent, which the provider says it is while storage is on: storage for abuse monitoring is not shown as off"
    )
    if case.expect.word("monitoring.content_logging") == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", shows.point)]
    because = case.expect.because("monitoring.content_logging")
    return [verdict(case.id, shows.state == "off", f"{fact} ({because}: off).", shows.point)]


def abuse_penalty_absent(case: Case) -> list[Judgement]:
    """The provider has not throttled or blocked the account for abuse. The field is absent unless it has."""
    penalty = case.properties.child("abusePenalty")
    if penalty is None:
        return [satisfied(case.id, "The account shows no penalty for abuse (abusePenalty is absent).", case.properties.point())]
    action = penalty.needed_text("action")
    if action.casefold() not in ("throttle", "block"):
        raise Unclear(f"The account shows a penalty for abuse of an unknown sort ({shown(action)}).", penalty.point("action"))
    return [not_satisfied(case.id, f"The provider has penalised the account for abuse: {action}.", penalty.point("action"))]


def monitoring_copy_off(case: Case) -> list[Judgement]:
    """No copy of monitoring data, which holds prompts, goes to storage of the customer's own. The field is absent unless one does."""
    copy = case.properties.child("raiMonitorConfig")
    if case.expect.word("monitoring.monitoring_copy") == ANY:
        fact = "No copy of monitoring data is set up" if copy is None else "A copy of monitoring data is set up"
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", case.properties.point())]
    because = case.expect.because("monitoring.monitoring_copy")
    if copy is None:
        return [
            satisfied(
                case.id, f"No copy of monitoring data is set up: raiMonitorConfig is absent ({because}: off).", case.properties.point()
            )
        ]
    target = copy.needed_text("adxStorageResourceId")
    reason = f"Monitoring data, which holds prompts and completions, is copied to {shown(target)} ({because}: off)."
    return [not_satisfied(case.id, reason, copy.point("adxStorageResourceId"))]


def defender_for_ai(case: Case) -> list[Judgement]:
    """Whether threat protection reads prompts in this account, against what the profile expects."""
    settings = [setting.needed_child("properties") for setting in case.items("defenderForAISettings")]
    states = {setting.needed_text("state").casefold() for setting in settings}
    points = [setting.point("state") for setting in settings] or [case.list_point("defenderForAISettings")]
    odd = states - {"enabled", "disabled"}
    if odd:
        raise Unclear(f"Threat protection is in a state that is not known: {names(map(shown, odd))}.", *points)
    fact = f"Threat protection that reads prompts is {names(states)}" if states else "The account has no setting for threat protection"
    wanted = case.expect.word("monitoring.defender_for_ai")
    if wanted == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", *points)]
    because = case.expect.because("monitoring.defender_for_ai")
    if not states:
        raise Unclear(f"{fact}, and what holds then is not documented ({because}: {wanted}).", *points)
    return [verdict(case.id, states == {wanted}, f"{fact} ({because}: {wanted}).", *points)]
