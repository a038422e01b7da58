"""What can be said of the adapter without a Ghost."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import Tier, ToolSite, ToolUnauthenticated
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
