"""Telling a tenant's people of an approval that waits for them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from letsbe_hub.approvals.tiers import TIERS
from letsbe_hub.notifications.notices import Told, tell


def tell_of_approval(connection: sa.Connection, approval: sa.Row[Any]) -> None:
    """Put the notice in; a ``Listener`` of the approvals room."""
    told = Told(
        key=f"approval:{approval.id}",
        template="approval",
        values={
            "approval": approval.id,
            "agent": approval.agent_id,
            "tool": approval.tool_name,
            "meaning": TIERS.get(approval.tier, approval.tier),
            "reason": approval.reason,
        },
    )
    tell(connection, told, tenant_id=approval.tenant_id)
