"""The portal in a real Chromium: every page at 360 and 1280 pixels, light and dark, by keyboard; a bundle from the form to the verified answer."""

import io
import zipfile
from itertools import pairwise

import pytest

from shared.deliver.portal import PAGES
from shared.deliver.verify import verify_bundle
from shared.seal import note
from tests.fixtures import browser as chromium
from tests.test_bundle_page import answered
from tests.test_portal import NASTY, served, site

__all__ = ["site"]


@pytest.fixture(scope="module")
def address(site):
    with served(site) as made:
        yield made


@pytest.fixture(scope="module")
def started():
    with chromium.running() as made:
        yield made


@pytest.fixture
def browser(started, address):
    started.looks()
    started.complaints.clear()
    started.requests.clear()
    yield started
    assert started.complaints == [], "a page broke its own policy, or threw"
    assert [url for url in started.requests if not url.startswith((address, "about:", "data:"))] == [], "something was asked of another host"


@pytest.fixture(scope="module")
def pages(site, address):
    account = site.azure.world.accounts()[0].lower()
    return [
        *(path for path, _ in PAGES), "controls/content-logging-off", "controls/processing-scope", f"resource?id={account}", "unseen?of=period",
        "residency?at=2026-11-01T06:00", "nowhere",
    ]  # fmt: skip


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_page_is_wider_than_the_window_and_every_text_can_be_read(browser, address, pages, width, dark):
    browser.looks(width=width, height=800, dark=dark)
    for path in pages:
        browser.visit(address + path)
        browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert browser.run(chromium.FITS), path
        assert browser.run(chromium.CONTRAST) == [], path
        assert browser.run("window.owned") is None
        browser.complaints[:] = [line for line in browser.complaints if path != "nowhere" or "404" not in line]


def test_what_a_screen_reader_is_told(browser, address, pages):
    for path in pages:
        browser.visit(address + path)
        nodes = browser("Accessibility.getFullAXTree")["nodes"]
        asked = ("button", "textbox", "combobox", "link", "progressbar", "heading", "img", "navigation", "form")
        heard = [node for node in nodes if not node["ignored"] and node.get("role", {}).get("value") in asked]
        silent = [node["role"]["value"] for node in heard if not node.get("name", {}).get("value", "").strip()]
        assert silent == [], path
        roles = [node.get("role", {}).get("value") for node in nodes]
        assert {"main", "navigation", "banner", "contentinfo"} <= set(roles), path
        levels = browser.run("[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => Number(each.tagName[1]))")
        assert levels[0] == 1 and all(after - before <= 1 for before, after in pairwise(levels)), (path, levels)
        browser.complaints[:] = [line for line in browser.complaints if "404" not in line]


def test_by_keyboard(browser, address):
    browser.visit(address)
    browser.press("Tab", "Tab")
    assert browser.run("document.activeElement.getAttribute('aria-current')") == "page", "after the link to the contents comes the menu"
    browser.visit(address)
    browser.press("Tab")
    assert browser.run("document.activeElement.className") == "skip"
    browser.press("Enter")
    assert browser.run("location.hash") == "#main"
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") in ("none", "solid")


def ask(browser, fields):
    """Ask for a bundle: fields by their labels."""
    for label, value in fields.items():
        browser.page.get_by_label(label).fill(value)
    browser.page.get_by_role("button", name="Build the bundle").click()


def test_a_bundle_is_asked_for_downloaded_and_verified(browser, site, address, tmp_path):
    browser.visit(address + "bundles")
    ask(browser, {"From": "2026-11-01", "Personal values to open": "all"})
    browser.page.get_by_role("status").filter(has_text="It is built.").wait_for()
    with browser.page.expect_download() as download:
        browser.page.get_by_role("link", name="Download the bundle").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    data = path.read_bytes()
    assert path.suffix == ".zip" and verify_bundle(io.BytesIO(data), [note.parse_vkey(site.vkey)]).intact
    kind, sentence = checked(browser, address, path, site.vkey)
    assert kind in ("good", "gap") and sentence.startswith("Verified: intact"), sentence
    with zipfile.ZipFile(path) as bundle:
        info = bundle.getinfo("findings.csv")
    bad = bytearray(data)
    bad[info.header_offset + 60] ^= 1
    path = tmp_path / "bad.zip"
    path.write_bytes(bytes(bad))
    assert checked(browser, address, path, site.vkey)[0] == "bad"
    assert not [url for url in browser.requests if url.startswith("http") and not url.startswith(address)]


def checked(browser, address, path, key):
    browser.visit(address + "verify")
    browser.drop(path)
    return answered(browser, key)[:2]


def test_nothing_can_leave_the_page_that_verifies(browser, address):
    browser.visit(address + "verify")
    browser.requests.clear()
    for attempt in (
        f"fetch('{address}portal.css')", "fetch('https://example.com/')",
        "new Promise((good, bad) => { const i = new Image(); i.onload = good; i.onerror = bad; i.src = '/x.png'; })",
    ):  # fmt: skip
        assert browser.run(f"{attempt}.then(() => 'went out', () => 'kept in')") == "kept in"
    assert not browser.run(f"navigator.sendBeacon('{address}bundles', 'x')") or "Content Security Policy" in "".join(browser.complaints)
    assert any("Content Security Policy" in line for line in browser.complaints)
    browser.complaints.clear()
    assert all(url.endswith("/x.png") for url in browser.requests), "an image that the policy stops is told before it is stopped; of the others nobody heard"
    browser.requests.clear()


def test_what_cannot_be_built_says_why(browser, address):
    browser.visit(address + "bundles")
    ask(browser, {"Accounts": NASTY})
    browser.page.locator("#state[data-state=failed]").wait_for()
    assert NASTY in browser.page.get_by_role("main").inner_text()
    browser.visit(address + "bundles")
    ask(browser, {"From": "2026-11-03", "To, the whole day": "2026-11-01"})
    assert "before it begins" in browser.page.get_by_role("alert").text_content()
    assert browser.page.get_by_label("From").input_value() == "2026-11-03", "what was filled in is still there"
    browser.complaints[:] = [line for line in browser.complaints if "400" not in line]
