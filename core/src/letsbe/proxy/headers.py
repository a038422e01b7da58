"""Which headers pass the proxy, in each direction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Header = tuple[bytes, bytes]

HOP_BY_HOP = frozenset(
    {
        # RFC 9110, 7.6.1, and what is older than it
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Headers that speak of one connection alone."""

AGENT_HEADER = b"x-letsbe-agent"
"""Names the agent whose request it is."""

CREDENTIALS = frozenset(
    {
        b"authorization",
        b"x-api-key",
        b"api-key",
        b"x-goog-api-key",
        b"x-auth-token",
        b"cookie",
    }
)
"""Headers of a client's own credentials: dummies, and no provider's business."""

_REQUEST_OWN = frozenset(
    {
        # made anew for the upstream
        b"host",
        b"content-length",
        b"content-encoding",
        b"accept-encoding",
        b"expect",
        # of this machine's network, no provider's business
        b"forwarded",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"origin",
        b"referer",
        AGENT_HEADER,
    }
)
_RESPONSE_OWN = frozenset(
    {
        # they would lead the client around the proxy, or make it keep a session
        b"alt-svc",
        b"refresh",
        b"set-cookie",
        b"set-cookie2",
    }
)


def request_headers(headers: Iterable[Header], key_header: bytes) -> list[Header]:
    """Return what of a client's headers goes to an upstream.

    Args:
        headers: What the client sent, names in lower case.
        key_header: The header that will carry the upstream's key.
    """
    sent = list(headers)
    dropped = HOP_BY_HOP | CREDENTIALS | _REQUEST_OWN | {key_header, *_listed(sent)}
    return [(name, value) for name, value in sent if name not in dropped]


def response_headers(headers: Iterable[Header]) -> list[Header]:
    """Return what of an upstream's headers goes to the client, names in lower case."""
    came = [(name.lower(), value) for name, value in headers]
    dropped = HOP_BY_HOP | _RESPONSE_OWN | {*_listed(came)}
    return [(name, value) for name, value in came if name not in dropped]


def value_of(headers: Iterable[Header], name: bytes) -> bytes | None:
    """Return the value of a header; of several the last one."""
    found = None
    for each, value in headers:
        if each == name:
            found = value
    return found


def _listed(headers: Iterable[Header]) -> Iterator[bytes]:
    """Give the names that the Connection header lists."""
    for name, value in headers:
        if name == b"connection":
            yield from (option.strip().lower() for option in value.split(b","))
