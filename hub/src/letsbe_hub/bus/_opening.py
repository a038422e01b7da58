"""Choosing a bus by its URL."""

from __future__ import annotations

from letsbe.errors import ConfigurationError
from letsbe_hub.bus._local import Bus, LocalBus
from letsbe_hub.bus._nats import NatsBus

LOCAL = "local"


def open_bus(url: str) -> Bus:
    """Make the bus of a URL; it is yet to be started.

    Args:
        url: ``local``, or ``nats://HOST:PORT``.

    Raises:
        ConfigurationError: It is neither.
    """
    if url == LOCAL:
        return LocalBus()
    if url.startswith(("nats://", "tls://")):
        return NatsBus(url)
    raise ConfigurationError("the bus is either `local` or `nats://HOST:PORT`")
