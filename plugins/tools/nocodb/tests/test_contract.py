"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json, Tier
from letsbe.testing import ToolAdapterContract
from letsbe_tool_nocodb.adapter import NOCODB


class TestNocodb(ToolAdapterContract):
    module = "letsbe_tool_nocodb"
    adapter = NOCODB
    raw_tiers: ClassVar = {
        "GET /api/v2/tables/m1/records": Tier.GREEN,
        "DELETE /api/v2/tables/m1/records": Tier.RED,
        "POST /api/v2/meta/views/v1/share": Tier.YELLOW_EXTERNAL,
        "GET /api/v2/meta/bases/p1/sources": Tier.RED,
        "POST /api/v1/tokens": Tier.CRITICAL_RED,
        "GET /api/v1/db/meta/projects": Tier.RED,
    }
    wrong_calls: ClassVar = [
        ("list_records", {"table_id": "../bases"}),
        ("create_records", {"table_id": "m1", "records": []}),
        ("delete_records", {"table_id": "m1", "record_ids": [0]}),
        ("create_hook", {"table_id": "m1", "title": "x", "url": "x", "on": "insert"}),
        ("invite_user", {"base_id": "p1", "email": "a@b.c", "roles": "owner"}),
    ]

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"error": "ERR_X", "message": text}
