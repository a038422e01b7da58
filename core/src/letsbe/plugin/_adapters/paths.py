"""Paths of requests, built so that no argument can leave the place it is put in.

A value becomes one segment of a path, or several where the template says so. What a
server, or a proxy before it, could read as a way up, as a separator or as something
else when it decodes once more, is refused rather than encoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from letsbe.errors import FieldError, InvalidRequest

_PLACEHOLDER = re.compile(r"\{(\$?[a-z][a-z0-9_]*)(\*?)\}")
_MOST_DECODINGS = 3
_LONGEST = 4096


def fill_path(template: str, values: Mapping[str, str | int]) -> str:
    """Put values into a path's template.

    Args:
        template: Such as ``/posts/{id}/``; ``{path*}`` takes several segments, and
            ``{$account}`` is a setting of the tool.
        values: The value of each placeholder.

    Returns:
        The path, percent-encoded.

    Raises:
        InvalidRequest: A value could lead somewhere else; the error names the
            placeholder and never the value.
    """

    def put(match: re.Match[str]) -> str:
        name, many = match[1], match[2]
        field = name if name.startswith("$") else f"tool_args.{name}"
        return _segments(str(values[name]), field, many=bool(many))

    return _PLACEHOLDER.sub(put, template)


def placeholders(template: str) -> frozenset[str]:
    """The names of arguments that a template has places for."""
    names = (match[1] for match in _PLACEHOLDER.finditer(template))
    return frozenset(name for name in names if not name.startswith("$"))


def settings_in(template: str) -> frozenset[str]:
    """The names of settings that a template has places for, without their ``$``."""
    names = (match[1] for match in _PLACEHOLDER.finditer(template))
    return frozenset(name[1:] for name in names if name.startswith("$"))


def read_path(path: str, field: str = "tool_args.path") -> str:
    """Read a whole path that someone else wrote, percent-encoded or not.

    Args:
        path: From the tool's base address on, beginning with a slash.
        field: What to call it in an error.

    Returns:
        The path in one spelling, percent-encoded.

    Raises:
        InvalidRequest: It is not such a path, or could lead somewhere else.
    """
    if not path.startswith("/") or path.startswith("//"):
        raise _wrong(field, "begin with one slash; give the path alone, without a host")
    if set(path) & set("?#"):
        raise _wrong(field, "leave out `?` and `#`: the query has a field of its own")
    ending = "/" if path.endswith("/") and path != "/" else ""
    inner = path[1:].removesuffix("/") if ending else path[1:]
    if not inner:
        return "/"
    parts = [_segment(unquote(part), field) for part in inner.split("/")]
    return f"/{'/'.join(parts)}{ending}"


def _segments(value: str, field: str, *, many: bool) -> str:
    if not many:
        return _segment(value, field)
    inner = value.strip("/")
    if not inner:
        return ""
    return "/".join(_segment(part, field) for part in inner.split("/"))


def _segment(value: str, field: str) -> str:
    """Encode one segment, or refuse it."""
    if not value or len(value) > _LONGEST:
        raise _wrong(field, f"it must have 1 to {_LONGEST} characters")
    form = value
    for _ in range(_MOST_DECODINGS):
        _check_form(form, field)
        form, before = unquote(form), form
        if form == before:
            break
    return quote(value, safe="")


def _check_form(form: str, field: str) -> None:
    if form.split(";", maxsplit=1)[0].strip() in {".", ".."}:
        raise _wrong(field, "it must not be `.` or `..`")
    if set(form) & set("/\\"):
        raise _wrong(field, "it must not hold a slash or backslash, encoded or not")
    if any(
        ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in form
    ):
        raise _wrong(field, "it must not hold control characters")


def _wrong(field: str, message: str) -> InvalidRequest:
    text = f"{field.removeprefix('tool_args.')} cannot stand in a path: {message}"
    return InvalidRequest(text, details=(FieldError(field, message),))
