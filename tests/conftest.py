"""What every test may use; and tests that need a tool which may be absent: skipped with a word, failed where CI=true."""

import pytest

from tests.fixtures import app, commandline, vaults
from tests.fixtures import azurite as emulator

azurite, worm, new_store = emulator.azurite, emulator.worm, emulator.new_store
quarry, desk = commandline.quarry, commandline.desk
answering = app.answering
local_vault = vaults.local_vault


def pytest_runtest_setup(item):
    for marker in item.iter_markers("needs"):
        reason = emulator.absent(marker.args[0])
        if reason and emulator.strict(marker.args[0]):
            pytest.fail(f"CI=true, and {reason}", pytrace=False)
        if reason:
            pytest.skip(reason)
