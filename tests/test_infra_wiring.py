"""How the templates are put together: what each module is given, who reaches what, what an alert looks at. As tests/test_infra.py, whose checks look within."""

from collections.abc import Callable

import pytest

from shared import settings
from shared.collect.clouds import CLOUDS
from shared.service.stores import is_account
from tests.fixtures.bicep import Templates, changed, read
from tests.test_infra import ASSIGNMENT, CONFIG, RULE, STORAGE, app_settings, only, query_of

REAL = read()
VAULT = "Microsoft.KeyVault/vaults"

Check = Callable[[Templates], list[str]]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    CHECKS.append(function)
    return function


def differing(where: str, found: dict, wanted: dict) -> list[str]:
    """One line for each member that is not as it must be."""
    return [f"{where}: {name} is {found.get(name)!r}, not {value!r}" for name, value in wanted.items() if found.get(name) != value]


TOKEN = "toLower(uniqueString(subscription().id, environmentName, location))"
COMMON = {"tags": {"azd-env-name": "environmentName"}, "token": TOKEN}
INSTALLATION = "${environmentName}" + f"${{{TOKEN}}}"
WIRES = {
    "monitoring": {},
    "identity": {},
    "evidence": {
        "name": f"stev${{{TOKEN}}}", "redundancy": "evidenceRedundancy", "logCategories": "storageLogCategories",
        "workspaceId": "monitoring.outputs.workspaceId",
    },
    "runtime": {"name": f"strt${{{TOKEN}}}"},
    "vault": {"name": f"kv-${{{TOKEN}}}", "workspaceId": "monitoring.outputs.workspaceId"},
    "roles": {"installation": INSTALLATION, "principalId": "identity.outputs.principalId"},
    "inventory": {"installation": INSTALLATION, "principalId": "identity.outputs.principalId"},
    "access": {
        "evidenceAccount": "evidence.outputs.name", "runtimeAccount": "runtime.outputs.name", "vaultName": "vault.outputs.name",
        "keyName": "vault.outputs.keyName", "componentName": "monitoring.outputs.componentName", "roles": "roles.outputs.ids",
        "appPrincipalId": "identity.outputs.principalId", "eventsPrincipalId": "identity.outputs.eventsPrincipalId",
        "usesSecrets": "!empty(copySecretName) || !empty(alertSecretName) || !empty(alertSecretsName) || !empty(secondSigningKeySecretName)",
    },
    "network": {"evidenceAccountId": "evidence.outputs.id", "runtimeAccountId": "runtime.outputs.id", "vaultId": "vault.outputs.id"},
    "app": {
        "identityId": "identity.outputs.id", "identityClientId": "identity.outputs.clientId", "packageContainerUrl": "runtime.outputs.packageContainerUrl",
        "componentName": "monitoring.outputs.componentName", "runtimeAccount": "runtime.outputs.name",
        "subnetId": "privateNetwork ? network!.outputs.appSubnetId : ''", "store": "evidence.outputs.url", "storeId": "evidence.outputs.id",
        "signingKey": "vault.outputs.keyUrl", "vaultUrl": "vault.outputs.url", "cloud": "clouds[environment().name]",
    },
    "changes": {"storageAccountId": "runtime.outputs.id", "identityId": "identity.outputs.eventsId"},
    "alerts": {"workspaceId": "monitoring.outputs.workspaceId", "actionGroupId": "monitoring.outputs.actionGroupId"},
}  # fmt: skip
"""What a module is given that is no parameter of main.bicep. Two names exchanged here would give the app the runtime's rights over the evidence."""


@check
def every_module_is_given_what_its_parameters_say(templates):
    of_main = {each.name for each in templates.of("param", "main.bicep")}
    problems = []
    for module in templates.of("module", "main.bicep"):
        given = templates.values(module)[0]["params"]
        wanted = {name: WIRES[module.name].get(name, COMMON.get(name, name)) for name in given}
        problems += differing(module.name, given, wanted)
        problems += [f"{module.name}: {name} comes from nowhere" for name, value in wanted.items() if value == name and name not in of_main]
    return problems


OUTPUTS = {
    ("identity.bicep", "id"): "app.id", ("identity.bicep", "principalId"): "app.properties.principalId",
    ("identity.bicep", "clientId"): "app.properties.clientId", ("identity.bicep", "eventsId"): "events.id",
    ("identity.bicep", "eventsPrincipalId"): "events.properties.principalId",
    ("evidence.bicep", "url"): "account.properties.primaryEndpoints.blob",
    ("runtime.bicep", "packageContainerUrl"): "${account.properties.primaryEndpoints.blob}${package.name}",
    ("vault.bicep", "keyUrl"): "key.properties.keyUri", ("vault.bicep", "url"): "vault.properties.vaultUri",
    ("roles.bicep", "ids"): {name: f"{name}.id" for name in ("evidence", "keeper", "store", "signer")},
}  # fmt: skip
"""A key with its version would stay the one that signs, whatever the log says."""


@check
def modules_give_back_what_their_outputs_say(templates):
    found = {(each.file, each.name): templates.value(each.file, each.body) for each in templates.of("output")}
    return differing("outputs", found, OUTPUTS)


@check
def the_host_and_the_triggers_reach_the_account_of_the_runtime(templates):
    endpoints = "hostAccount.properties.primaryEndpoints."
    wanted = {
        "AzureWebJobsStorage__blobServiceUri": endpoints + "blob", "AzureWebJobsStorage__queueServiceUri": endpoints + "queue",
        "EvidenceQueues__queueServiceUri": endpoints + "queue", "AZURE_CLIENT_ID": "identityClientId",
        **{f"{group}__credential": "managedidentity" for group in ("AzureWebJobsStorage", "EvidenceQueues")},
        **{f"{group}__clientId": "identityClientId" for group in ("AzureWebJobsStorage", "EvidenceQueues")},
    }  # fmt: skip
    problems = differing("settings", app_settings(templates), wanted)
    [account] = [each for each in templates.of("resource", "app.bicep") if each.name == "hostAccount"]
    return problems + differing("hostAccount", templates.values(account)[0], {"name": "runtimeAccount"})


@check
def rights_are_there_before_what_needs_them(templates):
    modules = {module.name: templates.values(module)[0] for module in templates.of("module", "main.bicep")}
    return [f"{name} does not wait for the rights" for name in ("app", "changes") if modules[name].get("dependsOn") != ["access"]]


@check
def with_a_private_network_nothing_else_reaches_storage_and_vault(templates):
    found = [(file, value["properties"]) for file, type_ in (("evidence.bicep", STORAGE), ("runtime.bicep", STORAGE), ("vault.bicep", VAULT))
             for each in templates.resources(type_) if each.file == file for value in templates.values(each)]  # fmt: skip
    problems = [] if len(found) == 3 else ["not two accounts and a vault"]
    for file, held in found:
        # Event Grid, and the platform that resolves references to secrets, come as trusted services; nobody has to come to the evidence.
        bypass = "None" if file == "evidence.bicep" else "AzureServices"
        wanted = {"bypass": bypass, "defaultAction": "privateNetwork ? 'Deny' : 'Allow'"}
        problems += differing(file, held, {"publicNetworkAccess": "privateNetwork ? 'Disabled' : 'Enabled'"})
        problems += differing(f"{file} networkAcls", held["networkAcls"], wanted)
    return problems


@check
def each_private_endpoint_has_the_zone_of_its_service(templates):
    endpoints = templates.named("network.bicep", "endpoints")
    zones = [value["name"] for value in templates.made("Microsoft.Network/privateDnsZones")]
    rows = {(each["target"], each["group"], zones[each["zone"]]) for each in templates.value("network.bicep", endpoints.body)}
    storage = "${environment().suffixes.storage}"
    wanted = {
        ("evidenceAccountId", "blob", f"privatelink.blob.{storage}"),
        ("runtimeAccountId", "blob", f"privatelink.blob.{storage}"),
        ("runtimeAccountId", "queue", f"privatelink.queue.{storage}"),
        ("vaultId", "vault", "privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}"),
    }
    problems = [f"{row}" for row in rows ^ wanted]
    [network] = templates.made("Microsoft.Network/virtualNetworks")
    delegated = [one["properties"]["serviceName"] for net in network["properties"]["subnets"] for one in net["properties"].get("delegations", [])]
    if delegated != ["Microsoft.App/environments"]:
        problems.append("Flex Consumption joins no subnet that is not delegated to Microsoft.App/environments")
    if only(templates, "Microsoft.Web/sites").get("properties", {}).get("virtualNetworkSubnetId") != "empty(subnetId) ? null : subnetId":
        problems.append("the app joins no network")
    return problems


@check
def people_of_this_tenant_alone_log_in_and_to_this_app_alone(templates):
    [found] = [value["properties"]["identityProviders"] for value in templates.made(CONFIG) if value["name"] == "authsettingsV2"]
    wanted = (
        "empty(authClientId) ? {} : { azureActiveDirectory: { enabled: true registration: { clientId: authClientId, "
        "openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0' } "
        "validation: { allowedAudiences: [authClientId, 'api://${authClientId}'] } } }"
    )
    return [] if " ".join(str(found).split()) == wanted else [str(found)]


@check
def nobody_is_an_operator_unless_named(templates):
    [keepers] = [each for each in templates.of("var", "access.bicep") if each.name == "keepers"]
    found = str(templates.value("access.bicep", keepers.body))
    return [] if found == "empty(operatorId) ? app : concat(app, [{ id: operatorId, type: operatorType }])" else [found]


@check
def rights_are_given_to_identities_where_azure_is(templates):
    problems = []
    for item in templates.resources(ASSIGNMENT):
        for value in templates.values(item):
            sort = value["properties"]["principalType"]
            if sort != ("who.type" if value["properties"]["principalId"] == "who.id" else "ServicePrincipal"):
                problems.append(f"{item.file}: {item.name} is given to a {sort}")
    for item in templates.resources("Microsoft.Authorization/roleDefinitions"):
        wide = templates.values(item)[0]["properties"]["assignableScopes"]
        if wide != ["managementGroup().id" if item.file == "reader.bicep" else "subscription().id"]:
            problems.append(f"{item.file}: {item.name} can be assigned at {wide}")
    return problems


@check
def alerts_look_at_all_that_arrives_and_are_on(templates):
    problems = []
    for value in templates.made(RULE):
        held, silence = value["properties"], "AppRequests" in query_of(value)
        wanted = {"enabled": True, "evaluationFrequency": "PT15M", "windowSize": "PT1H" if silence else "PT30M", "scopes": ["workspaceId"]}
        problems += differing(held["displayName"], held, wanted)
        once = {"numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1}
        counted = {"operator": "GreaterThan", "threshold": 0, "timeAggregation": "Count", "failingPeriods": once}
        problems += differing(held["displayName"], held["criteria"]["allOf"][0], counted)
        if silence and not ("where Success == true" in query_of(value) and query_of(value).endswith("where Running < 2")):
            problems.append("silence is that not both have succeeded")
    known = {each["id"]: each["severity"] for each in templates.value("alerts.bicep", templates.named("alerts.bicep", "alarms").body)}
    for value in templates.made(RULE):
        held = value["properties"]
        problems += differing(held["displayName"], held, {"severity": known.get(held["displayName"], 0)})
    [group] = templates.made("Microsoft.Insights/actionGroups")
    told = "empty(alertEmail) ? [] : [{ name: 'operator', emailAddress: alertEmail, useCommonAlertSchema: true }]"
    problems += differing("action group", group["properties"], {"enabled": True, "emailReceivers": told})
    return problems + differing("component", only(templates, "Microsoft.Insights/components")["properties"], {"WorkspaceResourceId": "workspace.id"})


@check
def locks_and_logs_are_on(templates):
    problems = []
    for value in templates.made("Microsoft.Authorization/locks"):
        problems += differing(f"lock on {value['scope']}", value["properties"], {"level": "CanNotDelete"})  # ReadOnly would forbid assigning roles
    default = templates.named("main.bicep", "protectFromDeletion")
    if templates.value("main.bicep", default.body) is not True:
        problems.append("nothing is locked by default")
    for value in templates.made("Microsoft.Insights/diagnosticSettings"):
        problems += [f"{value['scope']} is not logged" for one in value["properties"]["logs"] if one.get("enabled") is not True]
        problems += differing(str(value["scope"]), value["properties"], {"workspaceId": "workspaceId"})
    return problems


@check
def events_are_those_of_this_subscription_by_the_identity_that_may(templates):
    topic, told = only(templates, "Microsoft.EventGrid/systemTopics"), only(templates, "Microsoft.EventGrid/systemTopics/eventSubscriptions")
    delivery = told["properties"]["deliveryWithResourceIdentity"]
    problems = differing("topic", topic["properties"], {"source": "subscription().id"})
    problems += differing("topic", topic, {"identity": {"type": "UserAssigned", "userAssignedIdentities": {"${identityId}": {}}}})
    problems += differing("delivery", delivery["identity"], {"userAssignedIdentity": "identityId"})
    return problems + differing("delivery", delivery["destination"]["properties"], {"resourceId": "storageAccountId", "queueName": "queueName"})


@check
def clouds_are_those_of_the_code(templates):
    found = templates.value("main.bicep", templates.named("main.bicep", "clouds").body)
    return differing("clouds", found, {"AzureCloud": "public", "AzureUSGovernment": "usgov", "AzureChinaCloud": "china"}) + [
        f"the code knows no cloud {name}" for name in found.values() if name not in CLOUDS
    ]


@pytest.mark.parametrize("found", CHECKS, ids=lambda function: function.__name__)
def test_the_templates(found):
    assert found(REAL) == []


MUTATIONS = [
    (every_module_is_given_what_its_parameters_say, "main.bicep", "runtimeAccount: runtime.outputs.name", "runtimeAccount: evidence.outputs.name"),
    (every_module_is_given_what_its_parameters_say, "main.bicep", "evidenceAccount: evidence.outputs.name", "evidenceAccount: runtime.outputs.name"),
    (
        every_module_is_given_what_its_parameters_say, "main.bicep",
        "eventsPrincipalId: identity.outputs.eventsPrincipalId",
        "eventsPrincipalId: identity.outputs.principalId",
    ),
    (every_module_is_given_what_its_parameters_say, "main.bicep", "identityId: identity.outputs.id", "identityId: identity.outputs.eventsId"),
    (every_module_is_given_what_its_parameters_say, "main.bicep", "storageAccountId: runtime.outputs.id", "storageAccountId: evidence.outputs.id"),
    (every_module_is_given_what_its_parameters_say, "main.bicep", "witnesses: witnesses", "witnesses: copies"),
    (every_module_is_given_what_its_parameters_say, "main.bicep", "subnetId: privateNetwork ? network!.outputs.appSubnetId : ''", "subnetId: ''"),
    (
        modules_give_back_what_their_outputs_say, "vault.bicep",
        "output keyUrl string = key.properties.keyUri\n",
        "output keyUrl string = key.properties.keyUriWithVersion\n",
    ),
    (modules_give_back_what_their_outputs_say, "roles.bicep", "evidence: evidence.id", "evidence: keeper.id"),
    (
        the_host_and_the_triggers_reach_the_account_of_the_runtime, "app.bicep",
        "EvidenceQueues__queueServiceUri: hostAccount.properties.primaryEndpoints.queue",
        "EvidenceQueues__queueServiceUri: store",
    ),
    (the_host_and_the_triggers_reach_the_account_of_the_runtime, "app.bicep", "AZURE_CLIENT_ID: identityClientId", "AZURE_CLIENT_ID: ''"),
    (rights_are_there_before_what_needs_them, "main.bicep", "dependsOn: [access] // the host reads", "dependsOn: [] // the host reads"),
    (
        with_a_private_network_nothing_else_reaches_storage_and_vault, "evidence.bicep",
        "publicNetworkAccess: privateNetwork ? 'Disabled' : 'Enabled'",
        "publicNetworkAccess: 'Enabled'",
    ),
    (with_a_private_network_nothing_else_reaches_storage_and_vault, "evidence.bicep", "bypass: 'None'", "bypass: 'AzureServices'"),
    (with_a_private_network_nothing_else_reaches_storage_and_vault, "vault.bicep", "privateNetwork ? 'Deny' : 'Allow'", "'Allow'"),
    (with_a_private_network_nothing_else_reaches_storage_and_vault, "runtime.bicep", "bypass: 'AzureServices'", "bypass: 'None'"),
    (each_private_endpoint_has_the_zone_of_its_service, "network.bicep", "group: 'queue', zone: 1", "group: 'queue', zone: 0"),
    (each_private_endpoint_has_the_zone_of_its_service, "network.bicep", "'Microsoft.App/environments'", "'Microsoft.Web/serverFarms'"),
    (people_of_this_tenant_alone_log_in_and_to_this_app_alone, "app.bicep", "${tenant().tenantId}/v2.0", "common/v2.0"),
    (people_of_this_tenant_alone_log_in_and_to_this_app_alone, "app.bicep", "allowedAudiences: [authClientId, 'api://${authClientId}']", "allowedAudiences: []"),
    (nobody_is_an_operator_unless_named, "access.bicep", "empty(operatorId) ? app : concat(", "concat("),
    (rights_are_given_to_identities_where_azure_is, "roles.bicep", "assignableScopes: [here]", "assignableScopes: ['/']"),
    (
        rights_are_given_to_identities_where_azure_is, "access.bicep",
        "principalId: eventsPrincipalId, principalType: 'ServicePrincipal'",
        "principalId: eventsPrincipalId, principalType: 'User'",
    ),
    (alerts_look_at_all_that_arrives_and_are_on, "alerts.bicep", "severity: alarm.severity", "severity: 4"),
    (alerts_look_at_all_that_arrives_and_are_on, "alerts.bicep", "windowSize: 'PT30M'", "windowSize: 'PT5M'"),
    (alerts_look_at_all_that_arrives_and_are_on, "alerts.bicep", "where Running < 2", "where Running < 1"),
    (alerts_look_at_all_that_arrives_and_are_on, "alerts.bicep", "threshold: 0", "threshold: 9"),
    (alerts_look_at_all_that_arrives_and_are_on, "monitoring.bicep", "empty(alertEmail) ? []", "!empty(alertEmail) ? []"),
    (locks_and_logs_are_on, "vault.bicep", "level: 'CanNotDelete'", "level: 'ReadOnly'"),
    (locks_and_logs_are_on, "vault.bicep", "categoryGroup: 'audit', enabled: true", "categoryGroup: 'audit', enabled: false"),
    (locks_and_logs_are_on, "main.bicep", "param protectFromDeletion bool = true", "param protectFromDeletion bool = false"),
    (events_are_those_of_this_subscription_by_the_identity_that_may, "events.bicep", "source: subscription().id", "source: resourceGroup().id"),
    (clouds_are_those_of_the_code, "main.bicep", "AzureUSGovernment: 'usgov'", "AzureUSGovernment: 'public'"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "file", "old", "new"), MUTATIONS, ids=[f"{m[0].__name__}-{n}" for n, m in enumerate(MUTATIONS)])
def test_a_spoiled_template_is_found(found, file, old, new):
    assert found(changed(REAL, file, old, new)) != []


def test_every_check_is_shown_to_find_something():
    assert {function.__name__ for function in CHECKS} == {mutation[0].__name__ for mutation in MUTATIONS}


@pytest.mark.parametrize(
    ("cloud", "storage", "vault"),
    [
        ("public", "core.windows.net", "vault.azure.net"),
        ("usgov", "core.usgovcloudapi.net", "vault.usgovcloudapi.net"),
        ("china", "core.chinacloudapi.cn", "vault.azure.cn"),
    ],
)
def test_addresses_as_azure_gives_them_are_settings(cloud, storage, vault):
    """Endpoints of accounts end with a slash; a key is named without its version."""
    given = {
        "EVIDENCE_CLOUD": cloud, "EVIDENCE_STORE": f"https://stevx.blob.{storage}/", "EvidenceQueues__queueServiceUri": f"https://strtx.queue.{storage}/",
        "EVIDENCE_SIGNING_KEY": f"https://kv-x.{vault}/keys/evidence-log", "EVIDENCE_SECOND_SIGNING_KEY": f"https://kv-x.{vault}/secrets/second",
        **{name: "" for name, value in app_settings(REAL).items() if name.startswith("EVIDENCE_") and "empty(" in str(value) and name != "EVIDENCE_SECOND_SIGNING_KEY"},
    }  # fmt: skip
    from shared.service.signers import FIRST, SECOND, place

    found = settings.read(given)
    assert is_account(found.store) and found.queues == f"https://strtx.queue.{storage}/"
    assert str(place(found.signing_key, found, FIRST)) == f"https://kv-x.{vault}/keys/evidence-log"
    assert place(found.second_signing_key, found, SECOND).vault.version is None


def test_settings_that_nobody_chose_are_empty_and_mean_nothing():
    """The template sets every setting, to nothing where nothing was chosen: that must be as if it were not there."""
    names = [name for name in app_settings(REAL) if name.startswith("EVIDENCE_") and name not in ("EVIDENCE_STORE", "EVIDENCE_SIGNING_KEY", "EVIDENCE_CLOUD")]
    assert settings.read(dict.fromkeys(names, "")) == settings.read({})
