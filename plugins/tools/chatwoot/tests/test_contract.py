"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json, Tier
from letsbe.testing import ToolAdapterContract
from letsbe_tool_chatwoot.adapter import CHATWOOT


class TestChatwoot(ToolAdapterContract):
    module = "letsbe_tool_chatwoot"
    adapter = CHATWOOT
    settings: ClassVar = {"account_id": "7"}
    raw_tiers: ClassVar = {
        "GET /api/v1/accounts/7/labels": Tier.GREEN,
        "GET /api/v1/profile": Tier.RED,
        "POST /api/v1/accounts/7/contacts": Tier.YELLOW,
        "POST /api/v1/accounts/7/conversations/3/messages": Tier.YELLOW_EXTERNAL,
        "POST /api/v1/accounts/7/automation_rules": Tier.RED,
        "POST /api/v1/accounts/7/inboxes": Tier.CRITICAL_RED,
        "GET /platform/api/v1/users/1/login": Tier.CRITICAL_RED,
        "PATCH /api/v1/accounts/7/something_new": Tier.RED,
        "DELETE /api/v1/accounts/7/contacts/3": Tier.RED,
    }
    wrong_calls: ClassVar = [
        ("read_conversation", {"conversation_id": "1/../2"}),
        ("change_labels", {"conversation_id": 1, "add": ["two words"]}),
        ("create_webhook", {"url": "ftp://x", "subscriptions": ["message_created"]}),
        ("set_status", {"conversation_id": 1, "status": "closed"}),
        ("update_contact", {"contact_id": 1, "phone_number": "030 123"}),
    ]

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"error": text}
