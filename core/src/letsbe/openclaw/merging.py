"""Puts our settings into a configuration that a person may have added to.

Some parts are ours as a whole: what stands there and is not from us is taken out, for
it could open what we close. Elsewhere our keys win and all others stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

OURS = (
    ("acp",),
    ("agents", "entries"),
    ("agents", "ownership"),
    ("auth",),
    ("bindings",),
    ("browser",),
    ("channels", "telegram", "accounts"),
    ("channels", "whatsapp", "accounts"),
    ("cloudWorkers",),
    ("commands",),
    ("cron", "triggers"),
    ("env",),
    ("gateway",),
    ("hooks",),
    ("mcp",),
    ("models",),
    ("nodeHost",),
    ("plugins",),
    ("proxy",),
    ("secrets",),
    ("security",),
    ("skills", "workshop"),
    ("tools",),
)
"""The parts that hold nothing but what we set."""

MESSENGERS = ("telegram", "whatsapp")
"""The channels that go when the tenant no longer has them."""

SENSITIVE = ("key", "password", "secret", "token")
"""Whose values are not shown: a person may have put a credential there."""

Tree = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that differs.

    Args:
        path: Where it is, with dots.
        before: What it was; ``None`` if it was not there.
        after: What it will be; ``None`` if it goes.
    """

    path: str
    before: Any
    after: Any


def merged(existing: Tree, ours: Tree) -> dict[str, Any]:
    """Return the configuration that is to be written.

    Args:
        existing: What is there.
        ours: What we set.
    """
    base = _without(existing, ours)
    return _over(base, ours)


def changes(before: Tree, after: Tree) -> list[Change]:
    """Return the settings that differ, leaf by leaf, in the order of their paths."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        Change(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def shown(change: Change, value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a value as a person may see it."""
    import json  # noqa: PLC0415

    name = change.path.rpartition(".")[2].lower()
    is_reference = isinstance(value, str) and value.startswith("${")
    if not is_reference and any(name.endswith(word) for word in SENSITIVE):
        return "(not shown)"
    return json.dumps(value, ensure_ascii=False)


def _without(existing: Tree, ours: Tree) -> dict[str, Any]:
    """Leave out of ``existing`` what is ours as a whole."""
    kept = {key: value for key, value in existing.items() if (key,) not in OURS}
    for path in (p for p in OURS if len(p) > 1):
        kept = _dropped(kept, path)
    wanted = ours.get("channels") or {}
    for messenger in set(MESSENGERS).difference(wanted):
        kept = _dropped(kept, ("channels", messenger))
    return kept


def _dropped(tree: Tree, path: tuple[str, ...]) -> dict[str, Any]:
    head, *rest = path
    inner = tree.get(head)
    if not rest:
        return {key: value for key, value in tree.items() if key != head}
    if not isinstance(inner, Mapping):
        return dict(tree)
    return {**tree, head: _dropped(inner, tuple(rest))}


def _over(base: Tree, ours: Tree) -> dict[str, Any]:
    result = dict(base)
    for key, value in ours.items():
        inner = result.get(key)
        if isinstance(value, Mapping) and isinstance(inner, Mapping):
            result[key] = _over(inner, value)
        else:
            result[key] = value
    return result


def _leaves(tree: Tree, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, path)
        else:
            yield path, value
