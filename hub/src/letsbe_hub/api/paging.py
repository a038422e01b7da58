"""Pages by cursor: where the last page ended, in a form that callers cannot read into.

A page is found by its place in the order, not by counting, so that it costs the same
however far it is, and new rows shift nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel, Field

from letsbe_hub.api.bodies import Body
from letsbe_hub.api.envelope import Reply
from letsbe_hub.errors import InvalidRequest

PAGE = 25
MOST = 200

Row = TypeVar("Row")


class PageQuery(Body):
    """Which page of a list."""

    cursor: Annotated[str, Field(max_length=400)] | None = None
    """What the page before gave as `nextCursor`."""
    limit: Annotated[int, Field(ge=1, le=MOST)] = PAGE
    """The most to return."""


def paged(
    query: sa.Select[Any], page: PageQuery, *order: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """Limit a query to a page, newest first.

    Args:
        query: Without order.
        page: Which page.
        order: Columns that tell every two rows apart, the last of them an id.

    Raises:
        InvalidRequest: The cursor is none of ours.
    """
    if page.cursor is not None:
        values = _decoded(page.cursor, len(order))
        query = query.where(sa.tuple_(*order) < sa.tuple_(*values))
    # One more than asked for says whether there is a next page.
    return query.order_by(*(column.desc() for column in order)).limit(page.limit + 1)


def page_of(
    rows: Sequence[Row],
    page: PageQuery,
    view: Callable[[Row], BaseModel],
    *place: Callable[[Row], Any],
) -> Reply:
    """Make the answer of a page.

    Args:
        rows: What :func:`paged` found.
        page: Which page it is.
        view: Shows one row.
        place: Gives a row's values of the columns that the list is ordered by.
    """
    shown = rows[: page.limit]
    following = None
    if len(rows) > page.limit:
        following = _encoded([value(shown[-1]) for value in place])
    meta = {"limit": page.limit, "nextCursor": following}
    return Reply([view(row) for row in shown], meta)


def _encoded(values: Sequence[Any]) -> str:
    text = json.dumps(values, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str, length: int) -> list[Any]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    plain = isinstance(values, list) and len(values) == length
    if not plain or not all(type(value) in (str, int, float) for value in values):
        raise InvalidRequest("the cursor is none that a page of this list gave")
    return list(values)
