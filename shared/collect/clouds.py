"""The clouds: where each one's resource manager, login and logs are, and which hosts an account's own endpoint, or a vault, may be on.

An account names its endpoint itself. A token, or even a handshake, goes only to a host that belongs to the chosen cloud: an answer
that names another one is recorded as `foreign-host`, and nothing is sent there. The same of the vault that holds the signing key.

Sources: ARM endpoints and scopes, `get_arm_endpoints` of azure-mgmt-core; authorities, azure-identity's AzureAuthorityHosts; logs,
LogsQueryAudience of the query SDK for .NET; data-plane scopes, the audiences of the SDKs for Azure OpenAI and Form Recognizer; account
hosts, recorded answers (public) and the allow-lists of Microsoft's own tools (usgov, china); vaults, "About keys, secrets, and
certificates" (DNS suffixes for object identifiers) and the Managed HSM's page of the same; blob hosts, azure-cli's
cloud.py (`storage_endpoint`), and for accounts with a DNS zone learn.microsoft.com/azure/storage/common/storage-account-overview.
"""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit


@dataclass(frozen=True, slots=True)
class Cloud:
    """One cloud. Endpoints have no trailing slash."""

    name: str
    arm: str
    """Azure Resource Manager. Of `loopback` it is a setting, as is `logs`."""
    scope: str
    """Of tokens for ARM."""
    authority: str
    """Host that logs in."""
    logs: str
    """The Log Analytics query API."""
    logs_scope: str
    data_scope: str
    """Of tokens for an account's own endpoint."""
    account_domains: tuple[str, ...]
    """What the host of an account's endpoint ends with."""
    vault_domains: tuple[str, ...] = ()
    """What the host of a Key Vault, or of a Managed HSM, ends with."""
    blob_domains: tuple[str, ...] = ()
    """What the host of a storage account's blob service ends with."""


CLOUDS: dict[str, Cloud] = {
    "public": Cloud(
        name="public",
        arm="https://management.azure.com",
        scope="https://management.azure.com/.default",
        authority="login.microsoftonline.com",
        logs="https://api.loganalytics.io",
        logs_scope="https://api.loganalytics.io/.default",
        data_scope="https://cognitiveservices.azure.com/.default",
        account_domains=("openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com", "api.cognitive.microsoft.com"),
        vault_domains=("vault.azure.net", "managedhsm.azure.net"),
        blob_domains=("blob.core.windows.net", "blob.storage.azure.net"),
    ),
    "usgov": Cloud(
        name="usgov",
        arm="https://management.usgovcloudapi.net",
        scope="https://management.core.usgovcloudapi.net/.default",
        authority="login.microsoftonline.us",
        logs="https://api.loganalytics.us",
        logs_scope="https://api.loganalytics.us/.default",
        data_scope="https://cognitiveservices.azure.us/.default",
        account_domains=("openai.azure.us", "cognitiveservices.azure.us", "services.ai.azure.us", "api.cognitive.microsoft.us"),
        vault_domains=("vault.usgovcloudapi.net", "managedhsm.usgovcloudapi.net"),
        blob_domains=("blob.core.usgovcloudapi.net",),
    ),
    "china": Cloud(
        name="china",
        arm="https://management.chinacloudapi.cn",
        scope="https://management.chinacloudapi.cn/.default",
        authority="login.chinacloudapi.cn",
        logs="https://api.loganalytics.azure.cn",
        logs_scope="https://api.loganalytics.azure.cn/.default",
        data_scope="https://cognitiveservices.azure.cn/.default",
        account_domains=("openai.azure.cn", "cognitiveservices.azure.cn", "services.ai.azure.cn", "api.cognitive.azure.cn"),
        vault_domains=("vault.azure.cn", "managedhsm.azure.cn"),
        blob_domains=("blob.core.chinacloudapi.cn",),
    ),
    "loopback": Cloud(
        name="loopback", arm="", scope="", authority="", logs="", logs_scope="", data_scope="", account_domains=(),
    ),
}

LOOPBACK_HOSTS = frozenset(("127.0.0.1", "::1", "localhost"))
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}")
_STORAGE_NAME = re.compile(r"[a-z0-9]{3,24}(?:\.z[0-9]{1,2})?")
_STRANGE = re.compile(r"[^\x21-\x7e]|[\\@%]")
_PORTS = {"https": 443, "http": 80}


def allowed(host: str, cloud: str) -> bool:
    """Whether `host` (a bare name or address) can be an account's endpoint in `cloud`: one or more labels before one of its domains.

    Raises:
        KeyError: there is no such cloud.
    """
    domains = CLOUDS[cloud].account_domains
    bare = host.lower()
    if not host.isascii() or len(host) > 253:
        return False
    if cloud == "loopback":
        return bare in LOOPBACK_HOSTS
    return _NAME.fullmatch(bare) is not None and any(bare.endswith(f".{domain}") for domain in domains)


def account_address(url: str, cloud: str) -> tuple[str, int] | None:
    """Host (lower case) and port of an account's endpoint; None where `url` is not surely one in `cloud`.

    In a real cloud that is https, the port 443, and nothing before or after the host that a reader could take for one; on
    loopback any port, and http too.

    Raises:
        KeyError: there is no such cloud.
    """
    parts = _split(url)
    if parts is None or parts.hostname is None or not allowed(parts.hostname, cloud):
        return None
    port = parts.port or _PORTS[parts.scheme]
    if cloud != "loopback" and (parts.scheme != "https" or port != 443):
        return None
    return parts.hostname, port


def account_base(url: str, cloud: str) -> str | None:
    """Where the data plane of an account answers, without a slash at the end; None where `url` is not surely its endpoint in `cloud`.

    Nothing may follow the host, but on loopback, where many accounts share one.

    Raises:
        KeyError: there is no such cloud.
    """
    parts = _split(url)
    if parts is None or account_address(url, cloud) is None or parts.query or parts.fragment:
        return None
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}" if not path or cloud == "loopback" else None


@dataclass(frozen=True, slots=True)
class VaultAddress:
    """A key or a secret in a vault."""

    vault: str
    """Scheme and host, without a slash at the end."""
    sort: str
    """`keys` or `secrets`."""
    name: str
    version: str | None = None
    """None: whichever is current."""

    def __str__(self) -> str:
        return f"{self.vault}/{self.sort}/{self.name}{f'/{self.version}' if self.version else ''}"


_VAULT = r"(?P<host>https://[a-z0-9-]{1,127}\.(?:%s)(?=[:/]))(?::443)?"
_LOOPBACK_VAULT = r"(?P<host>http://127\.0\.0\.1:[0-9]{1,5})"
_IN_VAULT = r"/(?P<sort>keys|secrets)/(?P<name>[0-9a-z-]{1,127})(?:/(?P<version>[0-9a-f]{32}))?/?"


def vault_address(url: str, cloud: str) -> VaultAddress | None:
    """What `url` names in a vault of `cloud`; None where it is not surely there, and no token may go to it.

    One pattern for the whole of it, and no parser of URLs: what those pass over, others take for a host.

    Raises:
        KeyError: there is no such cloud.
    """
    domains = "|".join(map(re.escape, CLOUDS[cloud].vault_domains))
    found = re.fullmatch((_LOOPBACK_VAULT if cloud == "loopback" else _VAULT % domains) + _IN_VAULT, url, re.ASCII | re.IGNORECASE)
    if found is None:
        return None
    return VaultAddress(found["host"].lower(), found["sort"].lower(), found["name"], (found["version"] or "").lower() or None)


def blob_service(url: str, cloud: str) -> str | None:
    """`https://<host>` of the blob service that `url` names; None where it is not surely one of a storage account in `cloud`.

    Nothing may follow the host: a path would be a container, a query a signature.

    Raises:
        KeyError: there is no such cloud.
    """
    parts = _split(url)
    if parts is None or parts.scheme != "https" or parts.port not in (None, 443):
        return None
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return None
    host = parts.hostname or ""
    names = (host.removesuffix(f".{domain}") for domain in CLOUDS[cloud].blob_domains if host.endswith(f".{domain}"))
    return f"https://{host}" if any(_STORAGE_NAME.fullmatch(name) for name in names) else None


def _split(url: str) -> SplitResult | None:
    """The parts of an http or https URL; None for what readers of URLs do not agree about (spaces, backslashes, `@`, escapes, …)."""
    if _STRANGE.search(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or port == 0:
        return None
    # The authority is exactly host[:port]: urlsplit is lenient about what else stands there
    bare = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return parts if parts.netloc.lower() in (bare, f"{bare}:{port}") else None
