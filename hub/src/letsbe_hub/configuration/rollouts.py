"""Roll-outs: one change for a whole cohort, in steps, halted when it does harm."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from letsbe.hub_client.documents import checked, merged
from letsbe_hub.configuration import staging, versions
from letsbe_hub.errors import Conflict, InvalidRequest, NotFound
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.tables.configuration import config_versions, rollouts
from letsbe_hub.storage.tables.tenants import tenants

ORDER: Sequence[sa.ColumnElement[Any]] = (rollouts.c.created_at, rollouts.c.id)


def create(
    connection: sa.Connection,
    cohort: str,
    change: Mapping[str, Any],
    *,
    note: str,
    most_failures: int,
    actor: str,
) -> str:
    """Begin a roll-out; nobody gets anything before :func:`advance`.

    Returns:
        Its id.

    Raises:
        InvalidRequest: The change does not even fit an empty configuration.
    """
    checked(merged(versions.INITIAL, change))
    new, now = new_id("rol"), time.time()
    connection.execute(
        sa.insert(rollouts).values(
            id=new,
            cohort=cohort,
            change=dict(change),
            note=note,
            state="running",
            most_failures=most_failures,
            created_at=now,
            created_by=actor,
            updated_at=now,
        )
    )
    record(connection, actor, "rollout.create", f"rollout:{new}", {"cohort": cohort})
    return new


def get(
    connection: sa.Connection, rollout_id: str, *, lock: bool = False
) -> sa.Row[Any]:
    """Return a roll-out.

    Raises:
        NotFound: There is none of this id.
    """
    query = sa.select(rollouts).where(rollouts.c.id == rollout_id)
    found = connection.execute(query.with_for_update() if lock else query).first()
    if found is None:
        raise NotFound("there is no roll-out of this id")
    return found


def advance(
    connection: sa.Connection, rollout_id: str, percent: int, actor: str
) -> list[str]:
    """Stage the change to more of the cohort.

    Args:
        connection: Inside a write.
        rollout_id: Which.
        percent: How much of the cohort has it afterwards.
        actor: Who says so.

    Returns:
        The tenants that got it now.

    Raises:
        NotFound: There is none of this id.
        Conflict: It is not running, or has come further already.
        InvalidRequest: It does not fit one of the tenants; the text names it.
    """
    found = get(connection, rollout_id, lock=True)
    if found.state not in ("running", "finished"):
        raise Conflict(f"the roll-out is {found.state}")
    if percent < found.percent:
        raise Conflict(f"{found.percent} percent of the cohort have it already")
    chosen = _chosen(connection, found, percent)
    for tenant_id in chosen:
        _stage(connection, found, tenant_id, actor)
    state = "finished" if percent == 100 else "running"
    _set(connection, rollout_id, percent=percent, state=state)
    detail = {"percent": percent, "tenants": len(chosen)}
    record(connection, actor, "rollout.advance", f"rollout:{rollout_id}", detail)
    return chosen


def end(connection: sa.Connection, rollout_id: str, state: str, actor: str) -> None:
    """Halt a roll-out, let a halted one go on, or cancel it.

    Args:
        connection: Inside a write.
        rollout_id: Which.
        state: ``halted``, ``running`` or ``cancelled``.
        actor: Who says so.

    Raises:
        NotFound: There is none of this id.
        Conflict: It is over.
    """
    found = get(connection, rollout_id, lock=True)
    if found.state in ("finished", "cancelled"):
        raise Conflict(f"the roll-out is {found.state}")
    because = "by hand" if state == "halted" else None
    _set(connection, rollout_id, state=state, halted_because=because)
    record(connection, actor, f"rollout.{state}", f"rollout:{rollout_id}")


def settled(connection: sa.Connection, rollout_id: str) -> None:
    """Look at a roll-out after one of its tenants told how it went."""
    found = get(connection, rollout_id, lock=True)
    failures = progress(connection, rollout_id)["failed"]
    if found.state in ("running", "finished") and failures > found.most_failures:
        because = f"{failures} tenants could not apply it"
        _set(connection, rollout_id, state="halted", halted_because=because)
        record(connection, "hub", "rollout.halted", f"rollout:{rollout_id}")


def progress(connection: sa.Connection, rollout_id: str) -> Counter[str]:
    """Count a roll-out's tenants by what became of its change."""
    query = (
        sa.select(config_versions.c.state, sa.func.count())
        .where(config_versions.c.rollout_id == rollout_id)
        .group_by(config_versions.c.state)
    )
    return Counter(dict(map(tuple, connection.execute(query))))


def _stage(
    connection: sa.Connection, found: sa.Row[Any], tenant_id: str, actor: str
) -> None:
    try:
        staging.stage(
            connection,
            tenant_id,
            found.change,
            actor=actor,
            note=found.note,
            rollout_id=found.id,
        )
    except InvalidRequest as error:
        message = f"the change does not fit tenant {tenant_id}"
        raise InvalidRequest(message, details=error.details) from None


def _chosen(connection: sa.Connection, found: sa.Row[Any], percent: int) -> list[str]:
    members = connection.scalars(
        sa.select(tenants.c.id).where(
            (tenants.c.cohort == found.cohort) & (tenants.c.state == "active")
        )
    ).all()
    have = set(
        connection.scalars(
            sa.select(config_versions.c.tenant_id).where(
                config_versions.c.rollout_id == found.id
            )
        )
    )
    # An order of its own for each roll-out, so that not always the same go first.
    ordered = sorted(members, key=lambda tenant: _place(found.id, tenant))
    wanted = ordered[: -(-len(ordered) * percent // 100)]
    return sorted(tenant for tenant in wanted if tenant not in have)


def _place(rollout_id: str, tenant_id: str) -> bytes:
    return hashlib.sha256(f"{rollout_id} {tenant_id}".encode()).digest()


def _set(connection: sa.Connection, rollout_id: str, **values: Any) -> None:  # noqa: ANN401 - columns
    connection.execute(
        sa.update(rollouts)
        .where(rollouts.c.id == rollout_id)
        .values(updated_at=time.time(), **values)
    )
