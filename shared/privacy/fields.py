"""Which values of Azure's answers are personal (committed) and which are secret (withheld): the table, and how a key is looked up in it.

Personal values depend on the kind of answer; secrets do not. Keys are compared without regard to case, secret ones without
`_`, `-` and spaces too (`api-key`, `apiKey`, `API_KEY`), and count at any depth: a property that Azure adds tomorrow is met
by its name, not by its place. What a value must look like to be a secret under any name is in `shared.privacy.patterns`.

Where customers write freely (the data plane, logs), only what `shared.privacy.allowed` lists is kept at all.

Kept in the clear, on purpose:
  - object, principal, tenant and client ids (GUIDs): pseudonyms already, and who holds which right is judged by them;
  - the `condition` of a role assignment: it limits the right that is judged, and names resources (an address in it is committed);
  - `networkAcls.ipRules`: which addresses may reach the account is what is judged, and they are the organisation's;
  - names and ids of resources: they are what the evidence is about, and what every record is found by;
  - names of tags (their values are committed).
Never touched are `null`, `true`, `false`, `""`, `{}` and `[]`: they say something about Azure and nothing about anybody.

Sources: the models of azure-mgmt-cognitiveservices 14.1.0 (`_models_py3.py`), called SDK below; recorded answers of 2021-2026
(cloud-custodian's and azure-cli's public recordings); Azure Monitor's activity log schema; the data plane specification 2024-10-21.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

ANY = "*"
_CONNECTIONS = ("connections", "projectConnections")
_CATALOGUES = ("locations", "models")
"""Kinds whose texts are all Azure's own."""
_ACTIVITY = "the activity log schema"
ACTIVITY = ("activityLog", "activityLogInsights", "activityLogAuthorization")
"""Questions to the Activity Log."""
EVENT = "resourceEvent"
"""An event that Event Grid sends, of a resource of Azure: no question, but screened like an answer."""
_CLAIMED = (*ACTIVITY, EVENT)
"""Where the claims of a caller's token stand, one by one."""
LOGS = ("resourceLogDeletions", "resourceLogOperations")
"""Questions to Log Analytics."""
DATA_PLANE = (
    "files", "fineTuningJobs", "fineTuningEvents", "servedModels", "batches", "vectorStores", "vectorStoreFiles", "assistants", "containers",
)  # fmt: skip
"""Questions to an account's own endpoint. What may stay of their answers at all is in `shared.privacy.allowed`."""
_DATA_PLANE = "the data plane specification 2024-10-21"


@dataclass(frozen=True, slots=True)
class Field:
    """One row: the value of key `name` is personal in answers of `kinds`."""

    name: str
    why: str
    source: str
    kinds: tuple[str, ...] = (ANY,)
    not_kinds: tuple[str, ...] = ()
    members: bool = False
    """The value is an object whose member values are committed one by one, its keys kept. Any other value is committed whole."""
    keep: frozenset[str] = frozenset()
    """Members (lower-cased) that stay: Azure's own words."""
    usual: bool = False
    """Stands in nearly every answer: searched for first."""


PERSONAL: tuple[Field, ...] = (
    # Who did it
    Field("createdBy", "the person who created the resource, by e-mail address", "SDK SystemData; role assignments", usual=True),
    Field("lastModifiedBy", "the person who changed it last, by e-mail address", "SDK SystemData", usual=True),
    Field("updatedBy", "the person who changed it last", "role assignments 2022-04-01"),
    Field("caller", "the person who made the call, by user name", _ACTIVITY),
    Field("claims", "the caller's token: name, user name, address, device (of the Activity Log and of events, what `shared.privacy.allowed` lists stays)",
          _ACTIVITY, not_kinds=_CLAIMED),
    Field("callerIpAddress", "where the caller was", "resource logs"),
    Field("clientIpAddress", "where the caller was", _ACTIVITY),
    Field("ipaddr", "where the caller was", _ACTIVITY),
    Field("httpRequest", "holds the caller's address; a text of JSON in the AzureActivity table", _ACTIVITY,
          members=True, keep=frozenset(("clientrequestid", "method", "uri", "url"))),
    Field("requestbody", "what the caller sent, as a text of JSON", _ACTIVITY, kinds=_CLAIMED),
    Field("responseBody", "what the caller received, as a text of JSON", _ACTIVITY, kinds=_CLAIMED),
    Field("statusMessage", "free text, quotes names", _ACTIVITY, kinds=_CLAIMED),
    # Who somebody is
    Field("upn", "user name", _ACTIVITY),
    Field("userPrincipalName", "user name", "Microsoft Graph's word for it"),
    Field("principalName", "user name", "role assignments of older versions"),
    Field("signInName", "user name", "role assignments of older versions"),
    Field("username", "user name", "SDK ConnectionUsernamePassword"),
    Field("email", "e-mail address", "role assignments of older versions"),
    Field("emailAddress", "e-mail address", "classic administrators"),
    Field("mail", "e-mail address", "Microsoft Graph's word for it"),
    Field("givenName", "name of a person", _ACTIVITY),
    Field("surname", "name of a person", _ACTIVITY),
    Field("sharedUserList", "the people a connection is shared with (an empty list stays, and says nobody)", "SDK ConnectionPropertiesV2"),
    Field("superUser", "the owner of a service, by name", "SDK ApiProperties"),
    Field("name", "name of a person", _ACTIVITY, kinds=_CLAIMED),
    Field("unique_name", "user name", _ACTIVITY, kinds=_CLAIMED),
    Field("preferred_username", "user name", "claims of tokens of version 2", kinds=_CLAIMED),
    Field("given_name", "name of a person", "claims of tokens", kinds=_CLAIMED),
    Field("family_name", "name of a person", "claims of tokens", kinds=_CLAIMED),
    Field("onprem_sid", "an account of a person, in their own directory", _ACTIVITY, kinds=_CLAIMED),
    Field("puid", "an account of a person", _ACTIVITY, kinds=_CLAIMED),
    *(Field(f"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/{claim}", "name or address of a person", _ACTIVITY, kinds=_CLAIMED)
      for claim in ("name", "upn", "surname", "givenname", "emailaddress", "nameidentifier")),
    # What somebody wrote
    Field("tags", "tag values name owners, teams and e-mail addresses; the names of the tags stay", "recorded answers (Owner: …)",
          members=True, usual=True),
    Field("description", "free text", "SDK projects, blocklists, private endpoints; role assignments", not_kinds=_CATALOGUES),
    Field("displayName", "free text; subscriptions, too, are named after people, and are judged by their id",
          "SDK projects; subscriptions 2022-12-01", not_kinds=_CATALOGUES),
    Field("friendlyName", "free text", "SDK connections of older versions"),
    Field("message", "free text of errors, quotes names", "SDK ErrorDetail", not_kinds=(*DATA_PLANE, *LOGS)),
    Field("metadata", "whatever a person wrote beside a connection; Azure's own entries stay", "SDK ConnectionPropertiesV2",
          kinds=_CONNECTIONS, members=True, keep=frozenset((
              "apitype", "apiversion", "deploymentapiversion", "inferenceapiversion", "resourceid", "location", "kind", "type",
              "accountname", "containername", "audience",
          ))),
    # What somebody uploaded and named (data plane)
    Field("filename", "file names name people, customers and cases", _DATA_PLANE, usual=True),
    Field("user", "whoever an application says its user is", _DATA_PLANE, kinds=DATA_PLANE),
    Field("user_provided_suffix", "free text", _DATA_PLANE, kinds=("fineTuningJobs",)),
    Field("suffix", "free text", _DATA_PLANE, kinds=("fineTuningJobs",)),
    Field("name", "free text", _DATA_PLANE, kinds=("vectorStores", "containers")),
    Field("input_blob", "address of a file, with its name", _DATA_PLANE, kinds=("batches",)),
    Field("output_blob", "address of a file, with its name", _DATA_PLANE, kinds=("batches",)),
    Field("error_blob", "address of a file, with its name", _DATA_PLANE, kinds=("batches",)),
)

SECRET_NAMES: dict[str, str] = {
    "key1": "SDK ApiKeys, never asked for",
    "key2": "SDK ApiKeys, never asked for",
    "keys": "SDK CustomKeys",
    "pat": "SDK ConnectionPersonalAccessToken",
    "pwd": "connection strings",
    "sas": "SDK ConnectionSharedAccessSignature",
    "accesskeyid": "SDK ConnectionAccessKey",
    "secrets": "connections",
    "connectionstrings": "app settings",
    "sharedaccesssignature": "storage",
    "sharedaccesskeys": "Event Hubs",
    "migrationtoken": "SDK AccountProperties: may authorise a migration, and proves nothing",
}
"""Whole names that are secret, as compared (see `plain`), each with its source."""

SECRET_ENDINGS: tuple[str, ...] = (
    "password", "passwd", "passphrase", "secret", "secretvalue", "secretkey", "credential", "credentials", "clientassertion",
    "connectionstring", "accesskey", "accountkey", "apikey", "sharedkey", "primarykey", "secondarykey", "privatekey",
    "subscriptionkey", "masterkey", "functionkey", "hostkey", "signingkey", "endpointkey", "storagekey",
    "accesstoken", "refreshtoken", "idtoken", "sastoken", "sasurl", "sasuri", "securitytoken", "developertoken", "bearertoken", "authtoken",
)
"""Endings of names that are secret: `eventHubConnectionString`, `qnaAzureSearchEndpointKey` (SDK ApiProperties), `clientSecret`, …

`keyName`, `keyVersion`, `keyVaultUri`, `keySource` end otherwise; bare `token` is no ending (`maxOutputToken`, an endpoint called `Token`).
"""

RATE_LIMIT_SIBLINGS = frozenset(("renewalPeriod", "count", "minCount", "matchPatterns"))
"""Beside one of these, `key` names a rate limit (SDK ThrottlingRule: `callRateLimit.rules[]`, `rateLimits[]`) and stays."""

Does = Literal["commit", "members", "withhold", "key", "like-key"]


class Rule(NamedTuple):
    """What becomes of the value of a key.

    `commit` and `withhold` replace it; `members` commits the values of its members, but those named in `keep`; `key` withholds it
    unless it names a rate limit; `like-key` withholds it where it is shaped like a key (`shared.privacy.patterns`).
    """

    does: Does
    keep: frozenset[str] = frozenset()


_COMMIT, _WITHHOLD, _KEY, _LIKE_KEY = Rule("commit"), Rule("withhold"), Rule("key"), Rule("like-key")


def plain(name: str) -> str:
    """A key as it is compared with the names of secrets."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def secret_rule(name: str) -> Rule | None:
    """The rule for a key in any kind of answer, secrets only."""
    bare = plain(name)
    if bare == "key":
        return _KEY
    if bare in SECRET_NAMES or bare.endswith(SECRET_ENDINGS):
        return _WITHHOLD
    return _LIKE_KEY if bare.rstrip("0123456789").endswith(("key", "keys", "token")) else None


class Rules(dict[str, Rule | None]):
    """The rule of each key of one kind of answer, worked out when a key is first seen. A secret is one before it is personal."""

    _MOST = 20_000  # keys remembered: far more than Azure has, but its answers do not decide how much memory we use

    def __init__(self, kind: str, personal: bool) -> None:
        super().__init__()
        rows = [row for row in PERSONAL if personal and (ANY in row.kinds or kind in row.kinds) and kind not in row.not_kinds]
        self._personal = {row.name.lower(): Rule("members", row.keep) if row.members else _COMMIT for row in rows}
        self.usual = tuple(row.name for row in rows if row.usual)
        """Spellings to search for before anything else: a matter of speed alone."""
        self.harmless: set[str] = set()
        """Keys seen that have no rule: most of them, and quicker to tell than by their rule."""

    def __missing__(self, name: str) -> Rule | None:
        if len(self) >= self._MOST:
            self.clear()
            self.harmless.clear()
        rule = secret_rule(name)
        if rule is None or rule.does == "like-key":
            rule = self._personal.get(name.lower(), rule)
        self[name] = rule
        if rule is None:
            self.harmless.add(name)
        return rule

    def member(self, under: Rule, name: str) -> Rule | None:
        """The rule of `name` as a member of an object that stands under a `members` rule."""
        rule = self[name]
        if rule is not None and rule.does in ("withhold", "key"):
            return _WITHHOLD  # what a person called a key is one, whatever stands beside it
        return rule if name.lower() in under.keep else _COMMIT


@lru_cache(maxsize=256)
def rules(kind: str, personal: bool) -> Rules:
    """The rules for answers of `kind`: all of them, or (`personal` false) those of secrets alone."""
    return Rules(kind, personal)
