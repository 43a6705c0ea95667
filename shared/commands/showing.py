"""The command that shows evidence in a browser: portal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.commands.context import From, To, settings, terminal

if TYPE_CHECKING:
    from shared.service.portal.desk import Desk
    from shared.service.queries import Reading


def portal(
    port: Annotated[int, typer.Option(help="The port to listen on; 0: one that is free.", min=0, max=65535)] = 0,
    resource: Annotated[
        list[str] | None, typer.Option(help="Show this ARM id and what lies in it, and nothing else; may be repeated.", metavar="ID")
    ] = None,
    first: From = None,
    last: To = None,
    expires: Annotated[str | None, typer.Option(help="Show nothing from this moment on, UTC.", metavar="TIME")] = None,
) -> None:
    """Show the store in a browser on this machine: a web page on loopback, until Ctrl-C. With limits, it shows nothing beyond them."""
    from shared.service.compose import utc_now
    from shared.service.limited import Within
    from shared.service.limits import limits
    from shared.service.portal.bundles import LocalBundles
    from shared.service.portal.desk import Desk
    from shared.service.portal.server import listening
    from shared.service.queries import reading

    chosen, screen = settings(), terminal()
    within = limits(resource or (), first, last, expires, utc_now()) if resource or first or last or expires else None

    def opened() -> "Reading":
        return reading(chosen)

    opened()  # no store is said at once, not in the browser

    def desk_at(base: str, folder: Path) -> "Desk":
        return Desk(Within(opened, within) if within else opened, utc_now, LocalBundles(opened, utc_now, folder), base)

    with listening(desk_at, port) as (address, server):
        screen.answer({"address": address}, [address])
        if within is not None:
            screen.note(f"Limited view. {within.words()}")
        screen.note("Open it in a browser on this machine. Whoever has the address sees what you see. Ctrl-C ends it.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            screen.note("ended")
