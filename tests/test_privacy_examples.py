"""Azure's answers, as recorded or documented, and exactly which of their values are replaced.

Recorded: public test recordings of cloud-custodian and azure-cli, e-mail addresses replaced. Documented: Azure Monitor's
documentation and azure-rest-api-specs. Line breaks are ours; the order of keys is theirs. Cut where it says so.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from shared.canonical import Json, canonical
from shared.privacy.redact import redact


@dataclass(frozen=True)
class Example:
    name: str
    kind: str
    committed: tuple[str, ...]
    """JSON Pointers of the values that are replaced; no other byte changes."""
    body: str


EXAMPLES = (
    # recorded 2026-03; endpoints cut to 2, rules to 1
    Example("openai-account", "account", (
        "/systemData/createdBy",
        "/systemData/lastModifiedBy",
    ), r"""
{"id":
"/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47/resourceGroups/test_cognitive-service-deployment/providers/Microsoft.CognitiveServices/accounts/cctestcogdeploy"
,"name":"cctestcogdeploy","type":"Microsoft.CognitiveServices/accounts","etag":"\"2700b140-0000-0100-0000-69bd980f0000\"",
"location":"eastus","sku":{"name":"S0"},"kind":"OpenAI","properties":{"endpoint":"https://cctestcogdeploy.openai.azure.com/",
"internalId":"ec7ef3d35dcd40ae81124f33e161170a","dateCreated":"2026-03-20T18:42:05.8451734Z","apiProperties":{},"callRateLimit":{
"rules":[{"key":"openai.dalle.post","renewalPeriod":1,"count":30,"matchPatterns":[{"path":"dalle/*","method":"POST"},{"path":
"openai/images/*","method":"POST"}]}]},"isMigrated":false,"customSubDomainName":"cctestcogdeploy","allowProjectManagement":false,
"privateEndpointConnections":[],"publicNetworkAccess":"Enabled","capabilities":[{"name":"VirtualNetworks"},{"name":
"CustomerManagedKey"},{"name":"EnabledApimVnet","value":"true"},{"name":"useEndpointRateLimiter","value":"Enabled"},{"name":
"MaxFineTuneCount","value":"500"},{"name":"MaxRunningFineTuneCount","value":"3"},{"name":"MaxUserFileCount","value":"100"},{"name":
"MaxTrainingFileSize","value":"512000000"},{"name":"MaxUserFileImportDurationInHours","value":"1"},{"name":
"MaxFineTuneJobDurationInHours","value":"720"},{"name":"MaxEvaluationRunDurationInHours","value":"5"},{"name":
"MaxRunningEvaluationCount","value":"5"},{"name":"MaxRunningGlobalStandardFineTuneCount","value":"3"},{"name":"TrustedServices",
"value":"Microsoft.CognitiveServices,Microsoft.MachineLearningServices,Microsoft.Search,Microsoft.VideoIndexer"},{"name":
"NetworkSecurityPerimeter"},{"name":"RaiMonitor"},{"name":"quotaRefundsEnabled","value":"false"}],"endpoints":{
"OpenAI Language Model Instance API":"https://cctestcogdeploy.openai.azure.com/","OpenAI Dall-E API":
"https://cctestcogdeploy.openai.azure.com/"},"provisioningState":"Succeeded"},"systemData":{"createdBy":"user@example.com",
"createdByType":"User","createdAt":"2026-03-20T18:42:05.1384444Z","lastModifiedBy":"user@example.com","lastModifiedByType":"User",
"lastModifiedAt":"2026-03-20T18:42:05.1384444Z"}}
"""),
    # recorded 2026-05; rules, capabilities and endpoints cut
    Example("aiservices-account", "account", (
        "/systemData/createdBy",
        "/systemData/lastModifiedBy",
    ), r"""
{"id":
"/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47/resourceGroups/test_ai-foundry-project/providers/Microsoft.CognitiveServices/accounts/cctestaifoundry550249417109"
,"name":"cctestaifoundry550249417109","type":"Microsoft.CognitiveServices/accounts","etag":
"\"1001a01f-0000-0100-0000-6a10b80b0000\"","location":"eastus","sku":{"name":"S0"},"kind":"AIServices","properties":{"endpoint":
"https://cctestaifoundry550249417109.cognitiveservices.azure.com/","internalId":"d492768c3d084e008800618454058a7e","dateCreated":
"2026-05-22T20:09:19.291181Z","apiProperties":{"qnaAzureSearchEndpointKey":null},"callRateLimit":{"rules":[{"key":
"textAnalytics.unifiedAuthoring.clu.internal.updateCalls","renewalPeriod":60,"count":10,"matchPatterns":[{"path":
"language/analyze-conversations/internal/projects/*","method":"*"}]},{"key":"token","renewalPeriod":1,"count":50,"matchPatterns":[{
"path":"sts/v1.0/*","method":"*"}]},{"key":"speech.speechtotext.s2s.frontend","renewalPeriod":10,"count":10000,"matchPatterns":[{
"path":"s2s/*","method":"*"}]},{"key":"formrecognizer.analyze","renewalPeriod":1,"count":15,"matchPatterns":[{"path":
"documentintelligence/documentModels/{modelId}:analyze?_overload=analyzeDocument","method":"POST"}]},{"key":
"ContentSafety.Provenance.Detect1P","renewalPeriod":10,"count":2,"dynamicThrottlingEnabled":true,"matchPatterns":[{"path":
"contentsafety/provenance:detect_1p*","method":"*"}]},{"key":"mai","renewalPeriod":1,"count":30000,"matchPatterns":[{"path":"/mai",
"method":"*"}]},{"key":"openai.vectorstores.post","renewalPeriod":1,"count":60,"matchPatterns":[{"path":"openai/vector_stores",
"method":"POST"}]},{"key":"default","renewalPeriod":1,"count":30,"matchPatterns":[{"path":"*","method":"*"}]}]},"isMigrated":false,
"customSubDomainName":"cctestaifoundry550249417109","allowProjectManagement":true,"defaultProject":"cctest-aifoundry-project",
"associatedProjects":["cctest-aifoundry-project"],"privateEndpointConnections":[],"publicNetworkAccess":"Enabled","capabilities":[{
"name":"VirtualNetworks"},{"name":"EnabledApimVnet","value":"true"},{"name":"CustomerManagedKey"},{"name":"CustomerManagedStorage"},
{"name":"MaxFineTuneCount","value":"500"},{"name":"MaxRunningFineTuneCount","value":"3"},{"name":"MaxUserFileCount","value":"100"},{
"name":"MaxTrainingFileSize","value":"512000000"},{"name":"MaxUserFileImportDurationInHours","value":"1"},{"name":
"MaxFineTuneJobDurationInHours","value":"720"},{"name":"MaxEvaluationRunDurationInHours","value":"5"},{"name":
"MaxRunningEvaluationCount","value":"5"}],"endpoints":{"AI Foundry API":"https://cctestaifoundry550249417109.services.ai.azure.com/"
,"Token Service API":"https://cctestaifoundry550249417109.openai.azure.com/","Container":
"https://cctestaifoundry550249417109.cognitiveservices.azure.com/","Speech Services Speech to Text (Standard)":
"https://eastus.stt.speech.microsoft.com","Token":"https://cctestaifoundry550249417109.cognitiveservices.azure.com/"},
"provisioningState":"Succeeded"},"identity":{"principalId":"87ee6121-d4fa-463b-ab71-99d95abdcdc6","tenantId":
"00000000-0000-0000-0000-000000000003","type":"SystemAssigned"},"systemData":{"createdBy":"user@example.com","createdByType":"User",
"createdAt":"2026-05-22T20:09:17.2438039Z","lastModifiedBy":"user@example.com","lastModifiedByType":"User","lastModifiedAt":
"2026-05-22T20:09:17.2438039Z"}}
"""),
    # recorded 2026-03
    Example("deployments", "deployments", (
        "/value/0/systemData/createdBy",
        "/value/0/systemData/lastModifiedBy",
    ), r"""
{"value":[{"id":
"/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47/resourceGroups/test_ai-foundry-application/providers/Microsoft.CognitiveServices/accounts/cctestaifoundry093541471074/deployments/cctest-gpt4o-mini"
,"type":"Microsoft.CognitiveServices/accounts/deployments","name":"cctest-gpt4o-mini","sku":{"name":"Standard","capacity":1},
"properties":{"model":{"format":"OpenAI","name":"gpt-4o-mini","version":"2024-07-18"},"versionUpgradeOption":
"OnceNewDefaultVersionAvailable","currentCapacity":1,"capabilities":{"area":"US","chatCompletion":"true","jsonObjectResponse":"true"
,"maxContextToken":"128000","maxOutputToken":"16384","assistants":"true","responses":"true","agentsV2":"true",
"_H_azureml-throttling-key":"oai-e7e03403afce44e4bae9c3d7d690665c"},"raiPolicyName":"Microsoft.DefaultV2","provisioningState":
"Succeeded","rateLimits":[{"key":"request","renewalPeriod":60,"count":10},{"key":"token","renewalPeriod":60,"count":1000}]},
"systemData":{"createdBy":"user@example.com","createdByType":"User","createdAt":"2026-03-19T21:35:21.1034248Z","lastModifiedBy":
"user@example.com","lastModifiedByType":"User","lastModifiedAt":"2026-03-19T21:36:01.5455476Z"},"etag":
"\"12567a99-dae8-49f4-ac02-f4b8dce17ead\""}]}
"""),
    # recorded 2026-05
    Example("projects", "projects", (
        "/value/0/systemData/createdBy",
        "/value/0/systemData/lastModifiedBy",
    ), r"""
{"value":[{"id":
"/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47/resourceGroups/test_ai-foundry-project/providers/Microsoft.CognitiveServices/accounts/cctestaifoundry550249417109/projects/cctest-aifoundry-project"
,"name":"cctestaifoundry550249417109/cctest-aifoundry-project","type":"Microsoft.CognitiveServices/accounts/projects","etag":
"\"3b01208c-0000-0100-0000-6a10b80c0000\"","location":"eastus","kind":"AIServices","properties":{"endpoints":{"AI Foundry API":
"https://cctestaifoundry550249417109.services.ai.azure.com/api/projects/cctest-aifoundry-project"},"isDefault":true,"internalId":
"b82186f8535c49cc8ea00bd9746de163","provisioningState":"Succeeded"},"identity":{"principalId":"8a279c2f-c159-484d-bbb3-5e3ef7a70e24"
,"tenantId":"00000000-0000-0000-0000-000000000003","type":"SystemAssigned"},"systemData":{"createdBy":"user@example.com",
"createdByType":"User","createdAt":"2026-05-22T20:09:41.9941586Z","lastModifiedBy":"user@example.com","lastModifiedByType":"User",
"lastModifiedAt":"2026-05-22T20:09:41.9941586Z"}}]}
"""),
    # recorded 2026-05
    Example("connections", "projectConnections", (
        "/value/0/systemData/createdBy",
        "/value/0/systemData/lastModifiedBy",
    ), r"""
{"value":[{"tags":null,"location":null,"id":
"/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47/resourceGroups/test_ai-foundry-connection/providers/Microsoft.CognitiveServices/accounts/cctestaifoundry690431611813/projects/cctest-aifoundry-project/connections/cctest-aifoundry-connection"
,"name":"cctest-aifoundry-connection","type":"Microsoft.CognitiveServices/accounts/projects/connections","properties":{"authType":
"AAD","group":"AzureAI","category":"AzureOpenAI","expiryTime":null,"target":
"https://cctestaifoundry690431611813.cognitiveservices.azure.com/","useWorkspaceManagedIdentity":false,"isSharedToAll":false,
"sharedUserList":[],"peRequirement":"NotRequired","peStatus":"NotApplicable","error":null,"isDefault":true,"metadata":{"ApiType":
"AzureOpenAI","ApiVersion":"2023-07-01-preview","DeploymentApiVersion":"2023-10-01-preview"}},"systemData":{"createdAt":
"2026-05-22T20:12:07.8910518Z","createdBy":"user@example.com","createdByType":"User","lastModifiedAt":"2026-05-22T20:12:07.8910518Z"
,"lastModifiedBy":"user@example.com","lastModifiedByType":"User"}}]}
"""),
    # recorded 2026; identities cut
    Example("applications", "applications", (
        "/value/0/properties/tags/environment",
        "/value/0/properties/tags/owner",
        "/value/0/properties/displayName",
        "/value/0/properties/trafficRoutingPolicy/rules/0/description",
    ), r"""
{"value":[{"id":
"/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47/resourceGroups/test_ai-foundry-application/providers/Microsoft.CognitiveServices/accounts/cctestaifoundry515008255448/projects/cctest-ai-foundry-application-project/applications/cctest-aifoundry-application"
,"name":"cctest-aifoundry-application","type":"Microsoft.CognitiveServices/accounts/projects/applications","properties":{
"description":null,"tags":{"environment":"test","owner":"cloud-custodian"},"properties":null,"applicationId":
"8af00e83-81df-4ac7-bd7b-7e36fc906929","displayName":"cctest-aifoundry-application","baseUrl":
"https://cctestaifoundry515008255448.services.ai.azure.com/api/projects/cctest-ai-foundry-application-project/applications/cctest-aifoundry-application"
,"authorizationPolicy":{"authorizationScheme":"Default"},"trafficRoutingPolicy":{"protocol":"FixedRatio","rules":[{"ruleId":
"default","description":"Default rule routing all traffic to the first deployment","deploymentId":"","trafficPercentage":100}]},
"provisioningState":"Succeeded","isEnabled":true}}]}
"""),
    # recorded 2021; rules cut to 2
    Example("deleted-account", "deletedAccounts", (
        "/systemData/createdBy",
        "/systemData/lastModifiedBy",
    ), r"""
{"id":
"/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.CognitiveServices/locations/centraluseuap/resourceGroups/clitest.rg000001/deletedAccounts/cs_cli_test_000002"
,"name":"cs_cli_test_000002","type":"Microsoft.CognitiveServices/deletedAccounts","etag":"\"06007ee4-0000-3300-0000-61a332d70000\"",
"systemData":{"createdBy":"user@example.com","createdByType":"User","createdAt":"2021-11-28T07:41:40.1750359Z","lastModifiedBy":
"user@example.com","lastModifiedByType":"User","lastModifiedAt":"2021-11-28T07:41:40.1750359Z"},"location":"centraluseuap","sku":{
"name":"S0"},"kind":"FormRecognizer","properties":{"endpoint":"https://csclitest000003.cognitiveservices.azure.com/","internalId":
"93bb053d16e5438fb8e6810559c027c5","dateCreated":"2021-11-28T07:41:40.9021814Z","callRateLimit":{"rules":[{"key":
"formrecognizer.custom.train","renewalPeriod":60,"count":1,"dynamicThrottlingEnabled":false,"matchPatterns":[{"path":
"formrecognizer/custom/train","method":"*"}]},{"key":"formrecognizer.custom.copymodels","renewalPeriod":60,"count":1,
"dynamicThrottlingEnabled":false,"matchPatterns":[{"path":"formrecognizer/custom/models/{modelId}/copy","method":"*"}]}]},
"isMigrated":false,"customSubDomainName":"csclitest000003","privateEndpointConnections":[],"publicNetworkAccess":"Enabled",
"capabilities":[{"name":"VirtualNetworks"},{"name":"CustomerManagedStorage"},{"name":"CustomerManagedKey"},{"name":"Container",
"value":"FormRecognizer.*"}],"endpoints":{"FormRecognizer":"https://csclitest000003.cognitiveservices.azure.com/"},
"provisioningState":"Succeeded"}}
"""),
    # recorded 2019-2021
    Example("diagnostic-settings", "diagnosticSettings", (), r"""
{"value":[{"id":
"/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47/resourcegroups/test_diagnostic-settings/providers/microsoft.network/loadbalancers/cctestdiagnostic_loadbalancer/providers/microsoft.insights/diagnosticSettings/ccdiagnosticsettingtest"
,"type":null,"name":"ccdiagnosticsettingtest","location":null,"kind":null,"tags":null,"properties":{"storageAccountId":
"/subscriptions/ea42f556-5106-4743-99b0-c129bfa71a47/resourceGroups/test_diagnostic-settings/providers/Microsoft.Storage/storageAccounts/diagnosticruwy74fd3rqea"
,"serviceBusRuleId":null,"workspaceId":null,"eventHubAuthorizationRuleId":null,"eventHubName":null,"metrics":[{"category":
"AllMetrics","enabled":false,"retentionPolicy":{"enabled":false,"days":0}}],"logs":[{"category":"LoadBalancerProbeHealthStatus",
"enabled":true,"retentionPolicy":{"enabled":false,"days":0}},{"category":"LoadBalancerAlertEvent","enabled":false,"retentionPolicy":
{"enabled":false,"days":0}}],"logAnalyticsDestinationType":null},"identity":null}]}
"""),
    # recorded 2026-08; two of them
    Example("locations", "locations", (), r"""
{"value":[{"displayName":"Asia","id":"/subscriptions/2a8527ca-5340-49aa-8931-ea03669451a0/locations/asia","metadata":{
"regionCategory":"Other","regionType":"Logical"},"name":"asia","regionalDisplayName":"Asia","type":"Region"},{
"availabilityZoneMappings":[{"logicalZone":"1","physicalZone":"swedencentral-az1"},{"logicalZone":"2","physicalZone":
"swedencentral-az3"},{"logicalZone":"3","physicalZone":"swedencentral-az2"}],"displayName":"Sweden Central","id":
"/subscriptions/2a8527ca-5340-49aa-8931-ea03669451a0/locations/swedencentral","metadata":{"geography":"Sweden","geographyGroup":
"Europe","latitude":"60.67488","longitude":"17.14127","pairedRegion":[{"id":
"/subscriptions/2a8527ca-5340-49aa-8931-ea03669451a0/locations/swedensouth","name":"swedensouth"}],"physicalLocation":"Gävle",
"regionCategory":"Recommended","regionType":"Physical"},"name":"swedencentral","regionalDisplayName":"(Europe) Sweden Central",
"type":"Region"}]}
"""),
    # of Azure Monitor's documentation
    Example("activity-event", "event", (
        "/caller",
        "/claims",
    ), r"""
{"authorization":{"action":"Microsoft.Network/networkSecurityGroups/write","scope":
"/subscriptions/<subscription ID>/resourcegroups/myResourceGroup/providers/Microsoft.Network/networkSecurityGroups/myNSG"},"caller":
"rob@contoso.com","channels":"Operation","claims":{"aud":"https://management.core.windows.net/","iss":
"https://sts.windows.net/1114444b-7467-4144-a616-e3a5d63e147b/","iat":"1234567890","nbf":"1234567890","exp":"1234567890",
"_claim_names":"{\"groups\":\"src1\"}","http://schemas.microsoft.com/claims/authnclassreference":"1",
"http://schemas.microsoft.com/claims/authnmethodsreferences":"rsa,mfa","appid":"00001111-aaaa-2222-bbbb-3333cccc4444","appidacr":"2"
,"http://schemas.microsoft.com/2012/01/devicecontext/claims/identifier":"10845a4d-ffa4-4b61-a3b4-e57b9b31cdb5","e_exp":"262800",
"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname":"Robertson",
"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname":"Rob","ipaddr":"111.111.1.111","name":"Rob Robertson",
"http://schemas.microsoft.com/identity/claims/objectidentifier":"f409edeb-4d29-44b5-9763-ee9348ad91bb","onprem_sid":
"S-1-5-21-4837261184-168309720-1886587427-18514304","puid":"18247BBD84827C6D","http://schemas.microsoft.com/identity/claims/scope":
"user_impersonation","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier":
"b-24Jf94A3FH2sHWVIFqO3-RSJEiv24Jnif3gj7s","http://schemas.microsoft.com/identity/claims/tenantid":
"aaaabbbb-0000-cccc-1111-dddd2222eeee","http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name":"rob@contoso.com",
"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn":"rob@contoso.com","uti":"IdP3SUJGtkGlt7dDQVRPAA","ver":"1.0"},
"correlationId":"aaaa0000-bb11-2222-33cc-444444dddddd","eventDataId":"aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e","eventName":{"value":
"EndRequest","localizedValue":"End request"},"category":{"value":"Administrative","localizedValue":"Administrative"},
"eventTimestamp":"2018-01-29T20:42:31.3810679Z","level":"Informational","operationId":"04e575f8-48d0-4c43-a8b3-78c4eb01d287",
"operationName":{"value":"Microsoft.Network/networkSecurityGroups/write","localizedValue":
"Microsoft.Network/networkSecurityGroups/write"},"resourceGroupName":"myResourceGroup","resourceProviderName":{"value":
"Microsoft.Network","localizedValue":"Microsoft.Network"},"resourceType":{"value":"Microsoft.Network/networkSecurityGroups",
"localizedValue":"Microsoft.Network/networkSecurityGroups"},"resourceId":
"/subscriptions/<subscription ID>/resourcegroups/myResourceGroup/providers/Microsoft.Network/networkSecurityGroups/myNSG","status":{
"value":"Succeeded","localizedValue":"Succeeded"},"subStatus":{"value":"","localizedValue":""},"submissionTimestamp":
"2018-01-29T20:42:50.0724829Z","subscriptionId":"<subscription ID>","properties":{"statusCode":"Created","serviceRequestId":
"a4c11dbd-697e-47c5-9663-12362307157d","responseBody":"","requestbody":""},"relatedEvents":[]}
"""),
    # of the data plane specification 2024-10-21
    Example("files", "files", (
        "/data/0/filename",
        "/data/1/filename",
    ), r"""
{"data":[{"status":"processed","bytes":140,"purpose":"fine-tune","filename":"puppy.jsonl","id":
"file-181a1cbdcdcf4677ada87f63a0928099","created_at":1646126127,"object":"file"},{"status":"processed","bytes":32423,"purpose":
"fine-tune-results","filename":"results.csv","id":"file-181a1cbdcdcf4677ada87f63a0928099","created_at":1646126127,"object":"file"}],
"object":"list"}
"""),
    # of the ARM specification 2024-10-01
    Example("private-endpoints", "privateEndpointConnections", (
        "/value/0/properties/privateLinkServiceConnectionState/description",
    ), r"""
{"value":[{"id":
"/subscriptions/{subscription-id}/resourceGroups/res7231/providers/Microsoft.CognitiveServices/accounts/sto288/privateEndpointConnections/{privateEndpointConnectionName}"
,"name":"{privateEndpointConnectionName}","type":"Microsoft.CognitiveServices/accounts/privateEndpointConnections","properties":{
"privateEndpoint":{"id":
"/subscriptions/{subscription-id}/resourceGroups/res7231/providers/Microsoft.Network/privateEndpoints/petest01"},
"privateLinkServiceConnectionState":{"status":"Approved","description":"Auto-Approved","actionsRequired":"None"}}}]}
"""),
    # of the ARM specification 2024-10-01; filters cut
    Example("rai-policies", "raiPolicies", (), r"""
{"value":[{"name":"raiPolicyName","id":
"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/resourceGroupName/providers/Microsoft.CognitiveServices/accounts/accountName/raiPolicies/raiPolicyName"
,"properties":{"basePolicyName":"Microsoft.Default","mode":"Asynchronous_filter","contentFilters":[{"name":"Protected Material Text"
,"blocking":true,"source":"Completion","enabled":true},{"name":"protected_material_code","blocking":true,"source":"Completion",
"enabled":true},{"name":"profanity","blocking":true,"source":"Prompt","enabled":true}]}}]}
"""),
)


def commit(value: Json) -> bytes:
    """Stands for a real commitment: the same for the same value."""
    return canonical({"committed": base64.b64encode(hashlib.sha256(b"salt" + canonical(value)).digest()).decode()})


def replaced(before: Json, after: Json, pointer: str = "") -> Iterator[tuple[str, Json, Json]]:
    """Where two trees differ: pointer, what stood there, what stands there."""
    if isinstance(before, dict) and isinstance(after, dict) and list(before) == list(after):
        for key in before:
            yield from replaced(before[key], after[key], f"{pointer}/{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for position, (was, is_now) in enumerate(zip(before, after, strict=True)):
            yield from replaced(was, is_now, f"{pointer}/{position}")
    elif before != after:
        yield pointer, before, after


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_exactly_these_values_are_replaced_and_no_other_byte(example: Example) -> None:
    body = example.body.encode()
    result = redact(body, example.kind, commit)
    found = list(replaced(json.loads(body), json.loads(result.body)))
    assert tuple(pointer for pointer, _, _ in found) == example.committed
    assert all(is_now == json.loads(commit(was)) for _, was, is_now in found)
    assert (result.committed, result.withheld) == (len(example.committed), 0)
    restored = result.body
    for _, was, _ in found:
        if isinstance(was, str):
            restored = restored.replace(commit(was), json.dumps(was).encode())
    if all(isinstance(was, str) for _, was, _ in found):
        assert restored == body


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_nothing_of_a_real_answer_is_a_secret_and_keep_keeps_every_byte(example: Example) -> None:
    body = example.body.encode()
    result = redact(body, example.kind, None)
    assert (result.body, result.committed, result.withheld) == (body, 0, 0)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_what_was_redacted_stays_as_it_is(example: Example) -> None:
    once = redact(example.body.encode(), example.kind, commit).body
    assert redact(once, example.kind, commit).body == once
    assert redact(once, example.kind, None).body == once


def test_evidence_that_looks_like_keys_stays() -> None:
    account = json.dumps({
        "properties": {
            "encryption": {
                "keySource": "Microsoft.KeyVault",
                "keyVaultProperties": {
                    "keyName": "cmk", "keyVersion": "891cf236d24147389462d506af493dfa", "keyVaultUri": "https://kv.vault.azure.net/",
                    "identityClientId": "00000000-0000-0000-0000-000000000001",
                },
            },
            "internalId": "ec7ef3d35dcd40ae81124f33e161170a",
            "apiProperties": {"qnaAzureSearchEndpointKey": None, "statisticsEnabled": False, "eventHubConnectionString": ""},
            "disableLocalAuth": True,
            "quotaLimit": {"count": 1, "renewalPeriod": 60, "rules": [{"key": "x", "count": 1}]},
            "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "203.0.113.7/32"}]},
        },
        "capabilities": {"_H_azureml-throttling-key": "oai-e7e03403afce44e4bae9c3d7d690665c", "maxOutputToken": "16384"},
        "authType": "ApiKey",
        "credentials": None,
        "sharedUserList": [],
        "tags": {},
        "principalId": "87ee6121-d4fa-463b-ab71-99d95abdcdc6",
        "condition": "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})))",
    }).encode()
    assert redact(account, "account", commit).body == account
