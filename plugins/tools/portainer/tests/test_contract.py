"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json, Tier
from letsbe.testing import ToolAdapterContract
from letsbe_tool_portainer.adapter import PORTAINER


class TestPortainer(ToolAdapterContract):
    module = "letsbe_tool_portainer"
    adapter = PORTAINER
    tier_exceptions: ClassVar = {"read_stack_file": "shows the values of variables"}
    below: ClassVar = {"remove_image": "/api/endpoints/1/docker/images"}
    settings: ClassVar = {"environment_id": "1"}
    raw_tiers: ClassVar = {
        "GET /api/endpoints/1/docker/containers/json": Tier.GREEN,
        "GET /api/endpoints/1/docker/containers/web/archive": Tier.RED,
        "POST /api/endpoints/1/docker/containers/create": Tier.CRITICAL_RED,
        "POST /api/endpoints/1/docker/containers/web/exec": Tier.CRITICAL_RED,
        "POST /api/endpoints/1/docker/exec/abc/start": Tier.CRITICAL_RED,
        "POST /api/endpoints/1/docker/volumes/prune": Tier.RED,
        "GET /api/endpoints/1/docker/v1.41/info": Tier.RED,
        "POST /api/backup": Tier.CRITICAL_RED,
        "GET /api/registries/1": Tier.RED,
        "DELETE /api/endpoints/1": Tier.CRITICAL_RED,
    }
    wrong_calls: ClassVar = [
        ("read_logs", {"container": "../images"}),
        ("create_container", {"name": "x", "image": "--privileged"}),
        ("create_container", {"name": "x", "image": "y", "privileged": True}),
        ("create_container", {"name": "x", "image": "y", "volumes": {"/etc": "/x"}}),
        ("create_stack", {"name": "A b", "file": "services: {}"}),
    ]

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"message": text, "details": text}
