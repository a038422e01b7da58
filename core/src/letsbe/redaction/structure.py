"""Spans that keep JSON valid.

Most spans lie inside a string and need nothing. The others are seen from a few bytes:
a stretch that could stand outside of strings (a number, a whole object), that holds a
quote, or that begins or ends inside an escape. Only for those the document is looked
at, and of it only what stands round them.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import accumulate, count, repeat
from operator import add
from typing import final

from letsbe.redaction.escapes import Unescaped, escape, unescape
from letsbe.redaction.spans import Span, Spans, merge, pieces

# What can stand outside of strings: numbers, brackets, true, null, NaN and so on, and
# the escapes of white space, for a document in a string.
_BARE = b" \t\r\n\\0123456789+-.eE{}[]:,truefalsNnIity"
_OUTSIDE = re.compile(rb"[{}\[\],:]|[^\s{}\[\],:]+")
_BRACKET = re.compile(rb"[{}\[\]]")
_OPENS = re.compile(rb"(?:[ \t]|\\[nrt]|\\u00(?:20|0[9aAdD]))*(?:[\[{]|\\u00[57][bB])")
_LONGEST = len("\\u0000")
_BACKSLASH, _QUOTE, _UNICODE = ord("\\"), ord('"'), ord("u")


def keep_json(text: bytes, spans: Spans) -> Spans:
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
    places = _doubtful(text, spans)
    if not places:
        return spans
    widened = Spans()
    widened.extend(spans)
    documents = _Documents(text)
    for place in places:
        span = Span(spans.starts[place], spans.ends[place], spans.labels[place])
        document = documents.around(span)
        if document is not None:
            start, end, label = _widen(document, span)
            widened.starts[place], widened.ends[place] = start, end
            widened.labels[place] = label
    return merge(widened)


def _doubtful(text: bytes, spans: Spans) -> list[int]:
    """Return the places of the spans that may break a document.

    Each question is first asked of all spans at once.
    """
    taken = list(pieces(text, spans.starts, spans.ends))
    whole = b"\0".join(taken)
    doubts: list[Iterable[bool]] = []
    if b'"' in whole:
        doubts.append(b'"' in piece for piece in taken)
    if b"\0\0" in b"\0%b\0" % whole.translate(None, _BARE):
        doubts.append(not piece.strip(_BARE) for piece in taken)
    if b"\\" in text:
        doubts += _cutting(text, spans.starts)
        doubts += _cutting(text, spans.ends)
    if not doubts:
        return []
    return [place for place, each in enumerate(zip(*doubts, strict=True)) if any(each)]


def _cutting(text: bytes, offsets: Sequence[int]) -> Iterator[Iterable[bool]]:
    """Say of offsets whether they may lie inside an escape, unless none does."""
    reach = _LONGEST - 1 if b"\\u" in text else 1
    begins = map(max, repeat(0), map((-reach).__add__, offsets))
    tails = list(pieces(text, begins, offsets))
    whole = b"\0".join(tails)
    if b"\\u" in whole or b"\\\0" in whole + b"\0":
        yield (b"\\u" in tail or tail.endswith(b"\\") for tail in tails)


class _Documents:
    """The JSON documents of a text: the whole of it, or those of its lines."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._whole = _parsed(text, 0, len(text))
        self._line: tuple[int, int, _Document | None] = 0, 0, None

    def around(self, span: Span) -> _Document | None:
        """Return the document that a span lies in."""
        if self._whole is not None:
            return self._whole
        start, end, document = self._line
        if start <= span.start and span.end <= end:
            return document
        text = self._text
        start = text.rfind(b"\n", 0, span.start) + 1
        end = text.find(b"\n", span.end)
        end = len(text) if end < 0 else end
        begin = start + len(b"data:") if text.startswith(b"data:", start) else start
        document = _parsed(text, begin, end)
        if text.find(b"\n", start, end) < 0:
            self._line = start, end, document
        return document


def _parsed(text: bytes, start: int, end: int) -> _Document | None:
    """Parse a document. A lone number or string is as likely to be plain text."""
    if text[start:end].lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        json.loads(text[start:end], parse_int=len)
    except (ValueError, RecursionError):
        return None
    return _Document(text, start, end)


@final
class _Document:
    """One valid JSON document in a text.

    Args:
        text: The text.
        start: Where it begins.
        end: Where it ends.
    """

    def __init__(self, text: bytes, start: int, end: int) -> None:
        self.text = text
        self._start = start
        self._end = end
        # What is escaped out of the way, every quote begins or ends a string.
        plain = text[start:end].replace(b"\\\\", b"  ").replace(b'\\"', b"  ")
        lengths = map(len, plain.split(b'"'))
        # One more than there are quotes: the document's end.
        self._quotes = list(map(add, accumulate(lengths), count(start)))
        self._gaps: dict[int, list[tuple[int, int]]] = {}
        self._inner: dict[int, tuple[Unescaped, _Document] | None] = {}

    def token_at(self, offset: int) -> tuple[int, int]:
        """Return where the token stands that holds an offset, or the one before it."""
        quotes = self._quotes
        number = bisect_right(quotes, offset)
        if number % 2:
            return quotes[number - 1], quotes[number] + 1
        tokens = self._tokens_of(number)
        before = bisect_right(tokens, (offset, self._end))
        if before:
            return tokens[before - 1]
        if number:
            return quotes[number - 2], quotes[number - 1] + 1
        return self._tokens_of(0)[0]

    def _tokens_of(self, number: int) -> list[tuple[int, int]]:
        """Return the tokens between two strings, by the quotes before them."""
        if number not in self._gaps:
            matches = _OUTSIDE.finditer(self.text, *self._gap(number))
            self._gaps[number] = [match.span() for match in matches]
        return self._gaps[number]

    def _gap(self, number: int) -> tuple[int, int]:
        begin = self._quotes[number - 1] + 1 if number else self._start
        return begin, self._quotes[number]

    def value_around(self, span: Span) -> tuple[int, int]:
        """Find the smallest object or array that holds a span."""
        begins, ends, parents = self._containers
        number = bisect_right(begins, span.start) - 1
        while number > 0 and ends[number] < span.end:
            number = parents[number]
        return begins[max(number, 0)], ends[max(number, 0)]

    @cached_property
    def _containers(self) -> tuple[list[int], list[int], list[int]]:
        """Where objects and arrays begin and end, and which one each is in."""
        begins: list[int] = []
        ends: list[int] = []
        parents: list[int] = []
        within = -1
        for number in range(0, len(self._quotes), 2):
            for match in _BRACKET.finditer(self.text, *self._gap(number)):
                if match[0] in b"{[":
                    begins.append(match.start())
                    ends.append(0)
                    parents.append(within)
                    within = len(begins) - 1
                else:
                    ends[within] = match.end()
                    within = parents[within]
        return begins, ends, parents

    def inner(self, start: int, end: int) -> tuple[Unescaped, _Document] | None:
        """Return the document that is the content of a string, if it is one."""
        if start not in self._inner:
            self._inner[start] = _inside(self.text, start, end)
        return self._inner[start]


def _inside(text: bytes, start: int, end: int) -> tuple[Unescaped, _Document] | None:
    if not _OPENS.match(text, start, end):
        return None
    unescaped = unescape(text, start, end)
    document = _parsed(unescaped.text, 0, len(unescaped.text))
    return (unescaped, document) if document else None


def _widen(document: _Document, span: Span) -> Span:
    text = document.text
    start, _ = document.token_at(span.start)
    last_start, end = document.token_at(span.end - 1)
    if start != last_start:
        return _quoted(span, *document.value_around(span))
    if text[start] == _QUOTE:
        if start < span.start and span.end < end:
            span = _whole_escapes(text, span, start + 1)
            return _widen_inside(document, span, start + 1, end - 1)
        return _quoted(span, start, end)
    if text[start : start + 1] not in b"{}[],:":
        return _quoted(span, start, end)
    return _quoted(span, *document.value_around(span))


def _widen_inside(document: _Document, span: Span, start: int, end: int) -> Span:
    """Widen a span in a string that holds a JSON document itself."""
    inner = document.inner(start, end)
    if inner is None:
        return span
    unescaped, parsed = inner
    first, last = unescaped.to_plain(span.start), unescaped.to_plain(span.end)
    widened = _widen(parsed, span._replace(start=first, end=last))
    label = widened.label
    if label is not span.label:
        label = label._replace(placeholder=escape(label.placeholder))
    return Span(unescaped.to_raw(widened.start), unescaped.to_raw(widened.end), label)


def _whole_escapes(text: bytes, span: Span, begin: int) -> Span:
    """Move a span's ends in a string so that they cut no escape."""
    start, _ = _escape_over(text, span.start, begin)
    _, end = _escape_over(text, span.end, begin)
    return span._replace(start=start, end=end)


def _escape_over(text: bytes, offset: int, begin: int) -> tuple[int, int]:
    """Return where the escape stands that an offset would cut, or the offset twice.

    Args:
        text: The document.
        offset: The offset.
        begin: Where the string's content begins.
    """
    start = max(begin, offset - _LONGEST + 1)
    while (start := text.find(b"\\", start, offset)) >= 0:
        first = start
        while first > begin and text[first - 1] == _BACKSLASH:
            first -= 1
        # Of backslashes in a row, each second one is escaped by the one before it.
        if (start - first) % 2 == 0:
            end = start + (_LONGEST if text[start + 1] == _UNICODE else 2)
            if end > offset:
                return start, end
        start += 1
    return offset, offset


def _quoted(span: Span, start: int, end: int) -> Span:
    label = span.label
    if not label.placeholder.startswith(b'"'):
        label = label._replace(placeholder=b'"' + label.placeholder + b'"')
    return Span(min(start, span.start), max(end, span.end), label)
