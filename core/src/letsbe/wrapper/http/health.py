"""Whether the wrapper lives, whether it is ready, and its metrics."""

from __future__ import annotations

import os
from pathlib import Path

from anyio import to_thread
from pydantic import BaseModel
from starlette.responses import Response

from letsbe.discovery.records import Status
from letsbe.errors import LetsBeError
from letsbe.openclaw.closing import Closing
from letsbe.wrapper.http.endpoints import Endpoint, Exchange, answered
from letsbe.wrapper.metrics import CONTENT_TYPE
from letsbe.wrapper.opening import Wrapper

LEAST_FREE = 32_000_000
"""Bytes that have to be free for calls to be taken."""

NEEDED = ("database", "disk", "policy", "openclaw")
"""The checks without which calls should not be sent here."""


class Alive(BaseModel):
    """The process answers."""

    status: str = "ok"


class Readiness(BaseModel):
    """Whether calls can be taken, and what stands in the way."""

    ready: bool
    checks: dict[str, str]


async def healthz(_: Exchange) -> Response:
    """Say that the process answers."""
    return answered(Alive())


async def readyz(exchange: Exchange) -> Response:
    """Say whether calls can be taken."""
    checks = await to_thread.run_sync(lambda: _checks(exchange))
    ready = all(checks[name] == "ok" for name in NEEDED)
    return answered(Readiness(ready=ready, checks=checks), 200 if ready else 503)


def _checks(exchange: Exchange) -> dict[str, str]:
    wrapper = exchange.wrapper
    checks = {"database": "ok", "disk": _disk(wrapper.home.folder), "policy": "ok"}
    try:
        wrapper.audit.head()
        wrapper.audit.probe()
    except LetsBeError as error:
        checks["database"] = error.message
    try:
        wrapper.policies.tenant_level()
    except LetsBeError as error:
        checks["policy"] = error.message
    checks["openclaw"] = _closed(wrapper)
    for record in wrapper.plugins.records:
        if record.status is not Status.NOT_SELECTED:
            checks[f"plugin {record.name}"] = str(record.status)
    return checks


def _closed(wrapper: Wrapper) -> str:
    """Say whether executors know where OpenClaw is now."""
    try:
        if Closing.of(wrapper.home) == wrapper.closing:
            return "ok"
    except LetsBeError as error:
        return error.message
    return (
        "OpenClaw's folders or port were changed since this server started, which keeps"
        " agents only from those before: restart it"
    )


def _disk(folder: Path) -> str:
    """Say whether what every call has to record still fits on the disk."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return f"{folder} cannot be looked at"
    blocks = disk.f_bfree if os.geteuid() == 0 else disk.f_bavail
    free = blocks * disk.f_frsize
    if free < LEAST_FREE or (disk.f_files and not disk.f_ffree):
        return (
            f"the disk of {folder} is full ({free // 1_000_000} MB free): nothing that"
            " runs could be recorded, so make room"
        )
    return "ok"


async def metrics(exchange: Exchange) -> Response:
    """Return the counters."""
    return Response(exchange.wrapper.metrics.text(), media_type=CONTENT_TYPE)


ENDPOINTS = (
    Endpoint(
        "GET", "/healthz", healthz, frozenset(), "The process answers", answer=Alive
    ),
    Endpoint(
        "GET", "/readyz", readyz, frozenset(), "Calls can be taken", answer=Readiness
    ),
    Endpoint("GET", "/metrics", metrics, frozenset(), "Counters for Prometheus"),
)
