"""What a sed script does besides editing its stream.

The script is read as GNU sed reads it (sed manual, "sed scripts"); a script that does
not follow the grammar here is not understood.
"""

from __future__ import annotations

from collections.abc import Iterator

_PLAIN = frozenset("{}dDgGhHnNpPxzF=")
_NUMBER = frozenset("qQlL")
_LABEL = frozenset(":btT")
_TEXT = frozenset("aic#")
_FILE = {"w": "write", "W": "write", "r": "read", "R": "read"}


class NotUnderstood(Exception):
    """The script does not follow the grammar."""


def sed_actions(script: str) -> Iterator[tuple[str, str]]:
    """List what a script does to the world.

    Args:
        script: The script.

    Yields:
        ``("write", path)``, ``("read", path)`` or ``("exec", "")``.

    Raises:
        NotUnderstood: The script is not read as sed reads it.
    """
    return _Script(script).actions()


class _Script:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def actions(self) -> Iterator[tuple[str, str]]:
        while True:
            self._skip(" \t\n;")
            if self._place >= len(self._text):
                return
            self._addresses()
            self._skip(" \t")
            yield from self._command(self._next())

    def _command(self, command: str) -> Iterator[tuple[str, str]]:
        if command in _PLAIN:
            return
        if command in _NUMBER:
            self._skip(" \t0123456789")
        elif command in _LABEL:
            self._label()
        elif command in _TEXT:
            if self._rest_of_line().endswith("\\"):
                raise NotUnderstood
        elif command in _FILE:
            yield _FILE[command], self._rest_of_line().strip()
        elif command == "s":
            yield from self._substitute()
        else:
            yield from self._rare(command)

    def _rare(self, command: str) -> Iterator[tuple[str, str]]:
        if command == "y":
            delimiter = self._next()
            self._delimited(delimiter)
            self._delimited(delimiter)
        elif command == "e":
            yield "exec", ""
            self._rest_of_line()
        else:
            raise NotUnderstood

    def _substitute(self) -> Iterator[tuple[str, str]]:
        delimiter = self._next()
        if delimiter in "\\\n":
            raise NotUnderstood
        self._delimited(delimiter)
        self._delimited(delimiter)
        while self._place < len(self._text):
            flag = self._text[self._place]
            if flag in " \t\n;}#":
                return
            self._place += 1
            if flag == "e":
                yield "exec", ""
            elif flag == "w":
                yield "write", self._rest_of_line().strip()
                return
            elif flag not in "gpiImM0123456789":
                raise NotUnderstood

    def _addresses(self) -> None:
        if self._address():
            self._skip(" \t")
            if self._peek() == ",":
                self._place += 1
                self._skip(" \t")
                if self._peek() in ("+", "~"):
                    self._place += 1
                if not self._address():
                    raise NotUnderstood
        self._skip(" \t!")

    def _address(self) -> bool:
        character = self._peek()
        if character.isdigit():
            self._skip("0123456789~")
        elif character == "$":
            self._place += 1
        elif character in ("/", "\\"):
            self._place += 1
            self._delimited("/" if character == "/" else self._next())
            self._skip("IM")
        else:
            return False
        return True

    def _delimited(self, delimiter: str) -> None:
        """Go past the next delimiter that is neither escaped nor in a bracket."""
        while True:
            character = self._next()
            if character == "\\":
                self._next()
            elif character == delimiter:
                return
            elif character == "\n":
                raise NotUnderstood

    def _label(self) -> None:
        # Versions differ in where a label ends; a plain name ends the same in all.
        label = self._until(";\n}").strip()
        if label and not label.replace("_", "a").isalnum():
            raise NotUnderstood

    def _rest_of_line(self) -> str:
        return self._until("\n")

    def _until(self, ends: str) -> str:
        start = self._place
        while self._place < len(self._text) and self._text[self._place] not in ends:
            self._place += 1
        return self._text[start : self._place]

    def _skip(self, characters: str) -> None:
        while self._place < len(self._text) and self._text[self._place] in characters:
            self._place += 1

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _next(self) -> str:
        if self._place >= len(self._text):
            raise NotUnderstood
        self._place += 1
        return self._text[self._place - 1]
