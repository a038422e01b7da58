"""Making this server a tenant's: a one-time token for a key."""

from __future__ import annotations

import httpx

import letsbe
from letsbe.errors import Conflict
from letsbe.home import Home
from letsbe.hub_client.connection import (
    HubConnection,
    checked_url,
    load,
    save,
    server_id,
    write_key,
)
from letsbe.hub_client.state import HubState
from letsbe.hub_client.transport import HubApi
from letsbe.redaction.pipeline import Pipeline


async def register(
    home: Home,
    state: HubState,
    pipeline: Pipeline,
    *,
    url: str,
    order: str,
    token: str,
    wrapper_url: str | None = None,
    again: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
) -> HubConnection:
    """Register this server.

    May be called again after an answer that was lost: the Hub knows the server by the
    id that it keeps.

    Args:
        home: The home folder.
        state: What the client remembers.
        pipeline: Takes secrets out of what is sent.
        url: The Hub's base address.
        order: The order that the token is bound to.
        token: The registration token.
        wrapper_url: Where the Safety Wrapper listens.
        again: Whether a registration that is there is given up for a new one.
        transport: How to reach the Hub, for tests.

    Returns:
        Where it is registered now.

    Raises:
        Conflict: It is registered already.
        InvalidRequest: The address is none.
        HubUnreachable: The Hub does not answer.
        HubRefused: It says no.
    """
    base = checked_url(url)
    present = load(state)
    if present is not None and not again:
        message = f"this server is registered at {present.url} already"
        raise Conflict(message, alternative="give --again to register it anew")
    own = server_id(state)
    said = {"orderId": order, "serverId": own, "wrapperVersion": letsbe.__version__}
    if wrapper_url:
        said["safetyWrapperUrl"] = wrapper_url
    api = HubApi(base, lambda: token, pipeline, transport)
    try:
        data = await api.post("register", said)
    finally:
        await api.close()
    connection = HubConnection(base, str(data["tenantId"]), own)
    # The key first: without it, the connection would be of no use after a kill here.
    write_key(home, str(data["apiKey"]))
    save(state, connection)
    return connection
