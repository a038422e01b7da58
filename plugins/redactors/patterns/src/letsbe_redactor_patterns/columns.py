"""Which column of a table a cell stands in, and whether that is one of secrets.

Tables of Markdown and of databases' clients, and values apart by commas, semicolons or
tabs, all have their columns' names in the first line.
"""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\r?\n|\\+r\\+n|\\+n")
_SEPARATORS = tuple(map(re.compile, (rb"\|", rb"\t|\\+t", rb";", rb",")))
_SECRET = re.compile(
    rb"(?:[a-z]{1,20}[ _-]){0,2}(?:pass(?:word|wort|wd|phrase|code)?|kennwort|pwd"
    rb"|secret|token|(?:api|access|secret|private|auth)[ _-]?key)s?",
    re.IGNORECASE,
)
_LONGEST = 400
_MARKS = b" *_`\"'"


def is_of_secrets(text: bytes, head: int, cell: int) -> bool:
    """Say whether a cell stands under the name of a secret.

    Args:
        text: The whole text.
        head: An offset in the line of the columns' names.
        cell: The cell's offset, in a later line.
    """
    names = _line(text, head)
    row = _line(text, cell)
    for separator in _SEPARATORS:
        columns = separator.split(names[0])
        if len(columns) > 1:
            place = len(separator.findall(text, row[1], cell))
            alike = len(separator.split(row[0])) == len(columns)
            return alike and _SECRET.fullmatch(columns[place].strip(_MARKS)) is not None
    return False


def _line(text: bytes, position: int) -> tuple[bytes, int]:
    """Return the line that an offset is in, and where it begins."""
    near = max(0, position - _LONGEST)
    start = max(
        (match.end() for match in _LINE_END.finditer(text, near, position)),
        default=near,
    )
    # In a string of JSON the first line begins behind a quote.
    start = max(start, text.rfind(b'"', start, position) + 1)
    match = _LINE_END.search(text, position, position + _LONGEST)
    end = match.start() if match else min(len(text), position + _LONGEST)
    return text[start:end].rstrip(), start
