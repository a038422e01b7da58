"""What docker commands are judged to do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from letsbe.plugin import ConfigurationError, PathRefused, Site, Tier, Verdict
from letsbe.testing import make_call, make_site
from letsbe_executor_docker.executor import DOCKER, DockerExecutor
from letsbe_executor_docker.programs import docker_book

Judge = Callable[..., Verdict]


def test_the_examples_of_the_tables_hold() -> None:
    assert docker_book().problems == ()


@pytest.mark.parametrize("example", DOCKER.examples, ids=lambda e: str(e.arguments))
def test_the_examples_of_the_action_hold(
    executor: DockerExecutor, example: object
) -> None:
    arguments, tier = example.arguments, example.tier  # type: ignore[attr-defined]  # an Example
    assert executor.classify(make_call(DOCKER, arguments)).tier is tier


COMMANDS = """
GREEN           docker.ps                    docker ps -a
GREEN           docker.ps                    ps -a
GREEN           docker.ps                    --debug ps
GREEN           docker-compose.ps            compose ps
GREEN           docker-compose.ps            docker-compose ps
GREEN           docker.ps                    docker container ls
RED             docker.rm                    rm web
GREEN           docker.help                  docker rm --help web
RED             docker.rm                    docker rm --help=false web
RED             docker.rm                    docker rm --help --frob web
YELLOW          docker.run                   docker run -h --help alpine ls
YELLOW          docker.run                   docker run alpine --help
GREEN           docker.ps                    docker ps | grep web
RED             rm                           docker ps -q | rm -rf x
GREEN           docker.ps                    docker ps; ls
RED             unknown_program              docker ps | frob
YELLOW          docker.exec                  docker exec web ls
YELLOW          docker.exec                  docker exec web mkdir /tmp/x
RED             rm                           docker exec web rm x
RED             sh                           docker exec web sh
RED             cat.read.secret              docker exec web cat /etc/shadow
YELLOW_EXTERNAL curl                         docker exec web curl https://example.com/
RED             unknown_program              docker exec web docker ps
RED             docker.exec.variable         docker exec -e PATH=/x web ls
RED             docker.exec.variable         docker exec -eLD_PRELOAD=/x web ls
RED             sh                           docker run --entrypoint sh alpine -c x
YELLOW          docker.run                   docker run alpine -flag value
RED             sh                           docker run --health-cmd 'sh -c x' alpine
YELLOW          docker.run                   docker run --health-cmd 'ls /run' alpine
RED             docker.H                     docker -H tcp://x ps
YELLOW          docker.cp                    docker cp web:/etc/hosts x
RED             docker.cp.read.secret        docker cp /etc/shadow web:/x
RED             docker.cp.write.system       docker cp web:/x /etc/x
RED             docker.cp.read.secret        docker cp web:etc/shadow x
GREEN           docker.top                   docker top web aux
YELLOW          docker.top.environment       docker top web auxe
YELLOW_EXTERNAL docker.build                 docker build .
YELLOW          docker.build                 docker build --network none .
RED             docker.build.network_host    docker build --network host .
YELLOW_EXTERNAL docker.build.remote          docker build --network none https://x.example/y.git
RED             docker.build.write.system    docker build -o /etc .
RED             docker.build.write.system    docker build -o type=local,dest=/etc .
YELLOW_EXTERNAL docker.import.remote         docker import https://x.example/y.tar
RED             docker.run.secret_ref        docker run --network SECRET_REF(n) x
RED             docker.rm                    docker rm SECRET_REF(n)
YELLOW          docker.run                   docker run -e P=SECRET_REF(n) x
CRITICAL_RED    docker.system.prune.volumes  docker system prune --volumes
YELLOW          docker.load                  docker load < image.tar
RED             input.read.secret            docker load < /etc/shadow
RED             unknown_program              sudo docker ps
"""
"""The tier, the rule that decides, and the command."""


@pytest.mark.parametrize("row", COMMANDS.strip().splitlines())
def test_commands(judge: Judge, row: str) -> None:
    tier, rule, command = row.split(maxsplit=2)
    verdict = judge(command)
    assert (str(verdict.tier), verdict.rule) == (tier, rule)


@pytest.mark.parametrize(
    "command",
    [
        "docker rm $(docker ps -q)",
        "docker ps > x",
        "docker system dial-stdio",
        "cd $HOME",
        "cd x || docker ps",
    ],
)
def test_what_is_never_run(judge: Judge, command: str) -> None:
    assert judge(command).refused


@pytest.mark.parametrize(
    "words",
    [
        ["-v", "{}:/x"],
        ["-v={}:/x"],
        ["-v{}:/x"],
        ["-itv", "{}:/x"],
        ["-itv{}:/x:ro"],
        ["-itv={}:/x"],
        ["--volume", "{}:/x"],
        ["--volume={}:/x"],
        ["--mount", "type=bind,source={},target=/x"],
        ["--mount=type=bind,src={},dst=/x,readonly"],
        ["--mount", "dst=/x,src={},type=bind"],
        ["--mount", "TYPE=bind,SRC={},dst=/x"],
        ["--mount", "type=volume,dst=/x,volume-opt=o=bind,volume-opt=device={}"],
        ["--mount", "type=volume,src={},dst=/x"],
        ["--mount", '"type=bind","src={}",dst=/x'],
    ],
)
@pytest.mark.parametrize("source", ["/srv/other", "/srv/data/../other", "../other"])
def test_a_mount_is_found_in_every_spelling(
    judge: Judge, words: list[str], source: str
) -> None:
    mount = [word.format(source) for word in words]
    verdict = judge(["docker", "run", *mount, "alpine"])
    assert verdict.tier >= Tier.RED


@pytest.mark.parametrize(
    ("source", "tier"),
    [
        ("/srv/data", Tier.YELLOW),
        ("/srv/data/web", Tier.YELLOW),
        ("/srv/data/../other", Tier.RED),
        ("/srv/database", Tier.RED),
        ("data", Tier.YELLOW),
        ("./data", Tier.RED),
        ("/etc/localtime", Tier.RED),
        ("/", Tier.CRITICAL_RED),
        ("/etc", Tier.CRITICAL_RED),
        ("/root/.ssh", Tier.CRITICAL_RED),
        ("/dev/sda", Tier.CRITICAL_RED),
        ("/var/run/docker.sock", Tier.CRITICAL_RED),
        ("/run/docker.sock", Tier.CRITICAL_RED),
        ("/run", Tier.CRITICAL_RED),
        ("a", Tier.RED),
        ("SECRET_REF(x)", Tier.CRITICAL_RED),
    ],
)
def test_the_operator_says_what_may_be_mounted(
    root: Path, tables: Path, source: str, tier: Tier
) -> None:
    site = make_site(root, settings={"mounts": ["/srv/data"]})
    site.rules.add(tables)
    command = {"argv": ["docker", "run", "-v", f"{source}:/x", "alpine"]}
    verdict = DockerExecutor(site).classify(make_call(DOCKER, command))
    assert verdict.tier is tier


def test_a_link_counts_as_what_it_leads_to(root: Path, tmp_path: Path) -> None:
    (root / "link").symlink_to("/etc")
    site = make_site(root, settings={"mounts": [str(root)]})
    executor = DockerExecutor(site)

    def tier(source: str) -> Tier:
        words = {"argv": ["run", "-v", f"{source}:/x", "alpine"]}
        return executor.classify(make_call(DOCKER, words)).tier

    assert tier(f"{root}/data") is Tier.YELLOW
    assert tier("./data") is Tier.YELLOW
    assert tier(f"{root}/link") is Tier.CRITICAL_RED
    assert tier("./link/ssh") is Tier.CRITICAL_RED


def test_a_closed_path_is_never_mounted(root: Path) -> None:
    vault = root / "vault"
    site = make_site(root, forbidden=(vault,), settings={"mounts": [str(root)]})
    words = {"argv": ["run", "-v", f"{vault}/x:/x", "alpine"]}
    assert DockerExecutor(site).classify(make_call(DOCKER, words)).refused


def test_the_plan_is_what_will_run(judge: Judge, root: Path) -> None:
    verdict = judge("run --rm alpine ls | grep x")
    [pipeline] = verdict.plan["pipelines"]

    assert pipeline["cwd"] == str(root)
    assert pipeline["stages"][0]["argv"] == [
        "docker", "run", "--pull=never", "--rm", "alpine", "ls",
    ]  # fmt: skip
    assert verdict.plan["docker_host"] == "unix:///var/run/docker.sock"
    assert [row["rule"] for row in verdict.trace] == ["docker.run", "ls", "grep"]


def test_a_pull_that_was_asked_for_counts(judge: Judge) -> None:
    verdict = judge("run --pull=always alpine")
    assert (verdict.tier, verdict.external) == (Tier.YELLOW_EXTERNAL, True)
    assert verdict.hosts is None
    argv = verdict.plan["pipelines"][0]["stages"][0]["argv"]
    assert argv.index("--pull=never") < argv.index("--pull=always")


@pytest.mark.parametrize("name", ["DOCKER_HOST", "COMPOSE_FILE", "LD_PRELOAD", "PATH"])
def test_no_call_steers_docker_by_its_environment(judge: Judge, name: str) -> None:
    assert judge("ps", env_refs={name: "secret"}).refused
    assert not judge("ps", env_refs={"PASSWORD": "secret"}).refused


def test_a_secret_named_like_a_variable_of_docker(judge: Judge) -> None:
    assert judge("ps", secret_refs=["docker-host"]).refused


def test_cd_is_followed(judge: Judge) -> None:
    verdict = judge("cd /srv/shop && docker ps")
    assert [p["cwd"] for p in verdict.plan["pipelines"]] == ["/srv/shop"] * 2
    assert verdict.tier is Tier.GREEN


def test_the_folder_has_to_be_inside_the_roots(judge: Judge, root: Path) -> None:
    (root / "shop").mkdir()
    assert judge("ps", cwd="shop").plan["pipelines"][0]["cwd"] == f"{root}/shop"
    for cwd in ("/etc", "../..", "", "a\0b"):
        with pytest.raises(PathRefused):
            judge("ps", cwd=cwd)


@pytest.mark.parametrize(
    "settings", [{"mount": []}, {"mounts": ["data"]}, {"host": 5}, {"mounts": "/"}]
)
def test_wrong_settings_are_named(
    site: Site, root: Path, settings: dict[str, object]
) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        DockerExecutor(make_site(root, settings=settings))
