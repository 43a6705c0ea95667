"""Lists of the data plane: order, cursor, limit, and what stands beside `data`. The two generations and the kinds differ, and all of it is kept.

    cursor   object, data, first_id, last_id, has_more      `after`, `limit`, `order`; newest first
    jobs     object, data, has_more: no last_id             `after`, `limit`
    whole    object, data                                   whatever is asked; oldest first

`/openai/v1` files are a cursor of up to 10,000, dated ones whole: `limit` and `after` are ignored there, so that whoever waits for an empty
page waits for ever. A limit above the most is refused, and so is a cursor that names nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from infra.local.data_access import wrong

Json = Any
Body = dict[str, Json]


class Style(NamedTuple):
    """How a list is given."""

    sort: Literal["cursor", "jobs", "whole"]
    default: int = 20
    most: int = 100


WHOLE = Style("whole")


def listed(ids: Sequence[str], body: Callable[[str], Body], query: Mapping[str, str], style: Style) -> Body:
    """The answer that shows a page of `ids` (oldest first).

    Raises:
        DataError: a limit or a cursor that cannot be.
    """
    if style.sort == "whole":
        return {"data": [body(identity) for identity in ids], "object": "list"}
    limit = _limit(query.get("limit"), style)
    order = query.get("order", "desc") if style.sort == "cursor" else "desc"
    if order not in ("asc", "desc"):
        raise wrong(f"Invalid value: '{order}'. Supported values are: 'asc' and 'desc'.", "order")
    rows = list(ids) if order == "asc" else list(reversed(ids))
    start, end = _cursor(rows, query.get("after"), "after") + 1, len(rows)
    if "before" in query:
        end = _cursor(rows, query["before"], "before")
    page = rows[start : min(start + limit, end)]
    shown: Body = {"object": "list", "data": [body(identity) for identity in page]}
    if style.sort == "cursor":
        shown |= {"first_id": page[0] if page else None, "last_id": page[-1] if page else None}
    return shown | {"has_more": start + limit < end}


def _limit(asked: str | None, style: Style) -> int:
    if asked is None:
        return style.default
    if not asked.isdecimal() or int(asked) < 1:
        raise wrong(f"Invalid 'limit': expected an integer of at least 1, but got '{asked}'.", "limit", "invalid_type")
    if int(asked) > style.most:
        said = f"Invalid 'limit': integer above maximum value. Expected a value <= {style.most}, but got {asked} instead."
        raise wrong(said, "limit", "integer_above_max_value")
    return int(asked)


def _cursor(rows: Sequence[str], asked: str | None, name: str) -> int:
    if not asked:
        return -1
    try:
        return rows.index(asked)
    except ValueError:
        raise wrong(f"The cursor '{asked}' is not an object of this list.", name) from None
