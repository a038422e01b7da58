"""What a heartbeat says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import letsbe
from letsbe.storage.verification import Anchor


@dataclass(frozen=True, slots=True)
class Report:
    """How the server is, by its own account.

    Args:
        status: ``degraded`` if something that was chosen does not work.
        openclaw_version: Of the agent runtime, if it is known.
        wrapper_url: Where the Safety Wrapper listens.
        details: Anything else: which plugins, disk space.
    """

    status: Literal["operational", "degraded", "updating"] = "operational"
    openclaw_version: str | None = None
    wrapper_url: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def beat(
    server_id: str,
    report: Report,
    applied: int,
    failed: tuple[int, str] | None,
    head: Anchor | None,
    waiting: tuple[int, int],
) -> dict[str, Any]:
    """Make the body of a heartbeat.

    Args:
        server_id: What this server calls itself.
        report: How it is.
        applied: The configuration in force.
        failed: The one that could not be applied, and why.
        head: The audit log's last row.
        waiting: How many approvals and buckets the Hub has yet to get.
    """
    optional = {
        "openclawVersion": report.openclaw_version,
        "safetyWrapperUrl": report.wrapper_url,
        "configFailedVersion": failed[0] if failed else None,
        "configError": failed[1] if failed else None,
        "auditSeq": head[0] if head else None,
        "auditHash": head[1] if head else None,
    }
    return {
        "serverId": server_id,
        "status": report.status,
        "wrapperVersion": letsbe.__version__,
        "configVersion": applied,
        "approvalsWaiting": waiting[0],
        "usageWaiting": waiting[1],
        "sentAt": time.time(),
        "details": dict(report.details),
        **{name: value for name, value in optional.items() if value is not None},
    }
