"""Every special network in every embedding, and nothing that is public."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.policy.network.addresses import (
    SPECIAL_IPV4,
    SPECIAL_IPV6,
    Kind,
    read_address,
)

# Written out here on their own, so that a network lost from the table is noticed.
CLOSED_IPV4 = [
    ip_network(text)
    for text in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",
    ]
]
CLOSED_IPV6 = [
    ip_network(text)
    for text in [
        "::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
]


def inside(networks: list[IPv4Network | IPv6Network]) -> st.SearchStrategy[int]:
    return st.sampled_from(networks).flatmap(
        lambda network: st.integers(
            int(network.network_address), int(network.broadcast_address)
        )
    )


special_ipv4 = inside(CLOSED_IPV4)
special_ipv6 = inside(CLOSED_IPV6)
public_ipv4 = (
    st.integers(0, 2**32 - 1)
    .map(IPv4Address)
    .filter(lambda address: not any(address in net for net in CLOSED_IPV4))
)
public_ipv6 = (
    st.integers(0x2000 << 112, (0x4000 << 112) - 1)
    .map(IPv6Address)
    .filter(lambda address: not any(address in net for net in CLOSED_IPV6))
    .filter(lambda address: (int(address) >> 32) & 0xFDFF_FFFF != 0x5EFE)
)


def kind_of(address: object) -> Kind | None:
    read = read_address(str(address))
    assert read is not None
    return read.kind


@given(special_ipv4)
def test_a_special_ipv4_address_is_never_public(number: int) -> None:
    assert kind_of(IPv4Address(number)) is not None


@given(special_ipv4, st.integers(0x2A00 << 48, (0x2A10 << 48) - 1))
def test_a_special_ipv4_address_is_not_public_in_any_embedding(
    number: int, prefix: int
) -> None:
    hidden = number ^ 0xFFFF_FFFF  # Teredo turns its bits around (RFC 4380)
    embeddings = {
        "mapped": (0xFFFF << 32) | number,
        "compatible": number,
        "translated": (0xFFFF << 48) | number,
        "nat64": (0x64_FF9B << 96) | number,
        "local nat64": (0x64_FF9B_0001 << 80) | number,
        "6to4": (0x2002 << 112) | (number << 80) | 1,
        "teredo client": (0x2001_0000 << 96) | hidden,
        "teredo server": (0x2001_0000 << 96) | (number << 64),
        "isatap": (prefix << 64) | (0x5EFE << 32) | number,
        "isatap, global": (prefix << 64) | (0x0200_5EFE << 32) | number,
    }
    public = [name for name, n in embeddings.items() if not kind_of(IPv6Address(n))]

    assert public == []


@given(special_ipv6)
def test_a_special_ipv6_address_is_never_public(number: int) -> None:
    assert kind_of(IPv6Address(number)) is not None


@given(st.integers(0, 2**128 - 1).filter(lambda n: n >> 125 != 1))
def test_ipv6_outside_global_unicast_is_closed_but_for_embedded_ipv4(n: int) -> None:
    assert kind_of(IPv6Address(n)) is not None or n >> 32 in {0xFFFF, 0x64_FF9B << 64}


@given(public_ipv4)
def test_any_other_ipv4_address_is_public_also_mapped_and_by_nat64(
    address: IPv4Address,
) -> None:
    assert kind_of(address) is None
    assert kind_of(f"::ffff:{address}") is None
    assert kind_of(f"64:ff9b::{address}") is None


@given(public_ipv6)
def test_any_other_global_unicast_ipv6_address_is_public(address: IPv6Address) -> None:
    assert kind_of(address) is None


def test_the_first_and_last_address_of_each_network_are_closed() -> None:
    ends = [address for net, _ in SPECIAL_IPV4 for address in (net[0], net[-1])]
    ends6 = [address for net, _ in SPECIAL_IPV6 for address in (net[0], net[-1])]

    assert [end for end in (*ends, *ends6) if kind_of(end) is None] == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("127.0.0.1", Kind.LOOPBACK),
        ("::1", Kind.LOOPBACK),
        ("::ffff:169.254.169.254", Kind.LINK_LOCAL),
        ("100.100.100.200", Kind.SHARED),
        ("192.0.0.192", Kind.PROTOCOL),
        ("168.63.129.16", Kind.PLATFORM),
        ("fd00:ec2::254", Kind.PRIVATE),
        ("255.255.255.255", Kind.MULTICAST),
        ("64:ff9b::7f00:1", Kind.LOOPBACK),
    ],
)
def test_well_known_addresses_are_called_by_name(text: str, kind: Kind) -> None:
    assert kind_of(text) is kind


def test_a_mapped_address_is_connected_to_as_the_ipv4_it_is() -> None:
    address = read_address("::ffff:8.8.8.8")

    assert address is not None
    assert address.text == "8.8.8.8"


@pytest.mark.parametrize(
    "text",
    ["", "a", "127.1", "0177.0.0.1", "2130706433", "fe80::1%1", " ::1", "[::1]", 1],
)
def test_what_is_not_a_plain_address_is_none(text: object) -> None:
    assert read_address(text) is None
