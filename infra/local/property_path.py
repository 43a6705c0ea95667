"""Places in a body, for those who change it: `/properties/sku/name` (RFC 6901) or `properties.sku.name`; `-` appends to a list."""

from typing import Any

Json = Any


def parts(path: str) -> list[str]:
    """The steps of a path. A path that begins with a slash is a JSON Pointer, any other is dotted."""
    if path.startswith("/"):
        return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    return path.split(".")


def _step(holder: Json, part: str) -> Json:
    if isinstance(holder, list):
        return holder[int(part)]
    if not isinstance(holder.get(part), dict | list):
        holder[part] = {}
    return holder[part]


def set_at(body: Json, path: str, value: Json) -> None:
    """Set `path` in `body` to `value`, making objects on the way where there are none."""
    *way, last = parts(path)
    for part in way:
        body = _step(body, part)
    if not isinstance(body, list):
        body[last] = value
    elif last == "-":
        body.append(value)
    else:
        body[int(last)] = value


def remove_at(body: Json, path: str) -> None:
    """Take `path` out of `body`. Raises KeyError or IndexError where it is not there."""
    *way, last = parts(path)
    for part in way:
        body = body[int(part)] if isinstance(body, list) else body[part]
    del body[int(last) if isinstance(body, list) else last]
