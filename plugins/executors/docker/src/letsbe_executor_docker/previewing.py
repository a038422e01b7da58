"""What a command would remove or end, asked of the Docker Engine before it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from letsbe.plugin import Preview
from letsbe_executor_docker.engine import Engine
from letsbe_executor_docker.words import Words

SHOWN = 50
"""The most names of one kind that are listed; all are counted."""

Going = tuple[str, str]
"""A kind (containers, images, volumes, networks) and what is known of one of it."""


def preview(commands: Sequence[Words], engine: Engine) -> Preview | None:
    """Say what some commands would take.

    Args:
        commands: The docker commands of a line.
        engine: The Docker Engine.

    Returns:
        What would go, by kind; ``None`` if none of them takes anything.
    """
    rules = [(_RULES[c.name], c) for c in commands if c.name in _RULES]
    if not rules:
        return None
    if engine.version() is None:
        why = "the Docker Engine does not answer"
        return Preview("what would go could not be told", left_out=(why,))
    going: dict[str, list[str]] = {}
    left_out: list[str] = []
    for rule, command in rules:
        if command.has("--filter"):
            left_out.append("the --filter, which may leave some of it out")
        for kind, name in rule(command, engine):
            if name not in going.setdefault(kind, []):
                going[kind].append(name)
    counts = [
        f"{len(names)} {kind if len(names) > 1 else kind.removesuffix('s')}"
        for kind, names in going.items()
    ]
    return Preview(
        f"takes {', '.join(counts) or 'nothing that is there now'}",
        detail={kind: names[:SHOWN] for kind, names in going.items()},
        left_out=tuple(left_out),
    )


def _named_containers(command: Words, engine: Engine) -> Iterator[Going]:
    for word in command.operands:
        found = engine.get(f"/containers/{quote(word.text, safe='')}/json")
        if not isinstance(found, dict):
            continue
        yield "containers", _container(found)
        if command.has("-v", "--volumes"):
            for mount in found.get("Mounts") or ():
                if mount.get("Type") == "volume" and len(mount.get("Name", "")) == 64:
                    yield "volumes", mount["Name"]


def _container(found: Mapping[str, Any]) -> str:
    names = found.get("Names") or [found.get("Name", "")]
    state = found.get("State")
    status = state.get("Status") if isinstance(state, dict) else state
    return f"{str(names[0]).lstrip('/')} ({str(found.get('Id'))[:12]}, {status})"


def _named_images(command: Words, engine: Engine) -> Iterator[Going]:
    for word in command.operands:
        found = engine.get(f"/images/{quote(word.text, safe='')}/json")
        if isinstance(found, dict):
            yield "images", _image(found)


def _image(found: Mapping[str, Any]) -> str:
    tags = ", ".join(found.get("RepoTags") or ["untagged"])
    size = f"{int(found.get('Size') or 0) / 1e6:.1f} MB"
    return f"{tags} ({str(found.get('Id')).removeprefix('sha256:')[:12]}, {size})"


def _named_volumes(command: Words, engine: Engine) -> Iterator[Going]:
    for word in command.operands:
        if isinstance(engine.get(f"/volumes/{quote(word.text, safe='')}"), dict):
            yield "volumes", word.text


def _named_networks(command: Words, _engine: Engine) -> Iterator[Going]:
    yield from (("networks", word.text) for word in command.operands)


def _stopped_containers(_command: Words, engine: Engine) -> Iterator[Going]:
    states = {"status": ["created", "exited", "dead"]}
    found = engine.get("/containers/json", all="1", filters=states)
    yield from (("containers", _container(item)) for item in found or ())


def _unused_images(command: Words, engine: Engine) -> Iterator[Going]:
    found = engine.get("/images/json") or []
    used = {c["ImageID"] for c in engine.get("/containers/json", all="1") or ()}
    for image in found:
        tags = [tag for tag in image.get("RepoTags") or () if "<none>" not in tag]
        if image["Id"] not in used and (command.has("-a", "--all") or not tags):
            yield "images", _image(image)


def _unused_volumes(command: Words, engine: Engine) -> Iterator[Going]:
    found = engine.get("/volumes", filters={"dangling": ["true"]}) or {}
    yield from (("volumes", item["Name"]) for item in found.get("Volumes") or ())


def _unused_networks(_command: Words, engine: Engine) -> Iterator[Going]:
    used = {
        network
        for container in engine.get("/containers/json", all="1") or ()
        for network in container.get("NetworkSettings", {}).get("Networks", {})
    }
    for item in engine.get("/networks", filters={"type": ["custom"]}) or ():
        if item["Name"] not in used:
            yield "networks", item["Name"]


def _system(command: Words, engine: Engine) -> Iterator[Going]:
    yield from _stopped_containers(command, engine)
    yield from _unused_networks(command, engine)
    yield from _unused_images(command, engine)
    if command.has("--volumes"):
        yield from _unused_volumes(command, engine)


def _project(command: Words, engine: Engine) -> Iterator[Going]:
    """Containers of a compose project, if its name is given or that of the folder."""
    names = [
        value.text
        for _, name, values in command.globals("docker-compose")
        if name in ("-p", "--project-name")
        for value in values
    ]
    label = f"com.docker.compose.project={names[-1]}" if names else None
    if label is None:
        return
    chosen = {word.text for word in command.operands}
    filters = {"label": [label]}
    for item in engine.get("/containers/json", all="1", filters=filters) or ():
        service = item.get("Labels", {}).get("com.docker.compose.service")
        if not chosen or service in chosen:
            yield "containers", _container(item)
    if command.name.endswith(".down") and command.has("-v", "--volumes"):
        for item in (engine.get("/volumes", filters=filters) or {}).get(
            "Volumes"
        ) or ():
            yield "volumes", item["Name"]


_RULES: Mapping[str, Callable[[Words, Engine], Iterator[Going]]] = {
    "docker.rm": _named_containers,
    "docker.kill": _named_containers,
    "docker.stop": _named_containers,
    "docker.restart": _named_containers,
    "docker.rmi": _named_images,
    "docker.volume.rm": _named_volumes,
    "docker.network.rm": _named_networks,
    "docker.container.prune": _stopped_containers,
    "docker.image.prune": _unused_images,
    "docker.volume.prune": _unused_volumes,
    "docker.network.prune": _unused_networks,
    "docker.system.prune": _system,
    "docker-compose.down": _project,
    "docker-compose.rm": _project,
    "docker-compose.kill": _project,
    "docker-compose.stop": _project,
}
