from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from letsbe.openclaw.backups import BackupReport, keep, kept, look, with_agent
from letsbe.storage.database import Database

NOW = datetime(2026, 11, 27, 6, 47, tzinfo=UTC)


def status(path: Path, *, age: float = 3, **backups: bool) -> Path:
    finished = NOW - timedelta(hours=age)
    rows = [{"name": name, "ok": ok} for name, ok in (backups or {"db": True}).items()]
    told = {"finished_at": finished.isoformat(), "backups": rows, "note": "ignored"}
    file = path / "backup-status.json"
    file.write_text(json.dumps(told))
    return file


@pytest.mark.parametrize(
    ("age", "backups", "state", "failed"),
    [
        (3, {"db": True, "files": True}, "ok", ()),
        (3, {"db": True, "files": False}, "failed", ("files",)),
        (27, {"db": True}, "late", ()),
        (27, {"db": False}, "failed", ("db",)),
        (-2, {"db": True}, "late", ()),
    ],
)
def test_the_file_decides(
    tmp_path: Path,
    age: float,
    backups: dict[str, bool],
    state: str,
    failed: tuple[str, ...],
) -> None:
    report = look(status(tmp_path, age=age, **backups), (tmp_path,), NOW)
    assert (report.state, report.failed) == (state, failed)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"\xff",
        b'{"finished_at": "2026-11-27T05:00:00Z", "backups": []}',
        b'{"finished_at": "soon", "backups": [{"name": "a", "ok": true}]}',
        b'{"finished_at": "2026-11-27T05:00:00Z", "backups": [{"name": "../a"}]}',
        b" " * (1024 * 1024 + 2),
    ],
)
def test_what_cannot_be_read_is_not_in_order(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "backup-status.json"
    file.write_bytes(content)
    assert look(file, (tmp_path,), NOW).state == "unreadable"


def test_a_missing_file_and_one_outside_the_roots(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    assert look(root / "backup-status.json", (root,), NOW).state == "missing"
    (root / "link.json").symlink_to(status(tmp_path))
    assert look(root / "link.json", (root,), NOW).state == "unreadable"


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"status": "ok", "summary": "BACKUPS OK"}, True),
        ({"status": "ok", "summary": "**BACKUPS NOT OK** files"}, False),
        ({"status": "ok", "summary": "I could not read it."}, None),
        ({"status": "error", "summary": "BACKUPS OK"}, None),
        ({"status": "ok", "summary": "BACKUPS OKAY"}, None),
        (None, None),
    ],
)
def test_what_the_agent_said_is_told_beside_it_and_no_text_is_kept(
    tmp_path: Path, run: Any, said: bool | None
) -> None:
    report = look(status(tmp_path, db=False), (tmp_path,), NOW)
    told = with_agent(report, run and {**run, "ts": 1_795_000_000_000})
    assert told.state == "failed"
    assert told.agent_says_ok is said
    assert "summary" not in told.model_dump()


def test_the_newest_report_is_kept_for_the_hub(tmp_path: Path) -> None:
    with Database(tmp_path / "letsbe.db") as database:
        assert kept(database) is None
        for state in ("missing", "ok"):
            report = BackupReport(checked_at=NOW, state=state)
            keep(database, report)
            assert kept(database) == report


def test_the_command_says_how_they_are_and_keeps_it(
    business: Any, tmp_path: Path
) -> None:
    business.configure("--yes")
    assert "--backup-status" in business.run("openclaw", "backups", code=1)
    file = tmp_path / "root" / "backup-status.json"
    business.run("openclaw", "tenant", "--backup-status", str(file))
    told = json.loads(business.run("openclaw", "backups", "--json", code=1))
    assert told["state"] == "missing"
    row = {"finished_at": datetime.now(UTC).isoformat()}
    file.write_text(json.dumps({**row, "backups": [{"name": "db", "ok": True}]}))
    assert "state        ok" in business.run("openclaw", "backups")
    with Database(business.home.database) as database:
        found = kept(database)
    assert found is not None
    assert found.state == "ok"
