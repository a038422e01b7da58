"""Keeps what is owed in a ledger of the Hub's own, in SQLite, without any network.

SQLite and not TinyDB: that a line counts once is a unique key, and that it is there
after a crash is a commit. TinyDB writes its whole document for each line and has
neither.
"""

from __future__ import annotations

from letsbe.plugin import BillingBackend, Site, hookimpl
from letsbe_billing_ledger.ledger import Ledger
from letsbe_billing_ledger.settings import read_settings

API_VERSION = (0, 1)

__all__ = ["API_VERSION", "Ledger", "letsbe_billing_backends"]


@hookimpl
def letsbe_billing_backends(site: Site) -> list[BillingBackend]:
    """Register the ledger. Its file is made at its first use."""
    return [Ledger(read_settings(site.settings).path)]
