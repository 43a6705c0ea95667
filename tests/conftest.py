"""What every test may use; where their stores lie; and tests that need a tool which may be absent: skipped with a word, failed where CI=true."""

import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fixtures import app, bundles, commandline, vaults
from tests.fixtures import azurite as emulator

azurite, worm, new_store = emulator.azurite, emulator.worm, emulator.new_store
quarry, desk = commandline.quarry, commandline.desk
answering = app.answering
local_vault = vaults.local_vault
store, good, entries = bundles.store, bundles.good, bundles.entries

settings.register_profile("patient", settings(), deadline=None)  # a machine with much to do is slow, and nothing is wrong with that
settings.load_profile("patient")

MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3


def pytest_configure():
    """Put the stores of tests into memory where there is room: each sealing flushes a file system, and a disk is everybody's.

    Ctrl-C is heard, also where the tests run in the background of a shell: commands that are started here would inherit that it is ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


def pytest_runtest_setup(item):
    for marker in item.iter_markers("needs"):
        reason = emulator.absent(marker.args[0])
        if reason and emulator.strict(marker.args[0]):
            pytest.fail(f"CI=true, and {reason}", pytrace=False)
        if reason:
            pytest.skip(reason)
