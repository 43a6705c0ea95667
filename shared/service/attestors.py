"""Those who vouch for checkpoints and those who keep copies, as the settings name them.

Names are part of the names of files that stay for ever, so they follow from the address or key alone and change with nothing else: an
authority is its host and eight digits of the hash of its address, a witness its own name and the id of its key.
"""

import re
from hashlib import sha256
from urllib.parse import urlsplit

from shared.errors import Misuse, VerificationError
from shared.seal import cosignature
from shared.seal.attestor import Attestor
from shared.seal.authority import Authority
from shared.seal.post import Post
from shared.seal.webhook import Webhook
from shared.seal.witness import Witness
from shared.service.stores import copy_container
from shared.settings import Settings, is_container

_NOT_IN_A_NAME = re.compile("[^A-Za-z0-9.-]+")


def attestors(settings: Settings) -> list[Attestor]:
    """All of them.

    Raises:
        Misuse: one of them cannot be what the settings say.
    """
    usual = Post(ca_file=authorities(settings), proxies=settings.cloud != "loopback")
    found: list[Attestor] = [Authority(named_after(url), url, usual) for url in settings.timestamp_urls]
    for line in settings.witnesses:
        vkey, _, url = line.partition(" ")
        key = witness_key(vkey, "EVIDENCE_WITNESSES")
        found.append(Witness(name_of_witness(key), key, url, usual))
    return found + [_copy(url, settings) for url in settings.copies]


def _copy(url: str, settings: Settings) -> Attestor:
    if is_container(url):
        return copy_container(named_after(url), url, settings)
    post = Post(ca_file=authorities(settings), proxies=False, public=settings.cloud != "loopback")
    return Webhook(named_after(url), url, settings.copy_secret or "", post)


def witness_key(vkey: str, where: str) -> cosignature.WitnessKey:
    """A witness's key.

    Raises:
        Misuse: it is none; `where` names the setting or the option.
    """
    try:
        return cosignature.parse_witness_key(vkey)
    except VerificationError as error:
        raise Misuse(f"{where}: {error}") from None


def named_after(url: str) -> str:
    """The name of whoever is at an address."""
    host = urlsplit(url).hostname or ""
    return f"{_plain(host)}-{sha256(url.encode()).hexdigest()[:8]}"


def name_of_witness(key: cosignature.WitnessKey) -> str:
    """The name of a witness."""
    return f"{_plain(key.name)}-{key.key_id.hex()}"


def _plain(text: str) -> str:
    return re.sub(r"\.{2,}", ".", _NOT_IN_A_NAME.sub("_", text)).strip("._-")[:80] or "x"


def authorities(settings: Settings) -> str | None:
    """The certificate authorities to trust; libcurl's wheel has none of its own."""
    if settings.ca_file or settings.cloud == "loopback":
        return settings.ca_file
    import certifi

    return certifi.where()
