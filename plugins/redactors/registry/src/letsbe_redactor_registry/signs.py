"""Signs that something in a text is in disguise, whatever it may be.

What is cheap to see comes first, so that ordinary text is not searched a second time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Protocol, final

from letsbe_redactor_registry.database import SharedDatabase

LONGEST = 128
"""No sign is longer, in bytes."""

# Letters and digits by ones and twos, with something between each: spaced letters,
# pairs of hexadecimal digits, characters that are not seen. Beginning with two letters
# is not a sign yet, as half of all short words do; a later group is one soon.
_SPACED = rb"(?:[0-9A-Za-z]{1,2}[^0-9A-Za-z]{1,3}){7}[0-9A-Za-z]"
_SPACED_AS_CLASSES = tuple(
    begin + rb" {0,2}(?:[ad]{1,2} {1,3}){6}[ad]" for begin in (b" a ", b" d ", b" dd ")
)
_CLASSES = bytes(
    ord("d" if chr(n).isdigit() else "a" if chr(n).isalpha() else " ")
    for n in range(128)
).ljust(256)
# \x4e\x78, 0x4e, 0x78, &#x4e;&#x78;, and \u004e where no escape is needed. Each begins
# with one fixed byte, which Python's expressions look for at the speed of memchr.
_HEX = rb"0{0,4}[0-9A-Fa-f]{2}[^0-9A-Za-z\\&]{0,3}"
_ESCAPED = (
    rb"\\\\{0,7}[xuU]" + _HEX + rb"(?:\\{1,8}[xuU]" + _HEX + rb"){2}",
    rb"0[xX]" + _HEX + rb"(?:0[xX]" + _HEX + rb"){2}",
    rb"&[#][xX]" + _HEX + rb"(?:&[#][xX]" + _HEX + rb"){2}",
)
# Escapes of characters that are not seen; of spaces, in a row; and of letters in other
# alphabets' place.
_UNSEEN = (
    rb"\\[uU](?:00[aA][dD]|200[b-fB-F]|202[89a-eA-E]|206[0-9a-fA-F]|034[fF]"
    rb"|180[b-eB-E]|[fF][eE]0[0-9a-fA-F]|[fF][eE][fF]{2}|[dD][bB]40)"
)
_SPACE = rb"\\[uU](?:00[aA]0|20[02][0-9a-fA-F]|3000)[0-9A-Za-z]"
_SPACES = _SPACE + rb"\\{0,7}" + (_SPACE + rb"\\{0,7}") * 2
_OTHER = (
    rb"\\[uU](?:[fF][fF][0-5][0-9a-fA-F]|24[b-eB-E][0-9a-fA-F]"
    rb"|[dD]835\\{1,8}[uU][dD][c-fC-F][0-9a-fA-F]{2})[!-\[\]-~]{0,3}\\{0,7}"
)
_OTHERS = _OTHER * 4
_TOLD = (_UNSEEN, _SPACES, _OTHERS)
# A line of its own that letters and digits take turns in, and another one after it:
# what is wrapped so often that no piece of it is long, or in another case too.
_BREAK = rb"(?:\\\\{0,3}(?:r\\{1,4})?n|\r\n|\n)[ \t>+|]{0,8}"
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
_ASCII = (*_ESCAPED, *_TOLD, _WRAPPED)
_GROUPS = ((_SPACED,), _ESCAPED, _TOLD, (_WRAPPED,))
_LOOKALIKES = (
    rb"(?:(?:\xef[\xbc\xbd].|\xf0\x9d[\x90-\x9f].|\xf0\x9f[\x84-\x86]."
    rb"|\xe2[\x82\x84\x85\x91-\x93].|\xe1[\xb4\xb5].|\xc2[\xaa\xb2\xb3\xb9\xba]"
    rb"|\xe3[\x8b\x8d-\x8f].|\xef\xac[\x80-\x86])[!-~]{0,3}){4}"
)
_BETWEEN = (
    rb"[0-9A-Za-z](?:\xe2\x80[\x8b-\x8f\xaa-\xae]|\xe2\x81[\xa0-\xaf]|\xc2\xad|\xcd\x8f"
    rb"|\xe1\xa0[\x8b-\x8e]|\xef\xbb\xbf|\xef\xb8[\x80-\x8f]|\xf3\xa0[\x80-\x87].)"
    rb"[0-9A-Za-z]"
)
_OUTSIDE_ASCII = (_LOOKALIKES, _BETWEEN)


class Signs(Protocol):
    """Looks for signs."""

    def seen(self, text: bytes) -> bool:
        """Tell whether a text shows one."""
        ...

    def shown_by(self, text: bytes) -> Signs:
        """Return what looks for those signs alone that a text shows."""
        ...

    def __bool__(self) -> bool:
        """Tell whether there is any sign to look for."""
        ...


class _Sign(Protocol):
    """Looks for one sign, or a few."""

    def search(self, text: bytes) -> object:
        """Return something true if a text shows it."""
        ...


@final
class SomeSigns:
    """Looks for some signs.

    Args:
        spaced: Those that are looked for by the classes of characters.
        plain: Those that may stand in any text.
        others: Those that may only stand in a text that is not ASCII.
    """

    def __init__(
        self, spaced: Sequence[_Sign], plain: Sequence[_Sign], others: Sequence[_Sign]
    ) -> None:
        self._spaced, self._plain, self._others = spaced, plain, others

    def seen(self, text: bytes) -> bool:
        """Tell whether a text shows one; see :class:`Signs`."""
        return any(
            sign.search(read) for signs, read in self._pairs(text) for sign in signs
        )

    def shown_by(self, text: bytes) -> SomeSigns:
        """Return what looks for fewer; see :class:`Signs`."""
        return SomeSigns(
            *(
                [sign for sign in signs if sign.search(read)]
                for signs, read in self._pairs(text)
            )
        )

    def __bool__(self) -> bool:
        """Tell whether there is any; see :class:`Signs`."""
        return bool(self._spaced or self._plain or self._others)

    def _pairs(self, text: bytes) -> Iterator[tuple[Sequence[_Sign], bytes]]:
        yield self._spaced, text.translate(_CLASSES) if self._spaced else text
        yield self._plain, text
        yield () if text.isascii() else self._others, text


def plain_signs() -> SomeSigns:
    """Look for signs with Python's own expressions."""
    return SomeSigns(
        [re.compile(source) for source in _SPACED_AS_CLASSES],
        [re.compile(source, re.DOTALL) for source in _ASCII],
        [re.compile(source, re.DOTALL) for source in _OUTSIDE_ASCII],
    )


def hyperscan_signs() -> SomeSigns:
    """Look for signs with Hyperscan, which may also see what is none.

    Few expressions share a database: all together take four times as long.
    """
    return SomeSigns(
        (),
        [_Expressions(group) for group in _GROUPS],
        [_Expressions((source,)) for source in _OUTSIDE_ASCII],
    )


@final
class _Expressions:
    """Some expressions in a database of Hyperscan."""

    def __init__(self, sources: Sequence[bytes]) -> None:
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

    def search(self, text: bytes) -> bool:
        try:
            self._database.scan(text, _stop)
        except self._terminated:
            return True
        return False


@lru_cache(maxsize=2)
def signs_for(engine: str) -> Signs:
    """Return what looks for signs.

    Args:
        engine: The name of the search engine in use.
    """
    return hyperscan_signs() if engine == "hyperscan" else plain_signs()


def _stop(*_: object) -> bool:
    """End a scan at the first match."""
    return True
