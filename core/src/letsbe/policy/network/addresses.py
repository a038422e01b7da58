"""Which IP addresses are public, by an explicit list of networks.

Python's ``is_global`` is not enough: it is true inside ``fec0::/10``, most of
``192.0.0.0/24`` and the transition networks, whatever IPv4 address they hold.

Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890, updated by
RFC 8190), https://www.iana.org/assignments/iana-ipv4-special-registry and
https://www.iana.org/assignments/iana-ipv6-special-registry, as of 2026, and the IANA
IPv6 address space registry, which allocates global unicast from ``2000::/3`` alone.
A network that the registries call globally reachable is left open unless it is part
of a larger one that is closed here as a whole.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)


class Kind(enum.Enum):
    """Why an address is not public; the value is shown to people."""

    THIS_NETWORK = "no destination at all: this network, unspecified"
    LOOPBACK = "loopback: this machine itself"
    PRIVATE = "a private network"
    SHARED = "shared address space of a provider (CGNAT)"
    LINK_LOCAL = "link-local, where cloud metadata services live"
    PLATFORM = "a cloud provider's platform service"
    PROTOCOL = "reserved for protocol assignments"
    DOCUMENTATION = "reserved for documentation"
    BENCHMARKING = "reserved for benchmarks"
    TRANSITION = "a transition network whose end is not known"
    MULTICAST = "multicast or broadcast"
    RESERVED = "reserved or not allocated"


_IPV4 = (
    ("0.0.0.0/8", Kind.THIS_NETWORK),  # RFC 791
    ("10.0.0.0/8", Kind.PRIVATE),  # RFC 1918
    ("100.64.0.0/10", Kind.SHARED),  # RFC 6598; Alibaba's metadata service too
    ("127.0.0.0/8", Kind.LOOPBACK),  # RFC 1122
    ("168.63.129.16/32", Kind.PLATFORM),  # Azure's WireServer, public in form only
    ("169.254.0.0/16", Kind.LINK_LOCAL),  # RFC 3927
    ("172.16.0.0/12", Kind.PRIVATE),  # RFC 1918
    ("192.0.0.0/24", Kind.PROTOCOL),  # RFC 6890; Oracle's metadata service too
    ("192.0.2.0/24", Kind.DOCUMENTATION),  # RFC 5737
    ("192.88.99.0/24", Kind.TRANSITION),  # RFC 7526, 6to4 relay anycast
    ("192.168.0.0/16", Kind.PRIVATE),  # RFC 1918
    ("198.18.0.0/15", Kind.BENCHMARKING),  # RFC 2544
    ("198.51.100.0/24", Kind.DOCUMENTATION),  # RFC 5737
    ("203.0.113.0/24", Kind.DOCUMENTATION),  # RFC 5737
    ("224.0.0.0/4", Kind.MULTICAST),  # RFC 5771
    ("255.255.255.255/32", Kind.MULTICAST),  # RFC 8190, limited broadcast
    ("240.0.0.0/4", Kind.RESERVED),  # RFC 1112
)

_IPV6 = (
    ("::/128", Kind.THIS_NETWORK),  # RFC 4291
    ("::1/128", Kind.LOOPBACK),  # RFC 4291
    ("::/96", Kind.TRANSITION),  # RFC 4291, IPv4-compatible, deprecated
    ("::ffff:0:0:0/96", Kind.TRANSITION),  # RFC 2765, IPv4-translated
    ("64:ff9b:1::/48", Kind.TRANSITION),  # RFC 8215, NAT64 into local networks
    ("100::/64", Kind.RESERVED),  # RFC 6666, discard only
    ("100:0:0:1::/64", Kind.RESERVED),  # RFC 9780, dummy prefix
    ("2001::/32", Kind.TRANSITION),  # RFC 4380, Teredo
    ("2001::/23", Kind.PROTOCOL),  # RFC 2928; benchmarking, AMT and ORCHID are in it
    ("2001:db8::/32", Kind.DOCUMENTATION),  # RFC 3849
    ("2002::/16", Kind.TRANSITION),  # RFC 3056, 6to4, its relays retired by RFC 7526
    ("3fff::/20", Kind.DOCUMENTATION),  # RFC 9637
    ("5f00::/16", Kind.PROTOCOL),  # RFC 9602, segment routing
    ("fc00::/7", Kind.PRIVATE),  # RFC 4193, unique local; metadata services too
    ("fe80::/10", Kind.LINK_LOCAL),  # RFC 4291
    ("fec0::/10", Kind.PRIVATE),  # RFC 3879, site-local, deprecated
    ("ff00::/8", Kind.MULTICAST),  # RFC 4291
)

SPECIAL_IPV4: tuple[tuple[IPv4Network, Kind], ...] = tuple(
    (IPv4Network(text), kind) for text, kind in _IPV4
)
"""Every IPv4 network that is closed; the first that holds an address names it."""

SPECIAL_IPV6: tuple[tuple[IPv6Network, Kind], ...] = tuple(
    (IPv6Network(text), kind) for text, kind in _IPV6
)
"""Every IPv6 network that is closed by name; so is all outside ``2000::/3``."""

_GLOBAL_UNICAST = ip_network("2000::/3")
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291: the socket speaks IPv4
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: a gateway makes it IPv4
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})  # RFC 5214, interface identifiers

OWN_KINDS = frozenset({Kind.LOOPBACK, Kind.PRIVATE, Kind.SHARED})
"""The kinds where a tenant's own tools may live, if an origin there is allowed."""


@dataclass(frozen=True, slots=True)
class Address:
    """An IP address and what it is.

    Args:
        text: The canonical text to connect to; an IPv4-mapped address is its IPv4.
        kind: Why it is not public, or ``None`` if it is public.
    """

    text: str
    kind: Kind | None


def read_address(text: object) -> Address | None:
    """Read an address in its canonical form and say what it is.

    Args:
        text: Dotted IPv4 in decimal without leading zeros, or IPv6 without brackets.

    Returns:
        The address, or ``None`` if the text is anything else: a name, another
        spelling of a number, an address with a zone (``fe80::1%eth0``), not text.
    """
    if not isinstance(text, str) or "%" in text:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return Address(str(address), _kind_of_ipv4(address))
    if address in _MAPPED:
        inner = _low_ipv4(address)
        return Address(str(inner), _kind_of_ipv4(inner))
    return Address(str(address), _kind_of_ipv6(address))


def _kind_of_ipv4(address: IPv4Address) -> Kind | None:
    return next((kind for net, kind in SPECIAL_IPV4 if address in net), None)


def _kind_of_ipv6(address: IPv6Address) -> Kind | None:
    if address in _NAT64:
        return _kind_of_ipv4(_low_ipv4(address))
    for network, kind in SPECIAL_IPV6:
        if address in network:
            return kind
    if address not in _GLOBAL_UNICAST:
        return Kind.RESERVED
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP:
        return _kind_of_ipv4(_low_ipv4(address))
    return None


def _low_ipv4(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
