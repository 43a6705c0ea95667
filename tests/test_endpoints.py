"""The endpoint table against the SDK: where azure-mgmt-cognitiveservices has the operation, URL and api-version are its own."""

import ast
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import CustomHookPolicy
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from infra.local.clock import real_time
from infra.local.scenarios import demo_world
from infra.local.server import StandIn
from shared.collect.children import PARENTS
from shared.collect.endpoints import BY_KIND, COGNITIVE, DATED, ENDPOINTS, OWN, PREVIEW, UNCOMPARED, questions

ROOT = Path(__file__).parents[1]
ACCOUNT = "/subscriptions/{s}/resourceGroups/{g}/providers/Microsoft.CognitiveServices/accounts/{a}"

OPERATIONS = {
    "accounts": lambda c, g, a, p: list(c.accounts.list()),
    "account": lambda c, g, a, p: c.accounts.get(g, a),
    "deployments": lambda c, g, a, p: list(c.deployments.list(g, a)),
    "raiPolicies": lambda c, g, a, p: list(c.rai_policies.list(g, a)),
    "raiBlocklists": lambda c, g, a, p: list(c.rai_blocklists.list(g, a)),
    "encryptionScopes": lambda c, g, a, p: list(c.encryption_scopes.list(g, a)),
    "privateEndpointConnections": lambda c, g, a, p: c.private_endpoint_connections.list(g, a),
    "networkSecurityPerimeterConfigurations": lambda c, g, a, p: list(c.network_security_perimeter_configurations.list(g, a)),
    "defenderForAISettings": lambda c, g, a, p: list(c.defender_for_ai_settings.list(g, a)),
    "models": lambda c, g, a, p: list(c.accounts.list_models(g, a)),
    "projects": lambda c, g, a, p: list(c.projects.list(g, a)),
    "connections": lambda c, g, a, p: list(c.account_connections.list(g, a)),
    "projectConnections": lambda c, g, a, p: list(c.project_connections.list(g, a, p)),
    "deletedAccounts": lambda c, g, a, p: list(c.deleted_accounts.list()),
}
NOT_IN_THE_SDK = {
    "subscriptions", "locations", "subscriptionDiagnosticSettings", "diagnosticSettings", "roleAssignments",  # of other providers
    "capabilityHosts", "projectCapabilityHosts",  # 14.1.0 gets one by its name, and has no list
    "storageAccount", "blobService", "evidenceContainer", "evidenceImmutability",  # of another provider
}  # fmt: skip


class Login:
    def get_token(self, *scopes, **kwargs):
        return AccessToken("local", 4_000_000_000)


def test_every_row_is_compared_or_said_to_have_no_operation():
    assert set(OPERATIONS) | NOT_IN_THE_SDK | UNCOMPARED == set(BY_KIND)
    assert set(OPERATIONS) & NOT_IN_THE_SDK == set()
    assert OWN <= UNCOMPARED, "of the data plane: the SDK is another, see below"


@pytest.mark.parametrize("kind", sorted(OPERATIONS))
def test_the_url_is_the_sdks_own(kind):
    """The real SDK runs against the stand-in; what it asked for is what our row asks for, and its answer is the same."""
    with StandIn(demo_world(real_time)) as azure:
        world = azure.world
        account = next(a for a in world.accounts() if world.children(a, "projects"))
        project = world.children(account, "projects")[0]["id"]
        parts = account.split("/")
        seen = []
        client = CognitiveServicesManagementClient(
            Login(), parts[2], base_url=azure.endpoint, authentication_policy=_Local(),
            per_call_policies=[CustomHookPolicy(raw_request_hook=lambda r: seen.append(r.http_request.url))],
        )
        OPERATIONS[kind](client, parts[4], parts[8], project.rpartition("/")[2])
        endpoint = BY_KIND[kind]
        resource = {"account": account, "project": project}.get(endpoint.scope, "/".join(parts[:3]))
        ours = urlsplit(endpoint.url(resource))
        theirs = urlsplit(seen[0])
        assert ours.path.lower() == theirs.path.lower()
        version = parse_qs(theirs.query)["api-version"]
        assert parse_qs(ours.query)["api-version"] == version == [COGNITIVE]


class _Local(CustomHookPolicy):
    def on_request(self, request):
        request.http_request.headers["Authorization"] = "Bearer local"


def test_every_row_says_why_and_what_right_it_needs():
    for endpoint in ENDPOINTS:
        assert endpoint.action.endswith("/read"), endpoint
        assert endpoint.why and endpoint.serves
        assert "listkeys" not in endpoint.path.lower()


def test_the_questions_of_a_plan_are_the_rows_of_the_table():
    asked = questions()
    assert set(asked) == {"subscription", "account:OpenAI", "account:AIServices", "project", "fineTuningJob", "vectorStore", "workspace"}
    everything = [kind for kinds in asked.values() for kind in kinds]
    assert set(everything) == {e.kind for e in ENDPOINTS if e.scope not in ("tenant", "plan", "store")} | {"tls"}
    assert all(len(kinds) == len(set(kinds)) for kinds in asked.values())
    assert set(PARENTS.values()) == {"fineTuningJob", "vectorStore"}


CONTENT = (
    "/content", "/messages", "/threads", "chat/completions", "/completions", "/responses", "/conversations", "/input_items", "output_items",
    "/evals", "/runs", "/steps", "/search", "/embeddings", "/images", "/audio", "/checkpoints",
)  # fmt: skip
"""Parts of addresses that return, or lead to, what users wrote or were given."""


def test_no_address_that_returns_content_is_in_the_code():
    """Neither in the table nor anywhere else in the collector: a text that holds such a path would be where a question begins."""
    for path in sorted((ROOT / "shared" / "collect").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in node.value.strip():
                text = node.value.lower()
                assert not (text.startswith("/") and any(part in text for part in CONTENT)), (path.name, node.value)
    for endpoint in ENDPOINTS:
        for address in endpoint.addresses("", "x") if endpoint.kind in OWN else (endpoint.url(""),):
            assert not any(part in address.lower() for part in CONTENT), address


def test_kinds_that_cannot_be_listed_or_would_return_content_are_not_asked():
    kinds = {kind.lower() for kind in BY_KIND}
    for word in ("thread", "response", "conversation", "completion", "eval", "message", "prompt"):
        assert not [kind for kind in kinds if word in kind], word


def test_the_addresses_of_the_data_plane_are_those_of_its_own_clients():
    """Paths of the official client for OpenAI's API, which Azure's `/openai/v1` takes, and of the specification 2024-10-21."""
    v1 = {"files": "/files", "fineTuningJobs": "/fine_tuning/jobs", "servedModels": "/models", "batches": "/batches", "vectorStores": "/vector_stores",
          "containers": "/containers", "fineTuningEvents": "/fine_tuning/jobs/x/events", "vectorStoreFiles": "/vector_stores/x/files"}  # fmt: skip
    for kind in OWN:
        first, *others = BY_KIND[kind].addresses("https://h", "x")
        assert urlsplit(first).path == (f"/openai/v1{v1[kind]}" if kind in v1 else "/openai/assistants")
        assert ("api-version" in first) == (kind == "assistants")
        for other in others:
            assert urlsplit(other).path == f"/openai{v1[kind]}" and parse_qs(urlsplit(other).query)["api-version"][0] in (DATED, PREVIEW)
