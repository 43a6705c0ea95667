"""The commands `hold add` and `hold release`."""

from typing import Annotated

import typer

from shared.commands.context import settings, terminal

Tag = Annotated[str, typer.Argument(help="Name of the hold, such as case-2026-17.", metavar="TAG")]
Owner = Annotated[str, typer.Option(help="Who ordered it; a personal value of the evidence, that can be erased.")]
Reason = Annotated[str, typer.Option(help="Why; goes into the evidence, so name nobody in it.")]


def add(tag: Tag, owner: Owner, reason: Reason) -> None:
    """Hold all evidence there is, whatever its retention. Again with the same tag: what was written since too."""
    from shared.service.hold import add as hold

    screen = terminal()
    with screen.progress() as progress:
        done = hold(settings(), tag, owner=owner, reason=reason, progress=progress)
    if not done.enforced:
        screen.problem("the store is a folder, which cannot hold anything: that the hold was ordered is sealed, and nothing enforces it")
    held = f"{done.blobs} blobs are held" if done.enforced else "sealed"
    value = {"tag": done.tag, "blobs": done.blobs, "enforced": done.enforced, "in_force": list(done.in_force)}
    screen.answer(value, [f"hold {done.tag}: {held}; in force: {', '.join(done.in_force)}"])


def release(tag: Tag, owner: Owner, reason: Reason) -> None:
    """Take a hold off. The blobs are let go of where no other hold is in force; retention stays as it is."""
    from shared.service.hold import release as let_go

    screen = terminal()
    with screen.progress() as progress:
        done = let_go(settings(), tag, owner=owner, reason=reason, progress=progress)
    value = {"tag": done.tag, "blobs": done.blobs, "enforced": done.enforced, "in_force": list(done.in_force)}
    left = f"in force: {', '.join(done.in_force)}" if done.in_force else "no hold is in force"
    screen.answer(value, [f"hold {done.tag} is released: {done.blobs} blobs let go of; {left}"])
