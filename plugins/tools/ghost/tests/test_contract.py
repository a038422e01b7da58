"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json, Tier
from letsbe.testing import ToolAdapterContract
from letsbe_tool_ghost.adapter import GHOST


class TestGhost(ToolAdapterContract):
    module = "letsbe_tool_ghost"
    adapter = GHOST
    credentials: ClassVar = {
        "admin_key": f"{'ab' * 12}:{'cd' * 32}",
        "content_key": "ef" * 13,
    }
    raw_tiers: ClassVar = {
        "GET /ghost/api/admin/posts/": Tier.GREEN,
        "GET /ghost/api/content/posts/": Tier.GREEN,
        "GET /ghost/api/admin/db/": Tier.CRITICAL_RED,
        "GET /ghost/api/admin/integrations/": Tier.RED,
        "PUT /ghost/api/admin/posts/6650f0c1b2a3d4e5f6a7b8c9/": Tier.RED,
        "POST /ghost/api/admin/members/": Tier.RED,
        "POST /ghost/api/admin/tags/": Tier.YELLOW,
        "POST /ghost/api/admin/webhooks/": Tier.YELLOW_EXTERNAL,
        "DELETE /ghost/api/admin/tags/6650f0c1b2a3d4e5f6a7b8c9": Tier.RED,
        "DELETE /ghost/api/admin/db/": Tier.CRITICAL_RED,
        "GET /ghost/": Tier.RED,
    }
    wrong_calls: ClassVar = [
        ("get_post", {"id": "../users"}),
        ("delete_member", {"id": "1"}),
        ("create_post", {"title": "x", "status": "published"}),
        ("activate_theme", {"name": "../x"}),
        ("upload_image", {"name": "../x.png", "content_base64": "AA=="}),
    ]

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"errors": [{"message": text, "type": "InternalServerError"}]}
