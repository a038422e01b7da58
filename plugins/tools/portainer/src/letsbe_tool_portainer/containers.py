"""Containers, images, volumes and networks: Docker's own API, through Portainer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    Json,
    NoArguments,
    Raise,
    Tier,
    ToolClient,
    operation,
    route,
)
from letsbe_tool_portainer.access import DOCKER, log_text

CONTAINERS = f"{DOCKER}/containers"
ONE = f"{CONTAINERS}/{{container}}"

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
Image = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_./:@-]{0,255}$")]
_IGNORED_STATES = (304,)  # it is already started, or already stopped


class ListArguments(Arguments):
    """Which containers."""

    all: bool = True
    """Whether those that do not run are listed too."""


class OneArguments(Arguments):
    """One container."""

    container: Name
    """Its name or id."""


class LogArguments(OneArguments):
    """How much of a log."""

    tail: Annotated[int, Field(ge=1, le=2000)] = 100
    """How many lines, the newest."""
    since: Annotated[int, Field(ge=0)] | None = None
    """From when, in seconds since 1970."""
    timestamps: bool = False
    """Whether each line says when."""


class CreateArguments(Arguments):
    """A container to make; start_container starts it."""

    name: Name
    """Its name."""
    image: Image
    """The image, which must be there."""
    command: list[str] | None = None
    """What to run, word by word; what the image says if left out."""
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables; a secret as `SECRET_REF(name)`."""
    ports: dict[
        Annotated[str, Field(pattern=r"^\d{1,5}/(tcp|udp)$")],
        Annotated[str, Field(pattern=r"^\d{1,5}$")],
    ] = Field(default_factory=dict)
    """The container's ports, each with one of the machine: `{"80/tcp": "8080"}`."""
    volumes: dict[Name, Annotated[str, Field(pattern=r"^/")]] = Field(
        default_factory=dict
    )
    """Named volumes, each with its place in the container."""
    restart: bool = False
    """Whether it is started again when it ends."""


class RemoveArguments(OneArguments):
    """A container to remove."""

    force: bool = False
    """Whether it is killed if it runs."""
    volumes: bool = False
    """Whether its unnamed volumes go too."""


class ImageArguments(Arguments):
    """One image."""

    image: Image
    """Its name or id."""


class VolumeArguments(Arguments):
    """One volume."""

    volume: Name
    """Its name."""


def _exposes(args: CreateArguments) -> Iterator[Raise]:
    if args.ports:
        yield Raise(
            Tier.RED,
            "ports",
            "opens ports of the machine, on every address that it has",
            external=True,
        )


@operation(
    Tier.YELLOW,
    raises=_exposes,
    examples=[
        Example({"name": "web", "image": "nginx:1.27"}, Tier.YELLOW),
        Example(
            {"name": "web", "image": "nginx:1.27", "ports": {"80/tcp": "80"}}, Tier.RED
        ),
    ],
)
async def create_container(tool: ToolClient, args: CreateArguments) -> Json:
    """Make a container, which cannot see the machine's own folders."""
    ports = {port: [{"HostPort": taken}] for port, taken in args.ports.items()}
    body: dict[str, Any] = {
        "Image": args.image,
        "Env": [f"{name}={value}" for name, value in args.environment.items()],
        "ExposedPorts": {port: {} for port in args.ports},
        "HostConfig": {
            "PortBindings": ports,
            "Binds": [f"{name}:{place}" for name, place in args.volumes.items()],
            "RestartPolicy": {"Name": "unless-stopped" if args.restart else "no"},
        },
    }
    if args.command is not None:
        body["Cmd"] = args.command
    answer = await tool.send(
        "POST", f"{CONTAINERS}/create", query={"name": args.name}, json=body
    )
    return answer.json()


@operation(Tier.GREEN, examples=[Example({"container": "web"}, Tier.GREEN)])
async def read_logs(tool: ToolClient, args: LogArguments) -> Json:
    """Show the newest lines that a container wrote."""
    answer = await tool.send(
        "GET",
        f"{ONE}/logs",
        {"container": args.container},
        query={
            "stdout": "1",
            "stderr": "1",
            "tail": str(args.tail),
            "since": None if args.since is None else str(args.since),
            "timestamps": "1" if args.timestamps else None,
        },
    )
    return {"log": log_text(answer.content)}


async def _act(tool: ToolClient, container: str, action: str) -> Json:
    answer = await tool.send(
        "POST", f"{ONE}/{action}", {"container": container}, accept=_IGNORED_STATES
    )
    return {"container": container, "changed": answer.status != 304}


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[Example({"container": "web"}, Tier.YELLOW)],
)
async def start_container(tool: ToolClient, args: OneArguments) -> Json:
    """Start a container."""
    return await _act(tool, args.container, "start")


@operation(
    Tier.YELLOW, idempotent=True, examples=[Example({"container": "web"}, Tier.YELLOW)]
)
async def stop_container(tool: ToolClient, args: OneArguments) -> Json:
    """Stop a container; what it serves is down until it is started."""
    return await _act(tool, args.container, "stop")


@operation(Tier.YELLOW, examples=[Example({"container": "web"}, Tier.YELLOW)])
async def restart_container(tool: ToolClient, args: OneArguments) -> Json:
    """Restart a container."""
    return await _act(tool, args.container, "restart")


@operation(Tier.RED, examples=[Example({"container": "web", "force": True}, Tier.RED)])
async def remove_container(tool: ToolClient, args: RemoveArguments) -> Json:
    """Remove a container and all that it wrote outside volumes."""
    query = {"force": "1" if args.force else None, "v": "1" if args.volumes else None}
    await tool.send("DELETE", ONE, {"container": args.container}, query=query)
    return {"removed": args.container}


@operation(Tier.GREEN)
async def list_containers(tool: ToolClient, args: ListArguments) -> Json:
    """List containers: name, image, state, ports."""
    found = await tool.get(f"{CONTAINERS}/json", all="1" if args.all else "0")
    return {
        "containers": [
            {
                "id": each["Id"][:12],
                "names": [name.lstrip("/") for name in each["Names"]],
                "image": each["Image"],
                "state": each["State"],
                "status": each["Status"],
                "ports": each.get("Ports", []),
            }
            for each in found
        ]
    }


@operation(Tier.GREEN, examples=[Example({"container": "web"}, Tier.GREEN)])
async def read_stats(tool: ToolClient, args: OneArguments) -> Json:
    """Show how much processor time, memory and network a container uses now."""
    stats = await tool.get(
        f"{ONE}/stats", {"container": args.container}, stream="false"
    )
    used = ("name", "read", "cpu_stats", "precpu_stats", "memory_stats", "networks")
    return {name: stats[name] for name in used if name in stats}


OPERATIONS = (
    list_containers,
    read_logs,
    read_stats,
    route(
        "inspect_container",
        "Show everything of a container, its variables too; secrets are taken out.",
        f"GET {ONE}/json",
        OneArguments,
        Tier.YELLOW,
        idempotent=True,
        examples=[Example({"container": "web"}, Tier.YELLOW)],
    ),
    route(
        "list_images",
        "List the images that are there.",
        f"GET {DOCKER}/images/json",
        NoArguments,
        Tier.GREEN,
        pick=lambda found: {
            "images": [
                {"id": i["Id"], "tags": i.get("RepoTags") or [], "bytes": i["Size"]}
                for i in found
            ]
        },
    ),
    route(
        "list_volumes",
        "List the volumes.",
        f"GET {DOCKER}/volumes",
        NoArguments,
        Tier.GREEN,
    ),
    route(
        "list_networks",
        "List the networks.",
        f"GET {DOCKER}/networks",
        NoArguments,
        Tier.GREEN,
    ),
    route(
        "read_docker_info",
        "Show the machine as Docker sees it: version, processors, memory, counts.",
        f"GET {DOCKER}/info",
        NoArguments,
        Tier.GREEN,
    ),
    create_container,
    start_container,
    stop_container,
    restart_container,
    remove_container,
    route(
        "remove_image",
        "Remove an image.",
        f"DELETE {DOCKER}/images/{{image*}}",
        ImageArguments,
        Tier.RED,
        pick=lambda found: {"removed": found},
        examples=[Example({"image": "nginx:1.25"}, Tier.RED)],
    ),
    route(
        "remove_volume",
        "Remove a volume with everything in it, for good.",
        f"DELETE {DOCKER}/volumes/{{volume}}",
        VolumeArguments,
        Tier.RED,
        pick=lambda _: {"removed": True},
        examples=[Example({"volume": "web_cache"}, Tier.RED)],
    ),
    route(
        "prune_images",
        "Remove every image that has no name and no container.",
        f"POST {DOCKER}/images/prune",
        NoArguments,
        Tier.RED,
    ),
    route(
        "prune_containers",
        "Remove every container that does not run.",
        f"POST {DOCKER}/containers/prune",
        NoArguments,
        Tier.RED,
    ),
)
