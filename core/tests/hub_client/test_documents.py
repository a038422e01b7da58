"""A tenant's configuration as both sides check it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import InvalidRequest
from letsbe.hub_client.documents import checked, digest, document_of

WHOLE = {
    "autonomyLevel": 1,
    "defaultModel": "deepseek/deepseek-v3.2",
    "agents": {
        "main": {
            "name": "Dispatcher",
            "tools": ["shell", "ghost.*"],
            "externalUnlocks": ["ghost.publish_post"],
            "autonomyLevel": 3,
            "soul": "# Dispatcher\n",
        }
    },
    "classification": [{"tool": "ghost.*", "tier": "RED", "reason": "asked for"}],
    "plugins": [
        {"kind": "executor", "name": "shell", "distribution": "letsbe-executor-shell"}
    ],
}


def test_a_whole_document_is_accepted_and_stays_what_it_is() -> None:
    once = document_of(checked(WHOLE))
    assert document_of(checked(once)) == once
    assert digest(once) == digest(dict(reversed(once.items())))


@pytest.mark.parametrize(
    "change",
    [
        {"autonomyLevel": 0},
        {"autonomyLevel": "3"},
        {"agents": {"Main Agent": {"name": "x"}}},
        {"agents": {"main": {}}},
        {"classification": [{"tool": "shell", "tier": "GREEN", "reason": "x"}]},
        {"plugins": [{"kind": "virus", "name": "x", "distribution": "x"}]},
        {"agents": {f"a{n}": {"name": "x"} for n in range(201)}},
        {"unknown": 1},
        {"autonomyLevel": float("nan")},
    ],
)
def test_what_is_wrong_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        checked(WHOLE | change)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(anything)
def test_anything_else_is_a_named_error(value: object) -> None:
    try:
        document_of(checked(value))
    except InvalidRequest as error:
        assert "configuration" in error.message  # noqa: PT017 - most values are wrong
