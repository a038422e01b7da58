"""What the table says of raw requests."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import InvalidRequest
from letsbe.plugin import RouteRule, Tier
from letsbe.plugin._adapters.routes import RawRequest, judge_route

RULES = (
    RouteRule("GET", "/api/**", Tier.GREEN, "reads"),
    RouteRule("GET", "/api/keys/*", Tier.RED, "shows keys"),
    RouteRule("POST|PUT", "/api/posts/*/", Tier.YELLOW, "changes a post"),
    RouteRule("*", "/api/reload", Tier.CRITICAL_RED, "starts anew", external=True),
)


def tier(method: str, path: str) -> Tier:
    sent = RawRequest.model_validate({"method": method, "path": path})
    return max(opinion.tier for opinion in judge_route(RULES, sent))


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api", Tier.GREEN),
        ("GET", "/api/", Tier.GREEN),
        ("GET", "/api/a/b/c", Tier.GREEN),
        ("GET", "/api/keys/1", Tier.RED),
        ("GET", "/API/Keys/1", Tier.RED),
        ("GET", "/api/%6beys/1/", Tier.RED),
        ("GET", "/api/keys/1.json", Tier.RED),
        ("GET", "/api/reload", Tier.CRITICAL_RED),
        ("GET", "/api/reload.json", Tier.CRITICAL_RED),
        ("PUT", "/api/posts/1", Tier.YELLOW),
        ("PUT", "/api/posts/1/2", Tier.RED),
        ("DELETE", "/api/posts/1", Tier.RED),
        ("GET", "/apix", Tier.RED),
        ("HEAD", "/api/a", Tier.RED),
    ],
)
def test_the_strictest_rule_counts(method: str, path: str, expected: Tier) -> None:
    assert tier(method, path) is expected


@given(st.sampled_from(["POST", "PUT", "PATCH", "DELETE"]), st.text(max_size=30))
def test_what_no_rule_knows_is_red(method: str, rest: str) -> None:
    with contextlib.suppress(InvalidRequest):
        assert tier(method, f"/other/{rest}") is Tier.RED


@pytest.mark.parametrize("name", ["_method", "X-HTTP-Method-Override"])
def test_another_method_cannot_be_smuggled_in(name: str) -> None:
    sent = RawRequest.model_validate(
        {"method": "GET", "path": "/api/a", "query": {name: "DELETE"}}
    )
    with pytest.raises(InvalidRequest, match="method"):
        list(judge_route(RULES, sent))
