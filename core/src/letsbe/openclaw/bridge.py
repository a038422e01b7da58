"""The list of tools in the installed bridge, kept to the tenant's plugin set.

The bridge reads its list from a file, so that a start of OpenClaw needs no running
wrapper and the prompt never changes by itself; so the file is a part of what is
configured.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from letsbe.errors import ConfigurationError
from letsbe.home import Home
from letsbe.openclaw.plan import FileChange
from letsbe.openclaw.routes import BRIDGE_PREFIX
from letsbe.openclaw.tenant import Tenant

MANIFEST, LIST = "openclaw.plugin.json", "tools.json"
_FIELDS = {"name", "tool", "description", "parameters"}


def list_changes(home: Home, tenant: Tenant) -> tuple[FileChange, ...]:
    """Work out how the bridge's files would change; nothing is written.

    Args:
        home: The home folder, whose plugin set says which tools there are.
        tenant: The tenant's document.

    Returns:
        The files that differ; none without a bridge.

    Raises:
        ConfigurationError: The bridge's files cannot be read, or the plugin set is
            wrong.
    """
    from letsbe.wrapper.opening import read_listed  # noqa: PLC0415 - slow to import

    folder = tenant.runtime.bridge
    if folder is None:
        return ()
    tools = [tool.model_dump(include=_FIELDS) for tool in read_listed(home)]
    manifest = _read(folder / MANIFEST)
    names = [BRIDGE_PREFIX + tool["name"] for tool in tools]
    contracts = {**manifest.get("contracts", {}), "tools": names}
    before = _read(folder / LIST).get("tools", [])
    found = []
    if before != tools:
        lines = tuple(_lines(before, tools))
        found.append(_change(folder / LIST, {"tools": tools}, lines))
    if manifest.get("contracts") != contracts:
        lines = ("~ contracts.tools",)
        found.append(
            _change(folder / MANIFEST, {**manifest, "contracts": contracts}, lines)
        )
    return tuple(found)


def write_list(changes: Sequence[FileChange]) -> None:
    """Write the bridge's files, each whole, with the owner and mode of its folder.

    Raises:
        ConfigurationError: One cannot be written; those before it were.
    """
    for change in changes:
        new = change.path.with_name(f".{change.path.name}.new")
        try:
            new.write_text(change.after, encoding="utf-8")
            new.chmod(0o644)
            folder = change.path.parent.stat()
            os.chown(new, folder.st_uid, folder.st_gid)
            new.replace(change.path)
        except OSError:
            new.unlink(missing_ok=True)
            message = f"{change.path} cannot be written by this account"
            raise ConfigurationError(message) from None


def _change(path: Path, value: Any, lines: tuple[str, ...]) -> FileChange:  # noqa: ANN401 - any JSON
    return FileChange(path, None, json.dumps(value, indent=1) + "\n", lines)


def _lines(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Name the tools that come, go and change."""
    old = {tool.get("name"): tool for tool in before}
    new = {tool["name"]: tool for tool in after}
    for name in sorted({*map(str, old), *new}):
        if old.get(name) != new.get(name):
            sign = "-" if name not in new else "~" if name in old else "+"
            yield f"{sign} {BRIDGE_PREFIX}{name}"


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        message = f"{path} cannot be read: install the bridge again"
        raise ConfigurationError(message)
    return found
