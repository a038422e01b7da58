"""Loading one chosen plugin, so that its failure stays its own."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pluggy
from pydantic import ValidationError

from letsbe.discovery.finding import Candidate
from letsbe.discovery.records import Kind, PluginRecord, Status, shown, type_name
from letsbe.errors import ConfigurationError, InvalidRequest
from letsbe.plugin import _hooks
from letsbe.plugin._deadline import GuardedCallError, Raised, within
from letsbe.plugin._objects import Checked, Unusable, check_objects
from letsbe.plugin._site import Site
from letsbe.plugin._version import API_VERSION
from letsbe.vault.secret import RegisteredSecrets

GATES = frozenset({"letsbe_classify", "letsbe_before_execute"})
"""The hooks that guard every call: without a plugin that has one, nothing starts."""

_FIELD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What became of a candidate.

    Args:
        record: Its record, with the final status.
        required: Whether nothing may start unless it is active.
        plugin: The module or object, if it could be imported.
        hooks: Its hooks behind a manager of its own, if they are in order.
        objects: What it registered.
    """

    record: PluginRecord
    required: bool
    plugin: object = None
    hooks: pluggy.PluginManager | None = None
    objects: tuple[Checked, ...] = ()


@dataclass(frozen=True, slots=True)
class _Imported:
    plugin: object
    api_version: object
    implements: frozenset[str]


def load(
    candidate: Candidate,
    site_for: Callable[[str], Site],
    secrets: RegisteredSecrets | None,
    timeout: float,
) -> Loaded:
    """Import a chosen plugin, check it, and let it register its objects.

    Args:
        candidate: The plugin; nothing is imported unless its status is ``selected``.
        site_for: Gives what a plugin of a name is told of the machine.
        secrets: What redactors are given.
        timeout: Seconds that the import, and then the registration, may take.

    Returns:
        The plugin with its final status. Nothing that it does raises here.
    """
    record, selection = candidate.record, candidate.selection
    if selection is None:
        return Loaded(record, required=False)
    required = selection.required or record.kind is Kind.REDACTOR
    loaded = Loaded(record, required=required)
    if record.status is not Status.SELECTED or candidate.entry is None:
        return loaded
    try:
        imported = _import(candidate.entry, timeout)
        guards = bool(imported.implements & GATES)
        loaded = replace(
            loaded, plugin=imported.plugin, required=loaded.required or guards
        )
        version = _fence(imported.api_version, record)
        loaded = replace(loaded, record=replace(record, api_version=version))
        hooks = _manager(imported, record.kind)
        objects = _register(hooks, record, site_for(record.name), secrets, timeout)
    except Unusable as error:
        return replace(loaded, record=loaded.record.turned(error.status, error.reason))
    active = loaded.record.turned(Status.ACTIVE, "")
    return replace(loaded, record=active, hooks=hooks, objects=objects)


def new_manager() -> pluggy.PluginManager:
    """Return a manager that knows the hooks.

    Each plugin has one of its own. In a shared one, a plugin's hook wrapper could
    drop or change the answers of the others.
    """
    manager = pluggy.PluginManager(_hooks.PROJECT)
    manager.add_hookspecs(_hooks)
    return manager


def _import(entry: EntryPoint, timeout: float) -> _Imported:
    def examine() -> _Imported:
        plugin = entry.load()
        declared = getattr(plugin, "API_VERSION", None)
        if declared is None and not isinstance(plugin, ModuleType):
            declared = getattr(sys.modules.get(entry.module), "API_VERSION", None)
        return _Imported(plugin, declared, frozenset(_implemented(plugin)))

    try:
        return within(timeout, examine)
    except GuardedCallError as error:
        target = shown(entry.value)
        reason = f"{target} cannot be imported: {error}"
        raise Unusable(Status.LOAD_ERROR, reason) from None


def _implemented(plugin: object) -> Iterator[str]:
    manager = pluggy.PluginManager(_hooks.PROJECT)
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is not None:
            yield options.get("specname") or name


def _fence(declared: object, record: PluginRecord) -> tuple[int, int]:
    """Check the API version that a plugin declares against the core's."""
    major, minor = API_VERSION
    if not (
        isinstance(declared, tuple)
        and len(declared) == 2
        and all(type(part) is int and 0 <= part < 10**6 for part in declared)
    ):
        reason = f"it must declare API_VERSION as two whole numbers: {API_VERSION}"
        raise Unusable(Status.INCOMPATIBLE, reason)
    if declared[0] == major and declared[1] <= minor:
        return declared[0], declared[1]
    upgrade = "letsbe-core" if declared > API_VERSION else record.distribution
    reason = (
        f"written for plugin API {declared[0]}.{declared[1]}, while letsbe-core has "
        f"{major}.{minor}: upgrade {upgrade}"
    )
    raise Unusable(Status.INCOMPATIBLE, reason)


def _manager(imported: _Imported, kind: Kind) -> pluggy.PluginManager:
    """Register a plugin's hooks after checking their names and arguments."""
    if inspect.isclass(imported.plugin):
        reason = "its entry point names a class: name a module or an object"
        raise Unusable(Status.LOAD_ERROR, reason)
    manager = new_manager()
    known = {name for name in vars(_hooks) if name.startswith("letsbe_")}
    unknown = sorted(imported.implements - known)
    if unknown:
        reason = f"there is no hook {shown(', '.join(unknown))}: see docs/plugins.md"
        raise Unusable(Status.LOAD_ERROR, reason)
    if kind.hook not in imported.implements:
        reason = f"it does not implement {kind.hook}, marked with @hookimpl"
        raise Unusable(Status.LOAD_ERROR, reason)
    try:
        manager.register(imported.plugin)
    except Exception as error:  # noqa: BLE001 - pluggy's own, and what a plugin adds
        reason = (
            "a hook has an argument that its specification lacks: see docs/plugins.md "
            f"({type_name(error)})"
        )
        raise Unusable(Status.LOAD_ERROR, reason) from None
    return manager


def _register(
    hooks: pluggy.PluginManager,
    record: PluginRecord,
    site: Site,
    secrets: RegisteredSecrets | None,
    timeout: float,
) -> tuple[Checked, ...]:
    kind = record.kind
    lent: dict[str, Any] = {"site": site}
    if kind is Kind.REDACTOR:
        lent["secrets"] = secrets
    hook = getattr(hooks.hook, kind.hook)
    try:
        return within(timeout, lambda: check_objects(kind, hook(**lent)))
    except Raised as error:
        if isinstance(error.error, Unusable):
            raise error.error from None
        fields = _wrong_settings(error.error)
        if fields is None:
            reason = f"{kind.hook} failed: {error}"
            raise Unusable(Status.LOAD_ERROR, reason) from None
        named = f": {', '.join(fields)}" if fields else ""
        reason = f"[plugins.settings.{record.name}] is wrong{named}"
        raise Unusable(Status.CONFIG_ERROR, reason) from None
    except GuardedCallError as error:
        reason = f"{kind.hook} failed: {error}"
        raise Unusable(Status.LOAD_ERROR, reason) from None


def _wrong_settings(error: BaseException) -> list[str] | None:
    """Name the fields that an error about settings complains of, without values.

    Returns:
        The fields' paths; ``None`` if the error is not about settings.
    """
    if isinstance(error, ValidationError):
        listed = error.errors(include_input=False, include_url=False)
        fields = [".".join(map(str, item["loc"])) for item in listed]
    elif isinstance(error, ConfigurationError | InvalidRequest):
        fields = [str(detail.field) for detail in error.details]
    else:
        return None
    return [field for field in fields if _FIELD.fullmatch(field)]
