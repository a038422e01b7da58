"""The hosts that a word would contact, and whether they are this machine."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from urllib.parse import unquote

from letsbe.policy.commands import Word
from letsbe.policy.rules._path_effects import path_effects
from letsbe.policy.rules._where import Effect, Where
from letsbe.policy.tiers import Tier

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443, "ftp": 21, "ftps": 990, "ssh": 22, "sftp": 22}
_URL = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?//(.*)", re.DOTALL)
_AUTHORITY = re.compile(
    r"(?:[^/?#]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]*))?"
)
_HOST = re.compile(
    r"(?:[^/@]*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]*))?(?:[:/].*)?",
    re.DOTALL,
)
_METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "instance-data"})
_METADATA = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local: AWS, Azure, GCP and most others
        "100.100.100.200/32",  # Alibaba
        "192.0.0.192/32",  # Oracle
        "fd00:ec2::254/128",  # AWS over IPv6
    )
)


def url_effects(word: Word, where: Where) -> Iterator[Effect]:
    """Say what contacting a URL means.

    Args:
        word: The URL, with or without a scheme, as curl and git take it.
        where: What the judgement depends on.

    Yields:
        The contact with its host, or why it cannot be told.
    """
    found = _URL.fullmatch(word.text)
    scheme = (found[1] or "http").lower() if found else "http"
    rest = found[2] if found else word.text
    if scheme == "file":
        path = Word(unquote("/" + rest.partition("/")[2]), word.start, word.end)
        yield from path_effects("read", path, where, recursive=False)
        return
    if scheme not in _PORTS:
        why = f"speaks {scheme}, a protocol that can carry anything"
        yield Effect(Tier.RED, "url.scheme", why, external=True, hosts=None)
        return
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    yield from _contact(_AUTHORITY.fullmatch(authority), _PORTS[scheme], where)


def host_effects(word: Word, where: Where) -> Iterator[Effect]:
    """Say what contacting ``host``, ``user@host`` or ``host:port`` means."""
    yield from _contact(_HOST.fullmatch(word.text), None, where)


def _contact(
    found: re.Match[str] | None, port: int | None, where: Where
) -> Iterator[Effect]:
    if not found:
        why = "contacts a host whose name cannot be told"
        yield Effect(Tier.YELLOW_EXTERNAL, "host", why, external=True, hosts=None)
        return
    host = found[1].strip("[]").lower().rstrip(".")
    port = int(found[2]) if found[2] else port
    closed = port in where.closed_ports
    address = _address(host)
    if is_loopback(host, address):
        if closed:
            why = "contacts a port of this machine that is closed to agents"
            yield Effect(Tier.CRITICAL_RED, "host.closed", why, refused=True)
        why = "contacts a service of this machine"
        yield Effect(Tier.YELLOW, "host.local", why, hosts=(host,))
        return
    if host in _METADATA_NAMES or (address and any(address in n for n in _METADATA)):
        why = "contacts the cloud's metadata service, which hands out credentials"
        yield Effect(Tier.RED, "host.metadata", why, external=True, hosts=(host,))
        return
    if closed:
        why = "contacts a port number that this machine's own guards use"
        yield Effect(Tier.RED, "host.port", why, external=True, hosts=(host,))
    why = "contacts a host outside"
    yield Effect(Tier.YELLOW_EXTERNAL, "host", why, external=True, hosts=(host,))


def is_loopback(host: str, address: Address | None = None) -> bool:
    """Tell whether a host is this machine.

    Args:
        host: A name or address, lower case.
        address: What the host is as an address, if it is one.
    """
    if host in ("localhost", "ip6-localhost", "ip6-loopback", "localhost.localdomain"):
        return True
    if host.endswith(".localhost"):
        return True
    address = address or _address(host)
    return bool(address and (address.is_loopback or address.is_unspecified))


def _address(host: str) -> Address | None:
    """Read an address in every spelling the C library takes; unwrap embedded IPv4."""
    try:
        if ":" in host:
            address = ipaddress.IPv6Address(host)
            return _embedded(address) or address
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    number = int(address)
    # NAT64 (RFC 6052) and IPv4-compatible addresses (RFC 4291, deprecated).
    if number >> 32 in (0x64FF9B << 64, 0) and number > 0xFFFF:
        return ipaddress.IPv4Address(number & 0xFFFFFFFF)
    return None
