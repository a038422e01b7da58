"""Putting notices in: by the transaction of what they tell of.

``tell`` writes one entry for the outbox. Whom it concerns is found out when it is
worked off, so that a burst of changes does not wait for that.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from letsbe_hub.storage import outbox

TOPIC = "notifications"


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be told.

    Args:
        key: Names it for ever; told twice, it is one notice.
        template: The name of its text.
        values: What the text needs; never a secret, save for one-time links.
    """

    key: str
    template: str
    values: Mapping[str, Any] = field(default_factory=dict)


def tell(
    connection: sa.Connection,
    told: Told,
    *,
    tenant_id: str | None = None,
    person_id: str | None = None,
    staff: bool = False,
) -> None:
    """Put a notice in.

    Args:
        connection: The write's that it tells of.
        told: What.
        tenant_id: Whose people are told, if any's.
        person_id: Who is told, if it is one person.
        staff: Whether staff is told.
    """
    payload = {
        "kind": "fan_out",
        "key": told.key,
        "template": told.template,
        "values": dict(told.values),
        "tenant": tenant_id,
        "person": person_id,
        "staff": staff,
        "at": time.time(),
    }
    outbox.put(connection, TOPIC, f"notice:{told.key}", f"notice:{told.key}", payload)
