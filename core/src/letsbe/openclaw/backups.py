"""How the backups are: read from their status file, told beside what the agent says.

The agent looks once a day and says so to its owner; what the Hub is told rests on the
file itself, because a model may be wrong or be led to say that all is well. Nothing
of the file but names and times leaves the server.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from letsbe.errors import LetsBeError
from letsbe.policy.files import Confinement
from letsbe.storage.database import Database

HUB_KEY = "backup_status"
"""The key in ``hub_state``, from where the Hub's client takes it."""

LATE_SECONDS = 26 * 3600
"""A daily run that is older than this did not happen."""

LARGEST = 1024 * 1024
_VERDICT = re.compile(r"^\W*BACKUPS (OK|NOT OK)\b", re.MULTILINE)

State = Literal["ok", "failed", "late", "missing", "unreadable"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Backup(BaseModel):
    """One backup in the status file."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    name: Name
    ok: bool
    finished_at: datetime | None = None


class BackupStatus(BaseModel):
    """The file ``backup-status.json``, which whatever makes the backups writes."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    finished_at: datetime
    """When the last run ended."""
    backups: Annotated[tuple[Backup, ...], Field(min_length=1, max_length=200)]
    """What was backed up."""


class BackupReport(BaseModel):
    """What the Hub is told."""

    checked_at: datetime
    state: State
    finished_at: datetime | None = None
    """When the last run ended."""
    failed: tuple[Name, ...] = ()
    """The backups that were not made."""
    agent_at: datetime | None = None
    """When the agent last looked."""
    agent_says_ok: bool | None = None
    """What it said; nothing if it said neither."""


def look(
    path: Path, roots: Sequence[Path], now: datetime | None = None
) -> BackupReport:
    """Read the status file and judge it.

    Args:
        path: The file, inside a root.
        roots: The folders that may be read from.
        now: The time to judge by.
    """
    now = now or datetime.now(UTC)
    try:
        with Confinement(roots).find(str(path)) as place:
            if place.status is None:
                return BackupReport(checked_at=now, state="missing")
            with os.fdopen(place.open_file(), "rb") as file:
                content = file.read(LARGEST + 1)
        status = BackupStatus.model_validate_json(content[: LARGEST + 1])
    except (LetsBeError, OSError, ValidationError):
        return BackupReport(checked_at=now, state="unreadable")
    return _judged(status, now)


def with_agent(report: BackupReport, run: dict[str, Any] | None) -> BackupReport:
    """Add what the agent said in its last run.

    Args:
        report: What the file says.
        run: The run, as OpenClaw tells it; its text is not kept.
    """
    if run is None:
        return report
    said = _VERDICT.search(str(run.get("summary", "")))
    milliseconds = run.get("ts")
    at = None
    if isinstance(milliseconds, int):
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    verdict = None
    if said and run.get("status") == "ok":
        verdict = said[1] == "OK"
    return report.model_copy(update={"agent_at": at, "agent_says_ok": verdict})


def keep(database: Database, report: BackupReport) -> None:
    """Keep the report for the Hub, in place of the one before."""
    value = json.dumps(report.model_dump(mode="json"), sort_keys=True)

    def put(connection: sqlite3.Connection) -> None:
        connection.execute(
            "INSERT INTO hub_state (key, value, updated_at) VALUES (?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET"
            " value = excluded.value, updated_at = excluded.updated_at",
            (HUB_KEY, value, time.time()),
        )

    database.write(put)


def kept(database: Database) -> BackupReport | None:
    """Return the report that is kept, if there is one."""

    def look_up(connection: sqlite3.Connection) -> str | None:
        query = "SELECT value FROM hub_state WHERE key = ?"
        row = connection.execute(query, (HUB_KEY,)).fetchone()
        return None if row is None else str(row[0])

    value = database.read(look_up)
    return None if value is None else BackupReport.model_validate_json(value)


def _judged(status: BackupStatus, now: datetime) -> BackupReport:
    finished = status.finished_at
    if finished.tzinfo is None:
        finished = finished.replace(tzinfo=UTC)
    failed = tuple(backup.name for backup in status.backups if not backup.ok)
    state: State = "failed" if failed else "ok"
    age = (now - finished).total_seconds()
    if not failed and not -3600 <= age <= LATE_SECONDS:
        state = "late"  # or from the future: a clock that is wrong hides a late one
    return BackupReport(
        checked_at=now, state=state, finished_at=finished, failed=failed
    )
