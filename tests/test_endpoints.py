"""The endpoint table against the SDK: where azure-mgmt-cognitiveservices has the operation, URL and api-version are its own."""

from urllib.parse import parse_qs, urlsplit

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.policies import CustomHookPolicy
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient

from infra.local.clock import real_time
from infra.local.scenarios import demo_world
from infra.local.server import StandIn
from shared.collect.endpoints import BY_KIND, COGNITIVE, ENDPOINTS, questions

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
    assert set(OPERATIONS) | NOT_IN_THE_SDK == set(BY_KIND)
    assert set(OPERATIONS) & NOT_IN_THE_SDK == set()


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
    assert set(asked) == {"subscription", "account:OpenAI", "account:AIServices", "project"}
    everything = {kind for kinds in asked.values() for kind in kinds}
    assert everything == {e.kind for e in ENDPOINTS if e.scope in ("subscription", "account", "project")} | {"tls"}
