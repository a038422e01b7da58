"""What an operation reads of a file that it sends, and adds to one that it saves."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable

from anyio import to_thread

from letsbe.errors import Refused, ToolFailed, ToolInvalid
from letsbe.policy.files import Content, Place, explain

PIECE = 8 * 1024 * 1024
"""How many bytes of a file are in memory at once, unless an adapter says otherwise."""
_OVERLAP = 64 * 1024
"""How much of a piece is searched again with the next one: the longest secret."""
_LEFT_FREE = 1 << 30
"""Bytes of the file system that saving leaves free, or a twentieth if that is less."""


class SentFile:
    """A file whose content goes to the tool, as it was when it was opened.

    Args:
        file: A descriptor of it.
        place: Where it is.
        registered: Tells which registered secrets some bytes hold.
    """

    def __init__(
        self, file: int, place: Place, registered: Callable[[bytes], frozenset[str]]
    ) -> None:
        self._file = file
        self._registered = registered
        self._before = os.fstat(file)
        self.path = place.path
        """The real path."""
        self.name = place.name
        """The file's own name."""
        self.size = self._before.st_size
        """How many bytes it has."""

    async def pieces(self, size: int = PIECE) -> AsyncIterator[bytes]:
        """Read it from beginning to end.

        A secret that lies over two pieces is found with the second: finish nothing at
        the tool before the last piece has come.

        Args:
            size: The bytes of each piece but the last.

        Yields:
            The pieces; none if the file is empty.

        Raises:
            Refused: It holds a registered secret.
            ToolFailed: It was changed meanwhile, or cannot be read.
        """
        before = b""
        for offset in range(0, self.size, size):
            piece = await to_thread.run_sync(
                self._read, offset, min(size, self.size - offset)
            )
            await to_thread.run_sync(self._check, before + piece)
            yield piece
            before = piece[-_OVERLAP:]
        now = os.fstat(self._file)
        if (now.st_size, now.st_mtime_ns) != (self.size, self._before.st_mtime_ns):
            raise self._changed()

    async def content(self, most: int) -> bytes:
        """Read it whole.

        Args:
            most: How many bytes the tool takes.

        Raises:
            ToolInvalid: It is larger.
            Refused: As :meth:`pieces`.
            ToolFailed: As there.
        """
        if self.size > most:
            message = (
                f"{self.path} has {self.size} bytes, and at most {most} are taken here"
            )
            raise ToolInvalid(message)
        return b"".join([piece async for piece in self.pieces(max(most, 1))])

    def _read(self, offset: int, size: int) -> bytes:
        parts = []
        while size:
            try:
                part = os.pread(self._file, size, offset)
            except OSError as error:
                raise explain(error, self.path) from None
            if not part:
                raise self._changed()
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return b"".join(parts)

    def _check(self, data: bytes) -> None:
        names = ", ".join(sorted(self._registered(data)))
        if names:
            message = f"{self.path} is not sent, as it holds these secrets: {names}"
            instead = "take them out of the file, or send another one"
            raise Refused(message, alternative=instead)

    def _changed(self) -> ToolFailed:
        message = f"{self.path} was changed while it was read: send the call again"
        return ToolFailed(message)


class SavedFile:
    """A file that something of the tool is kept in.

    Args:
        content: Takes the bytes.
        path: The real path.
    """

    def __init__(self, content: Content, path: str) -> None:
        self._content = content
        self.path = path
        """The real path."""
        self.created = content.created
        """Whether nothing was there before."""

    @property
    def size(self) -> int:
        """The bytes added so far."""
        return self._content.size

    async def add(self, data: bytes) -> None:
        """Add to the end.

        Raises:
            ToolFailed: The system does not let us, or too little room would be left.
        """
        await to_thread.run_sync(self._add, data)

    def _add(self, data: bytes) -> None:
        free, all_of_it = self._content.room()
        if free - len(data) < min(_LEFT_FREE, all_of_it // 20):
            message = (
                f"{self.path} does not fit: too little would be left free on its file "
                "system"
            )
            raise ToolFailed(message, alternative="make room first")
        self._content.add(data)
