"""The templates against the code: what one of them names, the other has. Each check is a function that lists problems, and is shown to find some."""

import ast
import fnmatch
import importlib.util
import json
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest
import yaml

from shared import alarms, layout, settings
from shared.collect.endpoints import ENDPOINTS, OWN, UNVERIFIED
from tests.fixtures.bicep import FUNCTIONS, Symbol, Templates, changed, properties, read, text, uses, walk

ROOT = Path(__file__).parents[1]
REAL = read()

STORAGE = "Microsoft.Storage/storageAccounts"
CONTAINER = f"{STORAGE}/blobServices/containers"
CONFIG = "Microsoft.Web/sites/config"
RULE = "Microsoft.Insights/scheduledQueryRules"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"

Check = Callable[[Templates], list[str]]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    CHECKS.append(function)
    return function


def only(templates: Templates, type_: str) -> dict:
    """The value of the one resource of a type; nothing where there are none or several, which is a problem of its own."""
    found = templates.made(type_)
    return found[0] if len(found) == 1 else {}


# -- the language -------------------------------------------------------------------------------------------------------


@check
def syntax(templates):
    return [file for file, root in templates.roots.items() if root.has_error]


@check
def every_name_is_declared(templates):
    problems = []
    for file, root in templates.roots.items():
        known = {each.name for each in templates.declared if each.file == file and each.sort != "output"}
        for node, called in uses(root):
            if text(node) not in (FUNCTIONS if called else known):
                problems.append(f"{file}:{node.start_point.row + 1}: {text(node)} is not declared")
    return problems


@check
def every_parameter_and_variable_is_used(templates):
    problems = []
    for file, root in templates.roots.items():
        used = {text(node) for node, _ in uses(root)}
        problems += [f"{file}: {each.name}" for sort in ("param", "var") for each in templates.of(sort, file) if each.name not in used]
    return problems


@check
def modules_get_what_they_declare(templates):
    problems = []
    for module in templates.of("module"):
        declared = {each.name: each for each in templates.of("param", module.type)}
        if module.type not in templates.roots:
            problems.append(f"{module.file}: no {module.type}")
            continue
        given = set(templates.values(module)[0]["params"])
        # A declaration with a default has its value as last child; one without ends with its type.
        needed = {name for name, each in declared.items() if each.body.type == "type"}
        problems += [f"{module.name}: {name} is not a parameter of {module.type}" for name in given - set(declared)]
        problems += [f"{module.name}: {module.type} needs {name}" for name in needed - given]
    return problems


@check
def outputs_that_are_read_exist(templates):
    problems = []
    for module in templates.of("module"):
        has = {each.name for each in templates.of("output", module.type)}
        for name in re.findall(rf"\b{module.name}!?\.outputs\.(\w+)", templates.files[module.file]):
            if name not in has:
                problems.append(f"{module.file}: {module.type} has no output {name}")
    return problems


@check
def children_name_their_parent(templates):
    """No resource within another (tools lose them, FUNCTIONS of the platform change them), and none whose name holds its parent's."""
    problems = []
    for each in templates.of("resource"):
        inner = [node for node in walk(each.node) if node.type == "resource_declaration" and node != each.node]
        problems += [f"{each.file}: {each.name} holds another resource" for _ in inner]
        for value in templates.values(each):
            if each.type.count("/") > 1 and "parent" not in value:
                problems.append(f"{each.file}: {each.name} names no parent")
            if "/" in str(value.get("name", "")):
                problems.append(f"{each.file}: the name of {each.name} holds a path")
    return problems


@check
def api_versions_are_one_for_each_family(templates):
    problems, seen = [], {}
    for each in templates.of("resource"):
        if not re.fullmatch(r"20\d\d-\d\d-\d\d(-preview)?", each.version):
            problems.append(f"{each.file}: {each.name} has the api-version {each.version!r}")
        family = "/".join(each.type.split("/")[:2])
        if seen.setdefault(family, each.version) != each.version:
            problems.append(f"{each.file}: {each.name} uses {each.version} of {family}, another file {seen[family]}")
    return problems


@check
def no_modules_from_a_registry(templates):
    return [f"{each.file}: {each.type}" for each in templates.of("module") if not re.fullmatch(r"[a-z]+\.bicep", each.type)]


# -- what the code and the templates both name --------------------------------------------------------------------------


@check
def queues_are_those_of_the_code(templates):
    made = {value["name"] for value in templates.made(f"{STORAGE}/queueServices/queues")}
    wanted = {*layout.QUEUES, *(queue + layout.POISON_SUFFIX for queue in layout.QUEUES)}
    problems = [f"{sorted(map(str, made))} are made, the code has {sorted(wanted)}"] if made != wanted else []
    told = templates.named("events.bicep", "queueName")
    if told is None or templates.value("events.bicep", told.body) != layout.CHANGE_QUEUE:
        problems.append("events do not go to the queue that the code reads")
    return problems


@check
def containers_are_those_of_the_store(templates):
    made = {value["name"] for item in templates.resources(CONTAINER) if item.file == "evidence.bicep" for value in templates.values(item)}
    wanted = {folder.rstrip("/") for folder in (layout.EVIDENCE, layout.STATE, layout.PERSONAL, layout.BUNDLES)}
    return [f"{sorted(made)} are made, the store has {sorted(wanted)}"] if made != wanted else []


class Recorder(dict):
    """An environment that notes what is asked of it."""

    def __init__(self):
        super().__init__()
        self.asked = set()

    def get(self, key, default=None):
        self.asked.add(key)
        return default


OF_THE_PLATFORM = {
    "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri", "AzureWebJobsStorage__credential",
    "AzureWebJobsStorage__clientId", "EvidenceQueues__credential", "EvidenceQueues__clientId", "AZURE_CLIENT_ID",
    "APPLICATIONINSIGHTS_CONNECTION_STRING", "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}  # fmt: skip
"""Settings that the host and azure-identity read, not we."""

NOT_IN_PRODUCTION = {"EVIDENCE_ARM_ENDPOINT", "EVIDENCE_LOGS_ENDPOINT", "EVIDENCE_STORE_ENDPOINT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"}
"""For the stand-in; and for networks with authorities of their own, which Azure's is not."""

SET_BY_THE_PLATFORM = {"WEBSITE_HOSTNAME"}
"""By App Service in every app, with the name that it answers to."""

REPLACED_ON_FLEX = {
    "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION", "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE", "WEBSITE_TIME_ZONE", "SCM_DO_BUILD_DURING_DEPLOYMENT",
    "ENABLE_ORYX_BUILD", "AzureWebJobsStorage", "AzureWebJobsDashboard", "FUNCTIONS_MAX_HTTP_CONCURRENCY", "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT",
}  # fmt: skip


def app_settings(templates: Templates) -> dict:
    found = [value["properties"] for value in templates.made(CONFIG) if value["name"] == "appsettings"]
    return found[0] if len(found) == 1 else {}


@check
def settings_are_those_that_the_code_reads(templates):
    asked = Recorder()
    settings.read(asked)
    wanted, given = asked.asked - NOT_IN_PRODUCTION - SET_BY_THE_PLATFORM, set(app_settings(templates))
    problems = [f"{name} is read and not set" for name in sorted((wanted | OF_THE_PLATFORM) - given)]
    return problems + [f"{name} is set and nobody reads it" for name in sorted(given - wanted - OF_THE_PLATFORM)]


@check
def nothing_is_set_that_flex_has_replaced(templates):
    found = set(app_settings(templates)) & REPLACED_ON_FLEX
    site = only(templates, "Microsoft.Web/sites").get("properties", {}).get("siteConfig", {})
    return sorted(found | ({"linuxFxVersion", "appSettings", "netFrameworkVersion", "functionAppScaleLimit"} & set(site)))


@check
def the_app_is_flex_on_the_python_of_the_tests(templates):
    plan, site = only(templates, "Microsoft.Web/serverfarms"), only(templates, "Microsoft.Web/sites")
    problems = []
    if plan.get("sku") != {"name": "FC1", "tier": "FlexConsumption"} or plan["properties"].get("reserved") is not True:
        problems.append("the plan is not Flex Consumption on Linux")
    first = re.search(r"for version in (\S+)", (ROOT / "scripts" / "find-python").read_text())[1]
    runtime = site.get("properties", {}).get("functionAppConfig", {}).get("runtime")
    if runtime != {"name": "python", "version": first}:
        problems.append(f"the app runs {runtime}, the tests Python {first}")
    return problems


def query_of(rule: dict) -> str:
    """What an alert rule asks."""
    return rule["properties"]["criteria"]["allOf"][0]["query"]


@check
def alarms_are_those_of_the_code(templates):
    ids = {value for name, value in vars(alarms).items() if name.isupper() and isinstance(value, str)}
    rules = templates.made(RULE)
    asked = [re.search(r'Message has "(.*?)"', query_of(rule)) for rule in rules]
    found = [match[1] for match in asked if match]
    problems = [f"{id_} has no rule" for id_ in sorted(ids - set(found))] + [f"{id_}: nothing logs it" for id_ in sorted(set(found) - ids)]
    problems += [f"{rule['name']} tells nobody" for rule in rules if rule["properties"]["actions"] != {"actionGroups": ["actionGroupId"]}]
    if len(found) != len(set(found)) or len(rules) != len(found) + 1:
        problems.append("not one rule for each, and one for silence")
    return problems


@check
def silence_is_noticed(templates):
    trees = [ast.parse(path.read_text()) for path in (ROOT / "functions").glob("*.py")]
    names = {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    queries = [query_of(rule) for rule in templates.made(RULE)]
    named = [name for query in queries if "AppRequests" in query for name in re.findall(r'"(\w+)"', query)]
    return [f"there is no function {name}" for name in named if name not in names] or (
        [] if named else ["nothing notices that the app is silent"]
    )


# -- rights -------------------------------------------------------------------------------------------------------------

BUILT_IN = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a": "Storage Queue Data Message Sender",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
}

GRANTS = {
    ("access.bicep", "container evidence", "roles.evidence", "each of keepers"),
    ("access.bicep", "container state", "roles.keeper", "each of keepers"),
    ("access.bicep", "container personal", "roles.keeper", "each of keepers"),
    ("access.bicep", "container bundles", "roles.keeper", "each of keepers"),
    ("access.bicep", "account evidenceAccount", "roles.store", "each of keepers"),
    ("access.bicep", "key keyName", "roles.signer", "each of keepers"),
    ("access.bicep", "vault vaultName", "Key Vault Secrets User", "appPrincipalId"),
    ("access.bicep", "account runtimeAccount", "Storage Blob Data Owner", "appPrincipalId"),
    ("access.bicep", "account runtimeAccount", "Storage Queue Data Contributor", "appPrincipalId"),
    ("access.bicep", "queue on-change", "Storage Queue Data Message Sender", "eventsPrincipalId"),
    ("access.bicep", "component componentName", "Monitoring Metrics Publisher", "appPrincipalId"),
    ("roles.bicep", "subscription", "reader or Reader", "principalId"),
    ("inventory.bicep", "subscription", "inventory.id", "principalId"),
    ("reader.bicep", "managementGroup", "reader or Reader", "principalId"),
}
"""Every right that is given: in which file, at what, which role, to whom."""

SHORT = {
    CONTAINER: "container", STORAGE: "account", f"{STORAGE}/queueServices/queues": "queue", "Microsoft.KeyVault/vaults": "vault",
    "Microsoft.KeyVault/vaults/keys": "key", "Microsoft.Insights/components": "component",
}  # fmt: skip


EITHER_READER = re.compile(
    r"readerRole == 'exact' \? reader\.id : (subscription|tenant)ResourceId\('Microsoft\.Authorization/roleDefinitions', builtinReader\)"
)


def grants(templates: Templates) -> set[tuple[str, str, str, str]]:
    """What is given, in the words of GRANTS; whatever is not understood stays as it is written, and is no member of it."""
    found = set()
    for item in templates.resources(ASSIGNMENT):
        for value in templates.values(item):
            target = templates.named(item.file, str(value.get("scope", "")))
            if target is not None and target.sort == "resource":
                scope = f"{SHORT.get(target.type, target.type)} {templates.values(target)[0]['name']}"
            else:
                scope = str(value.get("scope") or re.search(r"targetScope = '(\w+)'", templates.files[item.file])[1])
            role = str(value["properties"]["roleDefinitionId"])
            known = re.search(r"roleDefinitions', '([0-9a-f-]{36})'\)$", role)
            if known:
                role = BUILT_IN.get(known[1], known[1])
            elif EITHER_READER.fullmatch(role):
                builtin = templates.named(item.file, "builtinReader")
                role = f"reader or {BUILT_IN.get(str(templates.value(item.file, builtin.body)))}"
            who = str(value["properties"]["principalId"]).removesuffix(".id")
            found.add((item.file, scope, role, "each of keepers" if who == "who" else who))
    return found


@check
def rights_are_these_and_no_others(templates):
    found = grants(templates)
    return [f"given: {grant}" for grant in sorted(found - GRANTS)] + [f"missing: {grant}" for grant in sorted(GRANTS - found)]


@check
def no_role_is_named_but_the_known(templates):
    """Owner, Contributor, User Access Administrator and all others have ids that are not in the table, wherever they stand."""
    guids = {
        (file, guid)
        for file, source in templates.files.items()
        for guid in re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", source)
    }
    return [f"{file}: {guid}" for file, guid in sorted(guids) if guid not in BUILT_IN and file != "app-roles.json"]


@check
def custom_roles_hold_what_they_must_and_no_more(templates):
    roles, problems = json.loads(templates.files["roles.json"]), []
    for name, role in roles.items():
        problems += [f"{name}: {right} is a wildcard" for right in role["actions"] + role["dataActions"] if "*" in right]
    blobs = f"{CONTAINER}/blobs"
    if roles["evidence"]["actions"] or set(roles["evidence"]["dataActions"]) != {f"{blobs}/read", f"{blobs}/add/action"}:
        problems.append("whoever writes evidence may do more, or less, than add and read")
    if {*roles["reader"]["actions"]} != {e.action for e in ENDPOINTS if e.scope not in ("store", "workspace") and e.kind not in OWN}:
        problems.append("the reader's actions are not those of the table of endpoints")
    if {*roles["inventory"]["dataActions"]} != {a for e in ENDPOINTS if e.kind in OWN for a in (e.action, *e.also)} - UNVERIFIED:
        problems.append("whoever lists what accounts hold may do more, or less, than ask the questions of the table")
    if roles["inventory"]["actions"] or not all(action.endswith("/read") for action in roles["inventory"]["dataActions"]):
        problems.append("whoever lists what accounts hold may do something other than read")
    links = f"{STORAGE}/blobServices/generateUserDelegationKey/action"
    if {*roles["store"]["actions"]} != {links} | {e.action for e in ENDPOINTS if e.scope == "store"} or roles["store"]["dataActions"]:
        problems.append("at the account of the evidence more, or less, may be done than read its configuration and sign links")
    if roles["reader"]["dataActions"] or not all(action.endswith("/read") for action in roles["reader"]["actions"]):
        problems.append("the reader may do something other than read the control plane")
    if {right.rpartition("/keys/")[2] for right in roles["signer"]["dataActions"]} != {"read", "sign/action"} or roles["signer"]["actions"]:
        problems.append("the signer may do something other than sign and read the key")
    if roles["keeper"]["actions"] or any(
        "immutableStorage" in right or "permanentDelete" in right for right in roles["keeper"]["dataActions"]
    ):
        problems.append("the keeper may do more than keep")
    return problems


@check
def each_definition_holds_its_own_role(templates):
    problems = []
    for item in templates.resources("Microsoft.Authorization/roleDefinitions"):
        for value in templates.values(item):
            role = json.loads(templates.files["roles.json"]).get(item.name)
            held = (
                {"actions": role["actions"], "notActions": [], "dataActions": role["dataActions"], "notDataActions": []} if role else None
            )
            if value["properties"]["permissions"] != [held]:
                problems.append(f"{item.file}: {item.name} is not the role of that name")
    return problems


@check
def nothing_works_with_keys(templates):
    problems = []
    for file, root in templates.roots.items():
        for node in walk(root):
            called = text(node.named_children[0]).rpartition(".")[2] if node.type == "call_expression" else ""
            if called.lower().startswith("list"):
                problems.append(f"{file}:{node.start_point.row + 1}: {called}")
        if re.search(r"AccountKey|SharedAccess|DefaultEndpointsProtocol|InstrumentationKey", templates.files[file]):
            problems.append(f"{file} names a key or a connection string")
    for item in templates.resources("Microsoft.Insights/components"):
        if templates.values(item)[0]["properties"].get("DisableLocalAuth") is not True:
            problems.append("Application Insights takes an instrumentation key for a login")
    return problems


# -- storage, vault, app ------------------------------------------------------------------------------------------------


@check
def storage_is_closed(templates):
    wanted = {
        "allowBlobPublicAccess": False, "allowSharedKeyAccess": False, "allowCrossTenantReplication": False,
        "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": True,
    }  # fmt: skip
    accounts = [(item.file, value["properties"]) for item in templates.resources(STORAGE) for value in templates.values(item)]
    problems = [f"{file}: {key}" for file, held in accounts for key, is_ in wanted.items() if repr(held.get(key)) != repr(is_)]
    problems += [f"{value['name']} is public" for value in templates.made(CONTAINER) if value["properties"].get("publicAccess") != "None"]
    if sorted(file for file, _ in accounts) != ["evidence.bicep", "runtime.bicep"]:
        problems.append("evidence and the runtime do not have an account each")
    return problems


@check
def evidence_is_immutable_and_unlocked(templates):
    problems = []
    containers = {value["name"]: value["properties"] for value in templates.made(CONTAINER)}
    immutable = {name for name, held in containers.items() if held.get("immutableStorageWithVersioning") == {"enabled": True}}
    if immutable != {"evidence"}:
        problems.append(f"version-level immutability is on for {sorted(immutable)}")
    policies = templates.resources(f"{CONTAINER}/immutabilityPolicies")
    if len(policies) != 1:
        return [*problems, f"{len(policies)} policies"]
    policy = templates.values(policies[0])[0]
    if (str(policy["parent"]), policy["name"]) != ("evidence", "default"):
        problems.append("the policy is not the default policy of the evidence")
    if policy["properties"] != {"immutabilityPeriodSinceCreationInDays": "retentionDays", "allowProtectedAppendWrites": False}:
        problems.append("the policy is not that of the parameter")
    if "if (!retentionLocked)" not in text(policies[0].node):
        problems.append("a locked policy would be deployed again, which Azure refuses")
    services = [
        value
        for item in templates.resources(f"{STORAGE}/blobServices")
        if item.file == "evidence.bicep"
        for value in templates.values(item)
    ]
    if [service["properties"].get("isVersioningEnabled") for service in services] != [True]:
        problems.append("version-level immutability needs versioning")
    return problems + [f"{file} locks" for file, source in templates.files.items() if "'Locked'" in source]


@check
def what_is_erased_goes_and_evidence_stays(templates):
    rules = only(templates, f"{STORAGE}/managementPolicies").get("properties", {"policy": {"rules": []}})["policy"]["rules"]
    problems = [] if rules else ["no lifecycle"]
    forgotten = set()
    for rule in rules:
        actions, prefixes = rule["definition"]["actions"], rule["definition"]["filters"]["prefixMatch"]
        deletes = [kind for kind, does in actions.items() if "delete" in does]
        if deletes and any(prefix.startswith(layout.EVIDENCE) for prefix in prefixes):
            problems.append(f"{rule['name']} deletes evidence")
        if actions.get("version", {}).get("delete", {}).get("daysAfterCreationGreaterThan", 99) <= 1:
            forgotten |= set(prefixes)
        tiers = actions.get("baseBlob", {})
        if ("tierToCool" in tiers or "tierToCold" in tiers) and not all(p.startswith(layout.EVIDENCE) for p in prefixes):
            problems.append(f"{rule['name']} moves what is not evidence")
    problems += [
        f"versions of what is deleted from {f} stay" for f in (layout.STATE, layout.PERSONAL, layout.BUNDLES) if f not in forgotten
    ]
    ended = [
        rule["definition"]["filters"]["prefixMatch"] for rule in rules if "delete" in rule["definition"]["actions"].get("baseBlob", {})
    ]
    if ended != [[layout.BUNDLES]]:
        problems.append("bundles stay for good")
    if not any({"tierToCool", "tierToCold"} <= set(rule["definition"]["actions"].get("baseBlob", {})) for rule in rules):
        problems.append("old evidence stays hot")
    kept = templates.named("main.bicep", "recoveryDays")
    if kept is None or templates.value("main.bicep", kept.body) > 30:
        problems.append("soft delete keeps what was erased for longer than a month")
    return problems


@check
def prefixes_are_folders_of_the_store(templates):
    folders = (layout.BATCHES, layout.BODIES, f"{layout.LOG}tile/entries/", layout.EVIDENCE, layout.STATE, layout.PERSONAL, layout.BUNDLES)
    rules = only(templates, f"{STORAGE}/managementPolicies").get("properties", {"policy": {"rules": []}})["policy"]["rules"]
    named = [prefix for rule in rules for prefix in rule["definition"]["filters"]["prefixMatch"]]
    return [prefix for prefix in named if not any(folder.startswith(prefix) for folder in folders)]


@check
def the_key_stays_in_the_vault(templates):
    vault = only(templates, "Microsoft.KeyVault/vaults").get("properties", {})
    key = only(templates, "Microsoft.KeyVault/vaults/keys").get("properties", {})
    problems = [name for name in ("enableRbacAuthorization", "enableSoftDelete", "enablePurgeProtection") if vault.get(name) is not True]
    wanted = {"kty": "EC", "curveName": "P-256", "keyOps": ["sign", "verify"], "attributes": {"enabled": True, "exportable": False}}
    return problems + [f"the key's {name}" for name, is_ in wanted.items() if key.get(name) != is_]


@check
def who_is_not_logged_in_is_refused(templates):
    found = [value["properties"] for value in templates.made(CONFIG) if value["name"] == "authsettingsV2"]
    if not found:
        return ["no authentication"]
    asked = found[0]["globalValidation"]
    problems = [] if found[0]["platform"] == {"enabled": True} else ["authentication is off"]
    if (asked.get("requireAuthentication"), asked.get("unauthenticatedClientAction")) != (True, "Return401"):
        problems.append("requests without a login get in")
    if asked.get("excludedPaths", []) not in ([], ["/api/live"]):
        problems.append(f"{asked['excludedPaths']} are open to anybody")
    site = only(templates, "Microsoft.Web/sites").get("properties", {})
    if (
        site.get("httpsOnly") is not True
        or site["siteConfig"].get("minTlsVersion") != "1.2"
        or site["siteConfig"].get("ftpsState") != "Disabled"
    ):
        problems.append("the site takes what is not TLS 1.2")
    return problems


@check
def events_come_from_the_subscription_into_the_queue(templates):
    topic = only(templates, "Microsoft.EventGrid/systemTopics")
    problems = []
    if (topic.get("location"), topic.get("properties", {}).get("topicType")) != ("global", "Microsoft.Resources.Subscriptions"):
        problems.append("no topic of a subscription, which is global")
    subscribed = only(templates, "Microsoft.EventGrid/systemTopics/eventSubscriptions").get("properties", {})
    delivery = subscribed.get("deliveryWithResourceIdentity", {})
    if delivery.get("destination", {}).get("endpointType") != "StorageQueue" or delivery.get("identity", {}).get("type") != "UserAssigned":
        problems.append("events are not delivered to the queue by an identity, and the account takes no keys")
    types = {name.rpartition(".Resource")[2] for name in subscribed.get("filter", {}).get("includedEventTypes", [])}
    if types != {"WriteSuccess", "DeleteSuccess", "ActionSuccess"}:
        problems.append(f"subscribed to {sorted(types)}")
    filters = [(f["operatorType"], f["key"], f["values"]) for f in subscribed.get("filter", {}).get("advancedFilters", [])]
    if filters != [("StringContains", "subject", ["/providers/Microsoft.CognitiveServices/"])]:
        problems.append("every event of the subscription is delivered")
    return problems


@check
def what_happens_to_store_and_vault_is_logged(templates):
    logged = {str(value["scope"]) for value in templates.made("Microsoft.Insights/diagnosticSettings")}
    return [f"{what} is not logged" for what in ("blobs", "vault") if what not in logged]


@check
def the_parameters_file_fits(templates):
    given = json.loads(templates.files["main.parameters.json"])["parameters"]
    declared = {each.name: each for each in templates.of("param", "main.bicep")}
    problems = [f"{name} is no parameter" for name in given if name not in declared]
    problems += [f"{name} is needed" for name, each in declared.items() if each.body.type == "type" and name not in given]
    sorts = {"string": str, "int": int, "bool": bool, "array": list}
    for name, held in given.items():
        if name in declared:
            sort = text(next(child for child in declared[name].node.named_children if child.type == "type"))
            if type(held["value"]) is not sorts[sort]:
                problems.append(f"{name} is to be {sort}")
            default = declared[name].body
            known = templates.value("main.bicep", default) if default.type != "type" else held["value"]
            if not isinstance(known, Symbol) and not str(held["value"]).startswith("${") and held["value"] != known:
                problems.append(f"{name} is {held['value']!r} here and {known!r} in the template")
    return problems


@pytest.mark.parametrize("found", CHECKS, ids=lambda function: function.__name__)
def test_the_templates(found):
    assert found(REAL) == []


# -- each check can fail ------------------------------------------------------------------------------------------------

MUTATIONS = [
    (syntax, "vault.bicep", "kty: 'EC'", "kty: 'EC"),
    (every_name_is_declared, "app.bicep", "serverFarmId: plan.id", "serverFarmId: plans.id"),
    (every_name_is_declared, "main.bicep", "toLower(uniqueString(", "toLowr(uniqueString("),
    (every_name_is_declared, "runtime.bicep", "name: '${queue}-poison'", "name: '${q}-poison'"),
    (every_parameter_and_variable_is_used, "vault.bicep", "param name string", "param name string\nparam other string"),
    (modules_get_what_they_declare, "main.bicep", "    vaultUrl: vault.outputs.url\n", ""),
    (modules_get_what_they_declare, "main.bicep", "    vaultUrl: vault.outputs.url\n", "    vaultUrl: vault.outputs.url\n    other: 1\n"),
    (modules_get_what_they_declare, "main.bicep", "module app 'app.bicep'", "module app 'apps.bicep'"),
    (outputs_that_are_read_exist, "main.bicep", "evidence.outputs.url", "evidence.outputs.uri"),
    (outputs_that_are_read_exist, "network.bicep", "output appSubnetId", "output subnetId"),
    (children_name_their_parent, "runtime.bicep", "  parent: account\n", ""),
    (children_name_their_parent, "vault.bicep", "name: 'evidence-log'", "name: 'kv/evidence-log'"),
    (children_name_their_parent, "evidence.bicep", "  name: name\n  location", "  resource inner 'x@2025-06-01' = {\n    name: 'y'\n  }\n  name: name\n  location"),
    (api_versions_are_one_for_each_family, "vault.bicep", "vaults/keys@2024-11-01", "vaults/keys@2023-07-01"),
    (api_versions_are_one_for_each_family, "vault.bicep", "vaults/keys@2024-11-01", "vaults/keys"),
    (no_modules_from_a_registry, "main.bicep", "'vault.bicep'", "'br/public:avm/res/key-vault/vault:0.13.0'"),
    (queues_are_those_of_the_code, "runtime.bicep", "'collect-unit', 'on-change', ", "'collect-unit', "),
    (queues_are_those_of_the_code, "runtime.bicep", "${queue}-poison", "${queue}-dead"),
    (queues_are_those_of_the_code, "events.bicep", "= 'on-change'", "= 'on-changes'"),
    (containers_are_those_of_the_store, "evidence.bicep", "name: 'personal'", "name: 'persons'"),
    (settings_are_those_that_the_code_reads, "app.bicep", "    EVIDENCE_SCHEDULE: schedule", "    EVIDENCE_SCHEDULES: schedule"),
    (settings_are_those_that_the_code_reads, "app.bicep", "    AZURE_CLIENT_ID: identityClientId\n", ""),
    (nothing_is_set_that_flex_has_replaced, "app.bicep", "    AZURE_CLIENT_ID:", "    FUNCTIONS_WORKER_RUNTIME: 'python'\n    AZURE_CLIENT_ID:"),
    (nothing_is_set_that_flex_has_replaced, "app.bicep", "siteConfig: {", "siteConfig: { linuxFxVersion: 'Python|3.13',"),
    (the_app_is_flex_on_the_python_of_the_tests, "app.bicep", "version: '3.13'", "version: '3.11'"),
    (the_app_is_flex_on_the_python_of_the_tests, "app.bicep", "name: 'FC1', tier: 'FlexConsumption'", "name: 'Y1', tier: 'Dynamic'"),
    (alarms_are_those_of_the_code, "alarms.json", "EVIDENCE-DRIFT", "EVIDENCE-DRIFTS"),
    (alarms_are_those_of_the_code, "alerts.bicep", "actionGroups: [actionGroupId]", "actionGroups: []"),
    (silence_is_noticed, "alerts.bicep", '("seal", "watch")', '("seal", "guard")'),
    (silence_is_noticed, "alerts.bicep", "AppRequests", "AppTraces"),
    (rights_are_these_and_no_others, "access.bicep", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
    (rights_are_these_and_no_others, "access.bicep", "roleDefinitionId: roles.evidence", "roleDefinitionId: roles.keeper"),
    (rights_are_these_and_no_others, "access.bicep", "  scope: evidence\n", "  scope: storeAccount\n"),
    (rights_are_these_and_no_others, "access.bicep", "  scope: hostAccount\n", "  scope: storeAccount\n"),
    (rights_are_these_and_no_others, "roles.bicep", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "b24988ac-6180-42a0-ab88-20f7382dd24c"),
    (no_role_is_named_but_the_known, "access.bicep", "b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"),
    (no_role_is_named_but_the_known, "roles.bicep", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
    (custom_roles_hold_what_they_must_and_no_more, "roles.json", "containers/blobs/add/action", "containers/blobs/write"),
    (custom_roles_hold_what_they_must_and_no_more, "roles.json", "accounts/models/read", "accounts/listKeys/action"),
    (custom_roles_hold_what_they_must_and_no_more, "roles.json", "OpenAI/files/read", "OpenAI/files/delete"),
    (custom_roles_hold_what_they_must_and_no_more, "roles.json", "OpenAI/models/read", "OpenAI/files/content/read"),
    (custom_roles_hold_what_they_must_and_no_more, "roles.json", "vaults/keys/sign/action", "vaults/keys/*"),
    (custom_roles_hold_what_they_must_and_no_more, "roles.json", "storageAccounts/blobServices/read", "storageAccounts/blobServices/write"),
    (each_definition_holds_its_own_role, "roles.bicep", "dataActions: roles.evidence.dataActions", "dataActions: roles.keeper.dataActions"),
    (each_definition_holds_its_own_role, "reader.bicep", "notActions: []", "notActions: ['x']"),
    (nothing_works_with_keys, "runtime.bicep", "output id string = account.id", "output id string = account.listKeys().keys[0].value"),
    (nothing_works_with_keys, "monitoring.bicep", "DisableLocalAuth: true", "DisableLocalAuth: false"),
    (storage_is_closed, "evidence.bicep", "allowSharedKeyAccess: false", "allowSharedKeyAccess: true"),
    (storage_is_closed, "runtime.bicep", "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'"),
    (storage_is_closed, "evidence.bicep", "publicAccess: 'None'", "publicAccess: 'Blob'"),
    (storage_is_closed, "runtime.bicep", f"resource account '{STORAGE}@", f"resource account '{STORAGE}s@"),
    (evidence_is_immutable_and_unlocked, "evidence.bicep", "immutableStorageWithVersioning: { enabled: true }", "immutableStorageWithVersioning: { enabled: false }"),
    (evidence_is_immutable_and_unlocked, "evidence.bicep", "  parent: evidence\n", "  parent: personal\n"),
    (evidence_is_immutable_and_unlocked, "evidence.bicep", "immutabilityPeriodSinceCreationInDays: retentionDays", "immutabilityPeriodSinceCreationInDays: 1"),
    (evidence_is_immutable_and_unlocked, "evidence.bicep", "isVersioningEnabled: true", "isVersioningEnabled: false"),
    (evidence_is_immutable_and_unlocked, "evidence.bicep", " if (!retentionLocked)", ""),
    (what_is_erased_goes_and_evidence_stays, "evidence.bicep", "'state/', 'personal/', 'bundles/'", "'state/', 'bundles/'"),
    (what_is_erased_goes_and_evidence_stays, "evidence.bicep", "prefixMatch: ['bundles/']", "prefixMatch: ['evidence/']"),
    (what_is_erased_goes_and_evidence_stays, "evidence.bicep", "daysAfterCreationGreaterThan: 1", "daysAfterCreationGreaterThan: 90"),
    (what_is_erased_goes_and_evidence_stays, "main.bicep", "param recoveryDays int = 7", "param recoveryDays int = 365"),
    (prefixes_are_folders_of_the_store, "evidence.bicep", "'evidence/batch/'", "'evidence/batches/'"),
    (the_key_stays_in_the_vault, "vault.bicep", "enablePurgeProtection: true", "enablePurgeProtection: false"),
    (the_key_stays_in_the_vault, "vault.bicep", "curveName: 'P-256'", "curveName: 'P-384'"),
    (who_is_not_logged_in_is_refused, "app.bicep", "requireAuthentication: true", "requireAuthentication: false"),
    (who_is_not_logged_in_is_refused, "app.bicep", "'Return401'", "'AllowAnonymous'"),
    (who_is_not_logged_in_is_refused, "app.bicep", "['/api/live']", "['/api/live', '/api/status']"),
    (events_come_from_the_subscription_into_the_queue, "events.bicep", "location: 'global'", "location: 'westeurope'"),
    (events_come_from_the_subscription_into_the_queue, "events.bicep", "'Microsoft.Resources.ResourceDeleteSuccess'\n", ""),
    (events_come_from_the_subscription_into_the_queue, "events.bicep", "deliveryWithResourceIdentity: {", "delivery: {"),
    (what_happens_to_store_and_vault_is_logged, "vault.bicep", "  scope: vault\n", "  scope: key\n"),
    (the_parameters_file_fits, "main.parameters.json", '"alertEmail"', '"alertMail"'),
    (the_parameters_file_fits, "main.parameters.json", '"location": { "value": "${AZURE_LOCATION}" },\n', ""),
    (the_parameters_file_fits, "main.parameters.json", '"value": 2557', '"value": 30'),
    (the_parameters_file_fits, "main.parameters.json", '"value": 2557', '"value": "2557"'),
]  # fmt: skip


@pytest.mark.parametrize(("found", "file", "old", "new"), MUTATIONS, ids=[f"{m[0].__name__}-{n}" for n, m in enumerate(MUTATIONS)])
def test_a_spoiled_template_is_found(found, file, old, new):
    assert found(changed(REAL, file, old, new)) != []


def test_every_check_is_shown_to_find_something():
    assert {function.__name__ for function in CHECKS} == {mutation[0].__name__ for mutation in MUTATIONS}


def test_one_more_assignment_or_setting_or_rule_is_found():
    more = (
        f"\nresource more '{ASSIGNMENT}@2022-04-01' = {{\n  scope: evidence\n  name: guid(evidence.id, 'more')\n"
        "  properties: { roleDefinitionId: roles.keeper, principalId: appPrincipalId, principalType: 'ServicePrincipal' }\n}\n"
    )
    assert rights_are_these_and_no_others(Templates({**REAL.files, "access.bicep": REAL.files["access.bicep"] + more}))
    assert settings_are_those_that_the_code_reads(
        changed(REAL, "app.bicep", "    EVIDENCE_STORE: store", "    EVIDENCE_MORE: 'x'\n    EVIDENCE_STORE: store")
    )


# -- what is written from the code --------------------------------------------------------------------------------------


def script(name):
    """A script of this project, as a module."""
    loader = SourceFileLoader(name.replace("-", "_"), str(ROOT / "scripts" / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def test_roles_and_alarms_are_up_to_date():
    stale = [path for path, written in script("write-infra").documents().items() if (ROOT / path).read_text("utf-8") != written]
    assert not stale, "run `.venv/bin/python scripts/write-infra`"


def test_a_new_endpoint_or_alarm_makes_them_stale(monkeypatch):
    module = script("write-infra")
    monkeypatch.setattr(module, "ENDPOINTS", ENDPOINTS[1:])
    monkeypatch.setattr(module, "RULES", alarms.RULES[1:])
    assert all((ROOT / path).read_text("utf-8") != written for path, written in module.documents().items())


def test_every_alarm_has_its_rule_and_one_line_of_meaning():
    constants = {value for name, value in vars(alarms).items() if name.isupper() and isinstance(value, str)}
    assert {rule.id for rule in alarms.RULES} == constants
    assert all(re.fullmatch(r"EVIDENCE(-[A-Z]+)+", id_) for id_ in constants)
    assert all(rule.meaning.endswith(".") and "\n" not in rule.meaning and 0 <= rule.severity <= 3 for rule in alarms.RULES)


# -- files beside the templates -----------------------------------------------------------------------------------------


def test_azd_finds_template_and_app():
    found = yaml.safe_load((ROOT / "azure.yaml").read_text())
    assert found["infra"] == {"provider": "bicep", "path": "infra", "module": "main"}
    ((service, held),) = found["services"].items()
    assert held == {"project": ".", "language": "python", "host": "function"}
    assert f"'azd-service-name': '{service}'" in REAL.files["app.bicep"] and "'azd-env-name': environmentName" in REAL.files["main.bicep"]
    assert "targetScope = 'subscription'" in REAL.files["main.bicep"]


def test_host_json_says_what_it_must():
    host = json.loads((ROOT / "host.json").read_text())
    queues = host["extensions"]["queues"]
    assert host["version"] == "2.0" and re.fullmatch(r"\d\d:\d\d:\d\d", host["functionTimeout"])
    assert host["extensionBundle"] == {"id": "Microsoft.Azure.Functions.ExtensionBundle", "version": "[4.0.0, 5.0.0)"}
    assert 1 <= queues["newBatchThreshold"] < queues["batchSize"] <= 32 and queues["maxDequeueCount"] > 1
    assert queues["visibilityTimeout"] > "00:00:00", "five failures would be over in a moment"
    assert queues["messageEncoding"] == "base64", "what Event Grid and the app send"
    assert "retry" not in host, "timers run again by themselves, and queues have settings of their own"


def test_no_line_that_an_alert_looks_for_is_sampled_away():
    logging = json.loads((ROOT / "host.json").read_text())["logging"]
    assert "Trace" in logging["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";")
    assert logging["logLevel"]["Host.Results"] == "Information", "the rule on silence looks for requests"
    assert set(logging["logLevel"].values()) <= {"Information", "Warning"}, "alarms are warnings and errors"


def test_every_line_of_host_json_is_explained():
    def keys(value):
        for key, held in value.items():
            yield key
            if isinstance(held, dict):
                yield from keys(held)

    explained = (ROOT / "docs" / "host.md").read_text()
    assert [key for key in keys(json.loads((ROOT / "host.json").read_text())) if f"`{key}`" not in explained] == []


def ignored(path):
    """Whether .funcignore leaves a path out, as git would read it."""
    parts = path.split("/")
    for line in (ROOT / ".funcignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        folder, pattern = pattern.endswith("/"), pattern.rstrip("/")
        if any(fnmatch.fnmatch(part, pattern) for part in (parts[:-1] if folder else parts)):
            return True
    return False


def test_the_package_holds_the_app_and_nothing_else():
    kept = [
        "function_app.py",
        "host.json",
        "requirements.txt",
        "functions/collect.py",
        "shared/cli.py",
        "shared/judge/catalogue/controls.toml",
    ]
    assert [path for path in kept if ignored(path)] == []
    left = [
        "tests/test_infra.py",
        "infra/main.bicep",
        "infra/local/server.py",
        ".venv/bin/python",
        ".git/config",
        "local.settings.json",
        "docs/deploy.md",
    ]
    left += [
        "evidence-store/evidence/log/x",
        "evidence-store.key.pem",
        "node_modules/x/y.js",
        "build/demo/report.html",
        "scripts/write-infra",
        "README.md",
    ]
    assert [path for path in left if not ignored(path)] == []
    shipped = [path for path in (ROOT / "shared").rglob("*") if path.suffix in (".py", ".toml", ".csv", ".jinja", ".css", ".js", ".txt")]
    assert [path for path in shipped if ignored(str(path.relative_to(ROOT)))] == []


def test_the_sample_of_local_settings_works_and_holds_no_secret():
    values = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    found = settings.read(values)
    assert found.cloud == "loopback" and found.schedule
    for name, value in values.items():
        assert not re.search(r"AccountKey|SharedAccess|sig=|PRIVATE KEY", value), name


def test_app_roles_are_those_that_the_code_asks_for():
    declared = {role["value"] for role in json.loads(REAL.files["app-roles.json"])}
    asked = set(re.findall(r'"(Evidence\.\w+)"', (ROOT / "functions" / "access.py").read_text()))
    assert declared == asked == {"Evidence.Reader", "Evidence.Operator", "Evidence.Auditor"}


def test_the_operator_is_told_of_everything():
    told = (ROOT / "docs" / "deploy.md").read_text()
    assert [rule.id for rule in alarms.RULES if f"`{rule.id}`" not in told] == []
    parameters = [each.name for each in REAL.of("param", "main.bicep")]
    assert [name for name in parameters if f"`{name}`" not in told] == []


@pytest.mark.parametrize("name", ["cost", "scale"])
def test_the_figures_of_what_it_costs_and_how_far_it_goes_are_those_of_the_arithmetic(name):
    page = (ROOT / "docs" / f"{name}.md").read_text()
    assert page == script(name).document(page), f"run scripts/{name} --write"


def test_the_tables_of_scale_come_from_what_was_measured(monkeypatch):
    scale = script("scale")
    before = scale.document((ROOT / "docs" / "scale.md").read_text())
    scale.MEASURED["triggers"]["unchanged"]["seal"]["core"] *= 2
    assert scale.document(before) != before
    assert scale.collect_s(30_000, 1)[1] == "Azure" and scale.collect_s(30_000, 1)[0] > 4 * 3600


def test_the_readme_says_what_it_costs():
    said = re.search(
        r"some (\d+) dollars a month for 10 accounts, (\d+) for 1,000 and ([\d,]+) for 100,000, after a year",
        (ROOT / "README.md").read_text(),
    )
    costs = script("cost")
    for figure, accounts in zip(said.groups(), costs.SIZES, strict=True):
        assert float(figure.replace(",", "")) == pytest.approx(sum(costs.monthly(accounts, 12).values()), rel=0.1)


# -- the real compiler --------------------------------------------------------------------------------------------------


def compiler():
    """The command that compiles Bicep, where there is one."""
    if shutil.which("bicep"):
        return ["bicep", "build"]
    if shutil.which("az") and subprocess.run(["az", "bicep", "version"], capture_output=True, check=False).returncode == 0:
        return ["az", "bicep", "build", "--file"]
    return None


@pytest.mark.parametrize("file", ["main.bicep", "reader.bicep", "inventory.bicep", "events.bicep"])
def test_the_real_compiler_takes_it(file):
    command = compiler()
    if command is None:
        warnings.warn(f"NO BICEP COMPILER ON THIS MACHINE: {file} is checked for syntax and names, not for types", stacklevel=1)
        pytest.skip("needs `bicep`, or `az bicep`, on PATH: types of resources and properties are not checked without it")
    done = subprocess.run([*command, str(ROOT / "infra" / file), "--stdout"], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "Warning BCP" not in done.stderr, done.stderr


def test_properties_of_an_object_are_read_in_order():
    root = Templates({"x.bicep": "var x = {\n  a: 1 // why\n  'b': '${y}-z'\n}\nparam y string\n"})
    assert [key for key, _ in properties(root.of("var")[0].body)] == ["a", "b"]
    assert root.values(root.of("var")[0]) == [{"a": 1, "b": "${y}-z"}]
