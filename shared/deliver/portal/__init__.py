"""The portal's pages: the same look and parts as the report, one page for each question, readable without scripts.

    sheet       what holds now, by control and by resource, worked out beforehand
    render      templates of this package and of the report, escaping always on
    *.jinja     the pages;  portal.css and portal.js beside them

Nothing here reads a store, a clock or a network. No page has a script or a style of its own: they are files, as the policy wants.
"""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from urllib.parse import quote, urlencode

from jinja2 import Environment, FunctionLoader

from shared.canonical import Json
from shared.deliver.report.environment import environment as reports
from shared.deliver.report.environment import source as of_report

PAGES = (
    ("", "Overview"),
    ("controls", "Statements and controls"),
    ("resources", "Resources"),
    ("changes", "Changes"),
    ("drift", "Drift from what was approved"),
    ("residency", "Where data is processed"),
    ("deletions", "What was deleted"),
    ("calendar", "Coverage"),
    ("unseen", "What could not be seen"),
    ("accepted", "Waivers and exhibits"),
    ("bundles", "Ask for a bundle"),
    ("verify", "Verify a bundle"),
)
"""Every page that is in the menu: its path and its name."""

WHOLE = ("accepted", "bundles", "certificate")
"""Pages that a limited view does not have."""

Link = Callable[..., str]


def policy(*, asks: bool = False, sends: bool = False) -> str:
    """The content security policy of a page. `asks`: its script asks this portal how far a bundle is. `sends`: it has a form.

    The page that checks bundles has neither: nothing that is dropped on it can leave the browser.
    """
    connect, form = ("'self'" if allowed else "'none'" for allowed in (asks, sends))
    return (
        f"default-src 'none'; style-src 'self'; script-src 'self'; connect-src {connect}; form-action {form}; base-uri 'none'; frame-ancestors 'none'"
    )


def source(name: str) -> str:
    """A file of this package, else of the report's."""
    own = files(__package__).joinpath(name)
    return own.read_text("utf-8") if own.is_file() else of_report(name)


@cache
def environment() -> Environment:
    """The report's environment, that finds this package's templates first."""
    made = reports().overlay(loader=FunctionLoader(source))
    made.filters["path_part"] = lambda text: quote(text, safe="")
    return made


def link_from(base: str, kept: dict[str, str]) -> Link:
    """A function that gives the address of a page, with what is `kept` from one page to the next (the period) and what is asked beside."""

    def link(path: str = "", **asked: str) -> str:
        query = urlencode({**kept, **asked})
        return base + quote(path, safe="/") + (f"?{query}" if query else "")

    return link


def refused(title: str, problem: str, login: str | None) -> str:
    """A page for somebody who is shown nothing. `login`: where they can log in, if that may help."""
    return environment().get_template("refused.html.jinja").render(title=title, problem=problem, login=login)


def render(template: str, **values: Json) -> str:
    """A page: the frame with `template` in it."""
    return environment().get_template("frame.html.jinja").render(body=f"{template}.html.jinja", pages=PAGES, **values)
