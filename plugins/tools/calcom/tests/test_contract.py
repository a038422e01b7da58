"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json, Tier
from letsbe.testing import ToolAdapterContract
from letsbe_tool_calcom.adapter import CALCOM


class TestCalcom(ToolAdapterContract):
    module = "letsbe_tool_calcom"
    adapter = CALCOM
    raw_tiers: ClassVar = {
        "GET /v2/bookings": Tier.GREEN,
        "POST /v2/bookings/x/cancel": Tier.RED,
        "POST /v2/bookings": Tier.YELLOW_EXTERNAL,
        "POST /v2/api-keys/refresh": Tier.CRITICAL_RED,
        "DELETE /v2/schedules/2": Tier.RED,
        "GET /v2/organizations/1": Tier.RED,
    }
    wrong_calls: ClassVar = [
        ("read_booking", {"uid": "../me"}),
        ("reschedule_booking", {"uid": "bk_1x", "start": "tomorrow"}),
        ("create_event_type", {"title": "A", "slug": "A b", "lengthInMinutes": 5}),
        ("cancel_booking", {"uid": "bk_1x"}),
    ]

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"status": "error", "error": {"code": "X", "message": text}}
