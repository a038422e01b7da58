"""Cutting a part out of a large text so that no secret is cut in two."""

from __future__ import annotations

import re

_LINE_END = re.compile(rb"\n")
_BREAK = re.compile(rb"[\s\"',;]")


def whole_lines(data: bytes, before: int, most: int, margin: int) -> tuple[int, int]:
    """Say which part of some bytes to redact and return: whole lines.

    A secret cut in two would pass every redaction, so a little more is given than was
    asked for. Where a line is longer than the margin, it is cut at a blank, quote or
    comma, which few secrets hold; where there is none either, as it comes.

    Args:
        data: What was asked for, with up to ``margin`` bytes before it and after.
        before: How many bytes of it come before what was asked for; fewer than
            ``margin`` do at the file's beginning.
        most: How many bytes were asked for.
        margin: How many were to follow; fewer do at the file's end.

    Returns:
        Where the part begins and ends in ``data``.
    """
    begin = _beginning(data, before, margin)
    wanted = before + most
    if len(data) <= wanted:
        return begin, len(data)
    end = _LINE_END.search(data, wanted - 1) or _BREAK.search(data, wanted - 1)
    if end is None and len(data) < wanted + margin:
        return begin, len(data)
    return begin, end.end() if end else wanted


def _beginning(data: bytes, before: int, margin: int) -> int:
    ends = [*_LINE_END.finditer(data, 0, before)]
    if not ends and before < margin:
        return 0  # the first line of all
    breaks = ends or [*_BREAK.finditer(data, 0, before)]
    return breaks[-1].end() if breaks else before
