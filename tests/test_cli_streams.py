"""The command as a process among others: what it says where nobody reads, on terminals of all sorts, and in encodings without the words for it."""

import fcntl
import itertools
import json
import os
import pty
import re
import select
import shlex
import signal
import subprocess
import sys
import termios

import pytest

from infra.local import faults
from tests.fixtures.commandline import COMMAND, ROOT, ended, stays_sound

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="streams of POSIX")

@pytest.mark.parametrize("line", ["collct", "collect --subscription x", "status --store nowhere --json", "verify", "bundle -o /dev/null/x"])
def test_the_process_says_what_main_says(quarry, line):
    real = quarry.run(*line.split())
    assert real == quarry(*line.split())
    assert real.code == 2
    assert real.error


@pytest.mark.parametrize(("options", "number", "told"), [([], signal.SIGINT, True), (["--json", "--quiet"], signal.SIGTERM, False)])
def test_the_stand_in_says_where_it_listens_and_ends_when_asked(desk, options, number, told):
    process = desk.start("simulate", *options)
    first = process.stdout.readline().decode()
    while options and not first.endswith("}\n"):
        first += process.stdout.readline().decode()
    endpoint = json.loads(first)["endpoint"] if options else first.strip()
    assert desk.having(EVIDENCE_ARM_ENDPOINT=endpoint)("collect", "--json").json["units"] > 5
    process.send_signal(number)
    outcome = ended(process)
    assert (outcome.code, outcome.out) == (0, "")
    assert ("requests answered, 0 of them no GET" in outcome.err) == told


# -- nobody reads ----------------------------------------------------------------------------------------------------------------

def without_a_reader(desk, *arguments, stderr=True):
    """The command with pipes that nobody reads from; its exit code, and what it said on stderr where that is read."""
    out, err = os.pipe(), os.pipe()
    os.close(out[0])
    if not stderr:
        os.close(err[0])
    process = desk.start(*arguments, stdout=out[1], stderr=err[1])
    os.close(out[1])
    os.close(err[1])
    said = b""
    if stderr:
        with open(err[0], "rb") as stream:
            said = stream.read()
    return process.wait(timeout=60), said.decode()


@pytest.mark.parametrize("line", ["findings", "findings --json", "status", "--help", "--version", "collect --help", "collect --quiet"])
def test_a_reader_who_leaves_is_no_error(desk, line):
    assert without_a_reader(desk, *line.split()) == (0, "")


def test_a_reader_who_leaves_does_not_turn_no_into_yes(desk):
    body = next(path for path in (desk.folder / "store/evidence/body").rglob("*") if path.is_file())
    body.write_bytes(body.read_bytes()[:-1] + b"!")
    arguments = ["verify", "--store", "store", "--key", desk.vkey, "--quiet"]
    assert desk.run(*arguments).code == 1
    assert without_a_reader(desk, *arguments) == (1, "")


def test_a_sweep_goes_on_when_nobody_reads_any_more(desk):
    sweeps = desk("status", "--json").json["sweeps"]
    assert without_a_reader(desk, "collect", stderr=False)[0] == 0
    assert desk("status", "--json").json["sweeps"] == sweeps + 1
    assert stays_sound(desk).code == 0


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&-"])
def test_streams_that_are_closed_from_the_start(desk, closed):
    command = f"exec {shlex.join(COMMAND)} collect {closed}"
    environment = {**os.environ, **desk.environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["sh", "-c", command], cwd=desk.folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr
    assert stays_sound(desk).code == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("line", ["findings", "status --json", "--version"])
def test_an_answer_that_cannot_be_written_is_said(desk, line):
    with open("/dev/full", "wb") as full:
        outcome = desk.run(*line.split(), stdout=full)
    assert outcome.code == 2
    assert "standard output" in outcome.error


# -- terminals and encodings -----------------------------------------------------------------------------------------------------

def on_a_terminal(desk, *arguments, columns=80, keys=None):
    """Exit code, and what a terminal of some width is sent. `keys`: what is typed once something was sent that is waited for."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    terminal = {"stdin": theirs, "stdout": theirs, "stderr": theirs, "start_new_session": True}
    process = desk.start(*arguments, **terminal, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(theirs)
    sent = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not data:
            break
        sent += data
        if keys and keys[0].encode() in sent:
            os.write(ours, keys[1])
            keys = None
    os.close(ours)
    return process.wait(timeout=60), sent.decode()


STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def shown(sent):
    """The lines that were shown, one after another in the same place or not, without what steers."""
    return [line for line in re.split(r"[\r\n]+", STEERING.sub("", sent)) if line.strip()]


@pytest.mark.parametrize(("line", "columns", "steps"), [
    ("collect", 40, ["planning", "collecting", "judging", "sealing"]), ("collect", 120, ["planning", "collecting", "judging", "sealing"]),
    ("bundle -o b.zip", 40, ["bundling"]), ("verify bundle.zip --key store.vkey", 40, ["verifying files", "verifying"]),
    ("verify --store store --key store.vkey", 40, ["verifying bodies", "verifying"]),
])  # fmt: skip
def test_on_a_terminal_there_are_bars_that_fit_and_go(desk, line, columns, steps):
    desk.azure.faults.add("", faults.slow(0.02))
    code, sent = on_a_terminal(desk.having(TERM="xterm"), *line.split(), columns=columns)
    assert code == 0
    bars, _, answer = sent.rpartition("\x1b[2K")
    drawn = [bar for bar in shown(bars) if "━" in bar]
    assert drawn
    assert max(map(len, drawn)) <= columns
    order = [step for step, _ in itertools.groupby(bar.partition("━")[0].strip() for bar in drawn)]
    assert order == [step for step in steps if step in order], "in this order; a short step may pass between two frames"
    assert COLOUR.search(bars)
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h") == 1, "the cursor is hidden and shown again"
    assert "━" not in STEERING.sub("", answer), "the bar is gone at the end"
    assert answer.strip()


def test_a_terminal_without_room_or_skill_has_plain_lines(desk):
    for environment, columns in (({"TERM": "dumb"}, 80), ({"TERM": "xterm"}, 39)):
        code, sent = on_a_terminal(desk.having(**environment), "collect", columns=columns)
        assert code == 0
        assert "\x1b" not in sent
        assert shown(sent)[:2] == ["planning …", "collecting 0 of 3"]


def test_colour_and_progress_are_left_out_where_nobody_wants_them(desk):
    person = desk.having(TERM="xterm")
    code, sent = on_a_terminal(person.having(NO_COLOR="1"), "collect")
    assert code == 0
    assert "━" in sent
    assert not any(int(number or 0) >= 38 or 30 <= int(number or 0) <= 37 for found in COLOUR.findall(sent) for number in found[2:-1].split(";"))
    code, sent = on_a_terminal(person, "collect", "--quiet")
    assert code == 0
    assert "\x1b" not in sent
    assert len(shown(sent)) == 2


def test_ctrl_c_at_a_terminal_leaves_it_as_it_was(desk):
    desk.azure.faults.add("/accounts/", faults.slow(0.2))
    code, sent = on_a_terminal(desk.having(TERM="xterm"), "collect", keys=("collecting", b"\x03"))
    assert code == 130
    assert sent.count("\x1b[?25l") == sent.count("\x1b[?25h") == 1
    assert "nothing sealed is lost" in shown(sent)[-1]
    desk.azure.faults.clear()
    assert desk("collect", "--json").json["resumed"]


def test_what_is_said_at_the_last_moment_stands_below_the_bar():
    """Where ending in good order takes too long, the process is left at once: by another thread, while the bar is still drawn."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    code = """
import signal, sys, threading
from shared.cli import _Stopped
from shared.terminal import Terminal
with Terminal().progress() as show:
    show("collect", 0, 3)
    threading.Timer(0.3, _Stopped(signal.SIGINT).leave).start()
    threading.Event().wait()
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    sent = b""
    while select.select([ours], [], [], 30)[0]:
        try:
            sent += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    assert process.wait(timeout=30) == 130
    lines = shown(sent.decode())
    assert any("━" in line for line in lines) and "nothing sealed is lost" in lines[-1]
    assert sent.endswith(b"\n") and sent.count(b"\x1b[?25l") == sent.count(b"\x1b[?25h") == 1


ENCODINGS = [
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1:strict"},
]


@pytest.mark.parametrize("environment", ENCODINGS, ids=["locale C", "ascii", "latin-1"])
def test_what_an_encoding_has_no_word_for_is_escaped(desk, environment):
    person = desk.having(**environment)
    outcome = person.run("findings")
    assert outcome.code == 0
    assert "\\u2013" in outcome.out
    assert outcome.err == ""
    document = person.run("findings", "--json")
    assert document.json == desk("findings", "--json").json
    assert document.out.isascii()
    missing = person.run("status", "--store", "è – 证据", "--json")
    assert missing.code == 2
    assert missing.json["exit_code"] == 2
    assert "Traceback" not in missing.err
    assert missing.err.count("\n") == 1


def test_a_store_whose_name_is_no_text(desk):
    name = b"caf\xe9 \xff"
    os.rename(desk.folder / "store", os.path.join(os.fsencode(desk.folder), name))
    outcome = desk.run("status", "--store", os.fsdecode(name))
    assert outcome.code == 0
    wrong = desk.run("status", "--store", os.fsdecode(name + b"x"))
    assert wrong.code == 2
    assert "\\udcff" in wrong.error
