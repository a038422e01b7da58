"""Listing more than a tool gives at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

C = TypeVar("C")

_MOST_PAGES = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[C]):
    """One page of a list.

    Args:
        items: What is on it.
        next: What to ask for the page after it: a number, an offset, a cursor;
            ``None`` after the last.
    """

    items: list[Any]
    next: C | None


async def collect(
    fetch: Callable[[C], Awaitable[Page[C]]], start: C, most: int
) -> Page[C]:
    """Fetch pages until there are enough items.

    Args:
        fetch: Gets one page.
        start: What to ask for the first page.
        most: How many items are wanted. Pages are not cut: there may be some more.

    Returns:
        The items, and where to go on; ``None`` if there are no more.
    """
    items: list[Any] = []
    place: C | None = start
    for _ in range(_MOST_PAGES):
        if place is None or len(items) >= most:
            break
        page = await fetch(place)
        items += page.items
        if not page.items or page.next == place:  # a tool that goes round in circles
            return Page(items, None)
        place = page.next
    return Page(items, place)
