"""Redaction of JSON values: every string, key and number of them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterable
from typing import Any, TypeAlias

from letsbe.errors import OutputWithheld

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
"""What a JSON document can hold."""

MAX_DEPTH = 200
"""The deepest nesting that is walked; well inside of Python's own limit of 1,000."""

_ESCAPED = re.compile(r'[\x00-\x1f"\\]')


def redact_document(
    value: JSON,
    redact: Callable[[bytes], bytes],
    redact_text: Callable[[str], str],
    redacted: Container[bytes] = (),
) -> JSON:
    """Redact a JSON value twice: each string as it is, and the whole as JSON text.

    The strings are what a reader sees, so layers need not understand escapes; the text
    has what strings lack: numbers, and which key a value belongs to. A string that JSON
    writes as it is need not be looked at again when the text was clean.

    Args:
        value: The value.
        redact: The pipeline on bytes; it keeps JSON valid.
        redact_text: The pipeline on a string.
        redacted: Texts that the pipeline gave back.

    Returns:
        The value without secrets; the same object if there were none.

    Raises:
        OutputWithheld: Nested deeper than :data:`MAX_DEPTH`, or not JSON.
    """
    _check_depth(value)
    text = _dump(value)
    clean = redact(text) is text

    def redact_string(string: str) -> str:
        if clean and (not _ESCAPED.search(string) or _is_in(string, redacted)):
            return string
        return redact_text(string)

    walked = value if clean and b"\\" not in text else _walk(value, redact_string)
    if clean and walked is value:
        return value
    return _load(redact(_dump(walked)))


def _is_in(string: str, redacted: Container[bytes]) -> bool:
    return bool(redacted) and string.encode("utf-8", "surrogatepass") in redacted


def _walk(value: JSON, redact_string: Callable[[str], str]) -> JSON:
    """Redact the strings of a value; what did not change stays the same object."""
    if isinstance(value, str):
        return redact_string(value)
    if isinstance(value, dict):
        pairs = [
            (redact_string(key), _walk(item, redact_string))
            for key, item in value.items()
        ]
        same = all(
            key is new_key and item is new_item
            for (key, item), (new_key, new_item) in zip(
                value.items(), pairs, strict=True
            )
        )
        return value if same else _distinct(pairs)
    if isinstance(value, list):
        items = [_walk(item, redact_string) for item in value]
        same = all(old is new for old, new in zip(value, items, strict=True))
        return value if same else items
    return value


def _distinct(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Build a dictionary in which equal keys are told apart by a suffix."""
    pairs = list(pairs)
    taken = {key for key, _ in pairs}
    result: dict[str, Any] = {}
    for key, item in pairs:
        unique, number = key, 1
        while unique in result or (number > 1 and unique in taken):
            number += 1
            unique = f"{key}#{number}"
        result[unique] = item
    return result


def _check_depth(value: JSON) -> None:
    """Refuse deep values level by level, without recursion."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
            elif isinstance(item, list | tuple):
                below += item
        if not below:
            return
        level = below
    message = f"The output is nested deeper than {MAX_DEPTH} levels and is withheld."
    raise OutputWithheld(message)


def _dump(value: JSON) -> bytes:
    """Write a value as the one item of an array, so that a lone number is JSON too."""
    try:
        text = json.dumps([value], ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError):
        pass
    message = "The output is not JSON, so it cannot be redacted and is withheld."
    raise OutputWithheld(message)


def _load(text: bytes) -> JSON:
    try:
        match json.loads(text, object_pairs_hook=_distinct):
            case [result]:
                redacted: JSON = result
                return redacted
            case result:
                # The whole array was one secret.
                return str(result)
    except (ValueError, RecursionError):
        pass
    message = "The output is not JSON after redaction and is withheld."
    raise OutputWithheld(message)
