"""Showing variables without their secrets.

This executor does not know the vault. What is registered there it learns from the
redaction that the core lends to a call: a value that comes back as ``SECRET_REF(name)``
is registered, and is shown so, whatever its key. Of the others, those with a sensitive
key are withheld. Whatever is left passes the core's own redaction as every output does.
"""

from __future__ import annotations

import re
from typing import Any

from letsbe.plugin import Execution, Place
from letsbe_executor_env.document import Document, Line, parse
from letsbe_executor_env.sensitivity import (
    holds_nothing,
    is_sensitive_key,
    is_sensitive_value,
)
from letsbe_executor_env.storage import read_text

WITHHELD = "[REDACTED:sensitive_key]"
"""Stands for a withheld value. The core refuses it where a value is due, so that it
cannot be written back by mistake."""

_REFERENCE = re.compile(r"SECRET_REF\([A-Za-z][A-Za-z0-9_.-]*\)")
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/?#@:]*):([^\s/?#@]+)@")


def read(place: Place, keys: tuple[str, ...] | None, run: Execution) -> dict[str, Any]:
    """Read the variables of a file.

    Args:
        place: The file.
        keys: Which; all if None.
        run: Lends the redaction.

    Returns:
        The real ``path``; ``variables``, each with ``key``, ``value`` and ``line``;
        the keys ``withheld`` and ``missing``; ``duplicates``; ``invalid_lines``, each
        with its ``line`` and what is ``wrong``.
    """
    document = parse(read_text(place))
    lines = [line for line in document.lines if line.key is not None]
    if keys is not None:
        lines = [line for line in lines if line.key in keys]
    variables = [_variable(line, run) for line in lines]
    return {
        "path": place.path,
        "variables": variables,
        "withheld": sorted({v["key"] for v in variables if v["value"] == WITHHELD}),
        "missing": sorted(set(keys or ()) - document.values.keys()),
        **remarks(document),
    }


def remarks(document: Document) -> dict[str, Any]:
    """Say what is odd about a document, without any of its content."""
    return {
        "duplicates": list(document.duplicates),
        "invalid_lines": [
            {"line": line.number, "wrong": line.invalid} for line in document.invalid
        ],
    }


def shown(key: str, value: str, run: Execution) -> str:
    """Return what may be seen of a value."""
    redacted = run.redact(value.encode()).decode("utf-8", "replace")
    if _REFERENCE.fullmatch(redacted) or holds_nothing(value):
        return redacted
    if is_sensitive_key(key) or is_sensitive_value(value):
        return WITHHELD
    return _URL_PASSWORD.sub(_without_password, redacted)


def _variable(line: Line, run: Execution) -> dict[str, Any]:
    assert line.key is not None
    value = None if line.value is None else shown(line.key, line.value, run)
    return {"key": line.key, "value": value, "line": line.number}


def _without_password(match: re.Match[str]) -> str:
    user, password = match.groups()
    if _REFERENCE.fullmatch(password) or password.startswith(("[REDACTED:", "$")):
        return match.group()
    return f"{user}:[REDACTED:url_password]@"
