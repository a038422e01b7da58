"""HTTP/1.1 as every server here reads it, with a bound on what comes before a body.

uvicorn reads it with httptools, in C, at a third of what its reader in Python takes;
but that one would gather a header without end.
"""

from __future__ import annotations

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT = 64 * 1024
"""The most bytes of a request line with its headers."""


class BoundedProtocol(HttpToolsProtocol):
    """One client's connection."""

    _head = 0
    """Bytes that came since a head began and has not ended."""
    _in_head = True

    @override
    def data_received(self, data: bytes) -> None:
        """Read what came; break off where a head does not end."""
        self._head += len(data)
        super().data_received(data)
        if (
            self._in_head
            and self._head > HEAD_LIMIT
            and not self.transport.is_closing()
        ):
            self.send_400_response("The request's head is too long.")

    @override
    def on_headers_complete(self) -> None:
        """Count no more until the message ends."""
        self._in_head = False
        super().on_headers_complete()

    @override
    def on_message_complete(self) -> None:
        """What comes from now on is another head."""
        self._head, self._in_head = 0, True
        super().on_message_complete()
