"""Connections to Stripe: the SDK over httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import stripe
from typing_extensions import override

from letsbe_billing_stripe.settings import Settings

_TIMEOUT = 30.0


class _Transport(stripe.HTTPXClient):
    """The SDK's client, which hands httpx the form in a way that httpx deprecates."""

    @override
    def _get_request_args_kwargs(
        self, method: str, url: str, headers: Mapping[str, str], post_data: str | None
    ) -> list[Any]:
        options = {"headers": headers, "timeout": self._timeout}
        return [(method, url), {**options, "content": post_data or ""}]


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[stripe.StripeClient]:
    """Open a client for a few requests in the present event loop.

    The SDK itself never sends anything twice: it is the Hub's outbox that does, after
    it has asked what became of the first.
    """
    encrypted = settings.api_base.startswith("https:")  # a fake's loopback is not
    transport = _Transport(timeout=_TIMEOUT, verify_ssl_certs=encrypted)
    try:
        yield stripe.StripeClient(
            settings.secret_key.get_secret_value(),
            http_client=transport,
            base_addresses={"api": settings.api_base},
            max_network_retries=0,
        )
    finally:
        await transport.close_async()  # type: ignore[no-untyped-call]  # the SDK's own
