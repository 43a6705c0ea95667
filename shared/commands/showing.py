"""The command that shows evidence in a browser: portal."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.commands.context import settings, terminal

if TYPE_CHECKING:
    from shared.service.portal.desk import Desk


def portal(port: Annotated[int, typer.Option(help="The port to listen on; 0: one that is free.", min=0, max=65535)] = 0) -> None:
    """Show the store in a browser on this machine: a web page on loopback, until Ctrl-C."""
    from shared.service.compose import utc_now
    from shared.service.portal.bundles import LocalBundles
    from shared.service.portal.desk import Desk
    from shared.service.portal.server import listening
    from shared.service.queries import reading

    chosen, screen = settings(), terminal()
    reading(chosen)  # no store is said at once, not in the browser

    def desk_at(base: str, folder: Path) -> "Desk":
        return Desk(lambda: reading(chosen), utc_now, LocalBundles(lambda: reading(chosen), utc_now, folder), base)

    with listening(desk_at, port) as (address, server):
        screen.answer({"address": address}, [address])
        screen.note("Open it in a browser on this machine. Whoever has the address sees what you see. Ctrl-C ends it.")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            screen.note("ended")
