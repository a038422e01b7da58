"""From a request's path to an upstream's, and never beside it."""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.configuration import UpstreamSettings
from letsbe.errors import ConfigurationError, InvalidRequest, LetsBeError, NotFound
from letsbe.proxy.upstreams import Upstreams


def upstreams(**settings: dict[str, Any]) -> Upstreams:
    return Upstreams(
        {k: UpstreamSettings.model_validate(v) for k, v in settings.items()}
    )


BASE = upstreams(a={"base_url": "https://api.example.com/base"})
PIECES = st.sampled_from(
    [*"abc/.;%\\?#:@", "..", "/a", "%2e", "%2F", "%5c", "%25", "%252e", "\0", "é", "//"]
)


@given(st.lists(PIECES).map("".join), st.binary(max_size=8))
def test_no_accepted_path_leaves_the_base(rest: str, query: bytes) -> None:
    try:
        route = BASE.route(f"/a{rest}".encode("latin-1", "replace"), query)
    except (InvalidRequest, NotFound):
        return
    path, mark, sent = route.target.decode().partition("?")
    for _ in range(3):
        assert posixpath.normpath(path).split("/")[:2] == ["", "base"]
        assert "\\" not in path
        path = unquote(path)
    assert sent.encode() == query if mark else not query


@pytest.mark.parametrize(
    ("path", "target", "agent"),
    [
        (b"/a/v1/chat", b"/base/v1/chat", None),
        (b"/a", b"/base", None),
        (b"/agents/main/a/v1/chat", b"/base/v1/chat", "main"),
        (b"/a/models/x%20y:z@1", b"/base/models/x%20y:z@1", None),
    ],
)
def test_paths_become_the_upstreams(
    path: bytes, target: bytes, agent: str | None
) -> None:
    route = BASE.route(path, b"")
    assert (route.target, route.agent_id) == (target, agent)


def test_a_query_is_sent_as_it_is() -> None:
    assert BASE.route(b"/a/x", b"a=1&b=%20").target == b"/base/x?a=1&b=%20"


@pytest.mark.parametrize("query", [b"a=\r\nx: y", b"a b", b"\xff", b"a=%zz"])
def test_a_query_that_is_no_query_is_refused(query: bytes) -> None:
    with pytest.raises(InvalidRequest):
        BASE.route(b"/a/x", query)


@pytest.mark.parametrize("path", [b"/agents/", b"/agents/a b/a", b"/agents/../a"])
def test_an_agents_path_names_an_agent(path: bytes) -> None:
    with pytest.raises(LetsBeError):
        BASE.route(path, b"")


@pytest.mark.parametrize(
    "url",
    [
        "api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://user:pass@api.example.com",
        "https://api.example.com/v1?x=1",
        "https://api.example.com/#x",
        "https://api.example.com/../x",
        "https://api.example.com:99999",
        "http://api.example.com",
        "http://8.8.8.8/v1",
    ],
)
def test_a_base_url_is_whole_and_secure(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"proxy\.upstreams\.x\.base_url"):
        upstreams(x={"base_url": url})


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:11434",
        "http://localhost/v1",
        "http://ollama:11434",
        "http://10.0.0.4/v1",
        "http://[::1]:8080",
    ],
)
def test_plain_http_may_go_to_near_hosts(url: str) -> None:
    assert upstreams(x={"base_url": url}).all[0].name == "x"


@pytest.mark.parametrize(
    "prefix", ["", "/", "x", "/a b", "/agents", "/healthz", "/..", "/a//b"]
)
def test_a_prefix_is_a_path_of_its_own(prefix: str) -> None:
    with pytest.raises(ConfigurationError, match="prefix"):
        upstreams(x={"base_url": "https://a.example", "prefix": prefix})


def test_two_upstreams_do_not_share_a_prefix() -> None:
    base = {"base_url": "https://a.example", "prefix": "/v1"}
    with pytest.raises(ConfigurationError, match="twice"):
        upstreams(a=base, b=base)


def test_the_host_header_has_the_port_only_if_it_is_unusual() -> None:
    made = upstreams(
        a={"base_url": "https://a.example"}, b={"base_url": "http://[::1]:81/v1"}
    )
    assert [u.authority for u in made.all] == [b"a.example", b"[::1]:81"]
