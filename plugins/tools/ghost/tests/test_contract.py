"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json
from letsbe.testing import ToolAdapterContract
from letsbe_tool_ghost.adapter import GHOST


class TestGhost(ToolAdapterContract):
    module = "letsbe_tool_ghost"
    adapter = GHOST
    credentials: ClassVar = {
        "admin_key": f"{'ab' * 12}:{'cd' * 32}",
        "content_key": "ef" * 13,
    }

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"errors": [{"message": text, "type": "InternalServerError"}]}
