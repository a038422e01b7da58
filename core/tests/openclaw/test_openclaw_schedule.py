from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from letsbe.errors import ConfigurationError
from letsbe.openclaw.configuring import add_default_agents
from letsbe.openclaw.program import Program
from letsbe.openclaw.schedule import Declared, declare, jobs, last_run
from letsbe.openclaw.settings import Places
from letsbe.openclaw.tenant import Job

GATEWAY = """#!/bin/sh
# What a gateway would answer, and a note of what it was asked.
echo "$@" >> "{log}"
case "$2" in
    add) echo '{{"created": false}}' ;;
    list) echo '{{"jobs": [{{"id": "1", "declarationKey": "letsbe:old"}},
                  {{"id": "2", "declarationKey": "heartbeat:main"}},
                  {{"id": "3", "declarationKey": "letsbe:backup-status"}}]}}' ;;
    runs) echo '{{"entries": [{{"ts": 1, "status": "ok"}}]}}' ;;
    *) echo '{{}}' ;;
esac
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Program:
    program = tmp_path / "openclaw.mjs"
    program.write_text(GATEWAY.format(log=tmp_path / "asked"))
    program.chmod(0o755)
    return Program(program)


@pytest.fixture
def tenant(business: Any) -> Any:
    add_default_agents(business.home)
    business.document.set_single("runtime", backup_status="/srv/backup-status.json")
    business.state.mkdir()
    return business


def test_a_look_at_the_backups_is_a_job_once_their_file_is_known(tenant: Any) -> None:
    (job,) = jobs(tenant.document.read())
    assert job.name == "backup-status"
    assert job.agent_id == "it-admin"
    assert "`/srv/backup-status.json`" in job.message
    tenant.document.set_single("runtime", backup_status=None)
    assert jobs(tenant.document.read()) == ()


def test_a_tenants_own_job_of_that_name_takes_its_place(tenant: Any) -> None:
    own = Job(
        name="backup-status",
        agent_id="sales",
        schedule="0 1 * * *",
        message="Look.",
    )
    tenant.document.put(own)
    assert jobs(tenant.document.read()) == (own,)


def test_jobs_are_declared_under_our_keys_and_others_of_ours_removed(
    tenant: Any, gateway: Program, tmp_path: Path
) -> None:
    declared = declare(gateway, Places(tenant.state), tenant.document.read())
    assert declared == Declared((), ("backup-status",), ("old",))
    asked = (tmp_path / "asked").read_text()
    assert "--declaration-key letsbe:backup-status" in asked
    assert "--cron 17 6 * * * --tz Europe/Berlin --agent it-admin" in asked
    assert "--session isolated --light-context --no-deliver" in asked
    assert "--tools sw-it-admin__file_read" in asked
    assert "cron rm 1 --json" in asked
    assert "rm 2" not in asked


def test_the_newest_run_is_told(tenant: Any, gateway: Program) -> None:
    places = Places(tenant.state)
    run = last_run(gateway, places, "backup-status")
    assert run == {"ts": 1, "status": "ok"}
    assert last_run(gateway, places, "nothing") is None


def test_a_job_for_nobody_is_refused_before_anything_is_declared(
    tenant: Any, gateway: Program, tmp_path: Path
) -> None:
    job = Job(name="x", agent_id="nobody", schedule="0 8 * * 1-5", message="Do.")
    tenant.document.put(job)
    with pytest.raises(ConfigurationError, match="nobody"):
        declare(gateway, Places(tenant.state), tenant.document.read())
    assert not (tmp_path / "asked").exists()


def test_jobs_are_added_and_removed_by_command(tenant: Any, tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("Sum up the week.")
    options = ["--agent", "sales", "--message", str(text), "--schedule"]
    tenant.run("openclaw", "job", "add", "week", *options, "0 16 * * 5")
    assert json.loads(tenant.run("openclaw", "tenant", "--json"))["jobs"] == ["week"]
    wrong = tenant.run("openclaw", "job", "add", "x", *options, "weekly", code=1)
    assert "schedule" in wrong
    tenant.run("openclaw", "job", "remove", "week")
    assert json.loads(tenant.run("openclaw", "tenant", "--json"))["jobs"] == []
