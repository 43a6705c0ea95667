"""The report: one self-contained HTML file that reads without a network, without scripts, on paper and on a phone.

    page          everything the templates need, worked out beforehand
    environment   templates with escaping always on; filters; the content security policy
    text          hostile text made visible, words for statuses, times
    axis, calendar, strips, timeline, residency, descent   the geometry of the pictures
    groups        findings by account, what needs a person first

Same view, same bytes. Nothing here reads a clock, a network or a file outside this package.
"""

from collections.abc import Sequence

from shared.canonical import Json
from shared.deliver.report.environment import environment, own, policy, source
from shared.deliver.report.page import page
from shared.deliver.view_model import PeriodView

SECTIONS = (
    ("summary", "Summary"),
    ("statements", "Statements and controls"),
    ("coverage", "Coverage of the period"),
    ("evidenced", "How much of the period is evidenced"),
    ("residency", "Where data is processed"),
    ("changes", "Changes"),
    ("deletions", "What was deleted"),
    ("history", "Status over the period"),
    ("findings", "Findings"),
    ("accepted", "What was accepted for a time"),
    ("population", "Population"),
    ("unseen", "What could not be observed"),
    ("attested", "What only the provider can attest"),
    ("storage", "Protection and expectations"),
    ("verify", "How to verify this"),
)


def render(
    view: PeriodView, *, written_at: str | None, evidenced: Json = None, verified: Sequence[str] | None = None, approved: Sequence[Json] | None = None
) -> str:
    """The report of `view` as HTML.

    `written_at` is printed where it is given; without it, the bytes follow from the views alone.
    `evidenced`: the document of `shared.deliver.period.summary`; where it is left out, the page says so.
    `verified`: what `verify` said of the store, line by line; where it is left out, the page says that nothing was verified.
    `approved`: what differs from what was approved, as `drift` says it; where it is left out, nothing was approved.
    """
    script = source("filter.js")
    return (
        environment()
        .get_template("report.html.jinja")
        .render(
            view=view,
            page=page(view, written_at),
            written_at=written_at,
            evidenced=evidenced,
            verified=verified,
            approved=approved,
            sections=SECTIONS,
            css=own(source("report.css")),
            script=own(script),
            policy=policy(script),
        )
    )
