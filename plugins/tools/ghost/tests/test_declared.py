"""What can be said of the adapter without a Ghost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import InvalidRequest, Tier, ToolSite, ToolUnauthenticated
from letsbe.testing import ToolCaller, make_site
from letsbe_tool_ghost import letsbe_tool_adapters
from letsbe_tool_ghost.access import token

ID, SECRET = "ab" * 12, "cd" * 32
SOME = "6650f0c1b2a3d4e5f6a7b8c9"


@pytest.fixture
def call(tmp_path: Path) -> ToolCaller:
    site = make_site(tmp_path, tools=(ToolSite("blog", "https://blog.example.com"),))
    (adapter,) = letsbe_tool_adapters(site)
    return ToolCaller(adapter)


@pytest.mark.parametrize("operation", ["publish_post", "schedule_post"])
@pytest.mark.parametrize("field", ["newsletter", "email_segment"])
def test_mailing_a_newsletter_is_red_and_external(
    call: ToolCaller, operation: str, field: str
) -> None:
    when = {"published_at": "2035-01-01T00:00:00.000Z"}
    more = when if operation == "schedule_post" else {}
    verdict = call.judge(operation, id=SOME, **{field: "weekly"}, **more)
    assert (verdict.tier, verdict.external) == (Tier.RED, True)
    verdict = call.judge(operation, id=SOME, **more)
    assert (verdict.tier, verdict.external) == (Tier.YELLOW_EXTERNAL, True)


@pytest.mark.parametrize(
    ("method", "path", "tier"),
    [
        ("GET", "/ghost/api/admin/posts/", Tier.GREEN),
        ("GET", "/ghost/api/content/posts/", Tier.GREEN),
        ("GET", "/ghost/api/admin/db/", Tier.CRITICAL_RED),
        ("GET", "/ghost/api/admin/integrations/", Tier.RED),
        ("PUT", f"/ghost/api/admin/posts/{SOME}/", Tier.RED),
        ("POST", "/ghost/api/admin/members/", Tier.RED),
        ("POST", "/ghost/api/admin/tags/", Tier.YELLOW),
        ("POST", "/ghost/api/admin/webhooks/", Tier.YELLOW_EXTERNAL),
        ("DELETE", f"/ghost/api/admin/tags/{SOME}", Tier.RED),
        ("DELETE", "/ghost/api/admin/db/", Tier.CRITICAL_RED),
        ("GET", "/ghost/", Tier.RED),
    ],
)
def test_raw_requests_are_judged_by_their_path(
    call: ToolCaller, method: str, path: str, tier: Tier
) -> None:
    assert call.tier("request", method=method, path=path) is tier


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("get_post", {"id": "../users"}),
        ("delete_member", {"id": "1"}),
        ("create_post", {"title": "x", "status": "published"}),
        ("activate_theme", {"name": "../x"}),
        ("upload_image", {"name": "../x.png", "content_base64": "AA=="}),
    ],
)
def test_what_it_does_not_take_is_named(
    call: ToolCaller, operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call.judge(operation, **arguments)
    assert caught.value.details[0].field.startswith("tool_args.")


def test_a_token_is_signed_with_the_secret_half() -> None:
    head, claims, signature = token(f"{ID}:{SECRET}", now=1_700_000_000).split(".")
    assert read(head) == {"alg": "HS256", "kid": ID, "typ": "JWT"}
    assert read(claims) == {
        "aud": "/admin/",
        "exp": 1_700_000_060,
        "iat": 1_700_000_000,
    }
    signed = f"{head}.{claims}".encode()
    expected = hmac.digest(bytes.fromhex(SECRET), signed, hashlib.sha256)
    assert base64.urlsafe_b64decode(f"{signature}=") == expected


def read(part: str) -> Any:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.parametrize("key", ["", "abc", f"{ID}{SECRET}", f"{ID}:{SECRET}00"])
def test_a_key_of_another_form_is_told_and_not_shown(key: str) -> None:
    with pytest.raises(ToolUnauthenticated) as caught:
        token(key)
    assert not key or key not in str(caught.value)
