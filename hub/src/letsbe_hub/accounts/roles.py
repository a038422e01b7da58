"""What each role may do. Staff act on every tenant, customers on their own."""

from __future__ import annotations

from collections.abc import Mapping

_READ = frozenset(
    {
        "tenants.read",
        "approvals.read",
        "configuration.read",
        "usage.read",
        "billing.read",
        "notices.read",
    }
)
_SUPPORT = _READ | {"tenants.write", "configuration.write", "approvals.decide"}
_BILLING = _READ | {"billing.write"}
_ADMIN = (
    _SUPPORT | _BILLING | {"rollouts.write", "people.read", "people.write", "acts.read"}
)

STAFF: Mapping[str, frozenset[str]] = {
    "admin": _ADMIN,
    "support": _SUPPORT,
    "billing": _BILLING,
}
"""The permissions of each role of staff."""

CUSTOMER: Mapping[str, frozenset[str]] = {
    "owner": frozenset({"approvals.decide", "configuration.write", "billing.write"}),
    "delegate": frozenset({"approvals.decide"}),
}
"""The permissions of each role of customers, on their own tenants."""

ROLES: Mapping[str, frozenset[str]] = {**STAFF, **CUSTOMER}
"""All of them; no role is of both kinds."""


def kind_of(role: str) -> str:
    """Say whether a role is one of ``staff`` or of a ``customer``."""
    return "staff" if role in STAFF else "customer"
