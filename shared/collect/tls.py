"""Which TLS versions an account's endpoint accepts, and which certificates it shows: a handshake for each version, nothing more.

No token is sent and no request is made. What comes out does not change while the endpoint does not: no times, no addresses, no
session. Body of the kind `tls`:

    {"host": str, "port": int, "versions": {"TLSv1": …, "TLSv1.1": …, "TLSv1.2": …, "TLSv1.3": …}, "lowest": str | null,
     "chain": [{"sha256", "subject", "issuer", "not_before", "not_after"}…], "trusted": bool, "trust_error": str | null}

A version is `accepted` (the endpoint chose it, whether or not the rest of the handshake pleased our side), `refused` (an alert, another
version, or twice the connection closed), `not-offered` (the OpenSSL here cannot offer it: nothing is known), or `no-answer` (silence, or
twice no more than the beginning of an answer, while another version was answered: nothing is known). `lowest` is the oldest accepted.
`chain` is what the endpoint sent, leaf first, in its newest version. `trusted`: by the system's roots, for this host. It connects directly,
not through a proxy, whose handshake would be another.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from cryptography import x509

from shared.canonical import Json, sha256
from shared.collect.clouds import account_address
from shared.collect.handshake import VERSIONS, Handshake, NoConnectionError, Route, TlsVersion, distrust, shake_hands

FailureReason = Literal["foreign-host", "unreachable", "timeout"]


@dataclass(frozen=True, slots=True)
class Probe:
    """What probing came to: a body, or a failure with its reason."""

    at: datetime
    body: Json | None = None
    failure: FailureReason | None = None
    detail: str | None = None
    """Of a failure: `dns`, `connect` (no TCP connection), `closed` or `silent` (TCP, but no answer to any version), `not-tls`."""

    @property
    def connected(self) -> bool:
        """Whether there was a TCP connection at all."""
        return self.body is not None or self.detail in ("closed", "silent", "not-tls")


def probe(url: str, *, cloud: str = "public", timeout: float = 3.0, now: datetime) -> Probe:
    """Probe the endpoint at `url`: at most `timeout` seconds to find and reach it, and for each of its answers.

    A host that cannot be an account's endpoint in `cloud` is not looked up: `foreign-host`. `now` is only noted. Never raises for
    what the endpoint or the network does.

    Raises:
        KeyError: there is no such cloud.
    """
    address = account_address(url, cloud)
    if address is None:
        return Probe(now, failure="foreign-host")
    host, port = address
    try:
        route = Route.to(host, port, timeout)
        answers = _answers(route)
        if isinstance(answers, str):
            return Probe(now, failure="timeout" if answers == "silent" else "unreachable", detail=answers)
        return Probe(now, body=_body(route, answers))
    except NoConnectionError as error:
        return Probe(now, failure="timeout" if error.timed_out else "unreachable", detail=error.stage)


def _answers(route: Route) -> dict[TlsVersion, Handshake] | str:
    """A handshake for each version, newest first; or, where none was answered in TLS, what there was instead."""
    answers: dict[TlsVersion, Handshake] = {}
    for version in reversed(VERSIONS):
        answers[version] = shake_hands(route, version)
        if answers[version].outcome == "not-tls":
            return "not-tls"
        if answers[version].outcome == "no-answer" and not _spoke(answers):
            return "silent"
    return answers if _spoke(answers) else "closed"


def _spoke(answers: dict[TlsVersion, Handshake]) -> bool:
    return any(answer.spoke for answer in answers.values())


def _body(route: Route, answers: dict[TlsVersion, Handshake]) -> Json:
    accepted = [version for version in VERSIONS if answers[version].outcome == "accepted"]
    certificates = answers[accepted[-1]].certificates if accepted else ()
    trust_error = distrust(route, accepted[-1]) if accepted else "no version is accepted"
    return {
        "host": route.host,
        "port": route.port,
        "versions": {version: answers[version].outcome for version in VERSIONS},
        "lowest": accepted[0] if accepted else None,
        "chain": [_certificate(der) for der in certificates],
        "trusted": trust_error is None,
        "trust_error": trust_error,
    }


def _certificate(der: bytes) -> Json:
    """A certificate's facts; null for those that cannot be read, since its bytes are named by the digest all the same."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        facts: dict[str, str | None] = {
            "subject": certificate.subject.rfc4514_string(),
            "issuer": certificate.issuer.rfc4514_string(),
            "not_before": _time(certificate.not_valid_before_utc),
            "not_after": _time(certificate.not_valid_after_utc),
        }
    except ValueError:
        facts = dict.fromkeys(("subject", "issuer", "not_before", "not_after"))
    return {"sha256": sha256(der), **facts}


def _time(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
