"""What docs/deploy.md tells an operator to type and to expect, against the templates and the code. Nothing here reaches Azure."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from shared import layout
from tests.fixtures.bicep import read
from tests.test_infra import ASSIGNMENT, script

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "deploy.md").read_text()
TEMPLATES = read()
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def blocks():
    """The commands of the guide, block by block."""
    return re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def block_with(words):
    [found] = [block for block in blocks() if words in block]
    return found


def test_roles_and_assignments_at_the_subscription_are_as_many_as_are_said():
    at_subscription = ("roles.bicep", "inventory.bicep")
    roles = [each for each in TEMPLATES.resources("Microsoft.Authorization/roleDefinitions") if each.file in at_subscription]
    given = [each for each in TEMPLATES.resources(ASSIGNMENT) if each.file in at_subscription]
    assert f"{NUMBERS[len(roles)]} custom roles" in GUIDE
    assert f"{NUMBERS[len(given)]} assignments" in GUIDE


def test_every_parameter_that_a_command_line_needs_too_is_given_back():
    """Whoever runs `doctor` with other settings than the app's looks at something else."""
    given = {each.name for each in TEMPLATES.of("output", "main.bicep")}
    assert given >= {f"EVIDENCE_{name}" for name in (
        "STORE", "STORE_ID", "SIGNING_KEY", "SCHEDULE", "CLOUD", "PERSONAL_DATA", "SUBSCRIPTIONS", "WORKSPACE_ID", "TSA_URL", "WITNESSES",
    )}  # fmt: skip
    used = set(re.findall(r"\$\{?([A-Z][A-Z_]+)\b", "\n".join(blocks())))
    assert used - given == set(), "a command names what nothing sets"


def test_without_azd_the_same_is_in_the_environment(tmp_path):
    """Azure gives names of outputs back in a case of its own."""
    outputs = {"evidencE_STORE": {"type": "String", "value": "https://x"}, "azurE_FUNCTION_NAME": {"type": "String", "value": "it's $(one)"}}
    fake = tmp_path / "az"
    fake.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(outputs)}\nEND\n")
    fake.chmod(0o755)
    commands = block_with("deployment sub show")
    [told] = re.findall(r'^eval .*?\)"$', commands, re.MULTILINE | re.DOTALL)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", f'{told}\nprintf "%s|%s" "$EVIDENCE_STORE" "$AZURE_FUNCTION_NAME"'], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "https://x|it's $(one)"


def test_an_assignment_at_what_is_locked_is_deleted_while_the_lock_is_off():
    """A cannot-delete lock on a resource prevents the deletion of assignments at it and below (lock-resources, Microsoft)."""
    found = [block for block in blocks() if "role assignment delete" in block]
    assert found
    for block in found:
        assert block.index("az lock delete") < block.index("role assignment delete") < block.index("az lock create"), block


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("az keyvault key rotate", "Key Vault Crypto Officer"),
        ("az keyvault secret set", "Key Vault Secrets Officer"),
        ("az storage message", "Storage Queue Data Contributor"),
        ("az storage blob delete", "Storage Blob Data Owner"),
    ],
)
def test_a_command_on_data_says_which_role_it_needs(command, role):
    """Owner of a subscription is not enough for any of them."""
    assert command in GUIDE
    assert re.search(rf'az role assignment create [^\n]*--role "{role}"', GUIDE)


def test_the_blob_that_is_to_be_tried_is_one_that_every_store_has():
    assert f"--name {layout.commit(1).removeprefix(layout.EVIDENCE)}`" in GUIDE
    assert "must fail with `BlobImmutableDueToPolicy`" in GUIDE


def test_queues_and_locks_are_named_as_they_are():
    named = set(re.findall(r"--queue-name (\S+)", GUIDE))
    assert named <= {*layout.QUEUES, *(queue + layout.POISON_SUFFIX for queue in layout.QUEUES)}
    locks = {value["name"] for value in TEMPLATES.made("Microsoft.Authorization/locks")}
    assert set(re.findall(r"az lock (?:create|delete) --name (\S+)", GUIDE)) == locks


def test_what_stands_still_is_in_what_it_costs(monkeypatch):
    costs = script("cost")
    rules = len(json.loads((ROOT / "infra" / "alarms.json").read_text())) + 1
    assert costs.monthly(10, 12)["Alert rules"] == rules * costs.price("rule")
    assert costs.monthly(0, 12)["Queues"] > 1, "queues are looked at all month, also where nothing is in them"
    monkeypatch.setattr(costs, "COUNTS", {**costs.COUNTS, "looks": (0, "", "")})
    assert costs.monthly(0, 12)["Queues"] < 0.1
