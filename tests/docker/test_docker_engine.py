"""Docker commands through the whole wrapper, against a real Docker Engine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import anyio
import pytest

from letsbe.cli.init import make_home
from letsbe.home import Home
from letsbe.wrapper.answers import Answer
from letsbe.wrapper.opening import Wrapper, open_wrapper
from letsbe.wrapper.requests import ToolRequest

IMAGE = "test/busybox:1"
CANARY = "canary-Wm4xT9sKqZ7pLr2v"


class Daemon(Protocol):
    """The Docker Engine of conftest.py."""

    @property
    def host(self) -> str: ...

    def docker(self, *words: str, check: bool = True) -> str: ...


@dataclass
class Tenant:
    """A wrapper at level 2, with a workspace and a Docker Engine of its own."""

    wrapper: Wrapper
    workspace: Path

    def call(self, command: str, **arguments: Any) -> Answer:
        request = ToolRequest(
            session_id="docker",
            tool_name="docker",
            tool_args={"command": command, **arguments},
        )
        return anyio.run(self.wrapper.dispatcher.call, request, "main")

    def run(self, command: str, **arguments: Any) -> str:
        """Run a command that nobody has to be asked about; return what it printed."""
        answer = self.call(command, **arguments)
        assert answer.status == "ok", (answer.status, answer.reason)
        output: dict[str, Any] = answer.output
        assert output["exit_code"] == 0, output["stderr"]
        return str(output["stdout"])

    def approve(self, answer: Answer) -> Answer:
        assert answer.approval_id
        return anyio.run(
            self.wrapper.dispatcher.approve, answer.approval_id, "owner", None
        )

    def write(self, **service: Any) -> None:
        """Write a compose file; JSON is YAML."""
        whole = {
            "version": "2.4",
            "services": {
                "web": {
                    "image": IMAGE,
                    "network_mode": "none",
                    "command": ["sleep", "300"],
                    **service,
                }
            },
        }
        (self.workspace / "docker-compose.yml").write_text(json.dumps(whole))


@pytest.fixture
def tenant(tmp_path: Path, daemon: Daemon) -> Iterator[Tenant]:
    workspace = tmp_path / "shop"
    workspace.mkdir()
    home = Home(tmp_path / "home")
    make_home(home, (workspace,), ("main",))
    with home.configuration.open("a", encoding="utf-8") as file:
        file.write(f'\n[plugins.settings.docker]\nhost = "{daemon.host}"\n')
    with open_wrapper(home) as wrapper:
        yield Tenant(wrapper, workspace)


def start(tenant: Tenant, *words: str) -> None:
    tenant.run(f"docker run -d --network none --name web {' '.join(words)}")


def test_a_container_is_run_read_and_stopped(tenant: Tenant, daemon: Daemon) -> None:
    start(tenant, IMAGE, "sleep 300")

    assert tenant.run("ps --format '{{.Names}} {{.Image}}'") == f"web {IMAGE}\n"
    assert tenant.run("docker ps -q | wc -l").strip() == "1"
    assert "sleep 300" in tenant.run("docker top web")
    assert tenant.run("docker exec web cat /etc/passwd").startswith("root:x:0:0:")
    assert tenant.run("docker stop -t 0 web") == "web\n"
    assert tenant.run("docker ps -aqf status=exited")
    assert daemon.docker("inspect", "-f", "{{.State.Running}}", "web") == "false\n"


def test_logs_come_back_with_errors_apart(tenant: Tenant) -> None:
    start(tenant, IMAGE, "echo hello")
    tenant.run("docker wait web")

    assert tenant.run("docker logs web") == "hello\n"
    answer = tenant.call("docker logs nobody")
    assert (answer.status, answer.output["exit_code"]) == ("ok", 1)
    assert "nobody" in answer.output["stderr"]


def test_nothing_is_pulled_on_the_way(tenant: Tenant) -> None:
    answer = tenant.call("docker run --rm --network none example.com/none:1")

    assert answer.status == "ok"
    assert answer.output["exit_code"] == 125
    assert "No such image" in answer.output["stderr"]


def test_the_deadline_ends_a_command_that_would_go_on(tenant: Tenant) -> None:
    start(tenant, IMAGE, "sleep 300")
    began = time.monotonic()

    answer = tenant.call("docker logs -f web", timeout=0.5)

    assert answer.output["timed_out"]
    assert time.monotonic() - began < 100


def test_a_secret_reaches_the_container_and_never_the_answer(tenant: Tenant) -> None:
    tenant.wrapper.secrets.vault.provide("db_password", CANARY)
    start(tenant, "-e", "PASSWORD=SECRET_REF(db_password)", IMAGE, "sleep 300")

    for command in (
        "docker exec web env",
        "docker inspect -f '{{.Config.Env}}' web",
    ):
        printed = tenant.run(command)
        assert "SECRET_REF(db_password)" in printed, command
        assert CANARY not in printed
    stored = b"".join(
        path.read_bytes()
        for path in tenant.wrapper.home.folder.rglob("*")
        if path.is_file()
    )
    assert CANARY.encode() not in stored


def test_a_variable_of_docker_itself_is_handed_on_by_name(tenant: Tenant) -> None:
    tenant.wrapper.secrets.vault.provide("db_password", CANARY)
    printed = tenant.run(
        f"docker run --rm --network none -e PASSWORD {IMAGE} env",
        env_refs={"PASSWORD": "db_password"},
    )
    assert "PASSWORD=SECRET_REF(db_password)\n" in printed


@pytest.mark.parametrize(
    "command",
    [
        "docker rm -f web",
        "docker container prune -f",
        "docker system prune -af --volumes",
        "docker exec web sh -c id",
        "docker compose down -v",
    ],
)
def test_what_destroys_waits_for_a_person(
    tenant: Tenant, daemon: Daemon, command: str
) -> None:
    start(tenant, IMAGE, "sleep 300")

    assert tenant.call(command).status == "pending_approval"
    assert daemon.docker("ps", "-q")


def test_a_prune_runs_once_it_is_approved(tenant: Tenant, daemon: Daemon) -> None:
    start(tenant, IMAGE, "echo done")
    tenant.run("docker wait web")
    asked = tenant.call("docker container prune -f")
    shown = tenant.wrapper.approvals.get(str(asked.approval_id))

    answer = tenant.approve(asked)

    assert asked.status == "pending_approval"
    assert shown.preview
    assert shown.preview["summary"] == "takes 1 container"
    assert "web (" in shown.preview["detail"]["containers"][0]
    assert answer.output["exit_code"] == 0
    assert daemon.docker("ps", "-aq") == ""


@pytest.mark.parametrize(
    "mount",
    ["-tv=/:/host", "--mount type=bind,src=/,dst=/host"],
)
def test_a_mount_of_the_host_never_runs_unasked(
    tenant: Tenant, daemon: Daemon, mount: str
) -> None:
    answer = tenant.call(f"docker run -d --network none {mount} {IMAGE} sleep 300")

    assert (answer.status, str(answer.tier)) == ("pending_approval", "CRITICAL_RED")
    assert daemon.docker("ps", "-aq") == ""


def test_compose_brings_a_project_up_and_down(tenant: Tenant, daemon: Daemon) -> None:
    tenant.write()

    tenant.run("docker compose up -d")
    assert "web" in tenant.run("docker compose ps")
    assert tenant.run("docker compose exec -T web id -u") == "0\n"
    tenant.run("docker compose logs --no-color")
    tenant.run("docker compose down -t 0")

    assert daemon.docker("ps", "-aq") == ""


@pytest.mark.parametrize(
    ("declared", "rule"),
    [
        ({"privileged": True}, "docker-compose.up.privileged"),
        ({"volumes": ["./data:/data"]}, "docker-compose.up.mount.host"),
        ({"command": ["sh", "-c", "id"]}, "bash"),
    ],
)
def test_compose_is_judged_by_what_its_file_declares(
    tenant: Tenant, daemon: Daemon, declared: dict[str, Any], rule: str
) -> None:
    tenant.write(**declared)

    answer = tenant.call("docker compose up -d")

    assert (answer.status, answer.rule) == ("pending_approval", rule)
    assert daemon.docker("ps", "-aq") == ""


def test_an_approved_compose_file_may_not_change(
    tenant: Tenant, daemon: Daemon
) -> None:
    tenant.write(pid="host")
    asked = tenant.call("docker compose up -d")
    tenant.write(pid="host", privileged=True)

    with pytest.raises(Exception, match="no longer what was asked about"):
        tenant.approve(asked)
    assert daemon.docker("ps", "-aq") == ""


def test_the_plugin_says_that_it_works(tenant: Tenant) -> None:
    async def check() -> list[str]:
        records = await tenant.wrapper.plugins.check(timeout=20)
        return [r.status for r in records if r.name == "docker"]

    assert anyio.run(check) == ["active"]
