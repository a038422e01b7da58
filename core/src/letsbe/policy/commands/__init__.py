"""The command grammar: what a command line may say, and how it is read.

A small language that bash reads with the same words: quotes and backslashes, ``|``,
``&&``, ``||``, ``;``, ``<file``, ``>/dev/null``, ``2>/dev/null``, ``2>&1``, and
``SECRET_REF(name)`` inside a word. It is read once, classified, and executed from the
very words that were read. Everything else is refused with a reason.
"""

from letsbe.policy.commands._errors import CommandRefused
from letsbe.policy.commands._line import (
    COMMAND_LIMIT,
    LENGTH_LIMIT,
    CommandLine,
    Pipeline,
    Stage,
    Stream,
    line_from_argv,
    parse_line,
)
from letsbe.policy.commands._words import Word

__all__ = [
    "COMMAND_LIMIT",
    "LENGTH_LIMIT",
    "CommandLine",
    "CommandRefused",
    "Pipeline",
    "Stage",
    "Stream",
    "Word",
    "line_from_argv",
    "parse_line",
]
