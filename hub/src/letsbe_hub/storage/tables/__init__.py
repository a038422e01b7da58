"""The tables, one module per room; all of them in one ``metadata``.

Times are seconds since 1970 (UTC); amounts and counts are whole numbers. A table is
changed by a new migration, never by editing one that was released.
"""

from letsbe_hub.storage.tables import (
    approvals,
    billing,
    configuration,
    notices,
    payments,
    people,
    shared,
    tenants,
    usage,
)
from letsbe_hub.storage.tables._metadata import metadata

__all__ = [
    "approvals",
    "billing",
    "configuration",
    "metadata",
    "notices",
    "payments",
    "people",
    "shared",
    "tenants",
    "usage",
]
