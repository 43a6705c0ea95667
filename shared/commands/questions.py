"""Commands that answer a question in sentences, with the records that say so: unseen."""

import typer

from shared.commands.context import From, To, settings, terminal, within


def unseen(first: From = None, last: To = None) -> None:
    """What could not be seen, now or in a period: questions without an answer, subscriptions out of sight, gaps, and controls that are unknown."""
    from shared.deliver.unseen.words import sentences
    from shared.service.compose import utc_now
    from shared.service.queries import reading
    from shared.service.unseen import unseen as ask

    value = ask(reading(settings()), within(first, last), utc_now())
    terminal().answer(value, sentences(value))
    raise typer.Exit(0 if value["complete"] else 3)
