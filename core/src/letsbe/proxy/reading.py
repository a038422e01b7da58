"""Reading the usage from an answer that passes by, without touching it."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any, Protocol

from letsbe.proxy.usage import BYTES_PER_TOKEN, Usage, estimated, usage_from

LINE_LIMIT = 8 * 1024 * 1024
"""A line of an event stream beyond this is not read; its request is estimated."""

BODY_LIMIT = 16 * 1024 * 1024
"""A JSON body beyond this is not read either."""

ID_WITHIN = 16 * 1024
"""An answer's id stands within so many bytes."""

PARSED_LIMIT = 256 * 1024
"""A JSON body up to this is parsed as a whole, in a millisecond or two."""

_USAGE = re.compile(rb'"usage"\s*:\s*')
_MODEL = re.compile(rb'"model"\s*:\s*"([^"\\]{1,200})"')
_GENERATION = re.compile(rb'"id"\s*:\s*"(gen-[A-Za-z0-9_-]{1,100})"')
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+~-]{0,199}")
# What stands in a stream's last event. In the text of a model the quotes would be
# escaped, and the first would not begin a line.
_END = re.compile(
    rb'^data: ?\[DONE\]|"message_stop"|"response\.completed"', re.MULTILINE
)
UNKNOWN_MODEL = "unknown"


class Reader(Protocol):
    """Sees an answer's bytes on their way."""

    complete: bool
    """Whether everything there is to read has been read."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        ...

    def finish(self) -> None:
        """Take note that the answer has ended, whole or not."""
        ...

    def usage(self, sent_bytes: int) -> Usage:
        """Return the usage that was read, or an estimate.

        Args:
            sent_bytes: The length of the request's body.
        """
        ...

    @property
    def found(self) -> bool:
        """Whether the provider has told the usage."""
        ...

    @property
    def generation(self) -> str | None:
        """The id by which OpenRouter tells of this answer afterwards."""
        ...

    @property
    def model(self) -> str | None:
        """The model that the provider says it used."""
        ...


class _Reading:
    """What all readers share: the documents that hold usage, taken together."""

    def __init__(self) -> None:
        self.complete = False
        self.model: str | None = None
        self.generation: str | None = None
        self._looked_at = 0
        self._said: dict[str, Any] = {}
        self._output_tokens = 0

    @property
    def found(self) -> bool:
        return bool(self._said)

    def usage(self, sent_bytes: int) -> Usage:
        if not self._said:
            return estimated(sent_bytes, self._output_tokens)
        return usage_from(self._said)

    def _look(self, chunk: bytes) -> None:
        """Look for the answer's id, which stands at its beginning."""
        if self.generation is None and self._looked_at < ID_WITHIN:
            self._looked_at += len(chunk)
            match = _GENERATION.search(chunk)
            self.generation = match[1].decode() if match else None

    def _take(self, text: bytes) -> None:
        """Take the usage from a document: from itself, or from what it wraps."""
        try:
            document = json.loads(text, parse_float=Decimal)
        except (ValueError, RecursionError):
            return
        if not isinstance(document, dict):
            return
        # Responses wrap the whole answer in an event, Anthropic its beginning.
        for inner in (document, document.get("response"), document.get("message")):
            if not isinstance(inner, dict):
                continue
            said = inner.get("usage")
            if isinstance(said, dict):
                # Anthropic tells the input first and the output at the end.
                self._said.update({k: v for k, v in said.items() if v is not None})
            self.model = _clean_model(inner.get("model")) or self.model


class EventReader(_Reading):
    """Reads an event stream (``text/event-stream``) line by line."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""
        self._skipping = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        text = self._rest + chunk
        self._look(text)
        end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        whole, self._rest = text[:end], text[end:]
        if whole:
            self._take_lines(whole)
        if len(self._rest) > LINE_LIMIT:
            self._rest, self._skipping = b"", True

    def finish(self) -> None:
        """Take the last line, if it has no end."""
        if self._rest:
            self._take_lines(self._rest)
            self._rest = b""

    def _take_lines(self, text: bytes) -> None:
        if self._skipping:
            # The beginning of this line is gone.
            text, self._skipping = text.partition(b"\n")[2], False
        # Events are counted for the estimate: providers send about a token in each.
        self._output_tokens += text.count(b"data:")
        if b'"usage"' in text:
            for line in text.splitlines():
                if line.startswith(b"data:") and b'"usage"' in line:
                    self._take(line[len(b"data:") :])
        # Without usage the stream's end is waited for.
        self.complete = self.complete or (self.found and bool(_END.search(text)))


class BodyReader(_Reading):
    """Reads a JSON body, once it is whole.

    Args:
        length: How many bytes will come, if that is known.
    """

    def __init__(self, length: int | None) -> None:
        super().__init__()
        self._length = length
        self._seen = 0
        self._parts: list[bytes] = []

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._look(chunk)
        self._seen += len(chunk)
        if self._seen > BODY_LIMIT:
            self._parts.clear()
        else:
            self._parts.append(chunk)
        if self._seen == self._length:
            self.finish()

    def finish(self) -> None:
        """Read the body."""
        if self.complete:
            return
        self.complete = True
        self._output_tokens = self._seen // BYTES_PER_TOKEN
        body = b"".join(self._parts)
        self._parts.clear()
        if b'"usage"' not in body:
            return
        if len(body) <= PARSED_LIMIT:
            self._take(body)
        else:
            self._take_end(body)

    def _take_end(self, body: bytes) -> None:
        """Take the usage where it stands in a long body: behind the content."""
        match = _USAGE.match(body, body.rfind(b'"usage"'))
        rest = body[match.end() :] if match else b""
        try:
            text = rest.decode("utf-8", "replace")
            said, _ = json.JSONDecoder(parse_float=Decimal).raw_decode(text)
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict):
            self._said.update(said)
            self.model = asked_model(body)


class NoReader(_Reading):
    """Reads nothing: the answer is packed, or of another kind."""

    def feed(self, chunk: bytes) -> None:
        """Count the bytes."""
        self._output_tokens += len(chunk) // BYTES_PER_TOKEN

    def finish(self) -> None:
        """Do nothing."""


def reader_for(
    content_type: bytes | None, encoding: bytes | None, length: int | None
) -> Reader:
    """Choose the reader of an answer.

    Args:
        content_type: The answer's Content-Type.
        encoding: Its Content-Encoding; a packed answer is not read.
        length: Its Content-Length.
    """
    kind = (content_type or b"").partition(b";")[0].strip().lower()
    if encoding not in (None, b"", b"identity"):
        return NoReader()
    if kind == b"text/event-stream":
        return EventReader()
    if kind == b"application/json" or kind.endswith(b"+json"):
        return BodyReader(length)
    return NoReader()


def asked_model(body: bytes) -> str | None:
    """Return the model that a request names, without parsing all of it."""
    # It stands near the beginning or the end; in between are messages and tools.
    for part in (body[:4096], body[-4096:], body):
        match = _MODEL.search(part)
        if match:
            return _clean_model(match[1].decode("utf-8", "replace"))
    return None


def _clean_model(name: object) -> str | None:
    if isinstance(name, str) and _MODEL_NAME.fullmatch(name):
        return name
    return None
