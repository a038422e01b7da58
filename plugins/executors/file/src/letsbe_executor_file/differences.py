"""What a write would change in a file, as a person reads it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from itertools import islice
from typing import Any

from letsbe.plugin import Place, Preview
from letsbe_executor_file.arguments import WriteArguments

MOST_BYTES = 256 * 1024
"""Larger files are not compared: that takes longer than a person should wait."""
MOST_LINES = 4000
"""Nor are files of more lines; comparing grows with their square."""
SHOWN_LINES = 400
"""The most lines of a difference that are shown."""

Redact = Callable[[bytes], bytes]


def preview_write(
    place: Place, arguments: WriteArguments, redact: Redact, *, shown: bool
) -> Preview:
    """Say what a write would change.

    Args:
        place: Where it would write.
        arguments: What, and how.
        redact: Takes secrets out of a whole text, before it is compared and cut.
        shown: Whether the file's lines may be shown at all.

    Returns:
        The sizes, and a unified diff where both sides are text of a moderate size.

    Raises:
        LetsBeError: The file cannot be opened.
    """
    exists = place.status is not None
    before = place.status.st_size if place.status is not None else 0
    verb = {"append": "appends to"}.get(arguments.mode, "replaces")
    name = place.path
    summary = f"{verb} {name}, {before:,} bytes now" if exists else f"creates {name}"
    detail: dict[str, Any] = {"exists": exists, "bytes_now": before}
    if not shown:
        note = "the lines of a file that may hold secrets are not shown"
        return Preview(summary, detail, left_out=(note,))
    if arguments.encoding != "utf-8":
        return Preview(summary, detail, left_out=("the content is not text",))
    old = _old(place) if exists else b""
    if old is None or len(arguments.content) > MOST_BYTES:
        note = f"the difference, as the file is over {MOST_BYTES:,} bytes"
        return Preview(summary, detail, left_out=(note,))
    try:
        sides = [redact(old).decode(), redact(arguments.content.encode()).decode()]
    except UnicodeDecodeError:
        return Preview(summary, detail, left_out=("the file is not text",))
    if arguments.mode == "append":
        sides[1] = sides[0] + sides[1]
    lines = [side.splitlines(keepends=True) for side in sides]
    if max(map(len, lines)) > MOST_LINES:
        note = f"the difference, as the file has over {MOST_LINES:,} lines"
        return Preview(summary, detail, left_out=(note,))
    return _compared(name, lines, summary, detail)


def _old(place: Place) -> bytes | None:
    with os.fdopen(place.open_file(), "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    return None if len(data) > MOST_BYTES else data


def _compared(
    name: str, lines: list[list[str]], summary: str, detail: dict[str, Any]
) -> Preview:
    old, new = lines
    found = list(difflib.unified_diff(old, new, f"{name} (now)", f"{name} (then)"))
    added = sum(line.startswith("+") for line in found[2:])
    removed = sum(line.startswith("-") for line in found[2:])
    detail |= {"lines_added": added, "lines_removed": removed}
    summary += f": {added} lines added, {removed} removed"
    shown = [line if line.endswith("\n") else f"{line}\n" for line in found]
    left_out: tuple[str, ...] = ()
    if len(shown) > SHOWN_LINES:
        left_out = (f"{len(shown) - SHOWN_LINES} more lines of the difference",)
    text = "".join(islice(shown, SHOWN_LINES))
    return Preview(summary, detail, text or None, left_out)
