"""The rule tables that the executors of one process share."""

from __future__ import annotations

import threading
from pathlib import Path

from letsbe.policy.rules._book import RuleBook


class RuleTables:
    """Folders of rule tables, added by executors and read once for all of them.

    What ``ls`` does is the same for every executor that runs it, on the machine or in
    a container, so none of them brings tables for itself alone.
    """

    def __init__(self) -> None:
        self._folders: list[Path] = []
        self._book: RuleBook | None = None
        self._lock = threading.Lock()

    def add(self, folder: Path) -> None:
        """Add a folder with one ``PROGRAM.toml`` for each program.

        Two tables for one program leave it without any; see :meth:`RuleBook.load`.
        """
        with self._lock:
            if folder not in self._folders:
                self._folders.append(folder)
                self._book = None

    @property
    def book(self) -> RuleBook:
        """The rule book of all folders, read when it is first asked for."""
        book = self._book
        if book is not None:
            return book
        with self._lock:
            if self._book is None:
                self._book = RuleBook.load(self._folders)
            return self._book
