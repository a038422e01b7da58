"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json
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

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"type": "about:blank", "status": status, "title": text}
