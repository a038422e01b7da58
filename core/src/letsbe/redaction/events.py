"""Redaction of event streams, in which a model's words come in small pieces.

A secret may be spread over many events. The pieces of each text are joined, searched
as one, and put back where they stood: the first piece of a secret becomes its
placeholder, the others become nothing. All other bytes stay as they are, events keep
their order, and an event is held back only while a word in it has not ended.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from typing import TypeAlias

from letsbe.redaction.escapes import Unescaped, unescape
from letsbe.redaction.pipeline import Pipeline
from letsbe.redaction.spans import Span, splice
from letsbe.redaction.streams import KEY_BLOCK, REACH, StreamRedactor
from letsbe.vault.secret import RegisteredSecrets

EVENT_LIMIT = 8 * 1024 * 1024
"""An event beyond this is given out in parts, each redacted by itself."""

WORD = 4096
"""A word is held back up to this length."""

_SECRET_LINE = 512
_EVENT_END = re.compile(rb"\r?\n\r?\n|\r\r")
_DATA = re.compile(rb"^data:[ ]?(?=[{\[])", re.MULTILINE)
# The keys under which OpenAI's and Anthropic's streams carry pieces of text. A quote
# behind a backslash belongs to a text.
_PIECE = re.compile(
    rb"""(?<!\\)"(?P<key>content|reasoning|reasoning_content|refusal|arguments|delta
        |text|thinking|partial_json|input_json)"\s*:\s*"(?P<value>(?:[^"\\]|\\.)*)\"""",
    re.VERBOSE | re.DOTALL,
)
_PLACE = re.compile(
    rb'(?<!\\)"(?:index|output_index|content_index|item_id)"\s*:\s*'
    rb'([0-9]{1,9}|"[A-Za-z0-9_-]{1,80}")'
)
# These events give a text whole that was given in pieces before, or end it.
_WHOLE = re.compile(rb'"type"\s*:\s*"[a-z_.]{1,60}(?:\.done|_stop|\.completed)"')
_ENDS = re.compile(rb'"finish_reason"\s*:\s*"|^data: ?\[DONE\]', re.MULTILINE)
_STREAMS = (b"data:", b"event:")
_SPACE = re.compile(rb"\s")
_SAYS_SECRET = re.compile(
    rb"pass|secret|token|\bkey|api.?key|cred|phrase|mnemonic|auth|bearer", re.IGNORECASE
)
_BEGIN, _END = b"-----BEGIN ", b"-----END "

_Channel: TypeAlias = tuple[bytes, ...]


@dataclass(slots=True)
class _Piece:
    """One piece of a text, and where it stands in its event.

    Args:
        text: The text that it is of.
        start: Its offset in that text.
        place: Where its content stands in the event's bytes.
        plain: Its content, and the way back to those.
    """

    text: _Text
    start: int
    place: tuple[int, int]
    plain: Unescaped

    @property
    def end(self) -> int:
        return self.start + len(self.plain.text)


@dataclass(slots=True)
class _Event:
    """An event that waits to be given out.

    Args:
        raw: Its bytes, the blank line behind it included.
        offset: Where it stands in the stream.
        pieces: The pieces of texts that it carries.
    """

    raw: bytes
    offset: int
    pieces: list[_Piece] = field(default_factory=list)


class _Text:
    """A text that comes in pieces: what is searched, and what no byte can change."""

    def __init__(self, pipeline: Pipeline, prefixes: list[bytes]) -> None:
        self._pipeline = pipeline
        self._prefixes = prefixes
        self._kept = b""
        self._kept_at = 0
        self.settled = 0
        """Up to here it is known what goes."""
        self.spans: list[Span] = []
        """What goes, in offsets of the text, as far as it is not given out."""

    @property
    def end(self) -> int:
        """How long the text is so far."""
        return self._kept_at + len(self._kept)

    def add(self, piece: bytes, *, last: bool = False) -> None:
        """Take the next piece, and search again."""
        self._kept += piece
        limit = len(self._kept) if last else self._limit()
        done = self.settled - self._kept_at
        if limit <= done and not last:
            return
        found = [s for s in self._pipeline.find(self._kept) if s.end > done]
        for span in found:
            if span.start < limit < span.end:
                limit = span.start
        limit = max(limit, done)
        at = self._kept_at
        self.spans += [
            Span(max(s.start, done) + at, s.end + at, s.label)
            for s in found
            if s.end <= limit
        ]
        self.settled = limit + at
        drop = max(limit - REACH, 0)
        self._kept, self._kept_at = self._kept[drop:], at + drop

    def forget(self, end: int) -> None:
        """Let go of what is given out."""
        if self.spans:
            self.spans = [span for span in self.spans if span.end > end]

    def _limit(self) -> int:
        """Return where something begins that bytes to come may make a secret of."""
        kept = self._kept
        breaks = [
            match.end() for match in _SPACE.finditer(kept, max(len(kept) - WORD, 0))
        ]
        limit = breaks[-1] if breaks else max(len(kept) - WORD, 0)
        line = kept.rfind(b"\n", 0, limit) + 1
        # Where a sentence speaks of a secret, it decides about the words behind it.
        if limit - line < _SECRET_LINE and _SAYS_SECRET.search(kept, line, limit):
            limit = line
        begin = kept.rfind(_BEGIN)
        if begin >= 0 and kept.find(_END, begin) < 0 and len(kept) - begin < KEY_BLOCK:
            limit = min(limit, begin)
        return min(limit, self._of_a_value(kept))

    def _of_a_value(self, kept: bytes) -> int:
        """Return where the longest end stands that a registered value begins with."""
        reach = max(map(len, self._prefixes), default=0)
        for start in range(max(len(kept) - reach + 1, 0), len(kept)):
            end = kept[start:]
            at = bisect_left(self._prefixes, end)
            if at < len(self._prefixes) and self._prefixes[at].startswith(end):
                return start
        return len(kept)


class EventStreamRedactor:
    """Redacts one event stream (``text/event-stream``) piece by piece.

    Args:
        pipeline: What finds the secrets.
        secrets: The registered secrets; one with spaces in it is held back whole.
    """

    def __init__(
        self, pipeline: Pipeline, secrets: RegisteredSecrets | None = None
    ) -> None:
        self._pipeline = pipeline
        values = secrets.current() if secrets is not None else ()
        spaced = {secret.reveal().encode("utf-8", "surrogatepass") for secret in values}
        self._prefixes = sorted(value for value in spaced if _SPACE.search(value))
        self._texts: dict[_Channel, _Text] = {}
        self._waiting: deque[_Event] = deque()
        self._rest = b""
        self._offset = 0
        self.spans: list[Span] = []
        """What was taken out so far, with its place in the whole stream."""

    def feed(self, piece: bytes) -> bytes:
        """Take the next bytes, and return the events that are settled.

        Raises:
            OutputWithheld: A layer failed; nothing more may be given out.
        """
        # The end of an event may have begun in the piece before.
        looked_at = max(len(self._rest) - 3, 0)
        self._rest += piece
        done = 0
        while match := _EVENT_END.search(self._rest, looked_at):
            self._take(self._rest[done : match.end()])
            done = looked_at = match.end()
        self._rest = self._rest[done:]
        if len(self._rest) > EVENT_LIMIT:
            self._take(self._rest)
            self._rest = b""
        return self._settled()

    def close(self) -> bytes:
        """Return the rest. The stream has ended.

        Raises:
            OutputWithheld: A layer failed.
        """
        if self._rest:
            self._take(self._rest)
            self._rest = b""
        for text in self._texts.values():
            text.add(b"", last=True)
        return self._settled()

    def _take(self, raw: bytes) -> None:
        event = _Event(raw, self._offset)
        self._offset += len(raw)
        self._waiting.append(event)
        where = tuple(_PLACE.findall(raw))
        for match in _PIECE.finditer(raw) if _is_in_pieces(raw) else ():
            channel = (match["key"], *where)
            if channel not in self._texts:
                self._texts[channel] = _Text(self._pipeline, self._prefixes)
            text = self._texts[channel]
            plain = unescape(raw, *match.span("value"))
            place = match.span("value")
            event.pieces.append(_Piece(text, text.end, place, plain))
            text.add(plain.text)
        if _WHOLE.search(raw) or _ENDS.search(raw):
            for channel, text in self._texts.items():
                if channel[1 : len(where) + 1] == where:
                    text.add(b"", last=True)

    def _settled(self) -> bytes:
        out = []
        while self._waiting:
            event = self._waiting[0]
            if any(piece.end > piece.text.settled for piece in event.pieces):
                break
            out.append(self._redacted(event))
            self._waiting.popleft()
        return b"".join(out)

    def _redacted(self, event: _Event) -> bytes:
        spans = [span for piece in event.pieces for span in _in_event(piece)]
        # What is not in the pieces: names, ids, other fields, whole texts.
        spans += [
            span
            for span in self._pipeline.find(event.raw)
            if not any(_touches(span, piece.place) for piece in event.pieces)
        ]
        spans.sort(key=_start)
        for piece in event.pieces:
            piece.text.forget(piece.end)
        self.spans += [
            span._replace(start=span.start + event.offset, end=span.end + event.offset)
            for span in spans
        ]
        return splice(event.raw, spans) if spans else event.raw


def is_event_stream(text: bytes) -> bool:
    """Say whether a whole text is a model's event stream: several events of JSON."""
    if not text.lstrip().startswith(_STREAMS):
        return False
    found = _DATA.finditer(text)
    return next(found, None) is not None and next(found, None) is not None


class AnyStreamRedactor:
    """Redacts a text or an event stream, whichever it turns out to be.

    Args:
        pipeline: What finds the secrets.
        secrets: The registered secrets.
    """

    def __init__(
        self, pipeline: Pipeline, secrets: RegisteredSecrets | None = None
    ) -> None:
        self._make = (pipeline, secrets)
        self._beginning = b""
        self._chosen: EventStreamRedactor | StreamRedactor | None = None

    @property
    def spans(self) -> list[Span]:
        """What was taken out so far, with its place in the whole text."""
        return self._chosen.spans if self._chosen else []

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece, and return what is settled; see the two classes."""
        if self._chosen is not None:
            return self._chosen.feed(piece)
        self._beginning += piece
        if len(self._beginning.lstrip()) < max(map(len, _STREAMS)):
            return b""
        return self._choose().feed(self._beginning)

    def close(self) -> bytes:
        """Return the rest. The text has ended."""
        if self._chosen is not None:
            return self._chosen.close()
        chosen = self._choose()
        return chosen.feed(self._beginning) + chosen.close()

    def _choose(self) -> EventStreamRedactor | StreamRedactor:
        events = self._beginning.lstrip().startswith(_STREAMS)
        kind = EventStreamRedactor if events else StreamRedactor
        self._chosen = kind(*self._make)
        return self._chosen


def _touches(span: Span, place: tuple[int, int]) -> bool:
    return span.start < place[1] and span.end > place[0]


def _start(span: Span) -> int:
    return span.start


def _is_in_pieces(raw: bytes) -> bool:
    """Tell whether an event carries pieces of a text, in JSON that is valid."""
    match = _DATA.search(raw)
    if match is None or _WHOLE.search(raw) or not _PIECE.search(raw):
        return False
    try:
        json.loads(raw[match.end() :].partition(b"\n")[0])
    except (ValueError, RecursionError):
        return False
    return True


def _in_event(piece: _Piece) -> list[Span]:
    """Return what goes of a piece, as offsets in its event.

    The first piece of a secret gets the placeholder, the others nothing.
    """
    spans = []
    for start, end, label in piece.text.spans:
        low, high = max(start, piece.start), min(end, piece.end)
        if low >= high:
            continue
        shown = label if start >= piece.start else label._replace(placeholder=b"")
        raw = piece.plain.to_raw
        spans.append(Span(raw(low - piece.start), raw(high - piece.start), shown))
    return spans
