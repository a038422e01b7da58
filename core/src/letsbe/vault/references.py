"""References to secrets: ``SECRET_REF(name)``, ``secret_refs`` and ``env_refs``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from letsbe.errors import FieldError, InvalidRequest
from letsbe.vault.masks import check_masks
from letsbe.vault.names import NAME, check_name, unknown_secret
from letsbe.vault.secret import Secret
from letsbe.vault.strings import strings_in

__all__ = ["check_masks", "environment_references", "fill", "find_references"]

_REFERENCE = re.compile(rf"SECRET_REF\((?:({NAME})\))?", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}", re.ASCII)
_NOT_IN_VARIABLE = re.compile(r"[^A-Z0-9_]", re.ASCII)

_STEERING = frozenset(
    {"BASH_ENV", "ENV", "HOME", "IFS", "PATH", "PYTHONPATH", "SHELL", "SHELLOPTS"}
)
"""Variables that decide what a program loads or runs."""


def find_references(value: object) -> list[str]:
    """List the secrets that a JSON value refers to in its strings.

    Args:
        value: A tool call's arguments, or a part of them.

    Returns:
        Each name once, in the order of first use.

    Raises:
        InvalidRequest: A reference is not well-formed, or stands in a field's name.
    """
    names: dict[str, None] = {}
    for path, text, is_key in strings_in(value):
        if "SECRET_REF(" not in text:
            continue
        if is_key:
            message = "a field's name cannot hold SECRET_REF: put it in the value"
            raise InvalidRequest(message, details=(FieldError(path, message),))
        for match in _REFERENCE.finditer(text):
            names[_name(match, path)] = None
    return list(names)


def fill(text: str, values: Mapping[str, Secret]) -> str:
    """Put values in place of references, in one pass.

    What a value holds is never looked at again, so it cannot be a reference itself.

    Args:
        text: What a tool call sent.
        values: The secrets that the call may use, by name.

    Returns:
        The text with values. Do not store, log or return it.

    Raises:
        UnknownSecret: A reference names none of them; names that look alike are
            listed.
        InvalidRequest: A reference is not well-formed.
    """

    def value_of(match: re.Match[str]) -> str:
        name = _name(match, "")
        if name not in values:
            raise unknown_secret(name, values)
        return values[name].reveal()

    return _REFERENCE.sub(value_of, text) if "SECRET_REF(" in text else text


def environment_references(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Read the structured references of a call.

    ``secret_refs`` is a list of names; each becomes a variable with its name in
    capitals, other characters as ``_``. ``env_refs`` maps variables to names.

    Args:
        arguments: The call's ``tool_args``.

    Returns:
        The secret's name by variable.

    Raises:
        InvalidRequest: A field has the wrong type, a name or variable is not one, two
            secrets would get one variable, or a variable decides what programs load.
    """
    found: dict[str, str] = {}
    for position, name in enumerate(_listed(arguments)):
        field = f"secret_refs.{position}"
        check_name(name, field)
        _add(found, _NOT_IN_VARIABLE.sub("_", name.upper()), name, field)
    for variable, name in _mapped(arguments).items():
        field = f"env_refs.{variable}"
        check_name(name, field)
        _add(found, variable, name, field)
    return found


def _name(match: re.Match[str], path: str) -> str:
    name = match[1]
    if name is None:
        message = (
            "SECRET_REF( is not followed by a secret's name and `)`: write "
            "SECRET_REF(name)"
        )
        details = (FieldError(path, message),) if path else ()
        raise InvalidRequest(message, details=details)
    return name


def _listed(arguments: Mapping[str, Any]) -> list[str]:
    names = arguments.get("secret_refs") or []
    if not isinstance(names, (list, tuple)):
        raise _wrong("secret_refs", "secret_refs is a list of secrets' names")
    return list(names)


def _mapped(arguments: Mapping[str, Any]) -> dict[str, str]:
    names = arguments.get("env_refs") or {}
    if not isinstance(names, Mapping):
        raise _wrong("env_refs", "env_refs maps variables to secrets' names")
    return dict(names)


def _add(found: dict[str, str], variable: str, name: str, field: str) -> None:
    if not _VARIABLE.fullmatch(variable):
        raise _wrong(field, "a variable has letters, digits and `_` only")
    if variable in _STEERING or variable.startswith("LD_"):
        raise _wrong(field, f"{variable} decides what programs load: take another")
    if found.setdefault(variable, name) != name:
        message = f"{found[variable]} and {name} would both be the variable {variable}"
        raise _wrong(field, f"{message}: name the variables with env_refs")


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, details=(FieldError(field, message),))
