"""The texts of notices. A value is put in as it is: channels escape what they must."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from letsbe.plugin import Notice

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of notice.

    Args:
        category: By which people choose whether, and how, to be told.
        title: One line.
        body: Plain text.
        path: The page that it leads to, below the portal's address.
        urgent: Whether somebody waits.
        lifetime: For how many seconds it is of use.
    """

    category: str
    title: str
    body: str
    path: str
    urgent: bool = False
    lifetime: int = 7 * DAY

    @property
    def fields(self) -> set[str]:
        """The names of the values that it needs."""
        texts = self.title + self.body + self.path
        return {name for _, name, _, _ in Formatter().parse(texts) if name}

    def notice(self, key: str, values: Mapping[str, Any], portal: str) -> Notice:
        """Fill the template in."""
        shown = {name: _shown(value) for name, value in values.items()}
        return Notice(
            key=key,
            title=" ".join(self.title.format(**shown).split())[:200],
            body=self.body.format(**shown),
            url=portal.rstrip("/") + self.path.format(**shown),
            urgent=self.urgent,
            lifetime=self.lifetime,
            category=self.category,
        )


TEMPLATES: Mapping[str, Template] = {
    "approval": Template(
        "approval",
        "Approve? {agent} wants to use {tool}",
        "{agent} of {tenant} asks to use {tool}: {reason}.\n\n{meaning}.\n\nIt waits"
        " until you decide. Opening the page decides nothing.",
        "/approvals/{approval}",
        urgent=True,
        lifetime=DAY,
    ),
    "pool_alert": Template(
        "usage",
        "{percent} % of this month's tokens are used",
        "The agents of {tenant} have used {used} of {pool} tokens of this period.\n\nAt"
        " 100 % your choice is: {choice}. You can change that on the page below.",
        "/billing",
    ),
    "subscription": Template(
        "billing",
        "Your subscription is {status}",
        "The payment service says that the subscription of {tenant} is {status}. Please"
        " see to your payment details on the page below. If it stays unpaid for {days}"
        " days its agents are paused.",
        "/billing",
    ),
    "paused": Template(
        "billing",
        "Your agents are paused",
        "The subscription of {tenant} has not been paid for {days} days, so its agents"
        " are paused. Your server and everything on it stay as they are, and the agents"
        " go on as soon as it is paid: see to your payment details on the page below.",
        "/billing",
        urgent=True,
    ),
    "reinstated": Template(
        "billing",
        "Your agents go on",
        "The subscription of {tenant} is paid. Its agents work again at the server's"
        " next contact.",
        "/billing",
    ),
    "billing_rejected": Template(
        "operations",
        "A billing line was rejected",
        "{what}: {why}\n\nIt will not be sent again; make it good by an adjustment.",
        "/operations",
        urgent=True,
    ),
    "meter_fault": Template(
        "operations",
        "The payment service could not count units",
        "It told of {what}. Compare its sums with the statements.",
        "/operations",
        urgent=True,
    ),
    "slow_notices": Template(
        "operations",
        "Approval notices are late",
        "The slowest twentieth of the last hour's approval notices took longer than"
        " {seconds} s.",
        "/operations",
        urgent=True,
        lifetime=DAY,
    ),
    "password_reset": Template(
        "account",
        "Set a new password",
        "Somebody, we hope you, asked to set a new password. The link is good for"
        " {minutes} minutes and once. If it was not you, do nothing.",
        "/password#{token}",
        lifetime=3600,
    ),
    "password_changed": Template(
        "account",
        "Your password was changed",
        "Your password was changed, and every session was ended. If it was not you, set"
        " a new one and tell us.",
        "/account",
    ),
    "sign_in_guarded": Template(
        "account",
        "Many failed sign-ins",
        "Somebody tried many passwords for your account. From the networks that you"
        " use you can sign in as always; from elsewhere, set a new password first.",
        "/account",
    ),
}
"""Every kind of notice, by name."""


def _shown(value: object) -> str:
    return f"{value:,}" if type(value) is int else str(value)
