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
    if "who" in alert:
        facts.append(("who", alert["who"]["text"]))
    if "baseline" in alert:
        facts.append(("baseline", alert["baseline"]["text"]))
    if alert["controls"]:
        facts.append(("controls", ", ".join(alert["controls"])))
    facts.append(("seen", alert["at"]))
    if "since" in alert:
        facts.append(("changed", f"between {alert['since'][:19]}Z and {alert['until'][:19]}Z, unobserved in between"))
    if alert["records"]:
        facts.append(("records", f"{', '.join(map(str, alert['records']))} in the log {alert['origin']}"))
    facts.append(("key", alert["key"]))
    lines = [_line(mean) for mean in alert["means"]]
    return Words(title, facts, lines if lines != [f"{alert['severity']}: {alert['text']}"] else [])


def _line(mean: Json) -> str:
    where = f" ({mean['resource']})" if mean.get("resource") else ""
    more = f", by {mean['who']}" if "who" in mean else ""
    return f"{mean['severity']}: {mean['text']}{where}{more}" + (f"; {mean['baseline']}" if "baseline" in mean else "")


def cut(text: str, most: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
