"""The portal's desk: a request comes in, a page goes out. The same for the function app and for loopback; who may ask is settled before."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

from shared.canonical import Json, canonical
from shared.deliver.bundle.page import checking
from shared.deliver.portal import PAGES, WHOLE, link_from, policy, refused, render, source
from shared.errors import Refused
from shared.records import timestamp
from shared.service.compose import Clock
from shared.service.limited import Within, until
from shared.service.limits import Limits
from shared.service.portal import asking, pages
from shared.service.portal.bundles import Bundles
from shared.service.portal.shown import Chosen, Nothing, Shelf, Shown, chosen_in
from shared.service.queries import Reading

HTML, TEXT = "text/html", "text/plain"
HEADERS = {
    "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
}  # fmt: skip
"""Nobody else is told of an address. The portal itself is: with `no-referrer`, a form of its own would come from nowhere, and be refused."""
FILES: Mapping[str, tuple[str, Callable[[], str]]] = {
    "portal.css": ("text/css", lambda: source("report.css") + source("portal.css")),
    "portal.js": ("text/javascript", lambda: source("portal.js")),
    "verify.js": ("text/javascript", checking),
}
"""What pages need, by path."""
MENU = {"resource": "resources"}
"""Under which entry of the menu a page is, where that is not its own name."""
MOST_FIELDS = 20


TITLES = {401: "Who are you?", 403: "Not for you to see", 404: "Not found"}
OTHERWISE = "That did not work"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, below the portal's base."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""
    body: bytes = b""
    by: str | None = None
    """Object id of who asks."""
    may_ask: bool = True
    """Whether the caller may ask for bundles."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    kind: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None
    """Sent instead of `body`."""


@dataclass(slots=True)
class Desk:
    """Answers for one store. `base`: the path under which all pages are, with a slash at both ends.

    `opened` reads the store; a `Within` reads it within limits, and then the view is limited.
    """

    opened: Callable[[], Reading]
    now: Clock
    bundles: Bundles
    base: str
    limits: Limits | None = field(init=False)
    _shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self.limits = self.opened.limits if isinstance(self.opened, Within) else None
        self._shelf = Shelf(self.opened, until(self.now, self.limits) if self.limits else self.now)

    def answer(self, asked: Asked) -> Reply:
        """Answer a request.

        Raises:
            EvidenceError: the store cannot be read, or contradicts itself. What is wrong with the request is an answer.
        """
        try:
            return self._answer(asked)
        except pages.Missing as missing:
            return self.problem(404, str(missing))
        except Refused as error:
            return self.problem(400, _sentence(str(error)))
        except Nothing as nothing:
            return self.problem(404, str(nothing))

    def problem(self, status: int, text: str, *, menu: bool = True) -> Reply:
        """A page that says what is wrong; `menu`: whether any other page would say more."""
        title = TITLES.get(status, OTHERWISE)
        values = {"problem": text, "menu": menu, "hidden": () if menu else tuple(path for path, _ in PAGES)}
        return self._page("problem", title, values, status=status)

    def _answer(self, asked: Asked) -> Reply:
        name, _, rest = asked.path.strip("/").partition("/")
        if name in FILES and not rest:
            kind, text = FILES[name]
            return Reply(200, kind, text().encode(), self._headers(policy()))
        if self.limits is not None and (over := self.limits.expired(self.now())):
            return self.problem(403, over, menu=False)
        if asked.method == "POST":
            return self._order(asked, name, rest)
        if name == "verify" and not rest:
            return self._page("verify", "Verify a bundle", {}, chosen=chosen_in(asked.query), scripts=("verify.js",))
        if name == "bundles":
            return self._bundles(asked, rest)
        if name == "certificate" and not rest and self.limits is None:
            return self._certificate(asked.query.get("record", ""))
        return self._of_period(asked, name, rest)

    def _of_period(self, asked: Asked, name: str, rest: str) -> Reply:
        maker, allowed = pages.PAGES.get(name, (None, ()))
        if self.limits is not None and name in WHOLE:
            raise pages.Missing("A limited view does not have this page.")
        if maker is None or (rest and name != "controls"):
            raise pages.Missing("There is no such page.")
        if unknown := set(asked.query) - {"from", "to", *allowed}:
            raise Refused(f"{sorted(unknown)[0]!r} is nothing that can be asked here")
        chosen = chosen_in(asked.query)
        shown = self._shelf.get(chosen)
        told = pages.control(shown, rest) if rest else maker(shown, asked.query)
        return self._page(told.template, told.title, told.values, chosen=chosen, shown=shown, here=asked.path.strip("/"), current=MENU.get(name, name))

    def _bundles(self, asked: Asked, rest: str) -> Reply:
        name, _, part = rest.partition("/")
        if not name:
            return self._form({"object": asked.query.get("object", "")}, asked)
        found = self.bundles.look(name) if self.limits is None else None
        if found is None or part not in ("", "state", "file"):
            raise pages.Missing("No bundle of that name was asked for.")
        if part == "state":
            answer = {"state": found["state"], "progress": found.get("progress")}
            return Reply(200, "application/json", canonical(answer), self._headers(policy()))
        if part == "file":
            return self._file(name, found)
        values = {"found": found, "words": asking.WORDS, "progress": found.get("progress"), "reason": found.get("reason")}
        return self._page("bundle", f"Bundle {name}", values, scripts=("portal.js",), current="bundles")

    def _file(self, name: str, found: Json) -> Reply:
        file = self.bundles.file(name)
        if file is not None:
            headers = {"Content-Disposition": f'attachment; filename="evidence-{name}.zip"'}
            return Reply(200, "application/zip", b"", {**self._headers(policy()), **headers}, file)
        if found.get("link"):
            return Reply(303, TEXT, b"", {**self._headers(policy()), "Location": found["link"]})
        raise pages.Missing("That bundle is not built, or no longer kept: ask for it again.")

    def _order(self, asked: Asked, name: str, rest: str) -> Reply:
        """Take a request for a bundle."""
        if name != "bundles" or rest:
            raise pages.Missing("Nothing can be sent there.")
        if self.limits is not None or not asked.may_ask:
            return self.problem(403, "This view cannot ask for bundles: whoever runs the portal can.")
        if not asking.from_here(asked.headers):
            return self.problem(403, "The request came from another site: open the form here and send it again.")
        fields = dict(parse_qsl(asked.body.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)) if len(asked.body) <= asking.MOST else None
        try:
            made = self.bundles.ask(asking.wanted(fields), asked.by)
        except Refused as error:
            return self._form(fields or {}, asked, problem=_sentence(str(error)))
        return Reply(303, TEXT, b"", {**self._headers(policy()), "Location": f"{self.base}bundles/{made}"})

    def _form(self, filled: Mapping[str, str], asked: Asked, problem: str | None = None) -> Reply:
        listed = self.bundles.listed() if self.limits is None else []
        values = {"filled": filled, "problem": problem, "frameworks": asking.FRAMEWORKS, "asked": listed, "may_ask": asked.may_ask and self.limits is None}
        return self._page("bundles", "Ask for a bundle", values, status=400 if problem else 200, sends=True, current="bundles")

    def _certificate(self, record: str) -> Reply:
        if not record.isascii() or not record.isdigit() or len(record) > 15:
            raise pages.Missing("No deletion has that record.")
        html = asking.certificate(self.opened(), int(record), self.now())
        if html is None:
            raise pages.Missing("No deletion has that record.")
        headers = {"Content-Disposition": f'attachment; filename="deletion-{int(record)}.html"'}
        return Reply(200, HTML, html, {**self._headers(policy()), **headers})

    def _page(
        self, template: str, title: str, values: Mapping[str, Json], *, chosen: Chosen | None = None, shown: Shown | None = None, status: int = 200,
        scripts: tuple[str, ...] = (), sends: bool | None = None, here: str = "", current: str | None = None,
    ) -> Reply:  # fmt: skip
        chosen = chosen or Chosen()
        ended = self.limits is not None and self.limits.end <= self.now()
        frame: dict[str, Json] = {
            "title": title, "base": self.base, "link": link_from(self.base, chosen.kept), "chosen": chosen, "scripts": scripts,
            "ended": ended, "now_word": "At the end" if ended else "Now", "limits": self.limits.words() if self.limits else None,
            "here": here, "current": template if current is None else current, "hidden": WHOLE if self.limits else (), "asked_beside": [],
            "view": shown.page.view if shown else None, "page": shown.page if shown else None, "log": shown.page.view.log if shown else None,
            "as_of": timestamp(shown.at) if shown else None, **values,
        }  # fmt: skip
        html = render(template, **frame)
        asks = template == "bundle"
        return Reply(status, HTML, html.encode("utf-8", "backslashreplace"), self._headers(policy(asks=asks, sends=sends or shown is not None)))

    @staticmethod
    def _headers(allowed: str) -> dict[str, str]:
        return {**HEADERS, "Content-Security-Policy": allowed}


def refusal(status: int, text: str, login: str | None = None) -> Reply:
    """A page for somebody who may see none, or where none can be had. `login`: where they can log in, if that may help."""
    html = refused(TITLES.get(status, OTHERWISE), _sentence(text), login)
    return Reply(status, HTML, html.encode("utf-8", "backslashreplace"), {**HEADERS, "Content-Security-Policy": policy()})


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."
