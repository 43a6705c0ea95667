"""An in-toto Statement v1 in a DSSE envelope over a bundle's manifest, so that off-the-shelf tools can hold it.

https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, https://github.com/secure-systems-lab/dsse/blob/master/envelope.md.
What is signed is one line that begins with `DSSEv1 `, and a checkpoint has three lines at least: neither can be taken for the other.
The key id is the verifier key of the log, as `verify --key` takes it.
"""

import base64
from collections.abc import Callable

from shared.canonical import Json, canonical, sha256
from shared.deliver.bundle.manifest import NAME, Manifest

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://github.com/aoai-evidence/bundle/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"


def statement(manifest: Manifest, bundle: tuple[str, str]) -> bytes:
    """The statement about a bundle; `bundle`: its file name and SHA-256."""
    return canonical({
        "_type": STATEMENT,
        "subject": [
            {"name": bundle[0], "digest": {"sha256": bundle[1]}},
            {"name": NAME, "digest": {"sha256": sha256(manifest.encoded())}},
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "period": {"from": manifest.period[0], "to": manifest.period[1]},
            "scope": {"resources": list(manifest.resources) if manifest.resources is not None else None, "framework": manifest.framework},
            "log": {"origin": manifest.origin, "size": manifest.size}, "catalogue": manifest.catalogue, "software": manifest.software,
        },
    })  # fmt: skip


def to_be_signed(payload: bytes) -> bytes:
    """The pre-authentication encoding of DSSE."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope(payload: bytes, keyid: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The envelope, signed. Raises what `sign` does."""
    signature: Json = {"keyid": keyid, "sig": base64.b64encode(sign(to_be_signed(payload))).decode()}
    return canonical({"payloadType": PAYLOAD_TYPE, "payload": base64.b64encode(payload).decode(), "signatures": [signature]})
