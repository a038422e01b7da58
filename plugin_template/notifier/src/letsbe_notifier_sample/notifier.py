"""The notifier: each address is a box, a folder that another program empties."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

from anyio import to_thread

from letsbe.plugin import (
    AddressGone,
    Delivered,
    FieldError,
    Health,
    InvalidRequest,
    Notice,
    TryLater,
)

_BOX = re.compile(r"[a-z][a-z0-9-]{0,31}")
_LONGEST_TITLE = 200
_LONGEST_BODY = 4_000


class SampleNotifier:
    """Writes each notice into the box of its address.

    Args:
        folder: Where the boxes are. Who reads a box makes it; one that was taken away
            is an address that is dead.
    """

    name = "sample"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def check_address(self, address: str) -> str:
        """Take the name of a box.

        Raises:
            InvalidRequest: It cannot be one; it is not shown, as it may be anything.
        """
        name = address.strip()
        if not _BOX.fullmatch(name):
            message = "address: lower-case letters, digits and `-`, at most 32"
            raise InvalidRequest(message, details=(FieldError("address", message),))
        return name

    async def send(self, address: str, notice: Notice) -> str | None:
        """Put a notice into a box; its file's name is the receipt."""
        return await to_thread.run_sync(self._put, address, notice)

    def _put(self, address: str, notice: Notice) -> str:
        # The same notice has the same file, however often it is sent.
        name = f"{sha256(notice.key.encode()).hexdigest()[:32]}.json"
        box = self._folder / address
        shown = {
            "title": _one_line(notice.title)[:_LONGEST_TITLE],
            "body": notice.body[:_LONGEST_BODY],
            "url": notice.url,
            "urgent": notice.urgent,
        }
        if not self._folder.is_dir():
            raise TryLater("the folder of the boxes is not there")
        if not box.is_dir():
            raise AddressGone("there is no such box any more")
        try:
            part = box / f".{name}.part"
            part.write_text(json.dumps(shown), encoding="utf-8")
            part.replace(box / name)  # a reader never sees half a notice
        except OSError:
            raise TryLater("the notice cannot be written now") from None
        return name

    async def receipts(self, receipts: Sequence[str]) -> Mapping[str, Delivered]:
        """Say which notices still lie in their boxes; of others nothing is known."""
        waiting = {path.name for path in self._folder.glob("*/*.json")}
        return {name: Delivered.PENDING for name in receipts if name in waiting}

    async def check(self) -> Health:
        """Say whether the folder can be written."""
        usable = os.access(self._folder, os.W_OK)
        return Health(usable, "" if usable else "the folder cannot be written")


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
