"""What holds for every action and operation that is declared."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from letsbe.errors import InvalidRequest
from letsbe.plugin import Action, Tier
from letsbe.testing._calls import make_call

CANARY = "canary-Hq7Rt2WmZx9Lk4Pv"
"""A secret that must never be seen where secrets must not be."""

LONGEST_SUMMARY = 160

ESCAPES = (
    *("../../etc/passwd", "..", "..%2f..%2fadmin", "%2e%2e/%2e%2e/admin", "a/../../b"),
    *("//evil.example/x", "https://evil.example/x", "@evil.example/", "x\\..\\y"),
    *("a%252e%252e%252fb", "x\r\nHost: evil.example", "a\x00b", "x?admin=1", "x#y"),
)
"""Values that try to leave the place they are put in."""

READS = ("list_", "get_", "read_", "search_", "find_", "count_")
DESTROYS = ("delete_", "remove_", "drop_", "purge_", "wipe_", "erase_", "prune_")


def check_declared(action: Action, exceptions: Mapping[str, str]) -> None:
    """Check what an action says of itself.

    Raises:
        AssertionError: Something is missing, or the name contradicts the tier.
    """
    name = action.name.rpartition(".")[2]
    assert len(action.summary) <= LONGEST_SUMMARY, f"{name}: its summary is too long"
    assert action.summary.endswith("."), f"{name}: its summary is no sentence"
    schema = action.arguments.model_json_schema()
    for field, about in schema.get("properties", {}).items():
        assert about.get("description"), f"{name}: nothing says what {field} is"
    if name in exceptions:
        return
    if name.startswith(READS):
        assert action.tier is Tier.GREEN, f"{name} reads by its name and is not GREEN"
    if name.startswith(DESTROYS):
        assert action.tier >= Tier.RED, f"{name} destroys by its name and is not RED"


def check_refuses_unknown(action: Action) -> None:
    """Check that an argument that is not declared is named, and its value not shown.

    Raises:
        AssertionError: It is shown; pytest's own error if it is taken.
    """
    for example in action.examples:
        with pytest.raises(InvalidRequest, match="no_such_argument") as caught:
            make_call(action, {**example.arguments, "no_such_argument": CANARY})
        assert CANARY not in f"{caught.value!r} {caught.value.details}"


def with_escapes(action: Action, escapes: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Make calls of the examples, with an escape in place of one text each."""
    for example in action.examples:
        for path in _texts(example.arguments):
            for escape in escapes:
                yield _replaced(example.arguments, path, escape)


def _texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))


def _replaced(
    arguments: Mapping[str, Any], path: tuple[Any, ...], text: str
) -> dict[str, Any]:
    changed: Any = copy.deepcopy(dict(arguments))
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = text
    return dict(changed)
