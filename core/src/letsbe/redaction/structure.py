"""Spans that keep JSON valid.

Most spans lie inside a string and need nothing. The others are seen from a few bytes:
a stretch that could stand outside of strings (a number, a whole object), that holds a
quote, or that begins or ends inside an escape. Only then is the text parsed.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from itertools import repeat
from operator import sub
from typing import NamedTuple

from letsbe.redaction.escapes import ESCAPE, Unescaped, escape, unescape
from letsbe.redaction.spans import Place, Span, as_spans, merge, pieces

# What can stand outside of strings: numbers, brackets, true, null, NaN and so on, and
# the escapes of white space, for a document in a string.
_BARE = b" \t\r\n\\0123456789+-.eE{}[]:,truefalsnNIity"
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_ESCAPE_LENGTH = len("\\u0000")
_BACKSLASH, _QUOTE = ord("\\"), ord('"')


class _Document(NamedTuple):
    """One valid JSON document in a text, with the offsets of its tokens."""

    text: bytes
    start: int
    end: int
    starts: list[int]
    ends: list[int]
    inner: dict[int, tuple[Unescaped, _Document] | None]
    """What is in its strings, by their offsets."""


def keep_json(text: bytes, spans: list[Place]) -> list[Place]:
    """Widen spans so that a JSON document stays one.

    A number becomes a string; a stretch over several tokens becomes the smallest whole
    value around it; an escape is taken out whole. Each line counts as a document if
    the text as a whole is none (JSON lines, server-sent events).

    Args:
        text: Any text.
        spans: Spans in order, none overlapping another.

    Returns:
        The spans, widened where it was needed, in order and without overlap.
    """
    if not _any_doubtful(text, spans):
        return spans
    doubtful = [span for span in as_spans(spans) if _doubtful(text, span)]
    documents: dict[tuple[int, int], _Document | None] = {}
    widened: dict[Place, Place] = {
        span: _widen(document, span)
        for span in doubtful
        if (document := _document_around(text, span, documents)) is not None
    }
    return merge([widened.get(span, span) for span in spans])


def _any_doubtful(text: bytes, spans: list[Place]) -> bool:
    """Tell quickly, all at once, if any span might be doubtful."""
    starts = [span[0] for span in spans]
    ends = [span[1] for span in spans]
    taken = b"\0".join(pieces(text, starts, ends))
    if b'"' in taken or b"\0\0" in b"\0%b\0" % taken.translate(None, _BARE):
        return True
    if b"\\" not in text:
        return False
    before = map(max, repeat(0), map(sub, starts, repeat(_ESCAPE_LENGTH)))
    return b"\\" in taken or b"\\" in b"".join(pieces(text, before, starts))


def _doubtful(text: bytes, span: Span) -> bool:
    start, end = span.start, span.end
    return (
        text[end - 1] == _BACKSLASH
        or (start > 0 and text[start - 1] == _BACKSLASH)
        or text.find(b"\\u", max(start - 5, 0), start) >= 0
        or text.find(b"\\u", max(end - 5, 0), end) >= 0
        or text.find(b'"', start, end) >= 0
        or not text[start:end].strip(_BARE)
    )


def _document_around(
    text: bytes, span: Span, known: dict[tuple[int, int], _Document | None]
) -> _Document | None:
    """Find the JSON document that a span lies in: the whole text, or its line."""
    whole = (0, len(text))
    if whole not in known:
        known[whole] = _document(text, *whole)
    if known[whole] is not None:
        return known[whole]
    start = text.rfind(b"\n", 0, span.start) + 1
    if text.startswith(b"data:", start):
        start += len(b"data:")
    end = text.find(b"\n", span.end)
    line = (start, len(text) if end < 0 else end)
    if line not in known:
        known[line] = _document(text, *line)
    return known[line]


def _document(text: bytes, start: int, end: int) -> _Document | None:
    """Parse a document. A lone number or string is as likely to be plain text."""
    if text[start:end].lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        json.loads(text[start:end], parse_int=len)
    except (ValueError, RecursionError):
        return None
    tokens = [match.span() for match in _TOKEN.finditer(text, start, end)]
    starts, ends = zip(*tokens, strict=True)
    return _Document(text, start, end, list(starts), list(ends), {})


def _widen(document: _Document, span: Span) -> Span:
    text = document.text
    last = len(document.starts) - 1
    first_token = max(bisect_right(document.starts, span.start) - 1, 0)
    last_token = min(max(bisect_right(document.starts, span.end - 1) - 1, 0), last)
    start, end = document.starts[first_token], document.ends[last_token]
    one = first_token == last_token
    if one and text[start] == _QUOTE:
        if start < span.start and span.end < end:
            span = _whole_escapes(text, span, start + 1)
            return _widen_inside(document, span, start + 1, end - 1)
        return _quoted(span, start, end)
    if one and text[start : start + 1] not in b"{}[],:":
        return _quoted(span, start, end)
    return _quoted(span, *_value_around(document, span))


def _widen_inside(document: _Document, span: Span, start: int, end: int) -> Span:
    """Widen a span in a string that holds a JSON document itself."""
    if start not in document.inner:
        unescaped = unescape(document.text, start, end)
        parsed = _document(unescaped.text, 0, len(unescaped.text))
        document.inner[start] = (unescaped, parsed) if parsed else None
    inner = document.inner[start]
    if inner is None:
        return span
    unescaped, parsed = inner
    first, last = unescaped.to_plain(span.start), unescaped.to_plain(span.end)
    widened = _widen(parsed, span._replace(start=first, end=last))
    label = widened.label
    if label is not span.label:
        label = label._replace(placeholder=escape(label.placeholder))
    return Span(unescaped.to_raw(widened.start), unescaped.to_raw(widened.end), label)


def _whole_escapes(text: bytes, span: Span, start: int) -> Span:
    """Move a span's ends in a string so that they cut no escape."""
    # An escape is at most 6 bytes; the string's beginning says how they are cut.
    for match in ESCAPE.finditer(text, start, span.end + 6):
        if match.start() >= span.end:
            break
        if match.start() < span.start < match.end():
            span = span._replace(start=match.start())
        if match.start() < span.end < match.end():
            return span._replace(end=match.end())
    return span


def _value_around(document: _Document, span: Span) -> tuple[int, int]:
    """Find the smallest object or array that holds a span, or the whole document."""
    open_at: list[int] = []
    for start, end in zip(document.starts, document.ends, strict=True):
        token = document.text[start : start + 1]
        if token in b"{[":
            open_at.append(start)
        elif token in b"}]":
            begin = open_at.pop()
            # Containers close from the inside out, so the first one is the smallest.
            if begin <= span.start and span.end <= end:
                return begin, end
    return document.starts[0], document.ends[-1]


def _quoted(span: Span, start: int, end: int) -> Span:
    label = span.label
    if not label.placeholder.startswith(b'"'):
        label = label._replace(placeholder=b'"' + label.placeholder + b'"')
    return Span(min(start, span.start), max(end, span.end), label)
