"""A page printed to PDF by the Chromium that is on this machine: for the file, and for whoever signs on paper.

The style sheet of the report paginates and numbers the pages. A PDF carries the moment at which it was printed, so its bytes are not the same twice.
Nothing is fetched: the report needs no network, and its content security policy allows none.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from shared.deliver.whole_file import place_of, whole_file
from shared.errors import EvidenceError, Misuse

BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome")
"""Names under which Chromium, and what is built on it, can be found."""

PATIENCE: Final = 300
"""Seconds that printing may take: thousands of pages take minutes."""


def ready(page: Path, out: Path) -> str:
    """Where Chromium is, once it is sure that the file `out` can be printed from the file `page`.

    Raises:
        Misuse: there is no Chromium, or `out` is no place for a file.
    """
    place_of(out)
    if page.resolve() == out.resolve():
        raise Misuse(f"cannot write {out}: the HTML goes there; give --pdf another name than -o")
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if not found:
        raise Misuse("--pdf needs Chromium, which prints the page: install it (`apt install chromium`), or print the HTML file from any browser")
    return found


def print_pdf(page: Path, out: Path) -> int:
    """Print the HTML file `page` to `out`; give the bytes written.

    Raises:
        Misuse: there is no Chromium, or `out` cannot be written.
        EvidenceError: Chromium printed nothing; `out` is left as it was.
    """
    program = ready(page, out)
    with tempfile.TemporaryDirectory() as folder:
        printed = Path(folder, "printed.pdf")
        command = [program, "--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer", f"--user-data-dir={folder}/profile"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium refuses to start as root with its sandbox; the page is our own
        try:
            subprocess.run(
                [*command, f"--print-to-pdf={printed}", page.resolve().as_uri()], capture_output=True, timeout=PATIENCE, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EvidenceError(f"{program} did not print the report ({type(error).__name__}): print {page} from a browser") from None
        content = printed.read_bytes() if printed.is_file() else b""
    if not content.startswith(b"%PDF-"):
        raise EvidenceError(f"{program} printed nothing: print {page} from a browser")
    with whole_file(out) as file:
        file.write(content)
    return len(content)
