"""Unpacking compressed bodies, never beyond a limit."""

from __future__ import annotations

import zlib

from letsbe.errors import InvalidRequest, LetsBeError

_ENCODINGS_AT_MOST = 2
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class Bomb(LetsBeError):
    """A compressed body unpacks to more than is allowed."""

    code = "too_large"
    status = 413


def encodings_of(header: bytes | None) -> list[str]:
    """Return the encodings of a Content-Encoding header, the last applied first.

    Raises:
        InvalidRequest: One is unknown, or there are more than two.
    """
    names = (header or b"").decode("latin-1").lower().split(",")
    applied = [name.strip() for name in names if name.strip() not in ("", "identity")]
    if len(applied) > _ENCODINGS_AT_MOST:
        message = "the body is compressed more than twice"
        raise InvalidRequest(message)
    if any(name not in ("gzip", "x-gzip", "deflate") for name in applied):
        message = "the body's Content-Encoding is unknown: send it plain or with gzip"
        raise InvalidRequest(message)
    return applied[::-1]


def decode(body: bytes, encodings: list[str], limit: int) -> bytes:
    """Unpack a body.

    Args:
        body: As it was sent.
        encodings: What :func:`encodings_of` returned.
        limit: The most bytes of what comes out, at every step.

    Raises:
        Bomb: More than ``limit`` bytes would come out.
        InvalidRequest: The body is damaged or cut off.
    """
    for encoding in encodings:
        try:
            if encoding == "deflate":
                body = _inflate(body, limit)
            else:
                body = _gunzip(body, limit)
        except zlib.error:
            message = f"the body is not valid {encoding}"
            raise InvalidRequest(message) from None
    return body


def _gunzip(body: bytes, limit: int) -> bytes:
    """Unpack every member of a gzip file; RFC 1952 allows several."""
    parts: list[bytes] = []
    left = limit
    while body:
        part, body = _unpack(body, _GZIP, left)
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _inflate(body: bytes, limit: int) -> bytes:
    """Unpack ``deflate``: with zlib's header as RFC 9110 says, or as some send it."""
    try:
        part, rest = _unpack(body, _ZLIB, limit)
    except zlib.error:
        part, rest = _unpack(body, _RAW, limit)
    if rest:
        message = "more than the stream"
        raise zlib.error(message)
    return part


def _unpack(body: bytes, window: int, limit: int) -> tuple[bytes, bytes]:
    unpacker = zlib.decompressobj(window)
    # Zero would mean no limit; one more byte than allowed shows a bomb.
    plain = unpacker.decompress(body, limit + 1)
    if len(plain) > limit:
        message = f"the body unpacks to more than {limit} bytes"
        raise Bomb(message)
    if not unpacker.eof:
        message = "cut off"
        raise zlib.error(message)
    return plain, unpacker.unused_data
