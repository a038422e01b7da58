"""The provisioner's ``NAME.env`` files, one a tool, read strictly.

The form is what docker compose, systemd and a shell read alike: ``KEY=VALUE`` lines,
quotes around a value if it needs them, comments on lines of their own. What they would
read differently is refused, by its line's number.
"""

from __future__ import annotations

import re
from pathlib import Path

from letsbe.errors import ConfigurationError

_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_PLAIN = re.compile(r"[^\s\"'`$\\#][^\"'`$\\]*|")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\$`]|\\["\\$`])*)"')
_ESCAPED = re.compile(r'\\(["\\$`])')
_LIMIT = 1024 * 1024


def read_environment(path: Path) -> dict[str, str]:
    """Read a file of variables.

    Args:
        path: The file.

    Returns:
        The values by variable; of one that is set twice the last.

    Raises:
        ConfigurationError: It cannot be read, or a line is of another form; the error
            names the line and shows nothing of it.
    """
    try:
        text = path.read_bytes()[: _LIMIT + 1].decode("utf-8")
    except (OSError, UnicodeDecodeError):
        message = f"{path} cannot be read as UTF-8 text"
        raise ConfigurationError(message) from None
    if len(text) > _LIMIT:
        message = f"{path} is larger than 1 MiB"
        raise ConfigurationError(message)
    found = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            name, value = _read(stripped, path, number)
            found[name] = value
    return found


def _read(line: str, path: Path, number: int) -> tuple[str, str]:
    match = _LINE.fullmatch(line)
    value = None if match is None else _value(match[2])
    if match is None or value is None:
        message = (
            f"{path}, line {number} is not KEY=VALUE: quote a value that holds blanks, "
            "quotes, `$` or `#`"
        )
        raise ConfigurationError(message)
    return match[1], value


def _value(text: str) -> str | None:
    if quoted := _SINGLE.fullmatch(text):
        return quoted[1]
    if quoted := _DOUBLE.fullmatch(text):
        return _ESCAPED.sub(r"\1", quoted[1])
    if _PLAIN.fullmatch(text) and " #" not in text:
        return text
    return None
