"""Ids that nobody can guess, each with what it is of."""

from __future__ import annotations

import secrets


def new_id(prefix: str) -> str:
    """Make an id: ``ten_`` and twenty random hexadecimal digits."""
    return f"{prefix}_{secrets.token_hex(10)}"
