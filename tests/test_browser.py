"""The browser of the tests itself: what would make the tests of pages pass for nothing is told here."""

import time

import pytest

from tests.fixtures import browser as chromium

WIDE = "<!doctype html><meta name=viewport content='width=device-width'><body style='margin: 0'><p style='width: %dpx; height: 3000px'>x"


def test_it_sees_what_pages_ask_for_complain_of_and_how_wide_they_are(tmp_path):
    page = tmp_path / "page.html"
    with chromium.running() as browser:
        for width, looks, fits in ((350, 360, True), (380, 360, False), (1250, 1280, True), (1275, 1280, False)):
            page.write_text(WIDE % width)
            browser.looks(width=looks)
            browser.open(page)
            assert browser.run(chromium.FITS) is fits, (width, "the scroll bar takes its room from a window, and none from a phone")
        browser.looks(width=360, dark=True)
        assert browser.run("matchMedia('(prefers-color-scheme: dark)').matches && matchMedia('(pointer: coarse)').matches")
        assert browser.complaints == [] and {url.partition(":")[0] for url in browser.requests} == {"file"}

        script = "new WebSocket('wss://example.com/b').onerror = () => { window.over = 1; }; missing()"
        page.write_text(f"<!doctype html><img src='https://example.com/a'><script>{script}</script>")
        browser.open(page)
        browser.wait("window.over")
        assert "https://example.com/a" in browser.requests
        for wanted in ("missing is not defined", "ERR_NAME_NOT_RESOLVED", "WebSocket connection to 'wss://example.com/b'"):
            assert any(wanted in line for line in browser.complaints), (wanted, "no name leads out of this machine", browser.complaints)

        page.write_text("<!doctype html><meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\"><script>1</script>")
        browser.complaints.clear()
        browser.open(page)
        assert any("Content Security Policy" in line for line in browser.complaints)


@pytest.mark.parametrize("script", ["for (;;);", "new Promise(() => {})"])
def test_a_page_that_never_answers_ends_the_browser_and_not_the_patience_of_everybody(monkeypatch, script):
    with chromium.running() as browser:
        with pytest.raises(AssertionError, match=r"window\.never"):
            browser.wait("window.never", seconds=0.2)
        monkeypatch.setattr(chromium, "PATIENCE", 0.5)
        started = time.monotonic()
        with pytest.raises(AssertionError, match=r"said nothing for 0\.5 seconds"):
            browser.run(script)
    assert time.monotonic() - started < 60


@pytest.mark.parametrize(("ci", "outcome"), [("true", pytest.fail.Exception), ("", pytest.skip.Exception)])
@pytest.mark.parametrize(("missing", "word"), [("chromium", "apt install chromium"), ("playwright", "pip install")])
def test_where_there_is_no_browser_it_is_said_and_fails_in_ci(monkeypatch, ci, outcome, missing, word):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(chromium, "BINARY", None if missing == "chromium" else "/usr/bin/chromium")
    monkeypatch.setattr(chromium.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(outcome, match=word), chromium.running():
        pass
