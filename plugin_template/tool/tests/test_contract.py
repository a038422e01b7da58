"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json, Tier
from letsbe.testing import Received, Reply, ToolAdapterContract
from letsbe_tool_sample.adapter import SAMPLE


class TestSample(ToolAdapterContract):
    module = "letsbe_tool_sample"
    adapter = SAMPLE
    credentials: ClassVar = {"token": "canary-Hq7Rt2WmZx9Lk4Pv"}
    raw_tiers: ClassVar = {
        "GET /api/notes": Tier.GREEN,
        "DELETE /api/notes/1": Tier.RED,
        "GET /api/export": Tier.RED,
    }
    wrong_calls: ClassVar = [
        ("list_notes", {"limit": 0}),
        ("create_note", {"text": ""}),
    ]

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"error": text}

    @override
    def answer(self, request: Received) -> Reply:
        return Reply(200, {"notes": [], "next_page": None})
