"""E-mail addresses, taken apart."""

from __future__ import annotations


def split(address: str) -> tuple[str, str]:
    """Split an address into its local part and its domain."""
    local, _, domain = address.rpartition("@")
    return local, domain
