"""Reading a file, or a part of one, clean of secrets before it is cut."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from pydantic import Field

from letsbe.plugin import (
    Example,
    Json,
    Tier,
    ToolClient,
    operation,
    whole_lines,
)
from letsbe_tool_nextcloud.files import ONE, PathArguments, found_file, shown

_WHOLE = 1024 * 1024
"""Files up to this many bytes are redacted as a whole before they are cut."""
_MARGIN = 64 * 1024
"""In larger ones, how far around what is asked for the ends of lines are looked for."""


class ReadArguments(PathArguments):
    """Which part of a file."""

    offset: Annotated[int, Field(ge=0)] = 0
    """Where to begin; to go on, `next_offset` of the last answer. It counts the
    characters of a text of up to 1 MiB, and bytes of anything else."""
    limit: Annotated[int, Field(ge=1, le=100_000)] = 50_000
    """How many at most; of a larger text, whole lines around them."""


@operation(Tier.GREEN, examples=[Example({"path": "notes.md"}, Tier.GREEN)])
async def read_file(tool: ToolClient, args: ReadArguments) -> Json:
    """Read a file, or a part of it; what is not text comes as base64."""
    file, size = await found_file(tool, args.path)
    told = shown(tool, file)
    if args.offset >= size:
        return {**told, **_told("", args.offset, None)}
    if size <= _WHOLE:
        data = await _bytes(tool, args.path, 0, _WHOLE)
        return {**told, **_cut_clean(tool, data, args)}
    start = max(args.offset - _MARGIN, 0)
    data = await _bytes(tool, args.path, start, args.offset + args.limit + _MARGIN)
    begin, end = whole_lines(data, args.offset - start, args.limit, _MARGIN)
    after = start + end
    part = _cleaned(tool, data[begin:end])
    return {**told, **_told(part, start + begin, after if after < size else None)}


async def _bytes(tool: ToolClient, path: str, start: int, end: int) -> bytes:
    ranged = {"range": f"bytes={start}-{end - 1}"}
    response = await tool.send("GET", ONE, {"path": path}, headers=ranged)
    if response.status == 206:
        return response.content
    return response.content[start:end]  # it knows no ranges, or the file is empty now


def _cut_clean(tool: ToolClient, data: bytes, args: ReadArguments) -> dict[str, Any]:
    clean = _cleaned(tool, data)
    end = args.offset + args.limit
    return _told(
        clean[args.offset : end], args.offset, end if end < len(clean) else None
    )


def _cleaned(tool: ToolClient, data: bytes) -> str | bytes:
    try:
        return tool.redact(data.decode())
    except UnicodeDecodeError:
        # One character for each byte, so that the rest stays as it is.
        return tool.redact(data.decode("latin-1")).encode("latin-1", "replace")


def _told(part: str | bytes, offset: int, after: int | None) -> dict[str, Any]:
    known = {"offset": offset, "truncated": after is not None, "next_offset": after}
    if isinstance(part, str):
        return {**known, "content": part}
    return {**known, "base64": base64.b64encode(part).decode()}


OPERATIONS = (read_file,)
