"""Timestamps of RFC 3161 over signed checkpoints: the check of what an authority answers, and the verification years later.

What is stamped is the SHA-256 of the checkpoint's file, every byte of the signed note. The answer is kept as it came (`.tsr`), so that
`openssl ts -verify` takes it too. Verified: the status, the imprint, the signature, and a chain to a root that the reader trusts, of
certificates that were valid at the token's own time, the last one made for timestamps and nothing else. Leaves out: revocation, and
whether the authority's clock was right.

rfc3161-client does the work, over OpenSSL. It is imported when it is first needed: a verifier that is not given roots does without.
Source: RFC 3161; RFC 5652 section 5.1, by which the certificates are a set.
"""

import hashlib
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from shared.errors import VerificationError

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest, TimeStampResponse

MAX_RESPONSE = 64 * 1024
"""Bytes of a token that are looked at: four certificates and more."""

_SHA256 = "2.16.840.1.101.3.4.2.1"
_SETS = 0xA0
"""Tag of the certificates within SignedData."""

_STATUS = {1: "granted with changes", 2: "rejected", 3: "put off", 4: "revocation warning", 5: "revoked"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a token says, and its signature holds."""

    at: datetime
    """UTC."""
    authority: str
    """Subject of the certificate that signed."""
    accuracy: timedelta
    """By how much the time may be wrong, as the authority says; zero where it does not."""


def check_answer(response: bytes, request: "TimeStampRequest") -> Stamp:
    """Check all that can be checked of an answer without a root, since what is kept is kept for years; what it says.

    Raises:
        VerificationError: malformed, not granted, not over what was asked, or not signed by a certificate for timestamps that it brings.
    """
    with _reading():
        found = _granted(response)
        if found.tst_info.nonce != request.nonce:
            raise VerificationError("it is the answer to another request (its nonce is another)")
        _over(found, request.message_imprint.message)
        return _said(found, _signer(found))


def verify_stamp(response: bytes, data: bytes, roots: Sequence[x509.Certificate]) -> Stamp:
    """What a token says of `data`, by an authority that one of `roots` vouches for.

    Raises:
        VerificationError: nothing that could be relied on; why.
        ImportError: rfc3161-client is not installed.
    """
    from rfc3161_client import VerificationError as Refused
    from rfc3161_client import VerifierBuilder

    with _reading(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of `cryptography`, about certificates that are odd: what holds of them is said below
        digest = hashlib.sha256(data).digest()
        found = _granted(response)
        _over(found, digest)
        signer = _signer(found)
        said = _said(found, signer)
        try:
            VerifierBuilder(roots=list(roots)).build().verify(found, digest)
        except Refused as error:
            raise VerificationError(_why(str(error), said.at)) from None
        return said


def read_roots(pem: bytes) -> list[x509.Certificate]:
    """The certificates of a PEM file.

    Raises:
        VerificationError: there are none, or one cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise VerificationError("no certificates in PEM") from None


@contextmanager
def _reading() -> Iterator[None]:
    """Whatever reading bytes of others raises becomes the one error of verification.

    Raises:
        VerificationError: the bytes are not what they should be.
        ImportError: rfc3161-client is not installed.
    """
    try:
        yield
    except (VerificationError, ImportError):
        raise
    except Exception:  # noqa: BLE001 - parsers of two libraries, on any bytes
        raise VerificationError("malformed") from None
    except BaseException as error:
        if type(error).__name__ == "PanicException":  # Rust's, which is no Exception
            raise VerificationError("malformed") from None
        raise


def _granted(response: bytes) -> "TimeStampResponse":
    from rfc3161_client import decode_timestamp_response

    if len(response) > MAX_RESPONSE:
        raise VerificationError(f"larger than {MAX_RESPONSE} bytes")
    found = decode_timestamp_response(in_order(response))
    if found.status != 0:
        said = "".join(c for c in " ".join(found.status_string)[:100] if c.isprintable())
        raise VerificationError(f"not granted: {_STATUS.get(found.status, found.status)}{f' ({said})' if said else ''}")
    return found


def _over(found: "TimeStampResponse", digest: bytes) -> None:
    imprint = found.tst_info.message_imprint
    if imprint.hash_algorithm.dotted_string != _SHA256 or imprint.message != digest:
        raise VerificationError("it is over other bytes than the checkpoint's")


def _signer(found: "TimeStampResponse") -> x509.Certificate:
    """The certificate that signed, out of those that the token brings."""
    infos = list(found.signed_data.signer_infos)
    if len(infos) != 1:
        raise VerificationError(f"it has {len(infos)} signers, not one")
    brought = [x509.load_der_x509_certificate(der) for der in found.signed_data.certificates]
    own = [one for one in brought if one.issuer == infos[0].issuer and one.serial_number == infos[0].serial_number]
    if len(own) != 1:  # of two, one would lend the other its name
        raise VerificationError("it does not bring the certificate that signed it")
    _made_for_timestamps(own[0])
    return own[0]


def _said(found: "TimeStampResponse", signer: x509.Certificate) -> Stamp:
    accuracy = found.tst_info.accuracy
    parts = (accuracy.seconds, accuracy.millis, accuracy.micros) if accuracy is not None else ()
    seconds, millis, micros = (min(part or 0, 86_400) for part in parts) if parts else (0, 0, 0)
    at = found.tst_info.gen_time.astimezone(UTC)
    return Stamp(at, signer.subject.rfc4514_string(), timedelta(seconds=seconds, milliseconds=millis, microseconds=micros))


def _made_for_timestamps(certificate: x509.Certificate) -> None:
    """RFC 3161 section 2.3: the extended key usage is critical, and is timestamps alone."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        usage = None
    if usage is None or not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise VerificationError("the certificate that signed it is not one for timestamps (its extended key usage)")


def _why(said: str, at: datetime) -> str:
    """The reason out of OpenSSL's words."""
    when = f"{at:%Y-%m-%d %H:%M:%S} UTC, the time that it says"
    for word, reason in (
        ("expired", f"a certificate of its authority had expired at {when}"),
        ("not yet valid", f"a certificate of its authority was not valid yet at {when}"),
        ("issuer certificate", "no chain leads from its authority to one of the roots given (--tsa-roots)"),
        ("self-signed", "no chain leads from its authority to one of the roots given (--tsa-roots)"),
        ("self signed", "no chain leads from its authority to one of the roots given (--tsa-roots)"),
        ("unsuitable certificate purpose", "the certificate that signed it is not one for timestamps"),
    ):
        if word in said:
            return reason
    return "its signature does not hold"


# -- the order of a set ---------------------------------------------------------------------------------------------------


def in_order(response: bytes) -> bytes:
    """The response with its certificates in the order that DER wants.

    Authorities send them as the chain has them (`openssl ts` does), and rfc3161-client reads nothing but DER. Their order means nothing, no
    signature covers it, and their bytes stay as they are. What is not a response comes back unchanged.
    """
    try:
        token = _parts(response, *_parts(response, 0, len(response))[0][1:])[1]
        content = _parts(response, *token[1:])[1]
        signed = _parts(response, *content[1:])[0]
        start, end = next((start, end) for tag, start, end in _parts(response, *signed[1:]) if tag == _SETS)
        places = _parts(response, start, end)
        starts = [start, *(place[2] for place in places[:-1])]
        values = sorted(response[first : place[2]] for first, place in zip(starts, places, strict=True))
    except (IndexError, StopIteration, ValueError):
        return response
    return response[:start] + b"".join(values) + response[end:]


def _parts(data: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    """(tag, start of the content, end) of the values that follow each other in data[start:end].

    Raises:
        IndexError, ValueError: they are not that.
    """
    found = []
    while start < end:
        length, content = data[start + 1], start + 2
        if length > 0x80:
            content += length - 0x80
            length = int.from_bytes(data[start + 2 : content], "big")
        if content + length > end:
            raise ValueError("longer than what holds it")
        found.append((data[start], content, content + length))
        start = content + length
    return found
