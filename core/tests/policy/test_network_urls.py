"""Reading a URL: one reading or none."""

import socket

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from letsbe.errors import ConfigurationError
from letsbe.policy.network import Origin, Target, UrlFault, parse_url


def wide(text: str) -> str:
    """The full-width forms of ASCII characters, which IDNA maps back."""
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def rule_of(url: str) -> str:
    with pytest.raises(UrlFault) as caught:
        parse_url(url)
    return caught.value.rule


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port"),
    [
        ("http://example.com", "http", "example.com", 80),
        ("HTTPS://EXAMPLE.com", "https", "example.com", 443),
        ("https://example.com.:8443/a", "https", "example.com", 8443),
        ("https://example.com:/", "https", "example.com", 443),
        ("http://example.com?q=a@b", "http", "example.com", 80),
        ("http://example.com#@127.0.0.1/", "http", "example.com", 80),
        ("http://example.com/@a:b\\c//x", "http", "example.com", 80),
        ("http://_dmarc.a_b.example.com", "http", "_dmarc.a_b.example.com", 80),
        ("http://r3---sn-x.example.com", "http", "r3---sn-x.example.com", 80),
        ("http://8.8.8.8:81/", "http", "8.8.8.8", 81),
        ("http://[2606:4700:0::1111]:8080/", "http", "2606:4700::1111", 8080),
        ("http://[::FFFF:127.0.0.1]/", "http", "127.0.0.1", 80),
        ("https://bücher.example/", "https", "xn--bcher-kva.example", 443),
        ("https://BÜCHER.example/", "https", "xn--bcher-kva.example", 443),
        ("https://例え。jp/", "https", "xn--r8jz45g.jp", 443),
        ("https://a_b.faß.de", "https", "a_b.xn--fa-hia.de", 443),
        (f"http://{wide('127.0.0.1')}/", "http", "127.0.0.1", 80),
        (f"http://{wide('localhost')}/", "http", "localhost", 80),
        ("http://lo\u00adcalhost/", "http", "localhost", 80),
        ("http://1.2.3.4.example.com", "http", "1.2.3.4.example.com", 80),
        ("http://" + ".".join(["a" * 63] * 3 + ["b" * 61]), "http", None, 80),
    ],
)
def test_a_clear_url_leads_to_one_origin(
    url: str, scheme: str, host: str | None, port: int
) -> None:
    target = parse_url(url)

    assert target == Target(scheme, Origin(host or target.origin.host, port))


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("", "url.scheme"),
        ("example.com", "url.scheme"),
        ("//example.com", "url.scheme"),
        (" http://example.com", "url.scheme"),
        ("http:/example.com", "url.scheme"),
        ("http:\\\\example.com", "url.scheme"),
        ("file:///etc/passwd", "url.scheme"),
        ("gopher://example.com", "url.scheme"),
        ("https+unix://%2Fvar%2Frun%2Fdocker.sock/", "url.scheme"),
        ("http://user:word@example.com", "url.userinfo"),
        ("http://@example.com", "url.userinfo"),
        ("http://example.com\\@127.0.0.1/", "url.userinfo"),
        ("http://127.0.0.1\\.example.com/", "url.host"),
        ("http://exa\nmple.com/", "url.control"),
        ("http://example.com/\x00", "url.control"),
        ("http://example.com/\ud800", "url.control"),
        ("http://", "url.host"),
        ("http:///example.com", "url.host"),
        ("http://.", "url.host"),
        ("http://a..b", "url.host"),
        ("http://.example.com", "url.host"),
        ("http://example.com..", "url.host"),
        ("http://exam ple.com", "url.host"),
        ("http://ex%61mple.com", "url.host"),
        ("http://%31%32%37.0.0.1", "url.host"),
        (f"http://127.0.0.1{wide('%')}2F", "url.host"),
        (f"http://example.com{wide('/')}.evil.com", "url.host"),
        ("http://" + "a" * 64 + ".com", "url.host"),
        ("http://" + "a." * 127 + "com", "url.host"),
        ("http://" + "é" * 300, "url.host"),
        ("http://exam\u200bple.com\ufffe", "url.idna"),
        ("http://\u0301a.com", "url.idna"),
        ("http://example.com:80:90", "url.authority"),
        ("http://::1/", "url.authority"),
        ("http://[::1", "url.authority"),
        ("http://[::1]x", "url.authority"),
        ("http://example.com:+80", "url.authority"),
        (f"http://example.com:{wide('80')}", "url.authority"),
        ("http://example.com:0", "url.port"),
        ("http://example.com:65536", "url.port"),
        ("http://[fe80::1%25eth0]/", "url.ipv6_host"),
        ("http://[127.0.0.1]/", "url.ipv6_host"),
        ("http://[v1.a:b]/", "url.ipv6_host"),
        ("http://[::0127.0.0.1]/", "url.ipv6_host"),
        ("http://example.com/" + "a" * 70_000, "url.length"),
    ],
)
def test_an_unclear_url_is_refused_by_a_rule(url: str, rule: str) -> None:
    assert rule_of(url) == rule


numbers = st.integers(0, 2**32 - 1)


def spellings(number: int) -> list[str]:
    a, b, c, d = number.to_bytes(4, "big")
    return [
        f"{number}",
        f"{number:#x}",
        f"{number:#X}",
        f"0{number:o}",
        f"{a}.{(b << 16) | (c << 8) | d}",
        f"{a}.{b}.{(c << 8) | d}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a}.{b}.{c}.{d:#x}",
        f"00{a}.{b}.{c}.{d}",
        f"{a}.{b}.{c}.{d}.",
    ]


@given(numbers)
@example(0x7F000001)
def test_only_one_spelling_of_an_ipv4_address_is_read(number: int) -> None:
    plain = socket.inet_ntoa(number.to_bytes(4, "big"))

    assert parse_url(f"http://{plain}/").origin.host == plain
    for text in spellings(number):
        assert rule_of(f"http://{text}/") == "url.numeric_host"


@given(st.text())
@example("[")
@example("[]")
@example("[:]")
@example(":")
@example("\u3002")
@example("xn--")
@example("xn--\u00fc")
def test_no_text_is_more_than_refused(text: str) -> None:
    for url in (text, f"http://{text}", f"http://a{text}/", f"http://[{text}]"):
        try:
            host = parse_url(url).origin.host
        except UrlFault:
            continue
        assert host.isascii()
        assert not set(host) & set("@/\\?#%[] ")


@given(st.text(max_size=40))
def test_what_is_read_reads_the_same_again(text: str) -> None:
    try:
        target = parse_url(f"http://{text}")
    except UrlFault:
        return

    assert parse_url(f"http://{target.authority}") == target


def test_the_authority_has_brackets_and_port_where_they_are_due() -> None:
    assert parse_url("https://a.example:443/").authority == "a.example"
    assert parse_url("http://a.example:443/").authority == "a.example:443"
    assert parse_url("http://[2001:4860::8]:80/").authority == "[2001:4860::8]"
    assert parse_url("http://[2001:4860::8]:81/").authority == "[2001:4860::8]:81"


def test_a_tools_base_url_gives_its_origin() -> None:
    origin = Origin.of_base_url("http://localhost:9000/api")

    assert origin == Origin("localhost", 9000)


def test_a_wrong_base_url_is_a_configuration_error_without_its_text() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Origin.of_base_url("http://user:canary-word@localhost:9000")

    assert "header" in caught.value.message
    assert "canary-word" not in caught.value.message
