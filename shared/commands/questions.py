"""Commands that answer a question in sentences, with the records that say so: unseen, residency."""

from typing import Annotated

import typer

from shared.commands.context import From, Resource, To, settings, terminal, wanted, within


def unseen(first: From = None, last: To = None) -> None:
    """What could not be seen, now or in a period: questions without an answer, subscriptions out of sight, gaps, and controls that are unknown."""
    from shared.deliver.unseen.words import sentences
    from shared.service.compose import utc_now
    from shared.service.queries import reading
    from shared.service.unseen import unseen as ask

    value = ask(reading(settings()), within(first, last), utc_now())
    terminal().answer(value, sentences(value))
    raise typer.Exit(0 if value["complete"] else 3)


def residency(
    at: Annotated[
        str, typer.Option("--at", help="The moment, UTC: 2026-11-01T12:00:00Z; a day alone means its first moment.", metavar="TIME")
    ],
    resource: Resource = None,
) -> None:
    """Where each deployment of a moment may have processed prompts, and where its data rested, by the looks before and after it."""
    from shared.deliver.residency_words import sentences
    from shared.service.compose import utc_now
    from shared.service.queries import instant, reading
    from shared.service.residency import residency as ask

    value = ask(reading(settings()), instant(at, "--at"), wanted(resource, None, None, None), utc_now())
    terminal().answer(value, sentences(value))
    raise typer.Exit(0 if value["complete"] else 3)
