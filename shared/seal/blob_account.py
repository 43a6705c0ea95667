"""The connection to a storage account: one client, its connections shared by all threads of the process.

Guarantees: no retries and no redirects of the SDK's own (`shared.seal.blob_calls` decides), a pinned api-version, time-outs. Leaves
out: whether the address may be given a token at all; that is decided where the settings are known (`shared.service.stores`).
"""

from typing import TYPE_CHECKING

import requests
from azure.core.pipeline.transport import RequestsTransport
from azure.storage.blob import BlobServiceClient
from requests.adapters import HTTPAdapter

from shared.seal.blob_calls import TIMEOUTS

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

API_VERSION = "2025-11-05"
"""Of the blob service: the newest that the emulator knows too."""

CONNECTIONS = 32
"""Kept open at most: 16 threads that collect, and those that seal and judge beside them."""

LARGEST = 60 * 1024 * 1024
"""Bytes of a blob that is written in one Put Blob; the add-only role of evidence permits no other way."""

EMULATOR_ACCOUNT = "devstoreaccount1"
_EMULATOR_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""No secret: the emulator's, the same everywhere, printed in Microsoft's documentation (storage-use-azurite)."""


def connect(
    url: str, credential: "TokenCredential", *, ca_file: str | None = None, timeouts: tuple[float, float] = TIMEOUTS
) -> BlobServiceClient:
    """A client for the account whose blob service is at `url`."""
    return _client(url, credential, _transport(ca_file, proxies=True, timeouts=timeouts))


def connect_to_emulator(endpoint: str, *, timeouts: tuple[float, float] = TIMEOUTS) -> BlobServiceClient:
    """A client for the emulator's account; `endpoint` is its blob service, `http://127.0.0.1:10000`."""
    key = {"account_name": EMULATOR_ACCOUNT, "account_key": _EMULATOR_KEY}
    return _client(f"{endpoint.rstrip('/')}/{EMULATOR_ACCOUNT}", key, _transport(None, proxies=False, timeouts=timeouts))


def _client(url: str, credential: "TokenCredential | dict[str, str]", transport: RequestsTransport) -> BlobServiceClient:
    return BlobServiceClient(
        url,
        credential=credential,
        transport=transport,
        api_version=API_VERSION,
        retry_total=0,
        permit_redirects=False,
        max_single_put_size=LARGEST,
        max_single_get_size=LARGEST,  # one request for each blob that we wrote
        max_block_size=8 * 1024 * 1024,
        user_agent="aoai-evidence",
    )


def _transport(ca_file: str | None, *, proxies: bool, timeouts: tuple[float, float]) -> RequestsTransport:
    session = requests.Session()
    session.trust_env = proxies
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=CONNECTIONS))
    connect_timeout, read_timeout = timeouts
    return RequestsTransport(
        session=session,
        session_owner=False,
        connection_timeout=connect_timeout,
        read_timeout=read_timeout,
        connection_verify=ca_file or True,
    )
