"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json, Tier
from letsbe.testing import Received, Reply, ToolAdapterContract
from letsbe_tool_stalwart.adapter import STALWART


class TestStalwart(ToolAdapterContract):
    module = "letsbe_tool_stalwart"
    adapter = STALWART
    settings: ClassVar = {"user": "admin"}

    @override
    def answer(self, request: Received) -> Reply:
        """Be of the older generation, which has no schema."""
        return Reply(404 if request.path == "/api/schema" else 200, {})

    raw_tiers: ClassVar = {
        "GET /api/queue/messages": Tier.GREEN,
        "GET /api/reload": Tier.RED,
        "GET /api/reload/": Tier.RED,
        "GET /api/store/purge/blob": Tier.CRITICAL_RED,
        "GET /api/update/spam-filter": Tier.RED,
        "POST /api/settings": Tier.CRITICAL_RED,
        "POST /jmap": Tier.RED,
        "POST /jmap/": Tier.RED,
        "PATCH /api/queue/messages/1": Tier.YELLOW_EXTERNAL,
        "GET /admin": Tier.RED,
    }
    wrong_calls: ClassVar = [
        ("read_account", {"address": "nobody"}),
        ("delete_domain", {"domain": "../x"}),
        ("create_account", {"address": "ada@example.com", "password": "short"}),
        ("cancel_message", {"message_id": "1/2"}),
    ]

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"type": "about:blank", "status": status, "title": text}
