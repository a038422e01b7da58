"""The host of a URL, read so that no other reader can take it for another host."""

from __future__ import annotations

import re

from letsbe.policy.network.addresses import read_address

_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCALHOST = frozenset({"localhost", "localhost6"})


class UrlFault(ValueError):
    """A URL is of a form that is not accepted.

    Args:
        rule: The rule that it breaks, such as ``url.userinfo``.
        reason: What is wrong and what to write instead, without any part of the URL.
    """

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule = rule
        self.reason = reason


def read_host(text: str) -> str:
    """Read a host as it stands in a URL.

    Args:
        text: A name, a dotted IPv4 address, or an IPv6 address in brackets.

    Returns:
        The name in lower-case ASCII (IDNA) without a final dot, or the address in
        canonical form without brackets; an IPv4-mapped one as its IPv4.

    Raises:
        UrlFault: Readers could differ about it, or no name server could know it.
    """
    if text.startswith("["):
        return _read_ipv6(text)
    name = (text if text.isascii() else _to_ascii(text)).lower()
    labels = name.removesuffix(".").split(".")
    if not all(map(_LABEL.fullmatch, labels)):
        reason = (
            "the host is empty or has an empty or overlong label, or a character "
            "other than letters, digits, hyphen and underscore; write it plainly"
        )
        raise UrlFault("url.host", reason)
    if _NUMBER.fullmatch(labels[-1]):
        return _read_ipv4(name)
    return _within_limit(".".join(labels))


def is_localhost(host: str) -> bool:
    """Whether a host from :func:`read_host` is a name of this machine (RFC 6761)."""
    labels = host.removesuffix(".localdomain").split(".")
    return labels[-1] in _LOCALHOST


def _within_limit(name: str) -> str:
    if len(name) > 253:  # RFC 1035: 255 octets with the root's and the first length
        raise UrlFault("url.host", "the host name has more than 253 characters")
    return name


def _read_ipv4(text: str) -> str:
    # What ends in a number is an address to inet_aton and to browsers, in any of its
    # decimal, octal, hexadecimal and short spellings; only one of them is clear.
    address = read_address(text)
    if address is None:
        reason = (
            "the host is a number in a form that readers take for different "
            "addresses; write four decimal numbers without leading zeros"
        )
        raise UrlFault("url.numeric_host", reason)
    return address.text


def _read_ipv6(text: str) -> str:
    address = read_address(text[1:-1]) if ":" in text and text[-1] == "]" else None
    if address is None:
        reason = "the host in brackets is not an IPv6 address without a zone"
        raise UrlFault("url.ipv6_host", reason)
    return address.text


def _to_ascii(text: str) -> str:
    import idna  # noqa: PLC0415 - its tables are large and most hosts are ASCII

    reason = "the host is not a valid internationalized name (IDNA 2008)"
    if len(text) > 253:
        raise UrlFault("url.host", reason)
    try:
        # UTS 46 makes what people see as the same the same: case, full-width digits
        # and dots. Labels that are ASCII then are judged as any other.
        labels = idna.uts46_remap(text, std3_rules=False).split(".")
        return ".".join(
            label if label.isascii() else idna.alabel(label).decode("ascii")
            for label in labels
        )
    except UnicodeError:
        raise UrlFault("url.idna", reason) from None
