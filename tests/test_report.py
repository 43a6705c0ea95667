"""The report: complete, self-contained, well-formed, the same every time, and unmoved by hostile names."""

import base64
import dataclasses
import hashlib
import html
import re
from functools import cached_property
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from shared.deliver.report import SECTIONS, render
from shared.deliver.report.calendar import calendar
from shared.deliver.report.drift import rows
from shared.deliver.report.environment import period_words, source
from shared.deliver.report.residency import residency
from shared.deliver.report.text import visible
from shared.deliver.report.timeline import MOST_LANES, timeline
from shared.deliver.view import build
from shared.deliver.view_coverage import coverage
from shared.deliver.view_model import LogIdentity, PeriodView
from shared.deliver.view_sweeps import Period
from shared.deliver.view_words import words
from shared.deliver.visible import LONGEST
from shared.judge.catalogue import catalogue
from tests.test_view_sample import Sample, sample
from tests.test_view_world import Estate, Spec, estate

VOID = {"meta", "link", "br", "input", "hr", "img"}
EMPTY_SHAPES = {"rect", "path", "circle", "use"}


class Page(HTMLParser):
    """What a browser would make of the page, as far as the tests ask."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.stack, self.problems, self.ids, self.elements, self.words = [], [], [], [], []
        self.scripts, self.inside = [], None
        self.feed(text)
        self.close()
        self.problems += [f"never closed: {tag}" for tag in self.stack]

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if len(attributes) != len(attrs):
            self.problems.append(f"an attribute twice: {tag} {attrs}")
        self.elements.append((tag, attributes))
        if "id" in attributes:
            self.ids.append(attributes["id"])
        if tag not in VOID:
            self.stack.append(tag)
        self.inside = tag

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if "id" in dict(attrs):
            self.ids.append(dict(attrs)["id"])

    def handle_endtag(self, tag):
        if not self.stack or self.stack[-1] != tag:
            self.problems.append(f"closed out of turn: {tag} within {self.stack[-3:]}")
        if tag in self.stack:
            while self.stack.pop() != tag:
                pass
        self.inside = None

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts.append(data)
        elif self.stack and self.stack[-1] not in ("style", "script"):
            self.words.append(data)

    @cached_property
    def text(self):
        return re.sub(r"\s+", " ", "".join(self.words))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def made():
    return sample()


@pytest.fixture(scope="module")
def view(made):
    return made.view()


@pytest.fixture(scope="module")
def text(view):
    return render(view, written_at="2026-12-01T08:00:00Z")


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def flat(value):
    return re.sub(r"\s+", " ", value)


# -- complete ---------------------------------------------------------------------------------------------------------------


def test_every_finding_is_there_with_its_sentence(view, page):
    for finding in view.findings:
        assert flat(finding.reason) in page.text
        assert f"f-{finding.record}" in page.ids


def test_every_finding_in_full_has_its_bytes_and_its_command(view, page):
    collected = {name for name, control in view.words.controls.items() if control.collected}
    for finding in view.findings:
        if finding.status == "not-satisfied" or (finding.status == "unknown" and finding.control in collected):
            pointed = [excerpt for excerpt in finding.excerpts if excerpt.pointer]
            assert all(flat(excerpt.text) in page.text for excerpt in pointed)
            assert all(flat(command) in page.text for command in finding.commands)


def test_every_command_is_there(view, page):
    for command in {command for finding in view.findings for command in finding.commands}:
        assert flat(command) in page.text


def test_every_statement_control_and_reference_is_there(view, page):
    for statement in view.words.statements:
        assert flat(statement.text) in page.text
    for control in view.words.controls.values():
        assert control.title in page.text
        for reference in control.references:
            assert reference.criterion in page.text


def test_every_gap_is_there(view, text, page):
    assert text.count('class="cell gap"') == 8 + 1  # one of them in the key
    for gap in view.coverage.gaps:
        assert gap.start[:16].replace("T", " ") in page.text
    assert "8 slots without a sweep" in page.text


def test_every_change_account_failure_and_sweep_is_there(view, page):
    for row in rows(view):
        assert f"ch-{row.change.record}" in page.ids
        for field in row.change.fields:
            assert flat(field.was or "") in page.text
            assert flat(field.now or "") in page.text
    for account in view.accounts:
        assert account.name in page.text
        assert all(deployment.name in page.text for deployment in account.deployments)
    for each in view.sweeps:
        assert each.name in page.text
    for group in view.failures:
        assert all(detail in page.text for detail in group.details)


def test_two_answers_about_one_change_are_one_row(view):
    assert len(view.changes) > len(rows(view)) == 15
    assert {row.sort for row in rows(view)} == {"appeared", "gone", "changed"}


def test_how_to_verify_is_there(view, page):
    assert view.log.vkey in page.text
    assert flat(view.log.checkpoint) in page.text
    assert f"aoai-evidence verify BUNDLE.zip --key {view.log.vkey}" in page.text


def test_one_place_where_each_deployment_may_process(view):
    found = residency(view)
    assert found.total == 17
    assert {cell.destination: cell.count for cell in found.totals} == {"own": 6, "zone:EU": 2, "zone:US": 2, "any": 6, "unknown": 1}
    assert sum(node.count for node in found.sources) == sum(node.count for node in found.sinks) == 17


# -- well-formed, self-contained --------------------------------------------------------------------------------------------


def test_tags_are_balanced_and_ids_unique(page):
    assert page.problems == []
    assert sorted({each for each in page.ids if page.ids.count(each) > 1}) == []


def test_links_lead_somewhere_on_the_page(page):
    targets = {attributes["href"] for tag, attributes in page.elements if "href" in attributes}
    assert targets
    assert {each for each in targets if not each.startswith("#") or each[1:] not in page.ids} == set()


def test_nothing_is_loaded_from_anywhere(text, page):
    assert not [attributes for _, attributes in page.elements if {"src", "srcset", "data", "action", "formaction"} & set(attributes)]
    assert not {tag for tag, _ in page.elements} & {"link", "iframe", "object", "embed", "img", "base"}
    assert "@import" not in source("report.css")
    assert re.findall(r"url\((?!#)", text) == []


def test_the_policy_allows_this_script_and_nothing_else(page):
    (policy,) = [each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    (script,) = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert f"script-src 'sha256-{digest}'" in policy
    assert not [attributes for _, attributes in page.elements if any(name.startswith("on") for name in attributes)]


def test_landmarks_headings_and_headers(page):
    tags = [tag for tag, _ in page.elements]
    assert tags.count("h1") == tags.count("main") == 1
    assert {"header", "nav", "footer"} <= set(tags)
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("scope" in attributes for attributes in page.all("th"))
    assert [name for name, _ in SECTIONS] == [a["id"] for a in page.all("section") if a["id"] in dict(SECTIONS)]


def test_pictures_have_words(page):
    named = set(page.ids)
    for attributes in page.all("svg"):
        if attributes.get("role") in ("img", "group"):
            said = attributes.get("aria-label") or [each for each in attributes["aria-labelledby"].split() if each in named]
            assert said
        else:
            assert attributes.get("aria-hidden") == "true"


def test_what_scrolls_can_be_reached_by_keyboard(page):
    for tag, attributes in page.elements:
        if "scroll" in (attributes.get("class") or "").split() or tag == "pre":
            assert attributes.get("tabindex") == "0"


def test_inputs_have_labels(text):
    assert re.findall(r"<(?:select|input)", text) == ["<select", "<input"]
    assert len(re.findall(r"<label>[^<]*<(?:select|input)", text)) == 2


def test_the_script_is_not_needed(page):
    (form,) = page.all("form")
    assert "hidden" in form
    assert "noscript" not in {tag for tag, _ in page.elements}


# -- the same every time ----------------------------------------------------------------------------------------------------


def test_same_view_same_bytes(made, view, text):
    assert render(made.view(), written_at="2026-12-01T08:00:00Z") == text
    assert render(view, written_at=None) == render(view, written_at=None) != text


def test_size(text):
    assert len(text.encode()) < 1_000_000


# -- hostile ----------------------------------------------------------------------------------------------------------------

PAYLOAD = (
    "</style></script></title>--><script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}"
    "\u202ejavascript:alert(1)\u0000\u200b\ud800"
)
HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
KEYS = {"controls", "statements", "control", "name"}
KEPT = KEYS | {"status", "state", "op", "scope", "spillover_scope", "start", "end", "time", "date", "since", "until"}


def poisoned(value, name=""):
    """The same view with the payload after every text but those that are keys of something."""
    if dataclasses.is_dataclass(value):
        return dataclasses.replace(value, **{f.name: poisoned(getattr(value, f.name), f.name) for f in dataclasses.fields(value) if f.init})
    if isinstance(value, tuple):
        return tuple(poisoned(each, name) for each in value)
    if isinstance(value, dict):
        return {key: poisoned(each, name) for key, each in value.items()}
    if isinstance(value, str) and name not in KEPT and not name.endswith("_at"):
        return value + PAYLOAD
    return value


def unharmed(text):
    page = Page(text)
    assert page.problems == []
    assert len(page.all("script")) == 1
    assert page.scripts == [source("filter.js")]
    assert not {tag for tag, _ in page.elements} & {"img", "iframe", "object", "link", "base"}
    assert not [attributes for _, attributes in page.elements if any(each.startswith("on") for each in attributes)]
    assert not [each for _, attributes in page.elements for each in [attributes.get("href", "#")] if not each.startswith("#")]
    assert HIDDEN.search(text) is None
    text.encode("utf-8")
    return page


def test_hostile_text_everywhere(view):
    means = [{"severity": "high", "text": PAYLOAD, "pointer": PAYLOAD}]
    bad = {"resource": PAYLOAD, "state": "drifted", "baseline": 1, "unknown": [{"kind": PAYLOAD, "resource": PAYLOAD, "why": PAYLOAD}],
           "differences": [{"approved": 1, "now": None, "means": means}]}  # fmt: skip
    page = unharmed(render(poisoned(view), written_at=PAYLOAD, approved=[bad]))
    assert "{{7*7}}" in page.text and "1 → –" in page.text
    assert "⟨U+202E⟩javascript:alert(1)⟨U+0000⟩⟨U+200B⟩⟨U+D800⟩" in page.text


def test_hostile_names_all_the_way_from_the_records():
    name = "</script><script>alert(1)</script>\u202e' \"$(reboot)`\n\u0665" + "x" * 5_000
    spec = Spec(
        name.replace("/", "\u2044"),
        "/subscriptions/0a",
        "rg'\"<b>",
        "OpenAI",
        "west<i>europe",
        [(name, name, name, name, 0, 9)],
        public=[(0, 9)],
    )
    made = sample(1, estate=Estate([spec]), gap=range(2, 4))
    page = unharmed(render(made.view(), written_at=None))
    assert "more characters" in page.text
    assert "⟨U+202E⟩" in page.text


def test_hidden_characters_are_shown_and_long_text_is_cut():
    assert visible("a\u202eb") == "a⟨U+202E⟩b"
    assert visible("عربي name\twith\nlines") == "عربي name\twith\nlines"
    assert str(visible("x" * (LONGEST + 7))).endswith("… (7 more characters)")
    assert visible(None) == ""


# -- other shapes of evidence -----------------------------------------------------------------------------------------------


def test_nothing_at_all():
    period = Period("2026-11-01", "2026-11-08")
    slots = [f"2026-11-0{day}T00:00:00Z" for day in range(1, 8)]
    view = build([], dict.__getitem__, words(catalogue()), period=period, log=LogIdentity("o", 0, "k"), expected=slots)
    page = Page(render(view, written_at=None))
    assert page.problems == []
    assert "There is no sweep in this period" in page.text
    assert "7 slots without a sweep" in page.text


def test_no_schedule_was_declared(made):
    page = Page(render(made.view(expected=[]), written_at=None))
    assert page.problems == []
    assert "No schedule was declared" in page.text


def test_a_long_period_is_drawn_by_day(made):
    slots = [f"{year}-{month:02d}-{day:02d}T00:00:00Z" for year in (2025, 2026) for month in range(1, 13) for day in range(1, 29)]
    drawn = calendar(coverage(Period("2025-01-01", "2027-01-01"), slots, made.view().sweeps))
    assert drawn.unit == "day"
    assert len(drawn.cells) == 730
    assert all(cell.x + drawn.size <= drawn.width for cell in drawn.cells)


def test_a_period_of_hours_is_named_with_its_times():
    assert period_words(Period("2026-11-01T06:00:00Z", "2026-11-01T18:00:00Z")) == "2026-11-01 06:00 to 2026-11-01 18:00"
    assert period_words(Period("2026-11-01", "2026-11-02")) == "1 Nov 2026"
    assert period_words(Period("2026-11-01T00:00:00Z", "2026-11-02T00:00:20Z")) == "2026-11-01 00:00 to 2026-11-02 00:00", "twenty seconds into a day are of that day"


def test_lanes_that_are_left_out_are_counted(view):
    row = rows(view)[0]
    many = [dataclasses.replace(row, owner=f"account-{number}") for number in range(MOST_LANES + 5)]
    assert timeline(many, view.period).left_out == 5


def test_a_status_of_a_later_version_is_shown_in_full(view):
    changed = dataclasses.replace(view.findings[-1], status="disputed", record=10**9)
    page = Page(render(dataclasses.replace(view, findings=(*view.findings, changed)), written_at=None))
    assert page.problems == []
    assert f"f-{10**9}" in page.ids
    assert "disputed" in page.text


def test_bodies_that_are_not_there_are_said_so(made):
    view = Sample(made.records, {}, made.expected, made.period)
    view.load = {}.__getitem__
    page = Page(render(view.view(), written_at=None))
    assert page.problems == []
    assert "the body is not among what this was made from" in page.text
    assert "Its body is not among what this was made from." in page.text


def test_many_accounts_render_and_nothing_is_left_out():
    made = sample(1, estate=estate(60), gap=range(1, 4))
    view: PeriodView = made.view()
    text = render(view, written_at=None)
    assert all(f'id="f-{finding.record}"' in text for finding in view.findings)
    assert 'class="groups many"' in text


# -- colours ----------------------------------------------------------------------------------------------------------------


def _luminance(colour):
    digits = colour.lstrip("#")
    digits = "".join(2 * each for each in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", range(3), ids=["light", "dark", "print"])
def test_text_has_contrast(scheme):
    blocks = re.findall(r":root \{(.*?)\}", source("report.css"), re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", blocks[scheme]))
    plain = {"ink", "muted", "link", "ok", "bad", "un", "att", "na", "zone-ink"}
    pairs = [(text, ground) for text in plain for ground in ("bg", "panel")]
    pairs += [(text, f"{ground}-wash") for ground in ("bad", "un", "ok", "att", "zone") for text in ("ink", "muted")]
    pairs += [("bad", "bad-wash"), ("ok", "ok-wash"), ("un", "un-wash"), ("att", "att-wash")]
    weak = {(text, ground): round(contrast(colours[text], colours[ground]), 2) for text, ground in pairs}
    assert {pair: found for pair, found in weak.items() if found < 4.5} == {}


@pytest.mark.parametrize("scheme", range(3), ids=["light", "dark", "print"])
def test_marks_have_contrast(scheme):
    blocks = re.findall(r":root \{(.*?)\}", source("report.css"), re.DOTALL)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6});", blocks[scheme]))
    assert contrast(colours["bad-fill"], colours["bg"]) >= 3
    assert contrast(colours["strong-rule"], colours["bg"]) >= 3


def test_escaping_is_the_templates_own():
    assert html.escape("<") in render_one("<")


def render_one(value):
    from shared.deliver.report.environment import environment

    return environment().from_string("{{ value }}").render(value=value)
