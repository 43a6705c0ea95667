"""Asking a timestamp authority: RFC 3161 over HTTP (its section 3.4). What is stamped, and what is checked: `shared.seal.timestamp`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.errors import VerificationError
from shared.seal.attestor import Asked, Owed, Sort
from shared.seal.post import Post
from shared.seal.timestamp import check_answer

if TYPE_CHECKING:
    from rfc3161_client import TimeStampRequest


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority."""

    name: str
    url: str
    post: Post
    sort: Sort = "timestamp"

    def ask(self, asked: Asked) -> bytes:
        """Its response over the checkpoint.

        Raises:
            Owed: it did not give one, or not one that may be kept.
            ImportError: rfc3161-client is not installed.
        """
        request = timestamp_request(asked.checkpoint)
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        answer = self.post(self.url, request.as_bytes(), headers)
        if answer.status != 200:
            raise answer.refused("no timestamp")
        try:
            stamp = check_answer(answer.body, request)
        except VerificationError as error:
            raise Owed(f"its answer is not a timestamp over this checkpoint: {error}", wait=answer.retry_after) from None
        asked.refuse_the_past("timestamp", stamp.at, stamp.accuracy)
        return answer.body


def timestamp_request(data: bytes) -> "TimeStampRequest":
    """A request over the SHA-256 of `data`, with a nonce that nobody can guess, for a token that brings its certificates."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    return TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256).nonce(nonce=True).cert_request(cert_request=True).build()
