"""The contract of every tool adapter."""

from __future__ import annotations

from typing_extensions import override

from letsbe.plugin import Json
from letsbe.testing import ToolAdapterContract
from letsbe_tool_calcom.adapter import CALCOM


class TestCalcom(ToolAdapterContract):
    module = "letsbe_tool_calcom"
    adapter = CALCOM

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"status": "error", "error": {"code": "X", "message": text}}
