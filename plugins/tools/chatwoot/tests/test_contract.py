"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json
from letsbe.testing import ToolAdapterContract
from letsbe_tool_chatwoot.adapter import CHATWOOT


class TestChatwoot(ToolAdapterContract):
    module = "letsbe_tool_chatwoot"
    adapter = CHATWOOT
    settings: ClassVar = {"account_id": "7"}

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"error": text}
