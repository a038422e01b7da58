"""Notifiers: how a notice reaches a person."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from letsbe.plugin._protocols import Health


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person is told.

    Args:
        key: Names this notice for ever; a device shows one of the same key once.
        title: One line.
        body: Plain text.
        url: A page that shows more, and where to act. Opening it changes nothing:
            mail scanners open links too.
        urgent: Whether somebody waits for an answer.
        lifetime: For how many seconds the notice is of use.
        category: What kind it is, for a device's own set of buttons.
        data: Ids for the app, never a secret.
    """

    key: str
    title: str
    body: str
    url: str | None = None
    urgent: bool = False
    lifetime: int = 86_400
    category: str = "general"
    data: Mapping[str, str] = field(default_factory=dict)


class Delivered(enum.StrEnum):
    """What became of a notice after it was accepted."""

    PENDING = "pending"
    """Not known yet; ask again later."""
    DELIVERED = "delivered"
    """It was handed to the device's own service."""
    FAILED = "failed"
    """It was not delivered; another notice may be."""
    GONE = "gone"
    """The address is dead: forget it."""


@runtime_checkable
class Notifier(Protocol):
    """One channel to people: e-mail, a browser's push service, ..."""

    name: str
    """The channel's name, which people's preferences refer to."""

    def check_address(self, address: str) -> str:
        """Return an address as it is to be stored.

        Raises:
            InvalidRequest: It is none of this channel's addresses, or leads where
                nothing may be sent.
        """
        ...

    async def send(self, address: str, notice: Notice) -> str | None:
        """Send a notice to one address.

        Returns:
            A receipt to ask about later; ``None`` if the channel has none.

        Raises:
            TryLater: It could not be sent now.
            AddressGone: The address is dead: forget it.
            Rejected: This notice will never be accepted.
        """
        ...

    async def receipts(self, receipts: Sequence[str]) -> Mapping[str, Delivered]:
        """Say what became of notices; those it knows nothing of are left out.

        Raises:
            TryLater: It cannot be told now.
        """
        ...

    async def check(self) -> Health:
        """Say whether it can send."""
        ...
