"""The account's endpoints: on hosts of the chosen cloud, and what a handshake with them showed.

The kind `tls` is our own probe: `{"host", "port", "versions": {version: "accepted" | "refused" | "not-offered" |
"no-answer"}, "lowest", "chain": [{"sha256", "subject", "issuer", "not_before", "not_after"}…], "trusted", "trust_error"}`.
"""

import re
from typing import Final

from shared.judge.case import Case
from shared.judge.data import table
from shared.judge.expectation import TLS_VERSIONS
from shared.judge.reading import Node, answered, names, shown, single
from shared.judge.verdict import Unclear, satisfied, unknown, verdict
from shared.model import Judgement, Point

_URL: Final = re.compile(r"(https?)://([^/?#]*)(?:[/?#].*)?", re.IGNORECASE | re.DOTALL)
_NAME: Final = re.compile(r"((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]+)(?::443)?")
_UNTRIED: Final = ("not-offered", "no-answer")
"""Outcomes that say nothing of what the endpoint would have done."""
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_LOOPBACK: Final = re.compile(r"(127\.0\.0\.1|\[::1\]|localhost)(?::[0-9]{1,5})?")


def endpoint_host(case: Case) -> list[Judgement]:
    """Every endpoint that the account names is on a host of the chosen cloud, by https."""
    endpoints = _endpoints(case)
    strays = [(where, url) for where, url in endpoints if not on_cloud(url, case.cloud)]
    if strays:
        said = names(shown(url) for _, url in strays)
        return [verdict(case.id, False, f"Not on a host of the {case.cloud} cloud, by https: {said}.", *(where for where, _ in strays))]
    hosts = names((host_of(url) or "" for _, url in endpoints), 3)
    points = [case.properties.point(name) for name in ("endpoint", "endpoints") if case.properties.has(name)]
    return [satisfied(case.id, f"Every endpoint is on a host of the {case.cloud} cloud: {hosts}.", *points)]


def _endpoints(case: Case) -> list[tuple[Point, str]]:
    properties = case.properties
    found = [(properties.point("endpoint"), properties.needed_text("endpoint"))]
    named = properties.child("endpoints")
    if named is not None:
        found += [(named.point(name), named.needed_text(name)) for name in sorted(named.value)]
    return found


def on_cloud(url: str, cloud: str) -> bool:
    """Whether `url` is `https://<labels>.<domain of the cloud>[/…]` and nothing trickier: no user, other port, trailing dot or escape."""
    matched = _URL.fullmatch(url)
    if matched is None:
        return False
    authority = matched[2].casefold()
    if cloud == "loopback" and _LOOPBACK.fullmatch(authority):
        return True
    named = _NAME.fullmatch(authority)
    domains = table("hosts")["domains"].get("public" if cloud == "loopback" else cloud, ())
    return matched[1].casefold() == "https" and named is not None and any(named[1].endswith(f".{domain}") for domain in domains)


def host_of(url: str) -> str | None:
    """The host in `url`, in lower case and without its port; None where there is none to be sure of."""
    matched = _URL.fullmatch(url)
    if matched is None:
        return None
    authority = matched[2].casefold()
    plain = _LOOPBACK.fullmatch(authority) or re.fullmatch(r"([a-z0-9.-]+)(?::[0-9]{1,5})?", authority)
    return plain[1].strip("[]") if plain else None


def _handshake(case: Case) -> Node:
    """The probe of one of this account's own hosts."""
    probe = single(answered(case.evidence, "tls"))
    host = probe.needed_text("host").casefold().strip("[]")
    if host not in {host_of(url) for _, url in _endpoints(case)}:
        raise Unclear(f"The handshake was with {shown(host)}, which the account does not name as its endpoint.", probe.point("host"))
    return probe


def tls_minimum(case: Case) -> list[Judgement]:
    """The endpoint refuses every TLS version older than expected, and was seen to accept one that is not."""
    probe = _handshake(case)
    versions = probe.needed_child("versions")
    outcome = {version: versions.needed_text(version) for version in TLS_VERSIONS}
    odd = [said for said in outcome.values() if said not in ("accepted", "refused", *_UNTRIED)]
    if odd:
        raise Unclear(f"The handshake has an outcome that is not known: {names(map(shown, odd))}.", versions.point())
    wanted = case.expect.word("tls.minimum")
    because = f"{case.expect.because('tls.minimum')}: {wanted} or later"
    older = TLS_VERSIONS[: TLS_VERSIONS.index(wanted)]
    accepted = [version for version in TLS_VERSIONS if outcome[version] == "accepted"]
    too_old = [version for version in older if outcome[version] == "accepted"]
    points = [versions.point(version) for version in TLS_VERSIONS]
    if too_old:
        reason = f"The endpoint accepted {names(too_old)} ({because})."
        return [verdict(case.id, False, reason, *(versions.point(version) for version in too_old))]
    untried = [version for version in older if outcome[version] in _UNTRIED]
    if untried:
        reason = f"Whether the endpoint refuses {names(untried)} could not be tried from where the collector runs ({because})."
        return [unknown(case.id, reason, *points)]
    if not accepted or probe.text("lowest") != accepted[0]:
        return [unknown(case.id, f"The handshake shows no version that the endpoint accepts ({because}).", *points)]
    return [
        satisfied(case.id, f"The oldest version that the endpoint accepted is {accepted[0]} ({because}).", *points, probe.point("lowest"))
    ]


def tls_certificate(case: Case) -> list[Judgement]:
    """The endpoint's certificate was valid for its name and led to a root that the collector trusts."""
    probe = _handshake(case)
    chain = probe.needed_children("chain")
    trusted = probe.flag("trusted")
    if trusted is None:
        raise probe.missing("trusted")
    if not trusted:
        reason = f"The certificate of the endpoint was not trusted: {shown(probe.text('trust_error'))}."
        return [verdict(case.id, False, reason, probe.point("trusted"))]
    if not chain:
        raise Unclear("The handshake was trusted without showing a certificate.", probe.point("chain"))
    digest = chain[0].needed_text("sha256")
    if not _DIGEST.fullmatch(digest):
        raise chain[0].odd("sha256", "a SHA-256 digest")
    subject = chain[0].value.get("subject")
    reason = f"The endpoint's certificate {shown(subject)} (SHA-256 {digest[:16]}…) was trusted, with a chain of {len(chain)}."
    return [satisfied(case.id, reason, probe.point("trusted"), chain[0].point("sha256"))]
