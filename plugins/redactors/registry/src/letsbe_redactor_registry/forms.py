"""The forms that a value takes when it is escaped or encoded on its way.

Each form is a sequence of bytes that gives the value back. What is only usual for some
characters (escapes of quotes, say) makes no extra form of a value without them.
"""

from __future__ import annotations

import html
import json
import re
import shlex
import unicodedata
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus

SHORTEST_ENCODED = 6
"""Encoded forms below this length are left out: with 64 letters, five of them make an
ordinary word or the tail of an identifier; six of a given kind hardly ever stand in a
text by chance (1 in 7 * 10**10)."""

SHORTEST_LINE = 24
"""A line of a value with several lines counts by itself from this length on."""

_TOKEN = re.compile(rf"[A-Za-z0-9+/=_-]{{{SHORTEST_LINE},}}")
# What encodeURI and encodeURIComponent of ECMAScript leave alone.
_URI_SAFE = ";,/?:@&=+$-_.!~*'()#"
_COMPONENT_SAFE = "-_.!~*'()"
_UNICODE_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
# Characters that no escape or quoting touches; most secrets are made of nothing else.
_INERT = re.compile(r"[A-Za-z0-9_.-]+")


def forms_of(value: str) -> dict[bytes, str]:
    """Give every form of a value that is looked for.

    Args:
        value: The secret's value; not empty.

    Returns:
        The encoding's name by the bytes of the form. The value itself is among them,
        however short it is; an encoding that changes nothing is not.
    """
    forms: dict[bytes, str] = {}
    for spelling in _spellings(value):
        forms.setdefault(_encoded(spelling), "plain")
    for spelling in _spellings(value):
        for form, rule in (*_encodings(spelling), *_twice_base64(spelling)):
            if len(form) >= SHORTEST_ENCODED:
                forms.setdefault(form, rule)
    for line in _lines(value):
        forms.setdefault(_encoded(line), "line")
    return forms


def _spellings(value: str) -> list[str]:
    """The value as given, and as other programs write the same text."""
    spellings = [value]
    trimmed = value.strip()
    # A file's last newline often goes with the value into the vault, not onto the wire.
    if len(trimmed) >= SHORTEST_ENCODED:
        spellings.append(trimmed)
    if "\n" in value:
        with_lf = [text.replace("\r\n", "\n") for text in spellings]
        spellings += with_lf
        spellings += [text.replace("\n", "\r\n") for text in with_lf]
    if not value.isascii():
        spellings += [
            unicodedata.normalize(form, text)
            for text in list(spellings)
            for form in ("NFC", "NFD", "NFKC", "NFKD")
        ]
    return [text for text in dict.fromkeys(spellings) if text]


def _encodings(text: str) -> Iterator[tuple[bytes, str]]:
    data = _encoded(text)
    if not _INERT.fullmatch(text):
        for form in _escapes(text):
            yield _encoded(form), "escaped"
        for form in _json_escapes(text):
            yield _encoded(form), "json"
        for form in _percent(data):
            yield form.encode(), "url"
    every_byte = data.hex("%")
    yield f"%{every_byte}".encode(), "url"
    yield f"%{every_byte.upper()}".encode(), "url"
    for core in base64_cores(data):
        yield core, "base64"
        yield core.translate(bytes.maketrans(b"+/", b"-_")), "base64"
        yield core.replace(b"/", b"\\/"), "base64"
    yield data.hex().encode(), "hex"
    yield data.hex().upper().encode(), "hex"


def _twice_base64(text: str) -> Iterator[tuple[bytes, str]]:
    """Base64 of the base64 of a value that stands alone, as in a Kubernetes secret."""
    data = _encoded(text)
    # The last group of the inner one depends on what follows the value.
    whole = b64encode(data)[: len(data) // 3 * 4]
    for core in base64_cores(whole):
        yield core, "base64"


def _escapes(text: str) -> Iterator[str]:
    """Quoting of HTML, shells, SQL, CSV, YAML, and Python literals."""
    yield html.escape(text)
    yield html.escape(text, quote=False)
    yield html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield shlex.quote(text)[1:-1] if "'" in text else text
    yield text.replace("'", "'\\''")
    yield text.replace("'", "''")
    yield text.replace('"', '""')
    yield text.replace("\\", "\\\\").replace("'", "\\'")
    yield re.sub(r'(["\\$`])', r"\\\1", text)
    yield re.sub(r"([^\w@%+=:,./-])", r"\\\1", text, flags=re.ASCII)
    yield repr(text)[1:-1]
    yield ascii(text)[1:-1]


def _plain_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _ascii_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _upper_json(text: str) -> str:
    r"""As .NET and Java write it: ``\u00E9``."""
    return _escape_as_unicode(_ascii_json(text), upper=True)


def _slash_json(text: str) -> str:
    r"""As PHP writes it: ``\/``."""
    return _ascii_json(text).replace("/", "\\/")


def _html_json(text: str) -> str:
    r"""As Go writes it: ``\u003c`` in place of ``<``."""
    return _escape_as_unicode(_plain_json(text), "<>&")


def _html_ascii_json(text: str) -> str:
    r"""As .NET's strict encoder: also ``+``, quotes and the backquote."""
    named = _ascii_json(text).replace('\\"', "\\u0022")
    return _escape_as_unicode(named, "<>&'+`", upper=True)


_JSON_STYLES: tuple[Callable[[str], str], ...] = (
    _plain_json,
    _ascii_json,
    _upper_json,
    _slash_json,
    _html_json,
    _html_ascii_json,
)


def _json_escapes(text: str) -> Iterator[str]:
    """JSON strings, up to four of them in one another."""
    for style in _JSON_STYLES:
        once = style(text)
        for twice in (style(once), _plain_json(once)):
            yield once
            yield twice
            for thrice in (style(twice), _plain_json(twice)):
                yield thrice
                yield _plain_json(thrice)


def _escape_as_unicode(text: str, characters: str = "", *, upper: bool = False) -> str:
    for character in characters:
        text = text.replace(character, f"\\u{ord(character):04x}")
    if not upper:
        return text
    return _UNICODE_ESCAPE.sub(lambda match: "\\u" + match[1].upper(), text)


def _percent(data: bytes) -> Iterator[str]:
    """Percent-encoding: of all that may be, of what browsers do, and twice over."""
    encoded = [
        quote(data, safe=""),
        quote(data, safe="/"),
        quote(data, safe=_COMPONENT_SAFE),
        quote(data, safe=_URI_SAFE),
        quote_plus(data),
    ]
    for form in encoded:
        yield form
        yield _lower_escapes(form)
    yield quote(encoded[0], safe="")


def _lower_escapes(form: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), form)


def base64_cores(data: bytes) -> Iterator[bytes]:
    """Base64 at the three places in a group of three bytes, without what is shared.

    With ``offset`` bytes before it, a value's first letters also depend on those bytes
    (the first 2 or 3 letters of it), and its last one on the bytes that follow.
    """
    for offset, shared in enumerate((0, 2, 3)):
        letters = b64encode(bytes(offset) + data).rstrip(b"=")
        yield letters[shared : (offset + len(data)) * 8 // 6]


def _lines(value: str) -> Iterator[str]:
    """The lines of a key block, which stand apart when the block is indented.

    Only lines that look drawn at random: a service account's JSON is a value too, and
    has lines that everybody's has.
    """
    if "\n" not in value.strip():
        return
    for line in value.split():
        mixed = re.search("[a-z]", line) and re.search("[A-Z]", line)
        if _TOKEN.fullmatch(line) and mixed and re.search("[0-9]", line):
            yield line


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
