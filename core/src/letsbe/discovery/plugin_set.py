"""The plugin set: which of the installed plugins a tenant uses.

Installed is not trusted. A home's set is written by ``letsbe init`` from what is
installed at that moment, an act of the operator; what is installed later waits until
it is added. A home without a set does not load nothing, it does not start: with the
document gone, the redactors would be gone too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.discovery.records import NAME, Kind
from letsbe.errors import ConfigurationError

_TABLE = "plugins"
_FIELDS = frozenset({"kind", "name", "distribution", "required"})


@dataclass(frozen=True, slots=True)
class Selection:
    """One chosen plugin.

    Args:
        kind: Its kind.
        name: Its name.
        distribution: The one distribution it may come from, as it was installed when
            it was chosen; ``None`` accepts any.
        required: Whether nothing starts without it. Redactors always are, and so is
            a plugin that is seen to hold a gate (``letsbe_classify`` or
            ``letsbe_before_execute``).
    """

    kind: Kind
    name: str
    distribution: str | None = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class PluginSet:
    """The chosen plugins, at most one of each kind and name.

    Args:
        selections: The choices; their order means nothing.
    """

    selections: tuple[Selection, ...] = ()

    def find(self, kind: Kind, name: str) -> Selection | None:
        """Return the choice of a kind and name, if there is one."""
        for selection in self.selections:
            if (selection.kind, selection.name) == (kind, name):
                return selection
        return None


def read_plugin_set(path: Path) -> PluginSet:
    """Read a home's plugin set.

    Args:
        path: The document, ``Home.plugin_set``.

    Returns:
        The set, sorted by kind and name.

    Raises:
        ConfigurationError: There is no such document, or an entry is wrong.
        StorageError: The document is damaged.
    """
    from letsbe.storage.documents import read_document  # noqa: PLC0415 - loads TinyDB

    if not path.exists():
        message = f"{path} does not exist: run `letsbe init --home {path.parent}`"
        raise ConfigurationError(message)
    tables = read_document(path)
    if _TABLE not in tables:
        raise _wrong(path, f"it has no table `{_TABLE}`")
    rows = tables[_TABLE].values()
    selections = tuple(_selection(row, path) for row in rows)
    return PluginSet(_without_repeats(selections, path))


def write_plugin_set(path: Path, plugin_set: PluginSet) -> None:
    """Write a home's plugin set in place of the one that is there.

    Args:
        path: The document, ``Home.plugin_set``.
        plugin_set: The set.

    Raises:
        StorageError: The document cannot be written, or the one there is damaged.
    """
    from letsbe.storage.documents import open_document  # noqa: PLC0415 - loads TinyDB

    rows = {str(n): _row(s) for n, s in enumerate(plugin_set.selections, start=1)}
    with open_document(path) as document:
        # One write: a set that is empty for a moment would have no redactors.
        tables = document.storage.read() or {}
        document.storage.write({**tables, _TABLE: rows})


def _row(selection: Selection) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": selection.kind.value, "name": selection.name}
    if selection.distribution is not None:
        row["distribution"] = selection.distribution
    if selection.required:
        row["required"] = True
    return row


def _selection(row: Mapping[str, Any], path: Path) -> Selection:
    kind, name = row.get("kind"), row.get("name")
    if kind not in list(Kind):
        raise _wrong(path, f"`kind` must be one of {', '.join(Kind)}")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _wrong(path, "`name` must be lower-case letters, digits, `_` and `-`")
    distribution, required = row.get("distribution"), row.get("required", False)
    if not isinstance(distribution, str | None):
        raise _wrong(path, f"`distribution` of {kind}/{name} must be a name")
    if not isinstance(required, bool):
        raise _wrong(path, f"`required` of {kind}/{name} must be true or false")
    if set(row) - _FIELDS:
        raise _wrong(path, f"{kind}/{name} has a field that is unknown")
    return Selection(Kind(kind), name, distribution, required)


def _without_repeats(
    selections: Iterable[Selection], path: Path
) -> tuple[Selection, ...]:
    seen: dict[tuple[Kind, str], Selection] = {}
    for selection in selections:
        if seen.setdefault((selection.kind, selection.name), selection) != selection:
            raise _wrong(path, f"{selection.kind}/{selection.name} is there twice")
    return tuple(seen[key] for key in sorted(seen))


def _wrong(path: Path, what: str) -> ConfigurationError:
    return ConfigurationError(f"{path} is not a plugin set: {what}")
