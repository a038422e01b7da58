"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json
from letsbe.testing import Received, Reply, ToolAdapterContract
from letsbe_tool_sample.adapter import SAMPLE


class TestSample(ToolAdapterContract):
    module = "letsbe_tool_sample"
    adapter = SAMPLE
    credentials: ClassVar = {"token": "canary-Hq7Rt2WmZx9Lk4Pv"}

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"error": text}

    @override
    def answer(self, request: Received) -> Reply:
        return Reply(200, {"notes": [], "next_page": None})
