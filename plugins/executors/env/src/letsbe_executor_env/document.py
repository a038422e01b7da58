"""A .env file as lines that render back to exactly the text they were read from."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace

from letsbe_executor_env.quoting import quote, unquote

_ENTRY = re.compile(
    r"(?P<before>[^\S\r\n]*(?:export[^\S\r\n]+)?)(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)"
    r"(?P<equals>[^\S\r\n]*=[^\S\r\n]*)"
)
_BARE = re.compile(
    r"(?P<before>[^\S\r\n]*(?:export[^\S\r\n]+)?)(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)"
    r"(?P<after>[^\S\r\n]*(?:[^\S\r\n]#[^\n]*)?)"
)
_TAIL = re.compile(r"(?P<after>[^\S\r\n]*(?:[^\S\r\n]#[^\n]*?)?)(?P<end>\r?\n|\Z)")
_COMMENT = re.compile(r"[^\S\r\n]+#")
_QUOTES = re.compile(r"\\.|(['\"])", re.DOTALL)
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or the several lines of a quoted value.

    Args:
        number: The line's number, from 1.
        text: The text, with the line's end.
        key: The variable it sets; None for comments, blank and invalid lines.
        value: The value as a reader sees it, ``$NAME`` left as it is; None if the line
            names the variable only, to take it from outside.
        before: What stands before the value, the key included.
        after: What stands after it, a comment say, and the line's end.
        invalid: What is wrong with it, without its content.
        open_quote: Whether what is wrong is a quote that is never closed.
    """

    number: int
    text: str
    key: str | None = None
    value: str | None = None
    before: str = ""
    after: str = ""
    invalid: str | None = None
    open_quote: bool = False

    def with_value(self, value: str) -> Line:
        """Return the line with another value and all else as it was."""
        before = self.before if self.value is not None else f"{self.before}="
        return replace(
            self, value=value, before=before, text=before + quote(value) + self.after
        )


@dataclass(frozen=True, slots=True)
class Document:
    """The lines of a .env file.

    Args:
        lines: The lines, in order.
    """

    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The file's text."""
        return "".join(line.text for line in self.lines)

    @property
    def values(self) -> dict[str, str | None]:
        """The variables; of one that is set twice, the last value, as readers do."""
        return {line.key: line.value for line in self.lines if line.key is not None}

    @property
    def invalid(self) -> tuple[Line, ...]:
        """The lines that are none of a .env file."""
        return tuple(line for line in self.lines if line.invalid)

    @property
    def duplicates(self) -> tuple[str, ...]:
        """The variables that are set more than once, sorted."""
        keys = [line.key for line in self.lines if line.key is not None]
        return tuple(sorted({key for key in keys if keys.count(key) > 1}))

    def with_value(self, key: str, value: str) -> Document:
        """Set a variable: wherever it is set already, else on a new last line.

        Every line that sets it is changed, so that no old value stays behind.
        """
        if key in self.values:
            return Document(
                tuple(
                    line.with_value(value) if line.key == key else line
                    for line in self.lines
                )
            )
        end = self._line_end()
        lines = list(self.lines)
        if lines and not lines[-1].text.endswith("\n"):
            last = lines[-1]
            lines[-1] = replace(last, text=last.text + end, after=last.after + end)
        export = "export " if self._exports() else ""
        before = f"{export}{key}="
        number = 1 + sum(line.text.count("\n") for line in lines)
        text = before + quote(value) + end
        lines.append(Line(number, text, key, value, before, end))
        return Document(tuple(lines))

    def without(self, key: str) -> Document:
        """Remove every line that sets a variable."""
        return Document(tuple(line for line in self.lines if line.key != key))

    def _line_end(self) -> str:
        first = next((line.text for line in self.lines), "\n")
        return "\r\n" if first.endswith("\r\n") else "\n"

    def _exports(self) -> bool:
        entries = [line.before for line in self.lines if line.value is not None]
        return bool(entries) and all(b.lstrip().startswith("export ") for b in entries)


def parse(text: str) -> Document:
    """Read a .env file, as docker compose and the dotenv libraries do.

    Never fails: what is no assignment, comment or blank is an invalid line.

    Args:
        text: The file's text.

    Returns:
        The document; its text is the text given.
    """
    return Document(tuple(_Parser(text).lines()))


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        # Where quotes stand that no backslash escapes: looked up, not searched, so
        # that no file takes quadratic time.
        self._quotes: dict[str, list[int]] = {"'": [], '"': []}
        for match in _QUOTES.finditer(text):
            if match.group(1):
                self._quotes[match.group(1)].append(match.start())

    def lines(self) -> list[Line]:
        found, at, number = [], 0, 1
        while at < len(self._text):
            line = self._line(at, number)
            found.append(line)
            at += len(line.text)
            number += line.text.count("\n")
        return found

    def _line(self, at: int, number: int) -> Line:
        end = self._text.find("\n", at)
        text = self._text[at:] if end < 0 else self._text[at : end + 1]
        start = at + len(_BOM) if at == 0 and text.startswith(_BOM) else at
        plain = self._text[start : at + len(text)]
        if not plain.strip() or plain.lstrip().startswith("#"):
            return Line(number, text)
        entry = _ENTRY.match(self._text, start, at + len(text))
        if entry is None:
            return _bare(text, plain, number)
        if self._text[entry.end() : entry.end() + 1] in self._quotes:
            return self._quoted(at, text, entry, number)
        return _unquoted(self._text[at : entry.end()], text, entry, number)

    def _quoted(self, at: int, text: str, entry: re.Match[str], number: int) -> Line:
        opening = entry.end()
        mark = self._text[opening]
        closing, escapes = self._closing(mark, opening), True
        tail = _TAIL.match(self._text, closing + 1) if closing > 0 else None
        if tail is None and mark == "'":
            # To bash a backslash in single quotes is one.
            closing, escapes = self._text.find(mark, opening + 1), False
            tail = _TAIL.match(self._text, closing + 1) if closing > 0 else None
        if tail is None:
            never = closing < 0
            what = "a quote is not closed" if never else "text follows a quoted value"
            return Line(number, text, invalid=what, open_quote=never)
        inner = self._text[opening + 1 : closing].replace("\r\n", "\n")
        value = unquote(inner, mark) if escapes else inner
        return Line(
            number,
            self._text[at : tail.end()],
            entry["key"],
            value,
            self._text[at:opening],
            tail.group(),
        )

    def _closing(self, mark: str, opening: int) -> int:
        places = self._quotes[mark]
        index = bisect_left(places, opening + 1)
        return places[index] if index < len(places) else -1


def _unquoted(before: str, text: str, entry: re.Match[str], number: int) -> Line:
    rest = text[len(before) :]
    value = rest.rstrip()
    if value.startswith("#") and before[-1:].isspace():
        value, kept = "", before.rstrip()
        return Line(number, text, entry["key"], value, kept, text[len(kept) :])
    comment = _COMMENT.search(value)
    if comment:
        value = value[: comment.start()]
    return Line(number, text, entry["key"], value, before, rest[len(value) :])


def _bare(text: str, plain: str, number: int) -> Line:
    body = plain.rstrip("\r\n")
    bare = _BARE.fullmatch(body)
    if bare is None or bare["key"] == "export":
        return Line(number, text, invalid="it is no KEY=VALUE")
    before = text[: len(text) - len(plain)] + bare["before"] + bare["key"]
    return Line(number, text, bare["key"], None, before, text[len(before) :])
