"""Remembering what the layers found in text that comes again.

A conversation sends its whole history with every request. The text is cut into blocks
at places that its own content decides, so that what was sent before is cut alike when
more is appended; a layer sees each block once. Cutting always happens, remembered or
not, so the same text always gives the same findings.
"""

from __future__ import annotations

import hashlib
import re
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, final

from letsbe.redaction.finding import Finding, NamesSecrets, RedactionLayer
from letsbe.vault.secret import RegisteredSecrets

SHORTEST = 16 * 1024
"""A block has at least so many bytes; a shorter text costs less than remembering it."""

LONGEST = 64 * 1024
"""A block ends at the first possible place after so many bytes."""

ONE_IN = 2
"""Of the possible places between, one in so many ends a block."""

ENTRIES = 4096
"""Blocks remembered per layer; an entry of a clean block takes about 150 bytes."""

FINDINGS = 100_000
"""Findings remembered per layer."""

# Between two objects of an array: messages, content parts, tools. In valid JSON these
# bytes never stand inside a string, where the quote would be escaped.
_PLACE = re.compile(rb'\},\s*\{\s*"')


class Block(NamedTuple):
    """A stretch of a text.

    Args:
        start: The first byte's offset.
        end: The offset after the last byte.
        digest: Equal only for equal stretches; nothing of the text can be told by it.
    """

    start: int
    end: int
    digest: bytes


def cuts(text: bytes) -> list[int]:
    """Return the offsets at which a text is cut, its beginning and end among them."""
    found = [0]
    for match in _PLACE.finditer(text):
        place = match.start() + 1
        length = place - found[-1]
        if length < SHORTEST:
            continue
        if length >= LONGEST or zlib.crc32(text[place : place + 64]) % ONE_IN == 0:
            found.append(place)
    if len(found) > 1 and len(text) - found[-1] < SHORTEST // 4:
        found.pop()
    found.append(len(text))
    return found


class _Sliced(threading.local):
    """The text that this thread's layers are asked about, cut once for all of them."""

    text: bytes = b""
    blocks: Sequence[Block] = ()


@final
class Recalling:
    """A layer whose findings are remembered.

    Args:
        layer: The layer; what it finds depends on the text alone as long as the
            registered secrets stay the same.
        secrets: The registered secrets; a change of them forgets everything.
        sliced: Shared by the layers of one pipeline.
    """

    def __init__(
        self, layer: RedactionLayer, secrets: RegisteredSecrets, sliced: _Sliced
    ) -> None:
        self.name = layer.name
        self.order = layer.order
        self._layer = layer
        self._secrets = secrets
        self._sliced = sliced
        self._lock = threading.Lock()
        self._version = secrets.version
        self._known: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._findings = 0

    def find(self, text: bytes) -> Iterable[Finding]:
        """Find as the layer does, asking it only about blocks not seen before."""
        if len(text) < SHORTEST:
            return self._layer.find(text)
        version = self._secrets.version
        found: list[Finding] = []
        for start, end, digest in self._blocks(text):
            here = self._recall(digest, version)
            if here is None:
                whole = start == 0 and end == len(text)
                here = tuple(self._layer.find(text if whole else text[start:end]))
                self._remember(digest, here, version)
            found += [
                f._replace(start=f.start + start, end=f.end + start) for f in here
            ]
        return found

    def _blocks(self, text: bytes) -> Sequence[Block]:
        sliced = self._sliced
        if sliced.text is not text:
            offsets = cuts(text)
            view = memoryview(text)
            sliced.blocks = [
                Block(start, end, hashlib.sha256(view[start:end]).digest())
                for start, end in pairwise(offsets)
            ]
            sliced.text = text
        return sliced.blocks

    def _recall(self, digest: bytes, version: int) -> tuple[Finding, ...] | None:
        with self._lock:
            if version != self._version:
                self._known.clear()
                self._findings, self._version = 0, version
            known = self._known.get(digest)
            if known is not None:
                self._known.move_to_end(digest)
            return known

    def _remember(
        self, digest: bytes, findings: tuple[Finding, ...], version: int
    ) -> None:
        with self._lock:
            if version != self._version or digest in self._known:
                return
            self._known[digest] = findings
            self._findings += len(findings)
            while len(self._known) > ENTRIES or self._findings > FINDINGS:
                _, gone = self._known.popitem(last=False)
                self._findings -= len(gone)


@final
class Forgetting:
    """The last layer: lets go of the text, so that none outlives its request.

    Args:
        sliced: What the layers before it share.
    """

    name = "forgetting"
    order = 1 << 30

    def __init__(self, sliced: _Sliced) -> None:
        self._sliced = sliced

    def find(self, text: bytes) -> Iterable[Finding]:
        """Find nothing."""
        self._sliced.text, self._sliced.blocks = b"", ()
        return ()


def recalling(
    layers: Iterable[RedactionLayer], secrets: RegisteredSecrets
) -> list[RedactionLayer]:
    """Let layers remember what they found.

    A layer that knows the registered secrets is left as it is: it must see secrets
    that are spread over blocks, and searching for them costs less than remembering.

    Args:
        layers: The layers of a pipeline.
        secrets: The registered secrets.
    """
    sliced = _Sliced()
    made: list[RedactionLayer] = [
        layer if isinstance(layer, NamesSecrets) else Recalling(layer, secrets, sliced)
        for layer in layers
    ]
    return [*made, Forgetting(sliced)]
