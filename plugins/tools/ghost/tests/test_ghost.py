"""Every operation, on a real Ghost."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from letsbe.plugin import (
    ToolConflict,
    ToolInvalid,
    ToolNotFound,
    ToolUnauthenticated,
)
from letsbe.testing import ToolCaller
from letsbe_tool_ghost.files import _PIXEL

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
NOBODY = "0" * 24


@pytest.mark.parametrize("noun", ["post", "page"])
async def test_a_text_from_draft_to_public_and_back(
    call: ToolCaller, noun: str
) -> None:
    draft = await call(
        f"create_{noun}", title="Hello", html="<p>one</p>", tags=["News"]
    )
    assert (draft["status"], draft["tags"]) == ("draft", ["News"])
    changed = await call(f"update_{noun}", id=draft["id"], html="<p>two</p>")
    read = await call(f"get_{noun}", id=draft["id"])
    assert "two" in read["html"]
    assert read["updated_at"] == changed["updated_at"]
    public = await call(f"publish_{noun}", id=draft["id"])
    assert public["status"] == "published"
    assert (await call(f"get_{noun}", slug=draft["slug"]))["id"] == draft["id"]
    listed = await call(f"list_{noun}s", filter="status:published", limit=100)
    assert draft["id"] in [item["id"] for item in listed[f"{noun}s"]]
    seen = await call("read_public", resource=f"{noun}s")
    assert draft["id"] in [item["id"] for item in seen[f"{noun}s"]]
    back = await call(f"unpublish_{noun}", id=draft["id"])
    assert back["status"] == "draft"
    planned = await call(
        f"schedule_{noun}", id=draft["id"], published_at="2035-01-01T00:00:00.000Z"
    )
    assert planned["status"] == "scheduled"
    await call(f"delete_{noun}", id=draft["id"])
    with pytest.raises(ToolNotFound, match="HTTP 404"):
        await call(f"get_{noun}", id=draft["id"])


async def test_a_change_since_it_was_read_is_a_conflict(call: ToolCaller) -> None:
    first = await call("create_post", title="Mine")
    await anyio.sleep(1.1)  # Ghost's updated_at has whole seconds
    await call("update_post", id=first["id"], title="Theirs")
    with pytest.raises(ToolConflict, match="Someone else"):
        await call(
            "update_post", id=first["id"], title="Mine", updated_at=first["updated_at"]
        )
    assert (await call("get_post", id=first["id"]))["title"] == "Theirs"


async def test_lists_go_on_where_they_end(call: ToolCaller) -> None:
    for number in range(3):
        await call("create_page", title=f"Page {number}")
    first = await call("list_pages", limit=2)
    rest = await call("list_pages", limit=2, page=first["next_page"])
    ids = [page["id"] for page in (*first["pages"], *rest["pages"])]
    assert len(first["pages"]) == 2
    assert len(set(ids)) == len(ids)


async def test_tags(call: ToolCaller) -> None:
    tag = await call("create_tag", name="Cats", description="Small ones")
    assert (await call("update_tag", id=tag["id"], name="Dogs"))["name"] == "Dogs"
    names = [tag["name"] for tag in (await call("list_tags", limit=100))["tags"]]
    assert "Dogs" in names
    await call("delete_tag", id=tag["id"])


async def test_members(call: ToolCaller) -> None:
    member = await call("create_member", email="ada@example.com", labels=["vip"])
    assert member["labels"] == ["vip"]
    changed = await call("update_member", id=member["id"], name="Ada", note="first")
    assert changed["name"] == "Ada"
    found = await call("list_members", search="ada@example")
    assert [m["email"] for m in found["members"]] == ["ada@example.com"]
    with pytest.raises(ToolInvalid, match="already exists"):
        await call("create_member", email="ada@example.com")
    await call("delete_member", id=member["id"])


async def test_what_a_site_says_of_itself(call: ToolCaller) -> None:
    assert (await call("read_site"))["site"]["version"] == "6.65"
    assert (await call("read_site_settings"))["title"] == "Test"
    assert (await call("list_newsletters"))["newsletters"][0]["slug"]
    assert (await call("list_tiers"))["tiers"]
    assert (await call("list_offers"))["offers"] is not None
    assert (await call("list_users"))["users"][0]["name"] == "Owner"
    public = await call("read_public", resource="settings")
    assert public["settings"][0]["title"] == "Test"


async def test_webhooks(call: ToolCaller) -> None:
    made = await call(
        "create_webhook", event="post.published", target_url="https://example.com/hook"
    )
    (hook,) = made["webhooks"]
    assert (hook["event"], hook["target_url"]) == (
        "post.published",
        "https://example.com/hook",
    )
    await call("delete_webhook", id=hook["id"])
    with pytest.raises(ToolNotFound):
        await call("delete_webhook", id=hook["id"])


async def test_files(call: ToolCaller, tmp_path: Path) -> None:
    image = await call("upload_image", name="a.gif", content_base64=_PIXEL, ref="mine")
    assert (image["ref"], image["url"][-5:]) == ("mine", "a.gif")
    (tmp_path / "team.gif").write_bytes(base64.b64decode(_PIXEL))
    sent = await call("upload_image", file="team.gif")
    assert sent["url"][-8:] == "team.gif"
    themes = await call("activate_theme", name="casper")
    assert {"name": "casper", "active": True} in themes
    with pytest.raises(ToolInvalid):
        await call("upload_theme", name="a.zip", content_base64="UEsFBg==")


async def test_the_raw_request(call: ToolCaller) -> None:
    answer = await call(
        "request", method="GET", path="/ghost/api/admin/tags/", query={"limit": 1}
    )
    assert answer["status"] == 200
    assert "tags" in answer["body"]


async def test_mailing_asks_for_a_newsletter_that_is_there(call: ToolCaller) -> None:
    draft = await call("create_post", title="Mail", html="<p>x</p>")
    with pytest.raises(ToolInvalid, match="no newsletter of that slug") as caught:
        await call("publish_post", id=draft["id"], newsletter="no-such-newsletter")
    assert "default-newsletter" in str(caught.value.alternative)
    # Ghost itself answers 500 to it, and has published the post all the same.
    assert (await call("get_post", id=draft["id"]))["status"] == "draft"


async def test_mailing_a_post_publishes_it(call: ToolCaller) -> None:
    draft = await call("create_post", title="Mail", html="<p>x</p>")
    await call("create_member", email="reader@example.com")
    mailed = await call("publish_post", id=draft["id"], newsletter="default-newsletter")
    assert mailed["status"] == "published"


@pytest.mark.parametrize(
    ("secret", "operation"),
    [("ghost_admin", "list_posts"), ("ghost_content", "read_public")],
)
async def test_a_wrong_key_is_told_and_not_shown(
    call_with: Callable[..., ToolCaller], secret: str, operation: str
) -> None:
    wrong = f"{'ab' * 12}:{'cd' * 32}" if secret == "ghost_admin" else "ab" * 13
    call = call_with(**{secret: wrong})
    arguments = {"resource": "posts"} if operation == "read_public" else {}
    with pytest.raises(ToolUnauthenticated) as caught:
        await call(operation, **arguments)
    assert wrong not in str(caught.value)
    assert "abababab" not in str(caught.value)


async def test_it_says_how_it_is(call: ToolCaller) -> None:
    health = await call.adapter.check()
    assert (health.healthy, health.message) == (True, "Ghost 6.65")
