"""Reading a part of a file, clean of secrets before it is cut."""

from __future__ import annotations

import base64
import os
from typing import Any

from letsbe.plugin import Execution, Place, ToolFailed, whole_lines
from letsbe_executor_file.arguments import ReadArguments

WHOLE = 1024 * 1024
"""Files up to this many bytes are redacted as a whole before they are cut."""
_MARGIN = 64 * 1024
"""In larger files, how far around what is asked for the ends of lines are looked for:
as long as the longest secret may be."""


def read_file(
    place: Place, arguments: ReadArguments, run: Execution, output_limit: int
) -> dict[str, Any]:
    """Read a file, or a part of it.

    A secret cut in two would pass every redaction. So a small file is redacted whole
    and then cut; of a large one whole lines are redacted and returned, a little more
    than was asked for.

    Args:
        place: The file.
        arguments: Which part, and in which form.
        run: Lends the redaction.
        output_limit: The most bytes of the answer.

    Returns:
        ``content`` with its ``encoding``; ``offset`` and ``bytes`` of it; the file's
        ``size``; ``next_offset`` if there is more, and whether it is ``truncated``.
    """
    file = place.open_file()
    raw = b""
    try:
        size = os.fstat(file).st_size
        data = _read(file, 0, WHOLE + 1) if size <= WHOLE else b""
        whole = size <= WHOLE and len(data) <= WHOLE
        if whole:
            clean = run.redact(data)
            most = min(arguments.limit or WHOLE, _allowed(output_limit))
            start, part, more = _cut(clean, arguments, most)
        else:
            allowed = _allowed(output_limit)
            margin = min(_MARGIN, allowed // 3)
            most = min(arguments.limit or allowed, allowed - 2 * margin)
            start, raw = _lines(file, arguments.offset, most, margin)
            more = start + len(raw) < size
            part = run.redact(raw)
    finally:
        os.close(file)
    end = start + len(part if whole else raw)
    content, encoding = _encode(part, arguments.encoding)
    return {
        "path": place.path,
        "content": content,
        "encoding": encoding,
        "size": size,
        "offset": start,
        "bytes": len(part),
        "truncated": more,
        "next_offset": end if more else None,
    }


def _allowed(output_limit: int) -> int:
    """Return how many bytes may be returned, with room for base64 and the rest."""
    return max((output_limit - 2048) * 3 // 4, 512)


def _cut(clean: bytes, arguments: ReadArguments, most: int) -> tuple[int, bytes, bool]:
    start = min(arguments.offset, len(clean))
    end = min(start + most, len(clean))
    if arguments.encoding != "base64" and _is_text(clean):
        start, end = _whole_characters(clean, start, end)
    return start, clean[start:end], end < len(clean)


def _whole_characters(text: bytes, start: int, end: int) -> tuple[int, int]:
    """Move both ends back to where a character begins, but never to nothing."""
    while 0 < start < len(text) and text[start] & 0xC0 == 0x80:
        start -= 1
    wanted = end
    while start < end < len(text) and text[end] & 0xC0 == 0x80:
        end -= 1
    if end == start:  # less than one character was asked for: give it anyway
        end = wanted
        while end < len(text) and text[end] & 0xC0 == 0x80:
            end += 1
    return start, end


def _lines(file: int, offset: int, most: int, margin: int) -> tuple[int, bytes]:
    """Read whole lines around a part of a large file."""
    start = max(offset - margin, 0)
    data = _read(file, start, offset - start + most + margin)
    before = min(offset - start, len(data))
    begin, end = whole_lines(data, before, most, margin)
    return start + begin, data[begin:end]


def _read(file: int, offset: int, length: int) -> bytes:
    parts, have = [], 0
    while have < length:
        part = os.pread(file, length - have, offset + have)
        if not part:
            break
        parts.append(part)
        have += len(part)
    return b"".join(parts)


def _is_text(data: bytes) -> bool:
    if b"\0" in data:
        return False
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encode(part: bytes, encoding: str) -> tuple[str, str]:
    if encoding == "base64" or (encoding == "auto" and not _is_text(part)):
        return base64.b64encode(part).decode("ascii"), "base64"
    try:
        return part.decode(), "utf-8"
    except UnicodeDecodeError:
        message = "the file is not UTF-8 text: read it with encoding base64"
        raise ToolFailed(message) from None
