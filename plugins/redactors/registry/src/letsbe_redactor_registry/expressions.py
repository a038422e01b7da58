"""What the signs of a disguise look like, as expressions.

Python's own look for a fixed first byte at the speed of ``memchr``, so that each should
begin with one; Hyperscan does not mind.
"""

from __future__ import annotations

from typing import NamedTuple

# Letters and digits by ones and twos, with something between each: spaced letters,
# pairs of hexadecimal digits, characters that are not seen. Beginning with two letters
# is not a sign yet, as half of all short words do; a later group is one soon. Letters
# of other alphabets are not what stands between: they stay when a text is reduced.
SPACED = rb"(?:[0-9A-Za-z]{1,2}[^0-9A-Za-z\x80-\xff]{1,3}){7}[0-9A-Za-z]"
SPACED_AS_CLASSES = tuple(
    begin + rb" {0,2}(?:[ad]{1,2} {1,3}){6}[ad]"
    for begin in (b" a ", b" d ", b" dd ", b" ad ", b" da ")
)
# The same from the digit that the first group has: one reading, where digits are few.
SPACED_AS_FEW_DIGITS = (
    SPACED_AS_CLASSES[0],
    rb"d(?:(?<= d)a?|(?<= [ad]d)) {1,3}+(?:[ad]{1,2}+ {1,3}+){6}+[ad]",
)
CLASSES = bytes(
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
_OCTAL = rb"\\\\{0,7}(?:0?[0-7]{3}|0000[0-9A-Fa-f]{2} ?|u\{[0-9A-Fa-f]{1,6}\})"
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
WRAPPED = b"".join(
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
OUTSIDE_ASCII = (_LOOKALIKES, _BETWEEN, _MIXED_IN, _THIN_TWICE)

# The rest of it, after a line's end; an expression of Python begins with one byte.
_AFTER_LINE_END = WRAPPED.removeprefix(_LINE_END)
_LINE_ENDS = (rb"\\\\{0,3}(?:r\\{1,4})?n", rb"\n")


class Group(NamedTuple):
    """Expressions that are looked for together.

    Args:
        needed: One of these bytes is in every match, which costs next to nothing to
            see; two bytes in a row would cost as much as most expressions.
        sources: The expressions.
    """

    needed: tuple[bytes, ...]
    sources: tuple[bytes, ...]


def _groups(unseen: bytes) -> tuple[Group, ...]:
    return (
        Group((b"\\",), _ESCAPED[:1]),
        Group((b"\\",), (_OCTALS,)),
        Group((b"x", b"X"), _ESCAPED[1:2]),
        Group((b"&",), (_ESCAPED[2], _NAMED, _NUMBERS)),
        Group((b"%",), (_NEEDLESS_ONES,)),
        Group((b"=", b"+"), (_PRINTABLES, _POINTS)),
        Group((b"\\",), (unseen, *_TOLD)),
    )


FOR_PYTHON = (
    *_groups(_UNSEEN),
    *(
        Group((needed,), (end + _AFTER_LINE_END,))
        for needed, end in zip((b"\\", b"\n"), _LINE_ENDS, strict=True)
    ),
)
FOR_HYPERSCAN = _groups(_UNSEEN_FROM_LETTER)
# What the sign begins with is long to search for, but not what all of it ends with.
WRAPPED_BRIEFLY = tuple(end + _AFTER_LINE_END for end in (rb"\\n", rb"\n"))
