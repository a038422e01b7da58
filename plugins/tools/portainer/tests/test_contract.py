"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json
from letsbe.testing import ToolAdapterContract
from letsbe_tool_portainer.adapter import PORTAINER


class TestPortainer(ToolAdapterContract):
    module = "letsbe_tool_portainer"
    adapter = PORTAINER
    tier_exceptions: ClassVar = {"read_stack_file": "shows the values of variables"}
    below: ClassVar = {"remove_image": "/api/endpoints/1/docker/images"}
    settings: ClassVar = {"environment_id": "1"}

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"message": text, "details": text}
