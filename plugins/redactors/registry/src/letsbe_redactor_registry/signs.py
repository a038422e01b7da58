"""Signs that something in a text is in disguise, whatever it may be.

What is cheap to see comes first, so that ordinary text is not searched a second time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol, final

from letsbe_redactor_registry.database import SharedDatabase

LONGEST = 128
"""No sign is longer, in bytes."""

# Letters and digits by ones and twos, with something between each: spaced letters,
# pairs of hexadecimal digits, characters that are not seen. Beginning with two letters
# is not a sign yet, as half of all short words do; a later group is one soon. Letters
# of other alphabets are not what stands between: they stay when a text is reduced.
_SPACED = rb"(?:[0-9A-Za-z]{1,2}[^0-9A-Za-z\x80-\xff]{1,3}){7}[0-9A-Za-z]"
_SPACED_AS_CLASSES = tuple(
    begin + rb" {0,2}(?:[ad]{1,2} {1,3}){6}[ad]"
    for begin in (b" a ", b" d ", b" dd ", b" ad ", b" da ")
)
_CLASSES = bytes(
    ord("d" if chr(n).isdigit() else "a" if chr(n).isalpha() else " ")
    for n in range(128)
).ljust(256, b"\0")
# \x4e\x78, 0x4e, 0x78, &#x4e;&#x78;, and \u004e where no escape is needed. Each begins
# with one fixed byte, which Python's expressions look for at the speed of memchr.
_HEX = rb"0{0,4}[0-9A-Fa-f]{2}[^\\&]{0,3}"
# Not \u0431 nor \u4e00, of which any text in another alphabet is full.
_OF_ASCII = (
    rb"(?:[xX]" + _HEX + rb"|[uU](?:0000)?00[2-7][0-9A-Fa-f][^\\&]{0,3}"
    rb"|[uU][2-7][0-9A-Fa-f](?:[^0-9A-Fa-f\\&][^\\&]{0,2})?)"
)
_ESCAPED = (
    rb"\\\\{0,7}" + _OF_ASCII + rb"(?:\\{1,8}" + _OF_ASCII + rb"){2}",
    rb"0[xX]" + _HEX + rb"(?:0[xX]" + _HEX + rb"){2}",
    rb"&[#][xX]" + _HEX + rb"(?:&[#][xX]" + _HEX + rb"){2}",
)
# The same in other tongues: &#78;, \116, \00004e, \u{4e}, =4E, %254E, %u004E, U+004E;
# and letters and digits that no address has to write as %4E.
_NUMBER = rb"&#[0-9]{2,7};?[!-%'-~]{0,10}"
_NAMED = (
    rb"&(?:sol|bsol|plus|lowbar|excl|num|percnt|ast|commat|dollar|equals|colon|semi"
    rb"|quest|period|comma|lpar|rpar|hyphen|shy|ZeroWidthSpace|zwj|zwnj|NoBreak"
    rb"|#173|#820[3-7]|#[xX]200[b-fB-F]);"
)
_OCTAL = rb"\\{1,8}(?:0?[0-7]{3}|0000[0-9A-Fa-f]{2} ?|u\{[0-9A-Fa-f]{1,6}\})"
_NEEDLESS = (
    rb"%(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|25[2-7][0-9A-Fa-f]|u00[0-9A-Fa-f]{2})"
    rb"[!-$&-~]{0,3}"
)
_PRINTABLE = rb"=[2-7][0-9A-F]"
_POINT = rb"U\+[0-9A-Fa-f]{4,6}[ ,;]{0,2}"
_NUMBERS, _OCTALS, _NEEDLESS_ONES = _NUMBER * 3, _OCTAL * 3, _NEEDLESS * 3
_PRINTABLES, _POINTS = _PRINTABLE * 3, _POINT * 3
_READ = (_NAMED, _NUMBERS, _OCTALS, _NEEDLESS_ONES, _PRINTABLES, _POINTS)
# Escapes of characters that are not seen; of spaces, in a row; and of letters in other
# alphabets' place.
_NOT_SEEN = (
    rb"\\[uU](?:00[aA][dD]|200[b-fB-F]|202[89a-eA-E]|206[0-9a-fA-F]|034[fF]"
    rb"|180[b-eB-E]|[fF][eE]0[0-9a-fA-F]|[fF][eE][fF]{2}|[dD][bB]40)"
)
# Emoji are put together by such characters, too: then another one stands before, or
# the box around a digit comes after.
_BEFORE_LETTER = (
    rb"(?:[^\\]|\\{1,8}(?:[^\\uU]|[uU](?:[013-9a-cefA-CEF]|[dD](?:[bB]40|[cC]))))"
)
_AFTER_LETTER = rb"(?:^(?:.{0,4}[^\\])?|[^\\].{4}[^\\]|\\[^uU].{3}[^\\])\\{0,7}"
_AFTER_NO_EMOJI = b"".join(
    rb"(?<![uU][0-9a-fA-F]{4}\\{%d}[uU][0-9a-fA-F]{4})" % backslashes
    for backslashes in (1, 2, 4, 8)
)
# Python's expressions look behind, Hyperscan's may begin with anything at no cost.
_MORE = rb"(?:\\{0,7}" + _NOT_SEEN + rb"){0,3}" + _BEFORE_LETTER
_UNSEEN = _NOT_SEEN + _AFTER_NO_EMOJI + _MORE
_UNSEEN_FROM_LETTER = _AFTER_LETTER + _NOT_SEEN + _MORE
_SPACE = rb"\\[uU](?:00[aA]0|00[bB]7|20[02][0-9a-fA-F]|3000)[!-\[\]-~]{1,4}"
_SPACES = _SPACE + rb"\\{0,7}" + (_SPACE + rb"\\{0,7}") * 2
_OTHER = (
    rb"\\[uU](?:[fF][fF][0-5][0-9a-fA-F]|24[6-9a-fA-F][0-9a-fA-F]"
    rb"|00[bB][239]|20[78][0-9a-fA-F]"
    rb"|[dD]835\\{1,8}[uU][dD][c-fC-F][0-9a-fA-F]{2})[!-\[\]-~]{0,3}\\{0,7}"
)
_OTHERS = _OTHER * 3
# A letter of another alphabet, up to eight of ours, and one of another again.
_INNER = rb"[_.-]?[0-9A-Za-z][0-9A-Za-z_-]{0,14}"
_MIXED = rb"\\[uU]0[34][0-9a-fA-F]{2}" + _INNER + rb"\\{1,8}[uU]0[34][0-9a-fA-F]{2}"
_TOLD = (_SPACES, _OTHERS, _MIXED)
# A line of its own that letters and digits take turns in, and another one after it:
# what is wrapped so often that no piece of it is long, or in another case too.
_LINE_END = rb"(?:\\\\{0,3}(?:r\\{1,4})?n|\r\n|\n)"
_BREAK = (
    _LINE_END + rb"[ \t>+|#*/;]{0,8}"
    rb"(?:[0-9]{1,6}(?:[ \t]{0,2}[:|.)]|\t|\\{1,4}t)[ \t]{0,2})?"
)
_TOKEN = rb"[0-9A-Za-z+/=_.-]"
_WRAPPED = b"".join(
    (
        _BREAK
        + _TOKEN
        + rb"{0,20}(?:[0-9][A-Za-z]|[A-Za-z][0-9])"
        + _TOKEN
        + rb"{1,30}",
        _BREAK + _TOKEN,
    )
)
_LOOKALIKES = (
    rb"(?:(?:\xef[\xbc\xbd].|\xf0\x9d[\x90-\x9f].|\xf0\x9f[\x84-\x86]."
    rb"|\xe2[\x81\x82\x84\x85\x91-\x93].|\xe1[\xb4\xb5].|\xc2[\xaa\xb2\xb3\xb9\xba]"
    rb"|\xe3[\x8b\x8d-\x8f].|\xef\xac[\x80-\x86])[!-~]{0,3}){3}"
)
_BETWEEN = (
    rb"[!-~](?:\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xc2\xad|\xcd\x8f"
    rb"|\xe1\xa0[\x8b-\x8e]|\xef\xbb\xbf|\xef\xb8[\x80-\x8f]|\xf3\xa0[\x80-\x87].)"
    rb"{1,4}[!-~]"
)
_MIXED_IN = rb"[\xce-\xd1][\x80-\xbf]" + _INNER + rb"[\xce-\xd1][\x80-\xbf]"
# A space that is none of ours, or a blank letter, between letters and again soon.
_GAP = (
    rb"(?:\xc2[\xa0\xb7]|\xe2\x80[\x80-\x8a\xaf]|\xe2\x81\x9f|\xe3(?:\x80\x80|\x85\xa4)"
    rb"|\xef\xbe\xa0|\xe1\x85[\x9f\xa0])"
)
_THIN_TWICE = rb"[!-~]" + _GAP + rb"[!-~]{1,4}" + _GAP + rb"[!-~]"
_OUTSIDE_ASCII = (_LOOKALIKES, _BETWEEN, _MIXED_IN, _THIN_TWICE)


_ASCII = (*_ESCAPED, *_READ, _UNSEEN, *_TOLD, _WRAPPED)
# Those of one group share a database: few, and with the same first byte. No sign of a
# group is where none of its bytes is, which costs next to nothing to see.
_GROUPS = (
    (b"\\", (_ESCAPED[0], _OCTALS)),
    (b"xX", (_ESCAPED[1],)),
    (b"&", (_ESCAPED[2], _NAMED, _NUMBERS)),
    (b"%", (_NEEDLESS_ONES,)),
    (b"=+", (_PRINTABLES, _POINTS)),
    (b"\\", (_UNSEEN_FROM_LETTER, *_TOLD)),
)
# What the sign begins with is long to search for, but not what all of it ends with.
_WRAPPED_BRIEFLY = tuple(
    end + _WRAPPED.removeprefix(_LINE_END) for end in (rb"\\n", rb"\n")
)
_FEW, _SOME = 256, 16 * 1024
_NEAR = 1024


class Signs(Protocol):
    """Looks for signs."""

    def seen(self, text: bytes) -> bool:
        """Tell whether a text shows one."""
        ...

    def chunks(self, text: bytes, size: int) -> set[int]:
        """Tell in which chunks of a text signs are shown, by the chunks' numbers.

        Args:
            text: The text.
            size: A chunk's length; more than that of any sign.
        """
        ...


class _Sign(Protocol):
    """Looks for one sign, or a few."""

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        """Return between which offsets the first sign stands, from one on."""
        ...


class _Kind(NamedTuple):
    """Signs that are looked for in the same reading of a text.

    Args:
        read: Gives the reading, or None if no such sign can stand in the text.
        signs: The signs.
    """

    read: Callable[[bytes], bytes | None]
    signs: Sequence[_Sign]


@final
class SomeSigns:
    """Looks for some signs.

    Args:
        kinds: The signs.
    """

    def __init__(self, kinds: Iterable[_Kind]) -> None:
        self._kinds = tuple(kinds)

    def seen(self, text: bytes) -> bool:
        """Tell whether a text shows one; see :class:`Signs`."""
        return any(sign.place(read, 0) is not None for sign, read in self._each(text))

    def chunks(self, text: bytes, size: int) -> set[int]:
        """Tell in which chunks signs are shown; see :class:`Signs`."""
        found: set[int] = set()
        for sign, read in self._each(text):
            begin = 0
            while place := sign.place(read, begin):
                first, last = place[0] // size, (place[1] - 1) // size
                found.update((first, last))
                # One is enough, and searching on would find very many of some.
                begin = (last + 1) * size
        return found

    def _each(self, text: bytes) -> Iterator[tuple[_Sign, bytes]]:
        for kind in self._kinds:
            read = kind.read(text)
            for sign in kind.signs if read is not None else ():
                yield sign, read  # type: ignore[misc]  # there are none without it


def _as_classes(text: bytes) -> bytes:
    return text.translate(_CLASSES)


def _as_it_is(text: bytes) -> bytes:
    return text


def _outside_ascii(text: bytes) -> bytes | None:
    return None if text.isascii() else text


def plain_signs() -> SomeSigns:
    """Look for signs with Python's own expressions."""
    return SomeSigns(
        _Kind(read, [_Expression(source) for source in sources])
        for read, sources in (
            (_as_classes, _SPACED_AS_CLASSES),
            (_as_it_is, _ASCII),
            (_outside_ascii, _OUTSIDE_ASCII),
        )
    )


def hyperscan_signs() -> SomeSigns:
    """Look for signs with Hyperscan.

    Few expressions share a database: all together take four times as long.
    """
    groups = [_Expressions(sources, needed=needed) for needed, sources in _GROUPS]
    return SomeSigns(
        (
            _Kind(_as_it_is, [_Spaced(), *groups, _Wrapped()]),
            _Kind(_outside_ascii, [_Expressions((one,)) for one in _OUTSIDE_ASCII]),
        )
    )


@final
class _Expression:
    """An expression of Python."""

    def __init__(self, source: bytes) -> None:
        self._search = re.compile(source, re.DOTALL).search

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        match = self._search(text, begin)
        return match.span() if match else None


@final
class _Expressions:
    """Some expressions in a database of Hyperscan.

    Args:
        sources: The expressions.
        needed: Bytes of which each match has one; any if empty.
    """

    def __init__(self, sources: Sequence[bytes], needed: bytes = b"") -> None:
        import hyperscan  # noqa: PLC0415 - loaded only if it is chosen

        flags = hyperscan.HS_FLAG_DOTALL | hyperscan.HS_FLAG_SINGLEMATCH
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        database.compile(
            expressions=list(sources),
            ids=list(range(len(sources))),
            elements=len(sources),
            flags=[flags] * len(sources),
        )
        self._database = SharedDatabase(database)
        self._terminated: type[Exception] = hyperscan.ScanTerminated
        self._needed = [bytes((byte,)) for byte in needed]

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        """Return where the first sign may stand: where it begins is not told."""
        if self._needed and all(text.find(b, begin) < 0 for b in self._needed):
            return None
        ends: list[int] = []

        def stop(_number: int, _start: int, end: int, _flags: int, _: object) -> bool:
            ends.append(begin + end)
            return True

        rest = memoryview(text)[begin:] if begin else text
        try:
            if rest:
                self._database.scan(rest, stop)
        except self._terminated:
            return max(ends[0] - LONGEST, begin), ends[0]
        return None


@final
class _Spaced:
    """The signs in classes of characters: what is seen at once is then read so."""

    def __init__(self) -> None:
        self._wide = _Expressions((_SPACED,))
        self._narrow = [re.compile(source) for source in _SPACED_AS_CLASSES]

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        while place := self._wide.place(text, begin):
            near = _as_classes(text[place[0] : place[0] + _NEAR])
            for narrow in self._narrow:
                if match := narrow.search(near):
                    return place[0] + match.start(), place[0] + match.end()
            begin = place[0] + _NEAR - LONGEST
        return None


@final
class _Wrapped:
    """The sign of lines: where lines are few they are looked for one by one."""

    def __init__(self) -> None:
        self._all = _Expressions((_WRAPPED,), needed=b"\\\n")
        self._few = _Expressions(_WRAPPED_BRIEFLY, needed=b"\\\n")

    def place(self, text: bytes, begin: int) -> tuple[int, int] | None:
        some = text[begin : begin + _SOME]
        ends = some.count(b"\\") + some.count(b"\n")
        few = ends * _FEW < len(some)
        return (self._few if few else self._all).place(text, begin)


@lru_cache(maxsize=2)
def signs_for(engine: str) -> Signs:
    """Return what looks for signs.

    Args:
        engine: The name of the search engine in use.
    """
    return hyperscan_signs() if engine == "hyperscan" else plain_signs()
