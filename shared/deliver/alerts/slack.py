"""Alerts for Slack: blocks of Block Kit for an incoming webhook.

All that others wrote is of the type `plain_text`, in which nothing is a link or a mention; the link into the portal, which is ours, stands by
itself in mrkdwn. `text`, which notifications show, is mrkdwn whatever one asks for: there `&`, `<` and `>` are escaped. Slack answers 200 and
`ok`; 429 with Retry-After to more than one a second.

Sources: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, docs.slack.dev/reference/block-kit/blocks (header 150, section 3000
characters, 50 blocks) and .../composition-objects/text-object, docs.slack.dev/messaging/formatting-message-text (escaping).
"""

from datetime import datetime

from shared.canonical import Json, canonical
from shared.deliver.alerts.words import cut, words_of

HEADER, SECTION = 150, 3000
"""Characters of a header, and of the text of a section."""


def message(alert: Json, _now: datetime) -> tuple[bytes, dict[str, str]]:
    """The message: a header, the facts, and what it means."""
    words = words_of(alert)
    sections = [words.title] if len(words.title) > HEADER else []
    sections.append("\n".join(f"{name}: {cut(value, 500)}" for name, value in words.facts))
    if words.lines:
        sections.append(_as_many_as_fit([cut(line, 500) for line in words.lines]))
    blocks: list[Json] = [{"type": "header", "text": _plain(cut(words.title, HEADER))}]
    blocks += [{"type": "section", "text": _plain(cut(text, SECTION))} for text in sections]
    if "link" in alert:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{_escaped(alert['link'])}|Open the portal>"}})
    return canonical({"text": _escaped(cut(words.title, 1000)), "blocks": blocks}), {"Content-Type": "application/json"}


def _as_many_as_fit(lines: list[str]) -> str:
    shown = len(lines)
    while len(text := "\n".join(lines[:shown] + [f"and {len(lines) - shown} more"] * (shown < len(lines)))) > SECTION:
        shown -= 1
    return text


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text, "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
