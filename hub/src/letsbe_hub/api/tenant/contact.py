"""Heartbeats, and waiting for news between them."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any, Literal

import anyio
from pydantic import Field, JsonValue

from letsbe_hub.api.bodies import Body, Identifier, Instant, Line, View
from letsbe_hub.api.endpoints import Endpoint, Exchange
from letsbe_hub.api.envelope import Reply
from letsbe_hub.api.principals import Audience
from letsbe_hub.api.tenant.registration import Url
from letsbe_hub.bus import tenant_topic
from letsbe_hub.errors import Conflict, InvalidRequest
from letsbe_hub.tenants.heartbeats import Beat, skew

MOST_DETAILS = 16 * 1024
MOST_WAIT = 50.0
"""Seconds: below the idle time-outs of common proxies."""

Count = Annotated[int, Field(ge=0, le=2**53)]


class HeartbeatBody(Body):
    """What a server says of itself."""

    server_id: Identifier
    """The id that it registered with."""
    status: Literal["operational", "degraded", "updating"]
    """How it is, by its own account."""
    wrapper_version: Line | None = None
    """The version of `letsbe-core`."""
    openclaw_version: Line | None = None
    """The version of the agent runtime."""
    safety_wrapper_url: Url | None = None
    """Where its Safety Wrapper listens."""
    config_version: Count
    """The configuration that it has applied."""
    config_failed_version: Count | None = None
    """A newer one that it could not apply."""
    config_error: Annotated[str, Field(max_length=2000)] | None = None
    """What was wrong with that one."""
    audit_seq: Count | None = None
    """The number of its audit log's last row."""
    audit_hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    """That row's hash."""
    approvals_waiting: Count = 0
    """Approvals that the Hub has yet to get."""
    usage_waiting: Count = 0
    """Buckets that the Hub has yet to get."""
    sent_at: Annotated[float, Field(ge=0, le=1e11, strict=False)] | None = None
    """The server's time, in seconds since 1970 (UTC)."""
    details: dict[str, JsonValue] = Field(default_factory=dict)
    """Anything else: disk space, backup status, plugins."""


class HeartbeatView(View):
    """What a server is told."""

    config_version: int
    """The configuration that is meant for it."""
    decisions: int
    """Decisions that it has not confirmed."""
    allowance: dict[str, Any] | None
    """What its edge is to enforce of its billing period, also without the Hub."""
    heartbeat_seconds: float
    """Seconds until the next heartbeat is due."""
    usage_seconds: float
    """Seconds between two pushes of usage."""
    wait_seconds: float
    """For how long to wait for news at once."""
    server_time: Instant
    """The Hub's time."""


class WaitQuery(Body):
    """For how long to wait, and what is known already."""

    seconds: Annotated[float, Field(gt=0, le=MOST_WAIT)] = 25.0
    """For how long at most."""
    config_version: Count = 0
    """The newest configuration that the server has seen."""


class NewsView(View):
    """What there is to fetch."""

    news: list[str]
    """`decision`, `configuration`; nothing if the time is over."""


async def heartbeat(exchange: Exchange) -> Reply:
    """Take a heartbeat."""
    exchange.hub.heartbeats.check()
    body = await exchange.body(HeartbeatBody)
    details = json.dumps(body.details, separators=(",", ":"))
    if len(details) > MOST_DETAILS:
        raise InvalidRequest(f"details has more than {MOST_DETAILS} bytes")
    now = time.time()
    beat = Beat(
        key_hash=exchange.caller.credential,
        tenant_id=exchange.caller.id,
        server_id=body.server_id,
        last_seen_at=now,
        reported_status=body.status,
        wrapper_version=body.wrapper_version,
        openclaw_version=body.openclaw_version,
        safety_wrapper_url=body.safety_wrapper_url,
        config_version=body.config_version,
        config_failed_version=body.config_failed_version,
        config_error=body.config_error,
        audit_seq=body.audit_seq,
        audit_hash=body.audit_hash,
        approvals_waiting=body.approvals_waiting,
        usage_waiting=body.usage_waiting,
        clock_skew=skew(body.sent_at, now),
        details=details,
    )
    told = await exchange.hub.heartbeats.take(beat)
    if told is None:
        # Says what is wrong with the key, if it is that.
        await exchange.hub.keys.authenticate(exchange.request)
        raise Conflict(
            "another server has registered for this tenant: register this one again,"
            " or switch it off"
        )
    settings = exchange.hub.settings.tenants
    view = HeartbeatView(
        config_version=told.config_version,
        decisions=told.decisions,
        allowance=None if told.allowance is None else dict(told.allowance),
        heartbeat_seconds=settings.heartbeat_seconds,
        usage_seconds=settings.usage_seconds,
        wait_seconds=settings.wait_seconds,
        server_time=now,
    )
    return Reply(view)


async def wait(exchange: Exchange) -> Reply:
    """Answer as soon as there are news, or when the time is over."""
    query = exchange.query(WaitQuery)
    tenant = exchange.caller.id
    news: list[str] = []
    # Listened to before looked at, so that what comes between is not missed.
    with (
        exchange.hub.news.place() as place,
        exchange.hub.bus.subscribed(tenant_topic(tenant)) as subscription,
    ):
        waiting = await exchange.hub.news.of(exchange.caller.credential)
        if waiting is None:
            raise await exchange.hub.keys.refusal(exchange.request)
        if waiting.config_version > query.config_version:
            news.append("configuration")
        if waiting.decision:
            news.append("decision")
        if not news:
            place.deadline = anyio.current_time() + query.seconds
            with place:
                news = [await subscription.next()]
    return Reply(NewsView(news=news))


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/tenant/heartbeat",
        heartbeat,
        Audience.TENANT,
        "Say how the server is",
        body=HeartbeatBody,
        answer=HeartbeatView,
        hot=True,
        checks_token=True,
    ),
    Endpoint(
        "GET",
        "/api/v1/tenant/wait",
        wait,
        Audience.TENANT,
        "Wait for news",
        query=WaitQuery,
        answer=NewsView,
        checks_token=True,
    ),
)
