"""The report on paper: pages with numbers, the answer of `verify` and the checkpoint printed; and what is said where it cannot be printed."""

import os
import re
import shutil
import unicodedata
from unittest import mock

import pytest
from pypdf import PdfReader

from shared.service import pdf

PRINTER = next(filter(None, map(shutil.which, pdf.BROWSERS)), None)


@pytest.fixture
def printer():
    if PRINTER is None:
        reason = "no Chromium is here: the PDF of the report was NOT printed (apt install chromium)"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)


def read(path):
    return [page.extract_text() for page in PdfReader(path).pages]


def flat(text):
    """Without spaces and ligatures: a line that is too long for the paper is broken anywhere."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def test_the_pdf_has_numbered_pages_the_verdict_and_the_checkpoint(printer, desk):
    done = desk("report", "-o", "r.html", "--pdf", "r.pdf", "--key", desk.vkey, "--json")
    verdict = desk.verify()
    assert done.code == verdict.code
    assert done.json["pdf_bytes"] == (desk.folder / "r.pdf").stat().st_size
    pages = read(desk.folder / "r.pdf")
    assert len(pages) > 3
    for number, text in enumerate(pages, 1):
        assert re.search(rf"(?<!\d){number} / {len(pages)}(?!\d)", text), text[:300]
    whole = flat("".join(pages))
    assert flat(verdict.out.splitlines()[0]) in whole
    checkpoint = sorted((desk.store / "evidence/log/checkpoint").glob("[0-9]" * 20))[-1].read_text()
    for line in checkpoint.split():
        assert flat(line) in whole


def test_a_store_that_was_changed_is_printed_as_not_intact(desk):
    body = next(path for path in sorted((desk.store / "evidence/body").rglob("*")) if path.is_file())
    body.chmod(0o644)
    body.write_bytes(bytes([body.read_bytes()[0] ^ 1]) + body.read_bytes()[1:])
    done = desk("report", "-o", "r.html", "--key", desk.vkey)
    assert done.code == 1, done.out + done.err
    assert "NOT INTACT" in done.out
    assert "NOT INTACT" in (desk.folder / "r.html").read_text()


def test_without_a_key_the_page_says_that_nothing_was_verified(desk):
    assert desk("report", "-o", "r.html").code == 0
    text = (desk.folder / "r.html").read_text()
    assert "Nothing was verified when this report was written" in text
    assert 'id="verdict"' not in text


def test_without_chromium_it_says_what_to_install_and_writes_nothing(desk):
    with mock.patch.object(pdf.shutil, "which", lambda name: None):
        done = desk("report", "-o", "r.html", "--pdf", "r.pdf")
    assert done.code == 2
    assert "apt install chromium" in done.error
    assert not (desk.folder / "r.html").exists()
    assert not (desk.folder / "r.pdf").exists()


@pytest.mark.parametrize("script", ["exit 1", "exit 0", 'for x in "$@"; do case $x in --print-to-pdf=*) echo no > "${x#*=}";; esac; done'])
def test_a_browser_that_prints_nothing_leaves_the_old_file(desk, script):
    false = desk.folder / "chromium"
    false.write_text(f"#!/bin/sh\n{script}\n")
    false.chmod(0o755)
    (desk.folder / "r.pdf").write_text("old")
    with mock.patch.object(pdf.shutil, "which", lambda name: str(false)):
        done = desk("report", "-o", "r.html", "--pdf", "r.pdf")
    assert done.code == 1
    assert "r.html" in done.error
    assert (desk.folder / "r.pdf").read_text() == "old"


def test_the_pdf_is_not_the_html(desk):
    with mock.patch.object(pdf.shutil, "which", lambda name: "/bin/true"):
        done = desk("report", "-o", "r.pdf", "--pdf", "./r.pdf")
    assert done.code == 2
    assert "another name" in done.error


def test_a_pdf_never_goes_into_a_store(desk):
    with mock.patch.object(pdf.shutil, "which", lambda name: "/bin/true"):
        done = desk("report", "-o", "r.html", "--pdf", "store/evidence/r.pdf")
    assert done.code == 2
    assert not (desk.folder / "r.html").exists()
