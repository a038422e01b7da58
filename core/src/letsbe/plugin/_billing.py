"""Billing backends: where the Hub's whole-number charges go, and payments come from."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from letsbe.plugin._protocols import Health


class Meter(enum.StrEnum):
    """What is counted beyond the subscription itself."""

    OVERAGE = "overage_units"
    """Units of tokens used above the period's pool."""
    PREMIUM = "premium_units"
    """Units of money's worth that premium models cost, metered apart."""


@dataclass(frozen=True, slots=True)
class BillingAccount:
    """Who pays.

    Args:
        id: The Hub's own id of the account; the same for ever.
        email: Where invoices go.
        name: What to write on them.
    """

    id: str
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class BillingUnits:
    """One line of the Hub's outbox.

    Args:
        key: Names this line for ever, at most 100 characters.
        customer: What :meth:`BillingBackend.open_account` returned.
        meter: What is counted.
        quantity: How many whole units; below zero where it corrects an earlier line.
        at: When they were used, in seconds since 1970 (UTC).
    """

    key: str
    customer: str
    meter: Meter
    quantity: int
    at: int


@dataclass(frozen=True, slots=True)
class BillingAdjustment:
    """Money added to, or taken off, an account's next invoice.

    Args:
        key: Names this adjustment for ever, at most 100 characters.
        customer: What :meth:`BillingBackend.open_account` returned.
        amount: In the currency's smallest unit; below zero is a credit.
        currency: Three lower-case letters, such as ``eur``.
        reason: One line that the customer reads.
    """

    key: str
    customer: str
    amount: int
    currency: str
    reason: str


@runtime_checkable
class BillingBackend(Protocol):
    """Takes what is owed to wherever it is billed.

    The Hub sends the lines of one customer and meter one after another, each until it
    is acknowledged. A line whose fate is unknown is sent again while the backend
    still remembers its key; once it is older than that, the Hub compares
    :meth:`recorded` with its own sum first.
    """

    name: str
    """The backend's name."""

    @property
    def remembers(self) -> int | None:
        """For how many seconds a repeated key is known as one; ``None`` for ever."""
        ...

    @property
    def accepts_back(self) -> int | None:
        """How many seconds ago units may have been used; ``None`` any time."""
        ...

    async def open_account(self, account: BillingAccount) -> str:
        """Make the account known; asked again, give the same customer.

        Returns:
            The backend's own reference of the customer.

        Raises:
            TryLater: It cannot be done now.
            Rejected: It never can; a person has to see to it.
        """
        ...

    async def record(self, units: BillingUnits) -> None:
        """Record units. A key that is remembered changes nothing.

        Raises:
            TryLater: It may or may not have been recorded; send it again.
            Rejected: It is not recorded and never will be: wrong, too old, or another
                line has that key.
        """
        ...

    async def recorded(
        self, customer: str, meter: Meter, start: int, end: int
    ) -> int | None:
        """Return the sum of units with ``start <= at < end``, as the backend knows it.

        Args:
            customer: Whose.
            meter: Which.
            start: Seconds since 1970, a whole minute.
            end: The same; after it nothing is counted.

        Returns:
            The sum; ``None`` if the backend has not counted up to now yet.

        Raises:
            TryLater: It cannot be told now.
        """
        ...

    async def adjust(self, adjustment: BillingAdjustment) -> None:
        """Put money on the next invoice. The same key for ever changes nothing.

        Raises:
            TryLater: It may or may not have been done; ask again.
            Rejected: It is not done and never will be.
        """
        ...

    async def check(self) -> Health:
        """Say whether the backend can be reached."""
        ...


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A subscription that is to be paid for.

    Args:
        order: The Hub's own id of the order; one page is made for it.
        customer: What :meth:`BillingBackend.open_account` returned.
        plan: Which plan, by the Hub's own name.
        success_url: Where the payer goes after paying.
        cancel_url: Where the payer goes otherwise.
    """

    order: str
    customer: str
    plan: str
    success_url: str
    cancel_url: str


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """A page on which an order is paid.

    Args:
        url: The page.
        expires_at: Until when, in seconds since 1970.
    """

    url: str
    expires_at: int


class PaymentEventKind(enum.StrEnum):
    """What a payment service may tell."""

    PAID = "paid"
    """An order's first payment, or a later invoice, was paid."""
    REFUNDED = "refunded"
    """A payment was given back, wholly or in part."""
    SUBSCRIPTION = "subscription"
    """The subscription is now as ``status`` says."""
    METER_FAULT = "meter_fault"
    """Units that were taken could not be counted; a person has to see to it."""
    IGNORED = "ignored"
    """Genuine, and nothing that the Hub acts on."""


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """What a payment service told, after its signature was verified.

    Args:
        id: The service's own id of the event; the same when it is told twice.
        kind: What it is about.
        type: The service's own name of it, for the record.
        at: When it happened there, in seconds since 1970.
        customer: Whose, if it is anybody's.
        order: Of which order, where that is known.
        plan: The plan, by the Hub's own name, where that is known.
        status: Of a subscription: ``active``, ``past_due``, ``paused``, ``canceled``.
        amount: How much was paid or given back, in the smallest unit.
        whole: Of a refund: whether nothing of the payment is left.
        currency: Three lower-case letters.
        read_at: When the state was read, if it was read anew after the event came;
            events may come in any order, a state that was read later is later.
    """

    id: str
    kind: PaymentEventKind
    type: str
    at: int
    customer: str | None = None
    order: str | None = None
    plan: str | None = None
    status: str | None = None
    amount: int = 0
    whole: bool = False
    currency: str | None = None
    read_at: float | None = None


@runtime_checkable
class PaymentBackend(BillingBackend, Protocol):
    """A billing backend that also takes payments. Optional: a ledger does not."""

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Make the page for an order; asked again, give the same one.

        Raises:
            TryLater: It cannot be done now.
            Rejected: It never can: the plan has no price there, or the like.
        """
        ...

    async def open_portal(self, customer: str, return_url: str) -> str:
        """Make a page on which a customer sees invoices and changes how to pay.

        Returns:
            Its URL, good for a short while and for whoever holds it.

        Raises:
            TryLater: It cannot be done now.
            Rejected: It never can.
        """
        ...

    async def read_webhook(
        self, body: bytes, headers: Mapping[str, str]
    ) -> Sequence[PaymentEvent]:
        """Verify a webhook's signature and age, and say what it tells.

        Args:
            body: The request's body, byte for byte.
            headers: Its headers, with lower-case names.

        Raises:
            Refused: It is not genuine, or too old; nothing of it was believed.
            TryLater: What it is about could not be read; let it be sent again.
        """
        ...
