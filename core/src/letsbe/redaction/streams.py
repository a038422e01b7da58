"""Redaction of text that comes in pieces.

What is given out is always what the whole text would have become, however it was cut:
a stretch is held back until no byte to come can change it.
"""

from __future__ import annotations

import re

from letsbe.redaction.pipeline import Pipeline
from letsbe.redaction.spans import Span, splice
from letsbe.vault.secret import RegisteredSecrets

REACH = 1024
"""How many bytes before and behind a finding may decide about it: the longest match of
a rule that is not a key block, with what stands around it."""

GROWTH = 6
"""How much longer than its value the form of a secret may be: ``\\u0041`` for ``A``."""

LINE = 1024 * 1024
"""A line, or a JSON document at the beginning, is held whole up to this."""

KEY_BLOCK = 64 * 1024
"""A key block whose end has not come is held up to this."""

_BEGIN, _END = b"-----BEGIN ", b"-----END "
_JSON_START = re.compile(rb"\s*[\[{]")


class StreamRedactor:
    """Redacts one text piece by piece.

    Args:
        pipeline: What finds the secrets.
        secrets: The registered secrets, whose longest one must fit into what is held
            back; without them only what the layers know by themselves is looked for.
    """

    def __init__(
        self, pipeline: Pipeline, secrets: RegisteredSecrets | None = None
    ) -> None:
        self._pipeline = pipeline
        values = secrets.current() if secrets is not None else ()
        longest = max((len(secret.reveal().encode()) for secret in values), default=0)
        self._reach = max(REACH, longest * GROWTH)
        # What was given out last, kept so that what follows is seen behind it.
        self._before = b""
        self._held = b""
        self._fresh: list[bytes] = []
        self._fresh_size = 0
        self._given = 0
        self.spans: list[Span] = []
        """What was taken out so far, with its place in the whole text."""

    def feed(self, piece: bytes) -> bytes:
        """Take the next piece, and return what is settled.

        Raises:
            OutputWithheld: A layer failed; nothing more may be given out.
        """
        self._fresh.append(piece)
        self._fresh_size += len(piece)
        # Searched only when enough is new, so that single bytes cost no more.
        if self._fresh_size < self._reach:
            return b""
        return self._advance(last=False)

    def close(self) -> bytes:
        """Return the rest. The text has ended.

        Raises:
            OutputWithheld: A layer failed.
        """
        return self._advance(last=True)

    def _advance(self, *, last: bool) -> bytes:
        held = self._held + b"".join(self._fresh)
        self._fresh, self._fresh_size = [], 0
        limit = len(held) if last else self._settled(held)
        if limit <= 0:
            self._held = held
            return b""
        shift = len(self._before)
        found = [
            span._replace(start=max(span.start - shift, 0), end=span.end - shift)
            for span in self._pipeline.find(self._before + held)
            if span.end > shift
        ]
        for span in found:
            if span.start < limit < span.end:
                limit = span.start
        settled = [span for span in found if span.end <= limit]
        self.spans += [
            s._replace(start=s.start + self._given, end=s.end + self._given)
            for s in settled
        ]
        out = splice(held[:limit], settled)
        seen = self._before + held[:limit]
        self._before = seen[_context_start(seen, self._reach) :]
        self._held = held[limit:]
        self._given += limit
        return out

    def _settled(self, held: bytes) -> int:
        """Return how much of the held text no byte to come can change."""
        limit = len(held) - self._reach
        if limit <= 0:
            return 0
        at_start = self._given == 0 and _JSON_START.match(held) is not None
        if at_start and len(held) < LINE:
            return 0
        line = held.rfind(b"\n", 0, limit) + 1
        if limit - line < LINE:
            limit = line
        begin = held.rfind(_BEGIN, 0, limit)
        open_block = begin >= 0 and held.find(_END, begin, limit) < 0
        if open_block and len(held) - begin < KEY_BLOCK:
            limit = begin
        return limit


def _context_start(seen: bytes, reach: int) -> int:
    """Return where the text begins that is kept to look back at: with a whole line."""
    start = len(seen) - reach
    if start <= 0:
        return 0
    line = seen.rfind(b"\n", 0, start) + 1
    return line if start - line < reach else start
