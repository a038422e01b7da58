"""Every string in a JSON value, with the path to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Located(NamedTuple):
    """A string and where it stands.

    Args:
        path: Its place: ``headers.Authorization``, ``argv.2``.
        text: The string.
        is_key: Whether it is the name of a field, not a value.
    """

    path: str
    text: str
    is_key: bool


def strings_in(value: object, path: str = "") -> Iterator[Located]:
    """Walk a JSON value, in the order it is written, without recursion.

    Args:
        value: Anything that is JSON, however deep.
        path: The path of the value itself.
    """
    waiting: list[tuple[str, object]] = [(path, value)]
    while waiting:
        here, item = waiting.pop()
        if isinstance(item, str):
            yield Located(here, item, is_key=False)
        elif isinstance(item, Mapping):
            for key in item:
                yield Located(here, str(key), is_key=True)
            children = [(_join(here, str(k)), v) for k, v in item.items()]
            waiting.extend(reversed(children))
        elif isinstance(item, (list, tuple)):
            numbered = [(_join(here, str(n)), v) for n, v in enumerate(item)]
            waiting.extend(reversed(numbered))


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
