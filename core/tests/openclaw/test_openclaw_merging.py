from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.openclaw.merging import OURS, Change, changes, merged, shown

NAMES = st.sampled_from(["a", "b", "tools", "agents", "defaults", "entries"])
TREES = st.recursive(
    st.none() | st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
).filter(lambda tree: isinstance(tree, dict))


def test_what_a_person_added_elsewhere_stays() -> None:
    existing = {
        "ui": {"assistant": {"name": "Ada"}},
        "agents": {"defaults": {"timeoutSeconds": 30, "heartbeat": {"every": "1h"}}},
        "channels": {"discord": {"enabled": True}},
    }
    ours = {"agents": {"defaults": {"heartbeat": {"every": "0m"}}, "entries": {}}}
    after = merged(existing, ours)
    assert after["ui"] == existing["ui"]
    assert after["channels"] == existing["channels"]
    defaults = after["agents"]["defaults"]
    assert defaults == {"timeoutSeconds": 30, "heartbeat": {"every": "0m"}}


@pytest.mark.parametrize(
    "existing",
    [
        {"tools": {"alsoAllow": ["exec"]}},
        {"tools": {"byProvider": {"openai": {"allow": ["exec"]}}}},
        {"mcp": {"servers": {"other": {"command": "sh"}}}},
        {"plugins": {"load": {"paths": ["/tmp/evil"]}}},
        {"models": {"providers": {"direct": {"baseUrl": "https://api.openai.com"}}}},
        {"agents": {"entries": {"ghost": {"tools": {"allow": ["*"]}}}}},
        {"commands": {"allowFrom": {"telegram": ["*"]}}},
        {"gateway": {"bind": "lan"}},
        {"hooks": {"mappings": [{"action": "agent"}]}},
        {"secrets": {"providers": {"x": {"source": "exec", "command": "/bin/sh"}}}},
        {"env": {"vars": {"NODE_OPTIONS": "--require /tmp/evil.js"}}},
        {"security": {"audit": {"suppressions": [{"checkId": "*"}]}}},
        {"channels": {"telegram": {"dmPolicy": "open"}}},
    ],
)
def test_what_could_open_a_way_around_us_is_taken_out(existing: dict[str, Any]) -> None:
    after = merged(existing, {"tools": {"allow": ["ours"]}})
    assert after.get("tools") == {"allow": ["ours"]}
    assert not set(leaves(existing)) & set(leaves(after))


def test_the_owner_of_a_channel_cannot_be_widened_by_accounts() -> None:
    ours = {"channels": {"telegram": {"dmPolicy": "pairing"}}}
    existing = {
        "channels": {
            "telegram": {"accounts": {"b": {"dmPolicy": "open"}}, "historyLimit": 9}
        }
    }
    expected = {"channels": {"telegram": {"dmPolicy": "pairing", "historyLimit": 9}}}
    assert merged(existing, ours) == expected


@given(existing=TREES, ours=TREES)
def test_merging_again_changes_nothing(existing: Any, ours: Any) -> None:
    once = merged(existing, ours)
    assert merged(once, ours) == once
    assert changes(once, merged(once, ours)) == []


@given(existing=TREES, ours=TREES)
def test_every_setting_of_ours_stands(existing: Any, ours: Any) -> None:
    assert set(leaves(ours)) <= set(leaves(merged(existing, ours)))


@given(existing=TREES, ours=TREES)
def test_nothing_is_left_in_what_is_ours(existing: Any, ours: Any) -> None:
    after = merged(existing, ours)
    for path in OURS:
        assert inside(after, path) == inside(ours, path) or inside(ours, path) is None


def test_changes_are_told_leaf_by_leaf() -> None:
    before = {"a": {"b": 1, "c": 2}, "d": [1]}
    after = {"a": {"b": 1, "c": 3}, "e": {}}
    assert changes(before, after) == [
        Change("a.c", 2, 3),
        Change("d", [1], None),
        Change("e", None, {}),
    ]


@pytest.mark.parametrize("name", ["token", "botToken", "apiKey", "password"])
def test_a_credential_of_a_person_is_not_shown(name: str) -> None:
    change = Change(f"channels.discord.{name}", "s3cr3t-value", None)
    assert shown(change, change.before) == "(not shown)"
    assert shown(change, "${VARIABLE}") == '"${VARIABLE}"'


def leaves(tree: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(tree, dict):
        return [leaf for k, v in tree.items() for leaf in leaves(v, (*path, k))]
    return [(path, str(tree))]


def inside(tree: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree.get(name) if isinstance(tree, dict) else None
    return tree
