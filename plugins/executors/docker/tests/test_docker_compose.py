"""What a compose command is judged to do, by the files that it would use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.plugin import Site, Tier, ToolFailed, Verdict
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_docker import compose
from letsbe_executor_docker.compose import NotUnderstood, read_project
from letsbe_executor_docker.executor import DOCKER, DockerExecutor

Judge = Callable[..., Verdict]


def write(folder: Path, name: str = "compose.yaml", **service: Any) -> Path:
    """Write a compose file with one service; JSON is YAML."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"services": {"web": {"image": "x", **service}}}
    path.write_text(json.dumps(whole))
    return path


def test_an_ordinary_project_may_come_up(judge: Judge, root: Path) -> None:
    (root / "compose.yaml").write_text(
        """
x-common: &common {restart: always, logging: {driver: json-file}}
services:
  web:
    <<: *common
    image: nginx:1.27
    ports: ["8080:80"]
    environment: {A: b}
    env_file: .env
    depends_on: [db]
    volumes: [data:/var/www]
    command: ["sleep", "60"]
    healthcheck: {test: ["CMD", "ls", "/run"]}
    security_opt: ["no-new-privileges:true"]
    cap_drop: [ALL]
    network_mode: bridge
    privileged: false
    devices: []
  db: {<<: *common, image: "postgres:16", volumes: ["db:/var/lib/postgresql/data"]}
volumes: {data: {}, db: {driver: local}}
networks: {front: {driver: bridge}}
"""
    )
    verdict = judge("docker compose up -d")
    assert (verdict.tier, verdict.rule) == (Tier.YELLOW, "docker-compose.up")
    [project] = verdict.plan["compose"]
    assert project["services"] == ["db", "web"]
    assert list(project["files"]) == [f"{root}/compose.yaml"]


@pytest.mark.parametrize(
    ("declared", "tier", "rule"),
    [
        ({"privileged": True}, Tier.CRITICAL_RED, "privileged"),
        ({"privileged": "yes"}, Tier.CRITICAL_RED, "privileged"),
        ({"use_api_socket": True}, Tier.CRITICAL_RED, "use_api_socket"),
        ({"volumes": ["/:/x"]}, Tier.CRITICAL_RED, "mount.system"),
        ({"volumes": ["./x:/x"]}, Tier.RED, "mount.host"),
        ({"volumes": ["../x:/x:ro"]}, Tier.RED, "mount.host"),
        (
            {"volumes": ["/var/run/docker.sock:/s"]},
            Tier.CRITICAL_RED,
            "mount.socket",
        ),
        (
            {"volumes": [{"type": "bind", "source": "/srv/o", "target": "/x"}]},
            Tier.RED,
            "mount.host",
        ),
        ({"volumes": [{"target": "/x"}]}, Tier.CRITICAL_RED, "mount.system"),
        ({"volumes": {"a": "b"}}, Tier.CRITICAL_RED, "mount.system"),
        ({"network_mode": "host"}, Tier.RED, "network_host"),
        ({"pid": "host"}, Tier.RED, "host_namespace"),
        ({"ipc": "container:db"}, Tier.RED, "host_namespace"),
        ({"userns_mode": "host"}, Tier.RED, "host_namespace"),
        ({"cgroup": "host"}, Tier.RED, "host_namespace"),
        ({"uts": "host"}, Tier.RED, "host_namespace"),
        ({"devices": ["/dev/sda:/dev/sda"]}, Tier.RED, "devices"),
        ({"cap_add": ["SYS_ADMIN"]}, Tier.RED, "cap_add"),
        ({"security_opt": ["seccomp:unconfined"]}, Tier.RED, "security_opt"),
        ({"volumes_from": ["db"]}, Tier.RED, "volumes_from"),
        ({"provider": {"type": "x"}}, Tier.RED, "provider"),
        ({"gpus": "all"}, Tier.RED, "gpus"),
        ({"runtime": "x"}, Tier.RED, "runtime"),
        ({"post_start": [{"command": "x"}]}, Tier.RED, "post_start"),
        (
            {"deploy": {"resources": {"reservations": {"devices": [{}]}}}},
            Tier.RED,
            "devices",
        ),
        ({"never_heard": 1}, Tier.RED, "unknown_key"),
        ({"env_file": "/etc/shadow"}, Tier.RED, "read.secret"),
        ({"env_file": [{"path": "../../../etc/shadow"}]}, Tier.RED, "read.secret"),
        ({"build": {"context": ".", "network": "host"}}, Tier.RED, "network_host"),
        ({"build": {"context": ".", "ssh": ["default"]}}, Tier.RED, "build.ssh"),
        ({"build": "."}, Tier.YELLOW_EXTERNAL, "build"),
        ({"pull_policy": "always"}, Tier.YELLOW_EXTERNAL, "pull"),
        ({"logging": {"driver": "syslog"}}, Tier.YELLOW_EXTERNAL, "log_driver"),
        ({"pid": "${NAMESPACE}"}, Tier.YELLOW, ""),
        ({"pid": "${NAMESPACE:-host}"}, Tier.RED, "host_namespace"),
        ({"pid": "${NAME:-${OTHER}}"}, Tier.RED, "host_namespace"),
        ({"volumes": ["$PLACE:/x"]}, Tier.RED, "mount.host"),
    ],
)
def test_what_a_service_declares(
    judge: Judge, root: Path, declared: dict[str, Any], tier: Tier, rule: str
) -> None:
    write(root, **declared)
    verdict = judge("docker compose up -d")
    full = f"docker-compose.up.{rule}" if rule else "docker-compose.up"
    assert (verdict.tier, verdict.rule) == (tier, full)


@pytest.mark.parametrize(
    ("declared", "tier"),
    [
        ({"command": "sh -c x"}, Tier.RED),
        ({"entrypoint": ["sh"], "command": "-c x"}, Tier.RED),
        ({"command": ["cat", "/etc/shadow"]}, Tier.RED),
        ({"command": "curl https://example.com/"}, Tier.YELLOW_EXTERNAL),
        ({"command": "ls | rm x"}, Tier.RED),
        ({"command": "ls $$HOME"}, Tier.RED),
        ({"command": "--flag --other"}, Tier.YELLOW),
        ({"command": ["ls", "/"]}, Tier.YELLOW),
        ({"healthcheck": {"test": "rm x"}}, Tier.RED),
        ({"healthcheck": {"test": ["CMD", "sh", "x"]}}, Tier.RED),
        ({"healthcheck": {"test": ["CMD-SHELL", "ls /run"]}}, Tier.YELLOW),
        ({"healthcheck": {"test": ["NONE"]}}, Tier.YELLOW),
    ],
)
def test_commands_of_services_are_judged(
    judge: Judge, root: Path, declared: dict[str, Any], tier: Tier
) -> None:
    write(root, **declared)
    assert judge("docker compose up").tier is tier


@pytest.mark.parametrize(
    ("part", "rule"),
    [
        ({"volumes": {"v": {"driver": "x"}}}, "volume_driver"),
        (
            {"volumes": {"v": {"driver_opts": {"o": "bind", "device": "/srv/x"}}}},
            "mount.host",
        ),
        ({"networks": {"n": {"driver": "macvlan"}}}, "network_host"),
        ({"networks": {"n": {"external": True, "name": "host"}}}, "network_host"),
        ({"secrets": {"s": {"file": "/etc/shadow"}}}, "read.secret"),
        ({"configs": {"c": {"file": "/root/.ssh/id_rsa"}}}, "read.secret"),
        ({"never_heard": None}, "unknown_key"),
        ({"services": []}, "unknown_key"),
    ],
)
def test_what_a_file_declares_besides(
    judge: Judge, root: Path, part: dict[str, Any], rule: str
) -> None:
    whole = {"services": {"web": {"image": "x"}}, **part}
    (root / "compose.yaml").write_text(json.dumps(whole))
    verdict = judge("docker compose up")
    assert (verdict.tier, verdict.rule) == (Tier.RED, f"docker-compose.up.{rule}")


@pytest.mark.parametrize(
    "content",
    [
        "a: [",
        "- a",
        "!!python/object/apply:os.system [id]",
        "services: !reset {}",
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "x: " + "[" * 200 + "]" * 200,
        "#" * (compose.SIZE_LIMIT + 1),
        "\x00",
    ],
    ids=["broken", "list", "object", "tag", "bomb", "deep", "large", "binary"],
)
def test_a_file_that_cannot_be_judged_is_red(
    judge: Judge, root: Path, content: str
) -> None:
    (root / "compose.yaml").write_text(content)
    verdict = judge("docker compose up")
    assert (verdict.tier, verdict.rule) == (Tier.RED, "docker-compose.up.compose_file")


def test_what_is_no_file_is_red(judge: Judge, root: Path) -> None:
    os.mkfifo(root / "compose.yaml")
    assert judge("docker compose up").tier is Tier.RED
    assert judge("docker compose -f - up").tier is Tier.RED
    assert judge("docker compose -f https://x.example/y.yaml up").tier is Tier.RED


@pytest.mark.parametrize(
    ("command", "tier"),
    [
        ("docker compose up", Tier.CRITICAL_RED),
        ("docker-compose up -d", Tier.CRITICAL_RED),
        ("compose create", Tier.CRITICAL_RED),
        ("docker compose run --rm web ls", Tier.CRITICAL_RED),
        ("docker compose scale web=2", Tier.CRITICAL_RED),
        ("docker compose restart", Tier.YELLOW),
        ("docker compose down", Tier.YELLOW),
        ("docker compose ps", Tier.GREEN),
        ("docker compose -f other.yaml up", Tier.YELLOW),
        ("docker compose -f other.yaml -f compose.yaml up", Tier.CRITICAL_RED),
        ("docker compose --file=./compose.yaml up", Tier.CRITICAL_RED),
        ("docker compose -fcompose.yaml up", Tier.CRITICAL_RED),
        ("docker compose -f=other.yaml up", Tier.RED),
        ("docker compose --project-directory . up", Tier.CRITICAL_RED),
        ("docker stack deploy -c compose.yaml shop", Tier.CRITICAL_RED),
        ("docker stack deploy -c other.yaml shop", Tier.YELLOW),
        ("docker stack deploy shop", Tier.RED),
    ],
)
def test_the_files_are_those_that_compose_would_use(
    judge: Judge, root: Path, command: str, tier: Tier
) -> None:
    write(root, privileged=True)
    write(root, "other.yaml")
    assert judge(command).tier is tier


@pytest.mark.parametrize(
    "name",
    ["compose.yml", "docker-compose.yml", "docker-compose.override.yml"],
)
def test_a_file_of_a_folder_above_is_found(judge: Judge, root: Path, name: str) -> None:
    (root / "deep" / "er").mkdir(parents=True)
    write(root, name, privileged=True)
    assert judge("docker compose up", cwd="deep/er").tier is Tier.CRITICAL_RED
    assert judge("cd deep && docker compose up").tier is Tier.CRITICAL_RED


def test_other_files_are_followed(judge: Judge, root: Path) -> None:
    bad = {"services": {"base": {"image": "x", "pid": "host"}}}
    (root / "lib").mkdir()
    (root / "lib" / "base.yaml").write_text(json.dumps(bad))
    for whole in (
        {"include": ["lib/base.yaml"]},
        {"include": [{"path": ["lib/base.yaml"]}]},
        {
            "services": {
                "web": {"extends": {"file": "lib/base.yaml", "service": "base"}}
            }
        },
        {"include": ["https://x.example/y.yaml"]},
    ):
        (root / "compose.yaml").write_text(json.dumps(whole))
        assert judge("docker compose up").tier is Tier.RED, whole


def test_files_that_include_each_other_end(judge: Judge, root: Path) -> None:
    (root / "compose.yaml").write_text(json.dumps({"include": ["compose.yaml"]}))
    assert judge("docker compose up").tier is Tier.YELLOW


@pytest.mark.parametrize(
    ("line", "tier"),
    [
        ("NAMESPACE=host", Tier.RED),
        ("export NAMESPACE='host'", Tier.RED),
        ('NAMESPACE="private"', Tier.YELLOW),
        ("NAMESPACE=$OTHER", Tier.RED),
        ("# NAMESPACE=host", Tier.YELLOW),
        ("COMPOSE_FILE=other.yaml", Tier.CRITICAL_RED),
        ("COMPOSE_FILE=$X", Tier.RED),
    ],
)
def test_the_env_file_is_read_as_compose_does(
    judge: Judge, root: Path, line: str, tier: Tier
) -> None:
    write(root, pid="${NAMESPACE:-}")
    write(root, "other.yaml", privileged=True)
    (root / ".env").write_text(line + "\n")
    assert judge("docker compose up").tier is tier


def test_a_secret_variable_is_not_known(judge: Judge, root: Path) -> None:
    write(root, pid="${NAMESPACE:-}", environment={"P": "${PASSWORD}"})
    assert judge("docker compose up", env_refs={"PASSWORD": "x"}).tier is Tier.YELLOW
    assert judge("docker compose up", env_refs={"NAMESPACE": "x"}).tier is Tier.RED


def test_the_operators_own_stacks_are_taken_as_meant(
    root: Path, tmp_path: Path, tables: Path
) -> None:
    stacks = tmp_path / "stacks"
    write(stacks / "shop", privileged=True)
    write(root, privileged=True)
    (root / "link.yaml").symlink_to(stacks / "shop" / "compose.yaml")
    (stacks / "out.yaml").symlink_to(root / "compose.yaml")
    site = make_site(root, settings={"stacks": [str(stacks)]})
    site.rules.add(tables)
    executor = DockerExecutor(site)

    def tier(command: str, **arguments: Any) -> Tier:
        call = make_call(DOCKER, {"command": command, **arguments})
        return executor.classify(call).tier

    assert tier("compose up", cwd=f"{stacks}/shop") is Tier.YELLOW
    assert tier("compose -f link.yaml up") is Tier.YELLOW
    assert tier(f"compose -f {stacks}/out.yaml up") is Tier.CRITICAL_RED
    assert tier("compose up") is Tier.CRITICAL_RED


@pytest.mark.parametrize("change", ["compose.yaml", ".env"])
def test_what_was_judged_may_not_change_before_it_runs(
    executor: DockerExecutor, root: Path, change: str
) -> None:
    write(root)
    call = make_call(DOCKER, {"command": "compose up -d"})
    verdict = executor.classify(call)
    (root / change).write_text("A: 1\n")

    async def run() -> None:
        await executor.execute(call, verdict, FakeExecution())

    with pytest.raises(ToolFailed, match="changed after it was judged"):
        anyio.run(run)


def test_the_plan_binds_what_stands_in_the_files(judge: Judge, root: Path) -> None:
    write(root)
    before = judge("docker compose up").plan
    write(root, hostname="x")
    assert judge("docker compose up").plan != before


@given(st.binary(max_size=200))
def test_any_content_is_judged_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "compose.yaml").write_bytes(b"services: {web: {pid: host}}\n" + content)
    executor = DockerExecutor(Site(roots=(folder,)))
    verdict = executor.classify(make_call(DOCKER, {"command": "compose up"}))
    assert verdict.tier >= Tier.YELLOW


def test_a_project_without_files_is_empty(tmp_path: Path) -> None:
    project = read_project(
        [],
        cwd=str(tmp_path),
        folder=None,
        env_files=[],
        environment={},
        hidden=frozenset(),
    )
    assert project.files == ()
    assert project.is_unchanged()
    write(tmp_path)
    assert not project.is_unchanged()


def test_too_many_files_are_not_followed(tmp_path: Path) -> None:
    for number in range(20):
        include = {"include": [f"c{number + 1}.yaml"]}
        (tmp_path / f"c{number}.yaml").write_text(json.dumps(include))
    with pytest.raises(NotUnderstood):
        read_project(
            ["c0.yaml"],
            cwd=str(tmp_path),
            folder=None,
            env_files=[],
            environment={},
            hidden=frozenset(),
        )
