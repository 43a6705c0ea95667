"""The body of an account, as Azure shows it: what is set is there, what is default is *absent*.

Shapes after real answers of 2026 (api-version 2025-06-01) and the property names of azure-mgmt-cognitiveservices 14.1.0.
Kept on purpose: capabilities without a `value`, every value a string, `armFeatures` which no SDK knows, `dateCreated`
a second or two later than `systemData.createdAt`, and no `encryption`, `networkAcls`, `disableLocalAuth` or
`storedCompletionsDisabled` until somebody sets them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from infra.local.authorship import Actor, etag, system_data
from infra.local.clock import stamp
from infra.local.ids import COGNITIVE, account_name, guid

Json = Any

_CAPABILITIES_OPENAI = (
    "VirtualNetworks CustomerManagedKey EnabledApimVnet=true useEndpointRateLimiter=Enabled MaxFineTuneCount=500 "
    "MaxRunningFineTuneCount=3 MaxUserFileCount=100 MaxTrainingFileSize=512000000 MaxUserFileImportDurationInHours=1 "
    "MaxFineTuneJobDurationInHours=720 MaxEvaluationRunDurationInHours=5 MaxRunningEvaluationCount=5 "
    "MaxRunningGlobalStandardFineTuneCount=3 TrustedServices=Microsoft.CognitiveServices,Microsoft.MachineLearningServices,"
    "Microsoft.Search NetworkSecurityPerimeter RaiMonitor quotaRefundsEnabled=false"
)
_CAPABILITIES = {
    "openai": _CAPABILITIES_OPENAI,
    "aiservices": f"{_CAPABILITIES_OPENAI} CustomerManagedStorage audio=true imageGenerations=true chatCompletion=true fineTune=true "
    "imageEdits=true Container=ContentSafety.TextAnalyze,ContentSafety.ImageAnalyze,FormRecognizer.FormRecognizerRead,"
    "SpeechServices.SpeechToText,TextAnalytics.Language,TextAnalytics.PII DynamicThrottling CommitmentPlan "
    "Cloud=TextAnalytics.Analyze,QuestionAnswer.AllApis",
    "formrecognizer": "VirtualNetworks CustomerManagedStorage CustomerManagedKey Container=FormRecognizer.*",
    "speechservices": "VirtualNetworks CustomerManagedKey CustomerManagedStorage Container=SpeechServices.*",
}

# key, calls, seconds, "path method" patterns
_RATES_OPENAI = (
    ("openai.dalle.post", 30, 1, "dalle/* POST|openai/images/* POST"),
    ("openai.dalle.other", 30, 1, "dalle/* *|openai/operations/images/* *"),
    ("openai.assistants.list", 120, 60, "openai/assistants GET"),
    ("openai.threads.list", 120, 60, "openai/threads GET"),
    ("openai.vectorstores.list", 120, 60, "openai/vector_stores GET"),
    ("openai.vectorstores.post", 60, 1, "openai/vector_stores POST|openai/vector_stores/* POST"),
    ("openai.assistants.default", 100000, 1, "openai/assistants *|openai/assistants/* *|openai/threads *|openai/threads/* *"),
    ("openai.responses.default", 100000, 1, "openai/responses *|openai/responses/* *"),
    ("openai.batches.post", 30, 60, "openai/v1/batches POST|openai/batches POST"),
    ("openai.batches.get", 500, 60, "openai/v1/batches/* GET|openai/batches/* GET"),
    ("openai.batches.list", 100, 60, "openai/v1/batches GET|openai/batches GET"),
    ("openai.moderations.post", 120, 60, "openai/v1/moderations POST"),
    ("openai", 30, 1, "openai/* *"),
    ("default", 30, 1, "* *"),
)
_FOUNDRY_SERVICES = {
    "documentTranslation": "translator/text/batch/*",
    "textTranslation": "translator/text/*",
    "batchDocumentTranslation": "translator/document/*",
    "textAnalytics.analyzetext.jobs": "language/analyze-text/jobs/*",
    "textAnalytics.conversations.jobs": "language/analyze-conversations/jobs/*",
    "speech.batch": "speechtotext/v3.2/transcriptions/*",
    "speech.synthesis": "texttospeech/acc/*",
    "vision.imageanalysis": "computervision/imageanalysis:analyze",
    "formrecognizer.documentmodels": "formrecognizer/documentModels/*",
    "contentsafety.text": "contentsafety/text:analyze",
    "contentunderstanding": "contentunderstanding/analyzers/*",
    "agents": "api/projects/*/agents/*",
}
_RATES_FOUNDRY = (
    *(
        (f"{key}.{verb.lower() if verb != '*' else 'default'}", 20, 1, f"{path} {verb}")
        for key, path in _FOUNDRY_SERVICES.items()
        for verb in ("POST", "GET", "*")
    ),
    *_RATES_OPENAI,
)
_RATES = {"openai": _RATES_OPENAI, "aiservices": _RATES_FOUNDRY}

_OPENAI_APIS = (
    "OpenAI Language Model Instance API", "OpenAI Dall-E API", "OpenAI Sora API", "OpenAI Moderations API", "OpenAI Whisper API",
    "OpenAI Model Scaleset API", "OpenAI Realtime API", "Token Service API", "Azure OpenAI Legacy API - Latest moniker",
)  # fmt: skip
_FOUNDRY_APIS = ("AI Foundry API", "Azure AI Model Inference API", "Cohere AI API", "Mistral AI API", "Content Understanding")
_COGNITIVE_APIS = (
    "Content Safety", "Container", "Computer Vision", "FormRecognizer", "Speech Services Speech to Text", "Token", "Text Analytics",
    "Language", "TextTranslation", "DocumentTranslation",
)  # fmt: skip


def capabilities(kind: str) -> list[Json]:
    """What the account *can* do, not what is switched on; ContentLogging is never in it by default."""
    named = (word.partition("=") for word in _CAPABILITIES.get(kind.lower(), "VirtualNetworks").split())
    return [{"name": name, "value": value} if value else {"name": name} for name, _, value in named]


def rate_rules(kind: str) -> list[Json]:
    """`callRateLimit.rules`: what makes a real account body long."""
    rules = []
    for key, count, seconds, patterns in _RATES.get(kind.lower(), _RATES_OPENAI[-1:]):
        pairs = (pattern.rsplit(" ", 1) for pattern in patterns.split("|"))
        matches = [{"path": path, "method": method} for path, method in pairs]
        rules.append({"key": key, "renewalPeriod": seconds, "count": count, "matchPatterns": matches})
    return rules


def default_endpoint(kind: str, name: str) -> str:
    """Where the account answers, in the public cloud."""
    host = "openai.azure.com" if kind.lower() == "openai" else "cognitiveservices.azure.com"
    return f"https://{name.lower()}.{host}/"


def endpoints(kind: str, name: str) -> dict[str, str]:
    """The map of APIs to addresses."""
    host = name.lower()
    openai = dict.fromkeys(_OPENAI_APIS, f"https://{host}.openai.azure.com/")
    if kind.lower() == "openai":
        return openai
    cognitive = f"https://{host}.cognitiveservices.azure.com/"
    if kind.lower() != "aiservices":
        return {kind: cognitive}
    foundry = dict.fromkeys(_FOUNDRY_APIS, f"https://{host}.services.ai.azure.com/")
    return foundry | openai | dict.fromkeys(_COGNITIVE_APIS, cognitive)


def account_body(
    resource: str,
    *,
    kind: str,
    location: str,
    endpoint: str | None,
    actor: Actor,
    tenant: str,
    moment: datetime,
    tick: int,
    tags: Mapping[str, str] | None = None,
    properties: Mapping[str, Json] | None = None,
) -> dict[str, Json]:
    """A new account with default settings, and `properties` set on top. `location` is echoed as the caller wrote it."""
    name = account_name(resource).name
    foundry = kind.lower() == "aiservices"
    shown: dict[str, Json] = {
        "endpoint": endpoint or default_endpoint(kind, name),
        "provisioningState": "Succeeded",
        "internalId": guid(resource, moment).replace("-", ""),
        "dateCreated": stamp(moment, tick + 3),
        "apiProperties": {"qnaAzureSearchEndpointKey": None} if foundry else {},
        "callRateLimit": {"rules": rate_rules(kind)},
        "isMigrated": False,
        "customSubDomainName": name.lower(),
        "allowProjectManagement": foundry,
        "privateEndpointConnections": [],
        "publicNetworkAccess": "Enabled",
        "capabilities": capabilities(kind),
        "endpoints": endpoints(kind, name),
    }
    if foundry:
        shown["armFeatures"] = []
    shown |= properties or {}
    body: dict[str, Json] = {
        "id": resource,
        "name": name,
        "type": f"{COGNITIVE}/accounts",
        "etag": etag(moment, tick, resource),
        "location": location,
        "sku": {"name": "S0"},
        "kind": kind,
        "properties": shown,
    }
    if foundry:
        body["identity"] = {"principalId": guid(resource, "principal"), "tenantId": tenant, "type": "SystemAssigned"}
    if tags:
        body["tags"] = dict(tags)
    # A real account is created a moment before it is dated: the two times are never equal, which is no restoration.
    return body | {"systemData": system_data(actor, moment - timedelta(seconds=1.3), tick)}
