"""The only reader of the environment: settings of the Function app, the same on the command line (DESIGN.md section 8)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.errors import Misuse

Least = Literal["high", "medium", "low", "info"]
LEAST: tuple[Least, ...] = ("high", "medium", "low", "info")
"""From which severity on something is told; those of `shared.model`, which stands beside this module."""

CLOUDS = ("public", "usgov", "china", "loopback")
_LOOPBACK_ONLY = ("EVIDENCE_ARM_ENDPOINT", "EVIDENCE_LOGS_ENDPOINT", "EVIDENCE_STORE_ENDPOINT")
_ADDRESS = re.compile(r"https?://(?:127\.0\.0\.1|\[::1\]):([0-9]{1,5})/?")
"""All that an endpoint on loopback can be. Not left to a parser of URLs: what they pass over (`@`, `\\`, a line's end), others take for a host."""

_QUEUE_SERVICE = re.compile(r"https://[a-z0-9]{3,24}\.queue\.core\.(windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)/?")
"""All that the queues can be: a token goes there."""

_ELSEWHERE = re.compile(r"https://(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~!$&'()*+=:@%/?-]{0,2000})?")
_ELSEWHERE_ON_LOOPBACK = re.compile(r"https?://(?:127\.0\.0\.1|\[::1\]):[0-9]{1,5}(?:/[A-Za-z0-9._~!$&'()*+=:@%/?-]{0,2000})?")
"""Where somebody else is who vouches for checkpoints or keeps copies: by TLS, or on this machine."""

_WITNESS = re.compile(r"([^\s+]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{20,2400}={0,2})\s+(\S+)")

_BLOB_HOST = re.compile(
    r"https://[a-z0-9]{3,24}(?:\.z[0-9]{1,2})?\.blob\.(?:core\.(?:windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)|storage\.azure\.net)(?=[:/]|$)"
    r"|http://(?:127\.0\.0\.1|\[::1\]):[0-9]{1,5}/devstoreaccount1(?=/|$)"
)
_CONTAINER = re.compile(r"/[a-z0-9](?:-?[a-z0-9]){2,62}/?")

_NAMED = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,59})=(\S+)")

SECRET_LENGTH = 16
"""Characters of the secret that signs webhooks, at least."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
"""As App Service names the host of an app (https://learn.microsoft.com/azure/app-service/reference-app-settings)."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, checked."""

    store: str
    subscriptions: tuple[str, ...] = ()
    """Lower-cased ids; empty: all that the identity sees."""
    schedule: str | None = None
    signing_key: str | None = None
    profile: str | None = None
    personal_data: str = "commit"
    cloud: str = "public"
    arm_endpoint: str | None = None
    """For cloud `loopback` only."""
    logs_endpoint: str | None = None
    """Of the Log Analytics query API, for cloud `loopback` only; None: at `arm_endpoint`."""
    workspace_id: str | None = None
    """A Log Analytics workspace that is asked about every account: ARM id or customer id. None: those that accounts name alone."""
    reads_per_second: float = 25.0
    """Per subscription; 0 means as fast as Azure allows."""
    store_endpoint: str | None = None
    """Of the store's blobs, for cloud `loopback` only: the emulator's."""
    store_id: str | None = None
    """ARM id of the storage account that holds the evidence, so that its configuration is collected as evidence; None: not told."""
    queues: str | None = None
    """URL of the queue service that holds the work; None on one machine, which needs no queues."""
    timestamp_urls: tuple[str, ...] = ()
    """RFC 3161 authorities; every checkpoint is owed a token of each."""
    witnesses: tuple[str, ...] = ()
    """Each a witness's verifier key, a space, and its URL (c2sp.org/tlog-witness)."""
    copies: tuple[str, ...] = ()
    """Where each checkpoint is copied to: URLs of blob containers in another trust domain, or of webhooks."""
    copy_secret: str | None = None
    """Signs what goes to webhooks (HMAC-SHA-256)."""
    alert_webhooks: tuple[str, ...] = ()
    """Who is told of changes: URLs of receivers of webhooks."""
    alert_secret: str | None = None
    """Signs what goes to them (HMAC-SHA-256)."""
    alert_severity: Least = "medium"
    """The least severity that they are told."""
    alert_receivers: str | None = None
    """Path of a TOML file with more receivers, each with its kind and routing (docs/alerts.md)."""
    alert_secrets: tuple[tuple[str, str], ...] = ()
    """What its `secret` names: (name, secret) each; `*` where a function app was not given them."""
    heartbeat_url: str | None = None
    """Called after each sweep while nothing is alarmed."""
    portal: str | None = None
    """Where the function app serves the portal: alerts lead there. None on one machine, where it lives as long as somebody looks."""
    second_signing_key: str | None = None
    """A second key, Ed25519, for witnesses that take no ECDSA: PEM path, or URL of a Key Vault secret that holds the PEM."""
    auditors: str = ""
    """Whose view is limited, and to what (`shared.service.limits.declared`): read when one of them asks, so that a mistake in it stops nothing else."""
    ca_file: str | None = None
    """PEM of the certificate authorities to trust, for networks that have their own."""


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        Misuse: one of them cannot be what it says; the line names it.
    """
    cloud = environment.get("EVIDENCE_CLOUD", "public").strip().lower() or "public"
    if cloud not in CLOUDS:
        raise Misuse(f"EVIDENCE_CLOUD is {cloud!r}: it must be one of {', '.join(CLOUDS)}")
    endpoints = {name: environment.get(name) or None for name in _LOOPBACK_ONLY}
    for name, endpoint in endpoints.items():
        _check_loopback(name, endpoint, cloud)
    if cloud == "loopback" and endpoints["EVIDENCE_ARM_ENDPOINT"] is None:
        raise Misuse("EVIDENCE_CLOUD is loopback: set EVIDENCE_ARM_ENDPOINT to the stand-in's address, such as http://127.0.0.1:8080")
    queues = environment.get("EvidenceQueues__queueServiceUri") or None
    if queues and not (_ADDRESS if cloud == "loopback" else _QUEUE_SERVICE).fullmatch(queues):
        expected = "http://127.0.0.1:10001" if cloud == "loopback" else "https://ACCOUNT.queue.core.windows.net"
        raise Misuse(f"EvidenceQueues__queueServiceUri is {queues!r}: expected the address of a queue service, such as {expected}")
    personal_data = environment.get("EVIDENCE_PERSONAL_DATA", "commit").strip().lower() or "commit"
    if personal_data not in ("commit", "keep"):
        raise Misuse(f"EVIDENCE_PERSONAL_DATA is {personal_data!r}: it must be commit or keep")
    return Settings(
        store=environment.get("EVIDENCE_STORE") or "./evidence-store",
        subscriptions=subscription_ids(re.split(r"[,;\s]+", environment.get("EVIDENCE_SUBSCRIPTIONS", "")), "EVIDENCE_SUBSCRIPTIONS"),
        schedule=environment.get("EVIDENCE_SCHEDULE", "").strip() or None,
        signing_key=environment.get("EVIDENCE_SIGNING_KEY") or None,
        profile=environment.get("EVIDENCE_PROFILE") or None,
        personal_data=personal_data,
        cloud=cloud,
        arm_endpoint=endpoints["EVIDENCE_ARM_ENDPOINT"],
        logs_endpoint=endpoints["EVIDENCE_LOGS_ENDPOINT"],
        workspace_id=environment.get("EVIDENCE_WORKSPACE_ID") or None,
        reads_per_second=_reads_per_second(environment.get("EVIDENCE_READS_PER_SECOND"), cloud),
        store_endpoint=endpoints["EVIDENCE_STORE_ENDPOINT"],
        store_id=environment.get("EVIDENCE_STORE_ID") or None,
        queues=queues,
        timestamp_urls=_authorities(environment.get("EVIDENCE_TSA_URL", ""), cloud),
        witnesses=_witnesses(environment.get("EVIDENCE_WITNESSES", ""), cloud),
        copies=_copies(environment.get("EVIDENCE_COPIES", ""), environment.get("EVIDENCE_COPY_SECRET", ""), cloud),
        copy_secret=environment.get("EVIDENCE_COPY_SECRET") or None,
        alert_webhooks=_alert_webhooks(environment.get("EVIDENCE_ALERT_WEBHOOKS", ""), environment.get("EVIDENCE_ALERT_SECRET", ""), cloud),
        alert_secret=environment.get("EVIDENCE_ALERT_SECRET") or None,
        alert_severity=_severity(environment.get("EVIDENCE_ALERT_SEVERITY", "")),
        alert_receivers=environment.get("EVIDENCE_ALERT_RECEIVERS") or None,
        alert_secrets=_named_secrets(environment.get("EVIDENCE_ALERT_SECRETS", "")),
        portal=f"https://{host}/api/portal/" if _HOST.fullmatch(host := environment.get("WEBSITE_HOSTNAME", "").lower()) else None,
        heartbeat_url=_elsewhere("EVIDENCE_HEARTBEAT_URL", beat, cloud) if (beat := environment.get("EVIDENCE_HEARTBEAT_URL", "").strip()) else None,
        second_signing_key=environment.get("EVIDENCE_SECOND_SIGNING_KEY") or None,
        auditors=environment.get("EVIDENCE_AUDITORS", ""),
        ca_file=environment.get("REQUESTS_CA_BUNDLE") or environment.get("SSL_CERT_FILE") or None,
    )


def _several(text: str) -> tuple[str, ...]:
    """What is listed with commas or spaces in between, each once."""
    return tuple(dict.fromkeys(part for part in re.split(r"[,\s]+", text) if part))


def is_elsewhere(url: str, cloud: str) -> bool:
    """Whether somebody else can be at an address: by https, or on loopback for the cloud of that name."""
    return (_ELSEWHERE_ON_LOOPBACK if cloud == "loopback" else _ELSEWHERE).fullmatch(url) is not None


def _elsewhere(name: str, url: str, cloud: str) -> str:
    """The address of somebody else. What follows a `?` may be a secret: it is not shown."""
    if not is_elsewhere(url, cloud):
        expected = "on 127.0.0.1 or [::1], with its port" if cloud == "loopback" else "by https: what comes back is kept for years"
        raise Misuse(f"{name}: {url.partition('?')[0][:100]!r} is not an address {expected}")
    return url


def _authorities(text: str, cloud: str) -> tuple[str, ...]:
    return tuple(_elsewhere("EVIDENCE_TSA_URL", url, cloud) for url in _several(text))


def _witnesses(text: str, cloud: str) -> tuple[str, ...]:
    found = []
    for line in filter(None, (line.strip() for line in re.split(r"[;\n]", text))):
        parts = _WITNESS.fullmatch(line)
        if parts is None:
            raise Misuse(f"EVIDENCE_WITNESSES: {line[:60]!r} is not a verifier key, a space and an address; witnesses are separated by semicolons")
        found.append(f"{parts[1]} {_elsewhere('EVIDENCE_WITNESSES', parts[2], cloud)}")
    return tuple(dict.fromkeys(found))


def is_container(url: str) -> bool:
    """Whether a place for copies is in a storage account; else it is a receiver of webhooks."""
    return _BLOB_HOST.match(url) is not None


def _copies(text: str, secret: str, cloud: str) -> tuple[str, ...]:
    found = tuple(_elsewhere("EVIDENCE_COPIES", url, cloud) for url in _several(text))
    for url in found:
        host = _BLOB_HOST.match(url)
        if host and not _CONTAINER.fullmatch(url, host.end()):
            raise Misuse(f"EVIDENCE_COPIES: {url.partition('?')[0]!r} is no container: https://ACCOUNT.blob.core.windows.net/CONTAINER and nothing more")
        if not host and len(secret) < SECRET_LENGTH:
            raise Misuse(f"EVIDENCE_COPY_SECRET is not set, or shorter than {SECRET_LENGTH} characters: it signs what goes to webhooks (EVIDENCE_COPIES)")
    return found


def _alert_webhooks(text: str, secret: str, cloud: str) -> tuple[str, ...]:
    found = tuple(_elsewhere("EVIDENCE_ALERT_WEBHOOKS", url, cloud) for url in _several(text))
    if found and len(secret) < SECRET_LENGTH:
        raise Misuse(f"EVIDENCE_ALERT_SECRET is not set, or shorter than {SECRET_LENGTH} characters: it signs alerts (EVIDENCE_ALERT_WEBHOOKS)")
    return found


def _named_secrets(text: str) -> tuple[tuple[str, str], ...]:
    if text.startswith("@Microsoft.KeyVault("):  # what a function app has in place of a secret that it may not read
        return (("*", text),)
    found = [_NAMED.fullmatch(part) for part in text.split()]
    if None in found:
        raise Misuse(f"EVIDENCE_ALERT_SECRETS: part {found.index(None) + 1} is not NAME=SECRET; they are separated by spaces or lines")
    return tuple((each[1], each[2]) for each in found if each)


def _severity(text: str) -> Least:
    found = next((name for name in LEAST if name == (text.strip().lower() or "medium")), None)
    if found is None:
        raise Misuse(f"EVIDENCE_ALERT_SEVERITY is {text!r}: it must be one of {', '.join(LEAST)}")
    return found


def own_path(text: str) -> Path:
    """The path that a person wrote; `~` is a home.

    Raises:
        Misuse: there is no such home.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise Misuse(f"{text}: nobody here has that home folder; write the path in full") from None


def subscription_ids(names: list[str] | tuple[str, ...], where: str) -> tuple[str, ...]:
    """Subscription ids, lower-cased, each once.

    Raises:
        Misuse: one is not an id.
    """
    found = []
    for name in names:
        bare = name.strip().lower().removeprefix("/subscriptions/").strip("/")
        if bare and not _GUID.fullmatch(bare):
            raise Misuse(f"{where}: {name!r} is not a subscription id (8-4-4-4-12 hexadecimal digits); `az account list` prints them")
        if bare and bare not in found:
            found.append(bare)
    return tuple(found)


def _check_loopback(name: str, endpoint: str | None, cloud: str) -> None:
    if endpoint is None:
        return
    if cloud != "loopback":
        raise Misuse(f"{name} is for EVIDENCE_CLOUD=loopback alone: unset it")
    address = _ADDRESS.fullmatch(endpoint)
    if address is None or not 0 < int(address[1]) < 65536:
        raise Misuse(f"{name} must name 127.0.0.1 or [::1] and a port, such as http://127.0.0.1:8080, not {endpoint!r}")


def _reads_per_second(text: str | None, cloud: str) -> float:
    if text is None or not text.strip():
        return 0.0 if cloud == "loopback" else 25.0
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value != 0 and not 0.01 <= value <= 10_000:
        raise Misuse(f"EVIDENCE_READS_PER_SECOND is {text!r}: it must be a number from 0.01 to 10000, or 0 for as fast as Azure allows")
    return value
