"""Spelling a value so that whoever reads the file reads the value.

The readers differ. An unquoted value ends at ``#`` for some; in single quotes docker
compose and python-dotenv know ``\\'``, bash nothing; in double quotes they know
different escapes, and all but node's dotenv expand ``$`` (python-dotenv ``${NAME}``
even in single quotes). Three spellings are read alike by all four wherever that is
possible:

- bare, if nothing in the value means anything to anyone;
- in single quotes, if it holds none, no ``${NAME}`` and no backslash at its end or
  doubled;
- in double quotes, if it holds single quotes and nothing that needs an escape.

Otherwise bash and docker compose come first, and :func:`readers_that_differ` tells who
reads something else. Checked with random values against bash 5.2, docker compose's
parser, python-dotenv, dotenv for node and node's own.
"""

from __future__ import annotations

import re

from letsbe.plugin import ToolFailed

_BARE = re.compile(r"[A-Za-z0-9_./:@%+,=-]*")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPED = re.compile(r'[\\"$`]')
_EXPANDED = re.compile(r"\$\{[^}]*\}")
_ESCAPE = re.compile(r'\\([\\"$`nrt])')
_LETTERS = {"n": "\n", "r": "\r", "t": "\t"}


def check_value(key: str, value: str) -> None:
    """Check that a value can stand in a .env file at all.

    Raises:
        ToolFailed: It holds control characters other than tab and newline. The error
            names the key and shows nothing of the value.
    """
    if _CONTROL.search(value):
        message = (
            f"the value of {key} holds a control character, which no .env file can: "
            "keep it in a file of its own, or encode it as base64"
        )
        raise ToolFailed(message)


def quote(value: str) -> str:
    """Spell a value for a .env file.

    Args:
        value: Text without control characters other than tab and newline.

    Returns:
        What to write after ``KEY=``.
    """
    if _BARE.fullmatch(value):
        return value
    if "'" not in value and not value.endswith("\\"):
        return f"'{value}'"
    return '"' + _ESCAPED.sub(r"\\\g<0>", value) + '"'


def unquote(inner: str, mark: str) -> str:
    """Return the value of what stands between quotes.

    Args:
        inner: The text between them.
        mark: The quotation mark.
    """
    if mark == "'":
        return inner.replace("\\'", "'")
    return _ESCAPE.sub(lambda m: _LETTERS.get(m.group(1), m.group(1)), inner)


def readers_that_differ(value: str) -> tuple[str, ...]:
    """Name the readers to which :func:`quote` says something else than the value."""
    spelled = quote(value)
    if spelled == value:
        return ()
    if spelled.startswith("'"):
        differs = "\\\\" in value or _EXPANDED.search(value)
        return ("python-dotenv",) if differs else ()
    readers = []
    if "`" in value:
        readers.append("docker compose")
    if "$" in value or "`" in value:
        readers.append("python-dotenv")
    if _ESCAPED.search(value):
        readers.append("dotenv for node")
    return tuple(readers)
