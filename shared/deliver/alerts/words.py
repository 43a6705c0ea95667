"""An alert as people read it in a channel: a title, facts in pairs, and the lines of what it means. Plain text; each format makes its own of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.canonical import Json


@dataclass(frozen=True, slots=True)
class Words:
    """What is to be read, without any mark-up."""

    title: str
    facts: Sequence[tuple[str, str]]
    lines: Sequence[str]


def words_of(alert: Json) -> Words:
    """The words of an alert."""
    title = f"{'TEST, ' if alert.get('test') else ''}{alert['severity']}: {alert['text']}"
    facts = [("where", alert["resource"])] if alert["resource"] else []
    if alert["controls"]:
        facts.append(("controls", ", ".join(alert["controls"])))
    facts.append(("seen", alert["at"]))
    if alert["records"]:
        facts.append(("records", f"{', '.join(map(str, alert['records']))} in the log {alert['origin']}"))
    if "link" in alert:
        facts.append(("look at it", alert["link"]))
    facts.append(("key", alert["key"]))
    lines = [f"{mean['severity']}: {mean['text']}" + (f" ({mean['resource']})" if mean.get("resource") else "") for mean in alert["means"]]
    return Words(title, facts, lines if lines != [f"{alert['severity']}: {alert['text']}"] else [])


def cut(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
