"""Which references a session has used, for when its runtime gives them back masked.

A runtime that masks its own transcript shows the model ``Bearer ***)`` where the model
wrote ``Bearer SECRET_REF(cloud_token)``, and the model copies what it sees. What is
around the mask says which reference stood there. It is kept through restarts, as the
transcript is, and so as fingerprints under a key: no text is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sqlite3
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import islice

from letsbe.errors import StorageError
from letsbe.plugin import ToolCall
from letsbe.storage.database import Database
from letsbe.vault.names import NAME
from letsbe.vault.strings import strings_in

MOST_ROWS, MOST_TEXTS, LONGEST_TEXT = 4096, 32, 4096
"""What is kept: texts in all, texts of one session, and characters of a text."""

LONGEST_MASK = 64
"""The most characters that a mask swallows before and after a reference, or leaves."""

LEAST_AROUND = 4
"""The least characters around a mask that say anything."""

MOST_MASKS = 8
"""The most masks of one text that are looked at."""

_REFERENCE = re.compile(rf"SECRET_REF\(({NAME})\)", re.ASCII)
_MASK = re.compile(r"\*+|…|(?:\[|__[A-Z]+_)?REDACTED(?:[\w:-]*\]|__)?", re.IGNORECASE)
_CUT = struct.Struct(">H8s")

Places = Sequence[tuple[int, int, str]]
Cuts = dict[bytes, int]


class References:
    """The texts with references that each session has sent, as fingerprints.

    Args:
        database: Where they are kept.
        key: A key of the home, from which that of the fingerprints is made.
    """

    def __init__(self, database: Database, key: bytes) -> None:
        self._database = database
        self._key = hmac.digest(key, b"letsbe reference marks", "sha256")
        self._last: Future[None] | None = None

    def remember(self, call: ToolCall, arguments: object) -> None:
        """Keep what is around the references of a call; nobody waits for it."""
        texts = {
            text
            for _, text, is_key in strings_in(arguments)
            if not is_key and "SECRET_REF(" in text and len(text) <= LONGEST_TEXT
        }
        rows = [self._row(text) for text in sorted(texts)]
        if not rows:
            return
        place = (call.agent_id, call.session_id)

        def keep(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR REPLACE INTO reference_marks (agent_id, session_id,"
                " text_mark, places, heads, tails) VALUES (?, ?, ?, ?, ?, ?)",
                [(*place, *row) for row in rows],
            )
            connection.execute(
                "DELETE FROM reference_marks WHERE agent_id = ? AND session_id = ? AND"
                " id NOT IN (SELECT id FROM reference_marks WHERE agent_id = ? AND"
                " session_id = ? ORDER BY id DESC LIMIT ?)",
                (*place, *place, MOST_TEXTS),
            )
            connection.execute(
                "DELETE FROM reference_marks WHERE id <="
                " (SELECT max(id) FROM reference_marks) - ?",
                (MOST_ROWS,),
            )

        # A command that only looks has the database open for reading.
        with suppress(StorageError):
            self._last = self._database.write_later(keep)

    def meant(self, call: ToolCall, masked: str) -> list[str]:
        """Say which references a text held before it was masked.

        Args:
            call: Whose session.
            masked: The text with a mask in it.

        Returns:
            The secrets' names, in their order; none if no kept text is like it.
        """
        masks = list(self._masks(masked))
        if not masks:
            return []
        for places, heads, tails in self._kept((call.agent_id, call.session_id)):
            for head, tail in masks:
                start, end = heads.get(head), tails.get(tail)
                if start is not None and end is not None and start < end:
                    hidden = [name for i, j, name in places if i < end and j > start]
                    if hidden:
                        return list(dict.fromkeys(hidden))
        return []

    def _kept(self, place: tuple[str, str]) -> list[tuple[Places, Cuts, Cuts]]:
        if self._last is not None:
            with suppress(StorageError):
                self._last.result()

        def look(connection: sqlite3.Connection) -> list[tuple[str, bytes, bytes]]:
            return connection.execute(
                "SELECT places, heads, tails FROM reference_marks WHERE agent_id = ?"
                " AND session_id = ? ORDER BY id DESC",
                place,
            ).fetchall()

        return [
            (json.loads(places), _unpacked(heads), _unpacked(tails))
            for places, heads, tails in self._database.read(look)
        ]

    def _row(self, text: str) -> tuple[bytes, str, bytes, bytes]:
        found = [(m.start(), m.end(), m[1]) for m in _REFERENCE.finditer(text)]
        size = len(text)
        heads = {k for i, j, _ in found for k in range(max(0, i - LONGEST_MASK), j)}
        tails = {
            k
            for i, j, _ in found
            for k in range(i + 1, min(size, j + LONGEST_MASK) + 1)
        }
        backward = self._cuts(text[::-1], {size - k for k in tails}, b"tail")
        return (
            self._mark(text, b"text"),
            json.dumps(found),
            b"".join(
                _CUT.pack(k, mark) for k, mark in self._cuts(text, heads, b"head")
            ),
            b"".join(_CUT.pack(size - k, mark) for k, mark in backward),
        )

    def _cuts(
        self, text: str, cuts: set[int], person: bytes
    ) -> Iterator[tuple[int, bytes]]:
        """Yield each cut with the fingerprint of all that is before it."""
        state = hashlib.blake2b(digest_size=8, key=self._key, person=person)
        done = 0
        for cut in sorted(cuts):
            state.update(_bytes(text[done:cut]))
            done = cut
            yield cut, state.digest()

    def _mark(self, text: str, person: bytes) -> bytes:
        state = hashlib.blake2b(digest_size=8, key=self._key, person=person)
        state.update(_bytes(text))
        return state.digest()

    def _masks(self, text: str) -> Iterator[tuple[bytes, bytes]]:
        """Yield what is around every stretch that begins and ends with a mask."""
        found = list(islice(_MASK.finditer(text), MOST_MASKS))
        for number, first in enumerate(found):
            for last in found[number:]:
                head, tail = text[: first.start()], text[last.end() :]
                length = last.end() - first.start()
                around = len(head) + len(tail)
                if length <= LONGEST_MASK and around >= max(length, LEAST_AROUND):
                    yield self._mark(head, b"head"), self._mark(tail[::-1], b"tail")


def _unpacked(packed: bytes) -> Cuts:
    return {mark: cut for cut, mark in _CUT.iter_unpack(packed)}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
