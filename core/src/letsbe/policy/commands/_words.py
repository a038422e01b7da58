"""The lexer: words and operators, quotes removed exactly as bash removes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from letsbe.policy.commands._errors import CommandRefused

REFERENCE = re.compile(r"SECRET_REF\([A-Za-z][A-Za-z0-9_.-]{0,63}\)")
"""A reference to a secret; one atom of a word, in quotes or not."""

_BLANK = " \t"
# A number after >& ends the word: `>&2x` names the file `2x`, as bash has it.
_OPERATOR = re.compile(
    r"\|\||\|&|&&|\||;|\n|&>>|&>|[0-9]*>&[0-9]+(?=[ \t\n|&;<>]|\Z)"
    r"|[0-9]*>&|[0-9]*>>"
    r"|[0-9]*>\||[0-9]*[<>]"
)
_COMMENT = re.compile(r"#[^\n]*")
_RUN = re.compile(r"[A-Za-z0-9_/.:,@%+=-]+")
_ENDS_WORD = frozenset(" \t\n|&;<>")
_GLOB = frozenset("*?[")
_ESCAPED = frozenset('$`"\\')
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# What may follow a dollar sign that bash leaves alone, bare and in double quotes.
_AFTER_BARE_DOLLAR = frozenset({"", *" \t\n|;/,.:=+%^]"})
_AFTER_QUOTED_DOLLAR = frozenset('" |/),.:;=+%^&<>]\\\t\n')

_REFUSED: dict[str, tuple[str, str, str]] = {
    "$": (
        "grammar.expansion",
        "$ would expand a variable or run a command",
        "write the value; a literal $ in single quotes, a secret as SECRET_REF(name)",
    ),
    "`": (
        "grammar.substitution",
        "a backtick would run another command inside this one",
        "run the inner command first and use what it printed",
    ),
    "(": (
        "grammar.group",
        "parentheses would start a subshell, a function or a substitution",
        "join commands with && or ; and quote parentheses that are meant literally",
    ),
    ")": (
        "grammar.group",
        "parentheses would start a subshell, a function or a substitution",
        "join commands with && or ; and quote parentheses that are meant literally",
    ),
    "{": (
        "grammar.braces",
        "braces would expand or group commands",
        "write the words out, or quote braces that are meant literally",
    ),
    "~": (
        "grammar.tilde",
        "this ~ would expand to a folder that depends on the shell",
        "write the path out, or start the word with ~/",
    ),
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a command, as the program will get it.

    Args:
        text: The word after quote removal.
        start: Its first character's place in the line.
        end: The place after its last character.
        glob: Whether it holds an unquoted ``*``, ``?`` or ``[``.
        tilde: Whether it starts with an unquoted ``~`` that means the home folder.
        stands_for: The paths it will be replaced by, if it is a placeholder such as
            the ``{}`` of ``find -exec``.
    """

    text: str
    start: int = 0
    end: int = 0
    glob: bool = False
    tilde: bool = False
    stands_for: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator: ``|``, ``&&``, ``;``, a line break, ``<``, ``2>&1`` and so on."""

    text: str
    start: int
    end: int


def check_characters(text: str) -> None:
    """Refuse characters that a reader cannot see or that a terminal would obey.

    Line breaks are none of them: between quotes they are text, elsewhere they end a
    command and what follows is judged as well.

    Args:
        text: A line or a word.

    Raises:
        CommandRefused: There is such a character.
    """
    if text.isascii() and text.isprintable():
        return
    for place, character in enumerate(text):
        if character in " \t\n":
            continue
        if unicodedata.category(character) in _HIDDEN:
            raise _hidden(character, place)


def _hidden(character: str, place: int) -> CommandRefused:
    span = (place, place + 1)
    return CommandRefused(
        "grammar.hidden_character",
        f"the character U+{ord(character):04X} is a control character or cannot be "
        "seen",
        span,
        "write the command with visible characters only",
    )


def tokens(text: str) -> Iterator[Word | Operator]:
    """Split a line into words and operators.

    Args:
        text: A line whose characters have been checked.

    Yields:
        Words and operators in their order.

    Raises:
        CommandRefused: The line says something outside the grammar.
    """
    place = 0
    while place < len(text):
        if text[place] in _BLANK:
            place += 1
            continue
        if text.startswith("\\\n", place):  # the line goes on
            place += 2
            continue
        comment = _COMMENT.match(text, place)
        if comment:
            place = comment.end()
            continue
        operator = _OPERATOR.match(text, place)
        if operator and not text.startswith(";&", place):
            yield Operator(operator[0], place, operator.end())
            place = operator.end()
            continue
        if text[place] == "&" or text.startswith(";&", place):
            raise CommandRefused(
                "grammar.background",
                "& would run the command in the background",
                (place, place + 1),
                "run it in the foreground; quote a & that is meant literally",
            )
        word = _WordReader(text, place).read()
        yield word
        place = word.end


class _WordReader:
    """Reads one word; the state is what bash keeps while it removes quotes."""

    def __init__(self, text: str, start: int) -> None:
        self._text = text
        self._start = start
        self._place = start
        self._parts: list[str] = []
        self._globs = 0
        self._quoted_globs = 0
        self._tilde = False
        self._open_braces = 0

    def read(self) -> Word:
        text = self._text
        while self._place < len(text) and text[self._place] not in _ENDS_WORD:
            character = text[self._place]
            if character == "'":
                self._single_quotes()
            elif character == '"':
                self._double_quotes()
            elif character == "\\":
                self._backslash()
            else:
                self._plain(character)
        return self._finish()

    def _finish(self) -> Word:
        word = "".join(self._parts)
        raw = self._text[self._start : self._place].removesuffix("\\\n")
        span = (self._start, self._place)
        # `{` and `}` alone group commands; `{name}>` would name a file descriptor.
        if raw in ("{", "}") or (
            raw[0] == "{" and self._text[self._place : self._place + 1] in ("<", ">")
        ):
            raise self._refuse("{", self._start)
        # Quotes inside a reference would hide it from whoever reads the raw text.
        if REFERENCE.findall(word) != REFERENCE.findall(raw):
            raise CommandRefused(
                "grammar.reference",
                "a SECRET_REF(name) is split by quotes",
                span,
                "write SECRET_REF(name) in one piece",
            )
        glob = bool(self._globs) and word != "["
        if glob and self._quoted_globs:
            raise CommandRefused(
                "grammar.glob",
                "this word mixes quoted and unquoted wildcards",
                span,
                "quote the whole pattern, or none of it",
            )
        return Word(word, self._start, self._place, glob, self._tilde)

    def _plain(self, character: str) -> None:
        reference = REFERENCE.match(self._text, self._place)
        if reference:
            self._take(reference[0], len(reference[0]))
            return
        run = _RUN.match(self._text, self._place)
        if run and not self._open_braces:
            plain = run[0].removesuffix("SECRET_REF")  # perhaps a reference's beginning
            self._take(plain or run[0], len(plain or run[0]))
            return
        if character == "$" and self._dollar_is_plain(_AFTER_BARE_DOLLAR):
            self._take("$", 1)
            return
        if character in "$`()":
            raise self._refuse(character, self._place)
        self._note(character)
        self._take(character, 1)

    def _note(self, character: str) -> None:
        first = self._place == self._start
        if character in _GLOB:
            self._globs += 1
        elif character == "~":
            self._note_tilde(first)
        elif character == "{":
            self._open_braces += 1
        elif character == "}":
            self._open_braces = max(0, self._open_braces - 1)
        elif self._open_braces and (
            character == "," or self._text.startswith("..", self._place)
        ):
            raise self._refuse("{", self._place)

    def _note_tilde(self, first: bool) -> None:
        if first:
            following = self._text[self._place + 1 : self._place + 2]
            if following not in ("", "/", *_ENDS_WORD):
                raise self._refuse("~", self._place)
            self._tilde = True
        elif self._text[self._place - 1] in "=:":
            raise self._refuse("~", self._place)

    def _single_quotes(self) -> None:
        end = self._text.find("'", self._place + 1)
        if end < 0:
            raise self._unclosed()
        self._quoted(self._text[self._place + 1 : end])
        self._place = end + 1

    def _double_quotes(self) -> None:
        opening, text = self._place, self._text
        self._place += 1
        while self._place < len(text) and text[self._place] != '"':
            character = text[self._place]
            if character == "`" or (
                character == "$" and not self._dollar_is_plain(_AFTER_QUOTED_DOLLAR)
            ):
                raise self._refuse(character, self._place)
            if (
                character == "\\"
                and text[self._place + 1 : self._place + 2] in _ESCAPED
            ):
                self._place += 1
                character = text[self._place]
            elif text.startswith("\\\n", self._place):
                self._place += 2
                continue
            self._quoted(character)
            self._place += 1
        if self._place >= len(text):
            self._place = opening
            raise self._unclosed()
        self._place += 1

    def _backslash(self) -> None:
        if self._place + 1 >= len(self._text):
            raise CommandRefused(
                "grammar.backslash",
                "nothing follows the backslash",
                (self._place, self._place + 1),
                "leave it out, or quote it if it is meant literally",
            )
        if self._text[self._place + 1] == "\n":
            self._continuation()
            return
        self._quoted(self._text[self._place + 1])
        self._place += 2

    def _continuation(self) -> None:
        """Leave out a line's end inside a word; the word has to end there as well.

        Otherwise what bash makes of the joined text (``2\\`` and ``>x``) is another.
        """
        self._place += 2
        if self._text[self._place : self._place + 1] not in ("", *_BLANK):
            raise CommandRefused(
                "grammar.backslash",
                "a word would continue on the next line",
                (self._place - 2, self._place),
                "write the word in one piece",
            )

    def _dollar_is_plain(self, following: frozenset[str]) -> bool:
        """Tell whether bash leaves a dollar sign here as it is."""
        after = self._text[self._place + 1 : self._place + 3]
        return after[:1] in following and after != "\\\n"

    def _take(self, part: str, length: int) -> None:
        self._parts.append(part)
        self._place += length

    def _quoted(self, part: str) -> None:
        self._parts.append(part)
        self._quoted_globs += sum(1 for character in part if character in "*?[]\\")

    def _refuse(self, character: str, place: int) -> CommandRefused:
        rule, message, alternative = _REFUSED[character]
        return CommandRefused(rule, message, (place, place + 1), alternative)

    def _unclosed(self) -> CommandRefused:
        return CommandRefused(
            "grammar.quote",
            "a quote is opened and not closed",
            (self._place, len(self._text)),
            "close the quote; inside single quotes no quote can be escaped",
        )
