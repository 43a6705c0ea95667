"""The clouds: where each one's resource manager, login and logs are, and which hosts an account's own endpoint may be on.

An account names its endpoint itself. A token, or even a handshake, goes only to a host that belongs to the chosen cloud: an answer
that names another one is recorded as `foreign-host`, and nothing is sent there.

Sources: ARM endpoints and scopes, `get_arm_endpoints` of azure-mgmt-core; authorities, azure-identity's AzureAuthorityHosts; logs,
LogsQueryAudience of the query SDK for .NET; data-plane scopes, the audiences of the SDKs for Azure OpenAI and Form Recognizer; account
hosts, recorded answers (public) and the allow-lists of Microsoft's own tools (usgov, china).
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
    ),
    "loopback": Cloud(
        name="loopback", arm="", scope="", authority="", logs="", logs_scope="", data_scope="", account_domains=(),
    ),
}

LOOPBACK_HOSTS = frozenset(("127.0.0.1", "::1", "localhost"))
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}")
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
