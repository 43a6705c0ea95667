"""The fields of a form that uploads a file (multipart/form-data): enough of it for the stand-in's uploads."""

from email.parser import BytesParser
from email.policy import HTTP
from typing import NamedTuple

from infra.local.data_access import wrong


class Field(NamedTuple):
    """One field."""

    value: bytes
    filename: str


def fields(body: bytes, content_type: str) -> dict[str, Field]:
    """The fields by name.

    Raises:
        DataError: not a form with a file and a purpose.
    """
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    found = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            found[name] = Field(value, part.get_filename() or "")
    if not {"file", "purpose"} <= set(found):
        raise wrong("The form lacks `file` or `purpose`.", "file")
    return found
