"""What an organisation can expect: every key of a profile, its type, its default and what it means.

The defaults are what holds without a profile. They follow the provider's own statements where these say what should hold, and
leave open (`any`) what only the organisation can decide; a finding that rests on a default says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.judge.catalogue.exhibits import exhibit_kinds
from shared.judge.data import table
from shared.judge.location import DEFINITIONS, SCOPES, ZONES, known_geographies

Value = str | bool | int | tuple[str, ...] | tuple[tuple[str, str], ...]
"""A value in force: hashable, and the same after a round trip through JSON."""

ANY: Final = "any"
"""No expectation: the finding states the fact and is not-applicable."""

HARMS: Final = ("hate", "selfharm", "sexual", "violence")
THRESHOLDS: Final = ("low", "medium", "high")
"""Severity at which blocking starts, strictest first."""
TLS_VERSIONS: Final = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
LOG_CATEGORIES: Final = ("Audit", "RequestResponse", "Trace", "AzureOpenAIRequestUsage", "ManagedNetworkEvent")


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a profile: `[section] name`."""

    section: str
    name: str
    sort: str
    """choice · choices · names · flag · number · schedule · thresholds"""
    default: Value
    means: str
    options: tuple[str, ...] = ()
    """What may be chosen; of `names`, the names known (others are accepted unless they look like a misspelling)."""
    or_any: bool = False
    """Whether the word `any` may stand instead of a list."""
    may_be_empty: bool = False
    everywhere: bool = False
    """Judged once for the sweep: cannot differ by resource."""
    least: int = 0

    @property
    def path(self) -> str:
        """`section.name`: how the key is written in a sentence and in the sealed profile."""
        return f"{self.section}.{self.name}"


def _roles() -> tuple[str, ...]:
    return tuple(sorted(role["name"] for role in table("roles")["roles"].values()))


EXHIBITS: Final = tuple(sorted(kind.kind for kind in exhibit_kinds() if kind.control is not None))
"""Kinds of documents that can be wanted on file."""

KEYS: Final[tuple[Key, ...]] = (
    Key("monitoring", "content_logging", "choice", "off", "storage of prompts for abuse monitoring", ("off", ANY)),
    Key("monitoring", "monitoring_copy", "choice", "off", "a copy of monitoring data in storage of your own", ("off", ANY)),
    Key("monitoring", "defender_for_ai", "choice", ANY, "threat protection that reads prompts", ("enabled", "disabled", ANY)),
    Key("location", "geographies", "names", ANY, "geographies where accounts may be", known_geographies(), or_any=True),
    Key("location", "eea", "flag", False, "accounts must be in the European Economic Area"),
    Key("location", "processing_scopes", "choices", ("data-zone", "geography"), "where deployments may be processed", SCOPES),
    Key("location", "batch_scopes", "choices", ("data-zone", "geography"), "where batches may be processed", SCOPES),
    Key("location", "data_zones", "choices", ANY, "data zones where processing may be", ZONES, or_any=True),
    Key("location", "data_zone_definition", "choice", "both", "whose definition of a data zone counts", (*DEFINITIONS, "both")),
    Key("location", "deploymentless_inference", "choice", "off", "inference without a deployment", ("off", ANY)),
    Key("encryption", "key_source", "choice", ANY, "whose key encrypts data at rest", ("customer", "microsoft", ANY)),
    Key("encryption", "key_version", "choice", ANY, "whether a customer key's version is fixed", ("pinned", "rotating", ANY)),
    Key("network", "public_access", "choice", "restricted", "reachability from the internet", ("disabled", "restricted", ANY)),
    Key("network", "private_endpoint", "choice", ANY, "a private path to the account", ("required", ANY)),
    Key("network", "outbound", "choice", ANY, "connections that the account opens", ("restricted", ANY)),
    Key("network", "perimeter", "choice", ANY, "a network security perimeter around the account", ("enforced", ANY)),
    Key("tls", "minimum", "choice", "TLSv1.2", "the oldest TLS version an endpoint may accept", TLS_VERSIONS[1:]),
    Key("access", "local_auth", "choice", "disabled", "account keys instead of identities", ("disabled", ANY)),
    Key("access", "roles_allowed", "names", ANY, "roles that may reach data, keys or rights", _roles(), or_any=True, may_be_empty=True),
    Key("access", "key_listings", "choice", "none", "listings of an account's keys", ("none", ANY)),
    Key("filters", "categories", "choices", HARMS, "harms that must be filtered", HARMS, may_be_empty=True),
    Key("filters", "threshold", "choice", "medium", "severity at which blocking must start at the latest", THRESHOLDS),
    Key("filters", "thresholds", "thresholds", (), "the same for single harms", HARMS),
    Key("filters", "mode", "choice", "blocking", "whether text may be released before it is filtered", ("blocking", ANY)),
    Key("filters", "prompt_shields", "choices", ("jailbreak",), "attacks that prompts are screened for", ("indirect-attack", "jailbreak"),
        may_be_empty=True),
    Key("filters", "protected_material", "choices", ("text",), "material that completions are screened for", ("code", "text"),
        may_be_empty=True),
    Key("logging", "categories", "choices", ("RequestResponse",), "resource logs that must be kept", LOG_CATEGORIES, may_be_empty=True),
    Key("logging", "activity_log_export", "choice", "required", "a copy of the Activity Log beyond its 90 days", ("required", ANY)),
    Key("storage", "stored_completions", "choice", "disabled", "input and output pairs kept by the service", ("disabled", ANY)),
    Key("storage", "agent_storage", "choice", ANY, "where agents keep threads, files and vectors", ("own", ANY)),
    Key("storage", "files_max_age_days", "number", 0, "how old an uploaded file may be; 0 for any age"),
    Key("storage", "vector_stores_max_age_days", "number", 0, "how old a vector store may be; 0 for any age"),
    Key("deletions", "logged", "choice", "required", "that a log tells of what is gone", ("required", ANY)),
    Key("deletions", "models_without_data", "choice", ANY, "fine-tuned models whose training data is gone", ("forbidden", ANY)),
    Key("preview", "use", "choice", "forbidden", "models and interfaces in preview", ("forbidden", "allowed")),
    Key("collection", "schedule", "schedule", "", "when sweeps are due (NCRONTAB, six fields)", everywhere=True),
    Key("collection", "worm", "choice", "locked", "write protection of the evidence", ("locked", ANY), everywhere=True),
    Key("collection", "retention_days", "number", 0, "how long evidence must be write-protected from its sealing", everywhere=True),
    Key("collection", "clock_skew_seconds", "number", 60, "how far our clock may be from Azure's", everywhere=True, least=1),
    Key("exhibits", "wanted", "choices", EXHIBITS, "documents that must be on file and in force", EXHIBITS, may_be_empty=True, everywhere=True),
)  # fmt: skip

BY_PATH: Final[Mapping[str, Key]] = {key.path: key for key in KEYS}
SECTIONS: Final = tuple(dict.fromkeys(key.section for key in KEYS))
DEFAULTS: Final[Mapping[str, Value]] = {key.path: key.default for key in KEYS}


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of one resource: every key has a value, and says where the value came from."""

    values: Mapping[str, Value]
    sources: Mapping[str, str]
    """By path, for what a profile declares: `profile`, `subscription`, `resource group`, `resource`."""

    def word(self, path: str) -> str:
        """A choice."""
        return str(self.values[path])

    def flag(self, path: str) -> bool:
        """A yes or no."""
        return self.values[path] is True

    def number(self, path: str) -> int:
        """A whole number."""
        value = self.values[path]
        return value if isinstance(value, int) else 0

    def words(self, path: str) -> tuple[str, ...] | None:
        """A list of names; None for `any`."""
        value: Any = self.values[path]
        return None if value == ANY else value

    def threshold(self, harm: str) -> str:
        """The severity at which filtering of `harm` must start at the latest."""
        single: Any = self.values["filters.thresholds"]
        return dict(single).get(harm) or self.word("filters.threshold")

    def because(self, path: str) -> str:
        """Where the expectation comes from, for the end of a sentence."""
        source = self.sources.get(path)
        if source is None:
            return "default expectation"
        return "expected by the profile" if source == "profile" else f"expected by the profile for this {source}"
