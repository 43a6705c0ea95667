"""The command that shows the bytes of a finding again: the catalogue's template, with the resource's own names. Pure."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from shared.deliver.view_pass import Pass
from shared.deliver.view_points import Load
from shared.deliver.view_words import Words

_PLACEHOLDER = re.compile(
    r"(?<![A-Za-z0-9_])(?:SUBSCRIPTION|GROUP|NAME|ACCOUNT_ID|ACCOUNT|DEPLOYMENT|PROJECT|RESOURCE|ENDPOINT|HOST|VKEY)(?![A-Za-z0-9_])"
)


@lru_cache(maxsize=4096)
def parts(resource: str) -> Mapping[str, str]:
    """What an ARM id says, by the names that command templates use."""
    pieces = resource.strip("/").split("/")
    named = dict(zip((piece.lower() for piece in pieces[::2]), pieces[1::2], strict=False))
    found = {
        "SUBSCRIPTION": named.get("subscriptions"),
        "GROUP": named.get("resourcegroups"),
        "NAME": named.get("accounts"),
        "ACCOUNT": named.get("accounts"),
        "ACCOUNT_ID": "/" + "/".join(pieces[:8]) if "accounts" in named else None,
        "DEPLOYMENT": named.get("deployments"),
        "PROJECT": named.get("projects"),
        "RESOURCE": resource or None,
    }
    return {name: value for name, value in found.items() if value}


@lru_cache(maxsize=1024)
def _split(template: str) -> tuple[str, ...]:
    return tuple(shlex.split(template))


def commands(templates: Iterable[str], resource: str | None, more: Mapping[str, str]) -> tuple[str, ...]:
    """The commands for `resource`, its parts filled in and every word quoted for a shell.

    `more` has what the id does not say. A name that neither has stays as it is. Where the id is not part of an `az` command, the
    subscription is: the same name may be in use in another one.
    """
    known = {**(parts(resource) if resource else {}), **more}
    found = []
    for template in templates:
        words = [_PLACEHOLDER.sub(lambda match: known.get(match[0], match[0]), word) for word in _split(template)]
        by_name = words[:1] == ["az"] and words[1:2] != ["rest"] and "ACCOUNT_ID" not in template and "--subscription" not in words
        if by_name and "SUBSCRIPTION" in known:
            words += ["--subscription", known["SUBSCRIPTION"]]
        found.append(shlex.join(words))
    return tuple(found)


@dataclass(slots=True)
class Commands:
    """The commands of findings; what an id does not say is read from the account as the sweep saw it."""

    words: Words
    vkey: str
    shown: Pass | None
    load: Load
    _digests: dict[str, str] = field(init=False)
    _endpoints: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen = self.shown.seen.values() if self.shown else ()
        self._digests = {each.resource: each.digests[0] for each in seen if each.kind == "account" and each.digests and not each.failure}

    def of(self, control: str, resource: str | None) -> tuple[str, ...]:
        """The commands that show again what `control` was judged by."""
        known = self.words.controls.get(control)
        if known is None or not known.commands:
            return ()
        more = {"VKEY": self.vkey}
        if any("ENDPOINT" in template or "HOST" in template for template in known.commands):
            more |= self._endpoint("/" + "/".join((resource or "").strip("/").split("/")[:8]))
        return commands(known.commands, resource, more)

    def _endpoint(self, account: str) -> dict[str, str]:
        if account not in self._endpoints:
            self._endpoints[account] = self._read_endpoint(account)
        return self._endpoints[account]

    def _read_endpoint(self, account: str) -> dict[str, str]:
        if account not in self._digests:
            return {}
        try:
            endpoint = self.load(self._digests[account])["properties"]["endpoint"].rstrip("/")
            host = urlsplit(endpoint).hostname
        except Exception:  # noqa: BLE001 - no body, or no endpoint in it: the name stays in the command
            return {}
        return {"ENDPOINT": endpoint} | ({"HOST": host} if host else {})
