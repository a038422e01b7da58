"""The contract of every tool adapter."""

from __future__ import annotations

from typing_extensions import override

from letsbe.plugin import Json
from letsbe.testing import ToolAdapterContract
from letsbe_tool_nocodb.adapter import NOCODB


class TestNocodb(ToolAdapterContract):
    module = "letsbe_tool_nocodb"
    adapter = NOCODB

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"error": "ERR_X", "message": text}
