"""Checks of what a plugin registers, so that a wrong object never reaches a call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from inspect import iscoroutinefunction
from itertools import islice
from typing import Any

from letsbe.discovery.records import Kind, Status, shown, type_name
from letsbe.plugin._actions import Action, Arguments, Example
from letsbe.plugin._billing import BillingBackend
from letsbe.plugin._notifying import Notifier
from letsbe.plugin._protocols import Executor, ToolAdapter
from letsbe.policy.tiers import Tier
from letsbe.redaction.finding import RedactionLayer
from letsbe.vault.names import is_name

_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ACTION = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LONGEST = 64  # what LLM providers accept as a tool's name
_MOST_OBJECTS = 256
_FIELDS = {
    "summary": str,
    "tier": Tier,
    "external": bool,
    "idempotent": bool,
    "examples": tuple,
    "secrets": tuple,
}
_STRICTNESS = ("strict", "frozen", "hide_input_in_errors")


class Unusable(Exception):
    """A plugin cannot be used.

    Args:
        status: The status it gets.
        reason: Why; shown as it is.
    """

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Checked:
    """An object that passed its checks.

    Args:
        provider: The object.
        actions: Its actions or operations, read once.
        claims: The names that no other plugin may have, such as
            ``("action", "file_read")``.
    """

    provider: Any
    actions: tuple[Action, ...]
    claims: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What objects of a kind must look like."""

    protocol: type[Any]
    article: str
    plain: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


_SHAPES = {
    Kind.EXECUTOR: _Shape(
        Executor, "an Executor", ("classify",), ("execute", "check"), ("actions",)
    ),
    Kind.TOOL: _Shape(
        ToolAdapter,
        "a ToolAdapter",
        ("classify",),
        ("invoke", "check"),
        ("name", "operations"),
    ),
    Kind.REDACTOR: _Shape(
        RedactionLayer, "a RedactionLayer", ("find",), (), ("name", "order")
    ),
    Kind.BILLING: _Shape(
        BillingBackend,
        "a BillingBackend",
        (),
        ("open_account", "record", "recorded", "adjust", "check"),
        ("name", "remembers", "accepts_back"),
    ),
    Kind.NOTIFIER: _Shape(
        Notifier,
        "a Notifier",
        ("check_address",),
        ("send", "receipts", "check"),
        ("name",),
    ),
}


def check_objects(kind: Kind, answers: Sequence[Any]) -> tuple[Checked, ...]:
    """Check what a registration hook gave. Runs the objects' own properties.

    Args:
        kind: The plugin's kind.
        answers: What pluggy collected: one iterable, or nothing.

    Returns:
        The objects, checked.

    Raises:
        Unusable: One of them is not what it should be; the reason says which.
    """
    if not answers:
        raise _wrong(f"{kind.hook} gave nothing: return an iterable, empty if need be")
    if not isinstance(answers[0], Iterable):
        raise _wrong(f"{kind.hook} gave a {type_name(answers[0])}, not an iterable")
    objects = list(islice(answers[0], _MOST_OBJECTS + 1))
    if len(objects) > _MOST_OBJECTS:
        raise _wrong(f"{kind.hook} gave more than {_MOST_OBJECTS} objects")
    checked = [_check_object(kind, thing) for thing in objects]
    claimed = [claim for each in checked for claim in each.claims]
    for space, name in claimed:
        if claimed.count((space, name)) > 1:
            raise _wrong(f"{kind.hook} gave the {space} {name} twice")
    return tuple(checked)


def _check_object(kind: Kind, thing: object) -> Checked:
    shape = _SHAPES[kind]
    if isinstance(thing, type):
        named = shown(thing.__name__, 64)
        raise _wrong(f"{kind.hook} gave the class {named}: give an object of it")
    wanted = (*shape.plain, *shape.waiting, *shape.data)
    missing = [name for name in wanted if not hasattr(thing, name)]
    if missing or not isinstance(thing, shape.protocol):
        raise _wrong(
            f"{kind.hook} gave a {type_name(thing)}, which is not {shape.article}: "
            f"it lacks {', '.join(missing) or 'a member'}"
        )
    _check_methods(shape, thing)
    if kind is Kind.EXECUTOR:
        actions = _check_actions(thing, "actions", "")
        return Checked(thing, actions, frozenset(("action", a.name) for a in actions))
    name = _check_name(thing)
    if kind is Kind.TOOL:
        actions = _check_actions(thing, "operations", f"{name}.")
        claims = {("action", action.name) for action in actions}
        return Checked(thing, actions, frozenset(claims | {("tool", name)}))
    if kind is Kind.REDACTOR:
        if type(_part(thing, "order")) is not int:
            raise _wrong(f"the order of {type_name(thing)} is not a whole number")
        return Checked(thing, (), frozenset({("layer", name)}))
    space = "backend" if kind is Kind.BILLING else "notifier"
    return Checked(thing, (), frozenset({(space, name)}))


def _check_methods(shape: _Shape, thing: object) -> None:
    for name in (*shape.plain, *shape.waiting):
        method, waits = getattr(thing, name), name in shape.waiting
        if not callable(method) or iscoroutinefunction(method) is not waits:
            form = "an async method" if waits else "a plain method"
            raise _wrong(f"{type_name(thing)}.{name} must be {form}")


def _check_name(thing: object) -> str:
    name = _part(thing, "name")
    if not isinstance(name, str) or not _WORD.fullmatch(name):
        raise _wrong(
            f"the name of {type_name(thing)} must be at most 32 lower-case letters, "
            "digits and underscores, a letter first"
        )
    return name


def _check_actions(thing: object, part: str, prefix: str) -> tuple[Action, ...]:
    listed = tuple(islice(_part(thing, part), _MOST_OBJECTS + 1))
    if not 0 < len(listed) <= _MOST_OBJECTS:
        raise _wrong(f"{type_name(thing)} must have 1 to {_MOST_OBJECTS} actions")
    for action in listed:
        if not isinstance(action, Action):
            given = type_name(action)
            raise _wrong(f"{type_name(thing)} lists a {given} instead of an Action")
        _check_action_name(thing, action, prefix)
        _check_action(action)
    names = [action.name for action in listed]
    if len(set(names)) < len(names):
        raise _wrong(f"{type_name(thing)} has two actions of one name")
    return listed


def _check_action_name(thing: object, action: Action, prefix: str) -> None:
    name = _part(action, "name")
    if not isinstance(name, str) or not name.startswith(prefix):
        raise _wrong(
            f"{type_name(thing)} has an operation not named `{prefix}OPERATION`"
        )
    if len(name) > _LONGEST or not _ACTION.fullmatch(name.removeprefix(prefix)):
        raise _wrong(
            f"{type_name(thing)} has an action whose name is not lower-case letters, "
            f"digits and underscores, a letter first, {_LONGEST} in all"
        )


def _check_action(action: Action) -> None:
    named = f"the action {action.name}"
    for part, wanted in _FIELDS.items():
        if not isinstance(_part(action, part), wanted):
            raise _wrong(f"{named}: its {part} is not a {wanted.__name__}")
    if not action.summary.strip() or not action.summary.isprintable():
        raise _wrong(f"{named}: its summary is not one line of text")
    if not all(isinstance(e, Example) for e in action.examples):
        raise _wrong(f"{named}: its examples are not Examples")
    if not all(is_name(secret) for secret in action.secrets):
        raise _wrong(f"{named}: its secrets are not names of secrets")
    _check_arguments(named, action.arguments)


def _check_arguments(named: str, model: object) -> None:
    if not isinstance(model, type) or not issubclass(model, Arguments):
        raise _wrong(f"{named} has arguments that are not a model of Arguments")
    settings = model.model_config
    weak = [name for name in _STRICTNESS if settings.get(name) is not True]
    if settings.get("extra") != "forbid":
        weak.append("extra")
    if weak:
        raise _wrong(f"{named} weakens the checks of Arguments: {', '.join(weak)}")
    try:
        model.model_json_schema()
    except Exception:  # noqa: BLE001 - whatever pydantic or a custom type raises
        message = f"{named} has arguments that no JSON schema describes"
        raise _wrong(message) from None


def _part(thing: object, name: str) -> Any:  # noqa: ANN401 - unknown until checked
    return getattr(thing, name, None)


def _wrong(reason: str) -> Unusable:
    return Unusable(Status.LOAD_ERROR, reason)
