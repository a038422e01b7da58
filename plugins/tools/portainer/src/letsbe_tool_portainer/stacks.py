"""Stacks: several containers that one file describes."""

from __future__ import annotations

import json
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
from letsbe_tool_portainer.compose import judge_stack

STACKS = "/api/stacks"
ONE = f"{STACKS}/{{stack_id}}"
_HARMLESS = "services:\n  web:\n    image: nginx:1.27\n"
_MOUNTS = "services:\n  web:\n    image: nginx:1.27\n    volumes: ['/:/host']\n"

Number = Annotated[int, Field(ge=1)]
Variables = dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], str]


class OneArguments(Arguments):
    """One stack."""

    stack_id: Number
    """Its id; see list_stacks."""


class CreateArguments(Arguments):
    """A new stack."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
    """Its name."""
    file: Annotated[str, Field(min_length=1, max_length=200_000)]
    """The compose file."""
    environment: Variables = Field(default_factory=dict)
    """Variables; a secret as `SECRET_REF(name)`."""


class UpdateArguments(OneArguments):
    """What a stack is from now on."""

    file: Annotated[str, Field(min_length=1, max_length=200_000)]
    """The whole compose file."""
    environment: Variables | None = None
    """All variables; those that it has if left out."""
    prune: bool = False
    """Whether services that the file no longer has are removed."""
    pull: bool = False
    """Whether newer images are fetched."""


class RemoveArguments(OneArguments):
    """A stack to remove."""

    volumes: bool = False
    """Whether its volumes go too, with everything in them."""


def _creates(args: CreateArguments) -> Iterator[Raise]:
    yield from judge_stack(args.file)


def _replaces(args: UpdateArguments) -> Iterator[Raise]:
    yield from judge_stack(args.file)
    if args.prune:
        yield Raise(Tier.RED, "prune", "removes services that the file no longer has")


def _pairs(variables: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in variables.items()]


def _shown(stack: dict[str, Any]) -> dict[str, Any]:
    """Show a stack without the values of its variables."""
    kept = {
        "id": stack["Id"],
        "name": stack["Name"],
        "environment_id": stack["EndpointId"],
        "active": stack.get("Status") == 1,
        "from_git": bool(stack.get("GitConfig")),
        "variables": [pair["name"] for pair in stack.get("Env") or ()],
    }
    if stack.get("UpdateDate"):
        kept["updated"] = stack["UpdateDate"]
    return kept


@operation(Tier.GREEN)
async def list_stacks(tool: ToolClient, args: NoArguments) -> Json:
    """List the stacks of the environment."""
    wanted = json.dumps({"EndpointID": int(tool.setting("environment_id"))})
    answer = await tool.send("GET", STACKS, query={"filters": wanted})
    return {"stacks": [_shown(each) for each in answer.json() or ()]}


@operation(Tier.GREEN, examples=[Example({"stack_id": 4}, Tier.GREEN)])
async def read_stack(tool: ToolClient, args: OneArguments) -> Json:
    """Show one stack: its state, and the names of its variables."""
    return _shown(await tool.get(ONE, {"stack_id": args.stack_id}))


@operation(
    Tier.YELLOW,
    raises=_creates,
    examples=[
        Example({"name": "site", "file": _HARMLESS}, Tier.YELLOW),
        Example({"name": "site", "file": _MOUNTS}, Tier.CRITICAL_RED),
    ],
)
async def create_stack(tool: ToolClient, args: CreateArguments) -> Json:
    """Make a stack of a compose file and start it."""
    answer = await tool.send(
        "POST",
        f"{STACKS}/create/standalone/string",
        query={"endpointId": tool.setting("environment_id")},
        json={
            "name": args.name,
            "stackFileContent": args.file,
            "env": _pairs(args.environment),
        },
    )
    return _shown(answer.json())


@operation(
    Tier.YELLOW,
    idempotent=True,
    raises=_replaces,
    examples=[Example({"stack_id": 4, "file": _HARMLESS}, Tier.YELLOW)],
)
async def update_stack(tool: ToolClient, args: UpdateArguments) -> Json:
    """Replace a stack's file and bring what runs in line with it."""
    values = {"stack_id": args.stack_id}
    if args.environment is None:  # what is left out would be lost
        variables = (await tool.get(ONE, values)).get("Env") or []
    else:
        variables = _pairs(args.environment)
    answer = await tool.send(
        "PUT",
        ONE,
        values,
        query={"endpointId": tool.setting("environment_id")},
        json={
            "stackFileContent": args.file,
            "env": variables,
            "prune": args.prune,
            "pullImage": args.pull,
        },
    )
    return _shown(answer.json())


async def _act(tool: ToolClient, stack_id: int, action: str) -> Json:
    answer = await tool.send(
        "POST",
        f"{ONE}/{action}",
        {"stack_id": stack_id},
        query={"endpointId": tool.setting("environment_id")},
    )
    return _shown(answer.json())


@operation(
    Tier.YELLOW, idempotent=True, examples=[Example({"stack_id": 4}, Tier.YELLOW)]
)
async def start_stack(tool: ToolClient, args: OneArguments) -> Json:
    """Start a stack that was stopped."""
    return await _act(tool, args.stack_id, "start")


@operation(
    Tier.YELLOW, idempotent=True, examples=[Example({"stack_id": 4}, Tier.YELLOW)]
)
async def stop_stack(tool: ToolClient, args: OneArguments) -> Json:
    """Stop a stack; what it serves is down until it is started."""
    return await _act(tool, args.stack_id, "stop")


@operation(Tier.RED, examples=[Example({"stack_id": 4}, Tier.RED)])
async def redeploy_stack(tool: ToolClient, args: OneArguments) -> Json:
    """Fetch a stack's file from its repository and run what it now says."""
    values = {"stack_id": args.stack_id}
    variables = (await tool.get(ONE, values)).get("Env") or []
    answer = await tool.send(
        "PUT",
        f"{ONE}/git/redeploy",
        values,
        query={"endpointId": tool.setting("environment_id")},
        json={"env": variables, "prune": False, "pullImage": True},
    )
    return _shown(answer.json())


@operation(Tier.RED, examples=[Example({"stack_id": 4, "volumes": True}, Tier.RED)])
async def remove_stack(tool: ToolClient, args: RemoveArguments) -> Json:
    """Stop a stack and remove it, its containers and, if asked, its volumes."""
    query = {
        "endpointId": tool.setting("environment_id"),
        "removeVolumes": "true" if args.volumes else None,
    }
    await tool.send("DELETE", ONE, {"stack_id": args.stack_id}, query=query)
    return {"removed": args.stack_id}


OPERATIONS = (
    list_stacks,
    read_stack,
    route(
        "read_stack_file",
        "Show a stack's compose file; secrets are taken out.",
        f"GET {ONE}/file",
        OneArguments,
        Tier.YELLOW,
        idempotent=True,
        pick=lambda answer: {"file": answer["StackFileContent"]},
        examples=[Example({"stack_id": 4}, Tier.YELLOW)],
    ),
    create_stack,
    update_stack,
    start_stack,
    stop_stack,
    redeploy_stack,
    remove_stack,
)
