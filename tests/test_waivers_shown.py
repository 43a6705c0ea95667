"""A waiver is seen wherever its findings are: in the tables of a bundle, which are derived again by whoever verifies, in exports and in the report."""

import csv
import io
import json
import re

import pytest

from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.waived import Waived
from shared.judge.catalogue import catalogue
from shared.seal import note
from shared.service import queries, waiver
from shared.service.bundle import bundle
from shared.service.export import export_csv
from shared.service.limited import limited
from shared.service.limits import ALWAYS, BEGINNING, Limits
from shared.service.queries import Filter
from shared.service.report import report, viewed
from tests.fixtures.bundles import apart, together
from tests.fixtures.exhibits import again
from tests.test_exhibits_given import both
from tests.test_waivers import CONTROL, GOOD, SUBSCRIPTION, WHO, add, found, sealed, site

__all__ = ["site"]
TABLE = f"by-control/SOC 2/CC6.6 Threats from outside the boundary/{catalogue().control(CONTROL).title}.csv"


def rows(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def problems(site, path):
    return [(one.file, one.reason) for one in verify_bundle(path, [note.parse_vkey(site.vkey)]).problems]


@pytest.fixture
def made(site, tmp_path):
    """A bundle of three sweeps: before a waiver of one account, while it was in force, and after it had expired."""
    site.one, site.other = sorted(finding["resource"] for finding in found(site))
    site.clock.advance(hours=1)
    add(site, site.one, days=1)
    again(site)
    again(site, hours=72)
    site.path = tmp_path / "b.zip"
    bundle(site.reading(), None, site.path)
    return site


def test_the_tables_of_a_bundle_say_what_is_waived_and_by_which(made):
    assert both(made, made.path)[0] == []
    files = apart(made.path.read_bytes())
    of = [row for row in rows(files["findings.csv"]) if row["control"] == CONTROL]
    assert [(row["resource"], row["waiver"], row["waived_until"]) for row in of if row["waiver"]] == [(made.one, "1", "2026-11-03T00:00:00.000000Z")]
    assert len(of) == 6 and {row["status"] for row in of} == {"not-satisfied"}
    first, second = rows(files[TABLE])
    assert (first["id"], first["findings"], first["waived"], first["waivers"]) == (made.one, "3", "1", "1")
    assert (second["id"], second["waived"], second["waivers"]) == (made.other, "0", "")
    view = json.loads(files["period.json"])
    said, = view["waivers"]
    assert (said["record"], said["number"], said["action"], said["control"]) == (sealed(made)[0][0], 1, "add", CONTROL)


def test_a_table_that_hides_or_makes_up_a_waiver_is_found(made):
    files = apart(made.path.read_bytes())
    lines = files["findings.csv"].decode().split("\r\n")
    bare = next(number for number, text in enumerate(lines) if CONTROL in text and text.endswith(",,") and made.other in text)
    for table, changed in (
        ("findings.csv", files["findings.csv"].replace(b",1,2026-11-03T00:00:00.000000Z\r\n", b",,\r\n")),
        ("findings.csv", files["findings.csv"].replace(b",1,2026-11-03T", b",1,2026-12-03T")),
        ("findings.csv", "\r\n".join([*lines[:bare], lines[bare][:-2] + ",1,2026-11-03T00:00:00.000000Z", *lines[bare + 1 :]]).encode()),
        (TABLE, files[TABLE].replace(b",0,,public", b",3,1,public")),
    ):
        assert changed != files[table]
        made.path.write_bytes(together({**files, table: changed}))
        assert problems(made, made.path) == [(table, "the file does not follow from the rest of the bundle")]


def test_a_waiver_that_is_dated_back_waives_nothing_that_was_found_before():
    one = {"status": "not-satisfied", "control": CONTROL, "resource": None, "at": "2026-11-02T00:00:00.000000Z"}
    act = {"type": "waiver", "at": "2026-11-01T00:00:00.000000Z", "waiver": {**GOOD, "number": 1}}
    waived = Waived()
    for _ in range(2):
        waived.take(7, act)
    assert waived.of(6, one) is None and waived.of(8, one).record == 7 and waived.of(8, {**one, "status": "unknown"}) is None
    waived.take(9, {**act, "at": "2026-11-01T12:00:00.000000Z", "waiver": {"action": "end", "waiver": 1, "number": 2, "owner": "x", "reason": "y"}})
    assert waived.of(8, one).number == 1 and waived.of(10, one) is None
    for broken in ({**act, "waiver": {**GOOD, "until": "soon"}}, {**act, "waiver": None}, {**act, "at": 5}):
        waived.take(3, broken)
    assert waived.of(6, one) is None


def test_an_export_names_the_waiver(made, tmp_path):
    every = queries.period(None, None, made.clock())
    export_csv(queries.findings(made.reading(), every, Filter(control=CONTROL), made.clock), tmp_path / "f.csv")
    of = list(csv.DictReader(io.StringIO((tmp_path / "f.csv").read_text("utf-8-sig"))))
    assert [(row["resource"], row["waiver"], row["waived_until"][:10]) for row in of if row["waiver"]] == [(made.one, "1", "2026-11-03")]


def shown(site, tmp_path):
    """The report of all there is: the whole, its findings, and the rows of what was accepted, as text."""
    site.clock.advance(hours=1)
    report(site.reading(), None, tmp_path / "r.html", site.clock())
    html = (tmp_path / "r.html").read_text()
    findings, accepted = (html[html.index(f'<section id="{part}"') :].split("</section>\n<section id=")[0] for part in ("findings", "accepted"))
    return html, findings, [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in accepted.split("<tr>")[2:]]


def test_the_report_says_at_the_finding_what_waives_it_and_lists_what_expired(made, tmp_path):
    html, findings, (row,) = shown(made, tmp_path)
    assert "by waiver" not in findings and "records of type <code>waiver</code>" not in html
    assert "expired" in row and "waiver 1" in row and WHO["reason"] in row and "a name that is withheld" in row
    assert "1 waiver expired, and nobody ended or renewed it" in html and "a record of another sweep" not in html
    add(made, SUBSCRIPTION, days=9, reason="<b>being & built</b>")
    again(made)
    add(made, SUBSCRIPTION, control="local-auth-disabled", days=9)
    waiver.end(made.settings, 3, now=made.clock, **WHO)
    html, findings, listed = shown(made, tmp_path)
    assert findings.count(f"by waiver 2 (record {sealed(made)[1][0]}): &lt;b&gt;being &amp; built") == 2 and "<b>being" not in html
    states = {re.search(r"waiver (\d)", row)[1]: next(word for word in ("expired", "ended", "in force", "renewed") if word in row) for row in listed}
    assert states == {"1": "renewed", "2": "in force", "3": "ended"}
    assert "2 findings of the last sweep" in " ".join(listed)


def test_a_view_that_is_limited_to_one_account_names_no_waiver_of_another(made):
    add(made, made.other, days=9, reason="of the other")
    again(made)
    within = limited(made.reading(), Limits((made.one,), BEGINNING, ALWAYS, ALWAYS))
    view, fold = viewed(within, None, made.clock())
    assert view.findings and "of the other" not in repr(view) and made.other not in repr(view) + repr(fold.waivers)
    assert "of the other" in repr(viewed(made.reading(), None, made.clock())[0])
