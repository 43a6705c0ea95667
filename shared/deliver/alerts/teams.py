"""Alerts for Microsoft Teams: an Adaptive Card for the trigger "When a Teams webhook request is received" of Workflows.

The message is `{"type": "message", "attachments": [one card]}`; the workflow posts each attachment. What others wrote, names of resources
above all, stands in RichTextBlocks alone: a TextRun has no mark-up, so nothing in it becomes a link. About 28 KB may be posted, all that
Teams makes of a card counted; Workflows answer 202 before that shows, so a message stays well below.

Sources: learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using (payload) and
learn.microsoft.com/connectors/teams (trigger, size); adaptivecards.io/explorer (RichTextBlock, since 1.2).
"""

from datetime import datetime

from shared.canonical import Json, canonical
from shared.deliver.alerts.words import cut, words_of

MOST = 20 * 1024
"""Bytes of a message."""

_COLOURS = {"high": "attention", "medium": "warning"}


def card(alert: Json, _now: datetime) -> tuple[bytes, dict[str, str]]:
    """The message with the card; with fewer lines where it would be too large."""
    words = words_of(alert)
    shown = len(words.lines)
    while len(body := canonical(_message(alert["severity"], words, shown, alert.get("link")))) > MOST and shown:
        shown -= 1
    return body, {"Content-Type": "application/json"}


def _message(severity: str, words: Json, shown: int, link: str | None) -> Json:
    title = {"type": "TextRun", "text": cut(words.title, 1000), "weight": "bolder", "size": "medium", "color": _COLOURS.get(severity, "default")}
    blocks = [[title]]
    blocks += [[_run(f"{name}: ", "bolder"), _run(cut(value, 1000))] for name, value in words.facts]
    blocks += [[_run(cut(line, 1000))] for line in words.lines[:shown]]
    if shown < len(words.lines):
        blocks.append([_run(f"and {len(words.lines) - shown} more")])
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [{"type": "RichTextBlock", "inlines": inlines} for inlines in blocks],
        "msteams": {"width": "Full"},
    }
    if link is not None:
        content["actions"] = [{"type": "Action.OpenUrl", "title": "Open the portal", "url": link}]
    return {"type": "message", "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}]}


def _run(text: str, weight: str = "default") -> Json:
    return {"type": "TextRun", "text": text, "weight": weight}
