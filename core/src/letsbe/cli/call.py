"""``letsbe call``: one tool call, or many, through all the steps."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from letsbe.cli.output import (
    EXIT_DENIED,
    EXIT_FAILED,
    EXIT_PENDING,
    error_json,
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
)
from letsbe.errors import LetsBeError
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.wrapper.answers import Answer
    from letsbe.wrapper.opening import Wrapper
    from letsbe.wrapper.requests import ToolRequest

EXITS = {
    "ok": 0,
    "denied": EXIT_DENIED,
    "pending_approval": EXIT_PENDING,
    "error": EXIT_FAILED,
}


@click.command()
@click.argument("tool", required=False)
@click.argument("arguments", required=False, metavar="JSON")
@click.option("--agent", default="main", show_default=True, help="Who calls.")
@click.option("--session", default="cli", show_default=True, help="In which session.")
@click.option(
    "--jsonl", is_flag=True, help="Read calls from standard input, one JSON a line."
)
@home_option
@json_option
@reporting
def call(
    tool: str | None,
    arguments: str | None,
    agent: str,
    session: str,
    jsonl: bool,
    home: Home,
    as_json: bool,
) -> None:
    """Call a tool as an agent would.

    JSON are the tool's arguments, `-` reads them from standard input. With --jsonl each
    line holds `id`, `tool_name`, `tool_args` and perhaps `agent_id`, and is answered by
    one line.

    Ends with 0 if the call ran, 1 if it failed, 3 if it was denied, 4 if it waits for
    approval.
    """
    import anyio  # noqa: PLC0415 - slow to import

    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415

    if jsonl == (tool is not None):
        raise click.UsageError("give TOOL and JSON, or --jsonl")
    with open_wrapper(home) as wrapper:
        if jsonl:
            anyio.run(_answer_lines, wrapper, agent, session)
            return
        request = _request(str(tool), _text(arguments), session)
        answer = anyio.run(wrapper.dispatcher.call, request, agent)
    if as_json:
        print_json(answer.model_dump(mode="json"))
    else:
        _show(answer)
    sys.exit(EXITS[answer.status])


async def _answer_lines(wrapper: Wrapper, agent: str, session: str) -> None:
    from anyio import to_thread  # noqa: PLC0415 - slow to import

    lines = sys.stdin.buffer
    while line := await to_thread.run_sync(lines.readline):
        if line.strip():
            print_json(await _answer_line(wrapper, line, agent, session))


async def _answer_line(
    wrapper: Wrapper, line: bytes, agent: str, session: str
) -> dict[str, Any]:
    from letsbe.cli.lines import parse_line  # noqa: PLC0415 - loads pydantic
    from letsbe.wrapper.answers import showable  # noqa: PLC0415 - loads pydantic

    line_id, request, agent_id, error = parse_line(line, session)
    try:
        if request is None:
            raise error
        answer = await wrapper.dispatcher.call(request, agent_id or agent)
    except LetsBeError as problem:
        shown = error_json(showable(problem, wrapper.pipeline))
        return {"id": line_id, "status": "error", "error": shown}
    return {"id": line_id, **answer.model_dump(mode="json")}


def _text(arguments: str | None) -> bytes:
    if arguments == "-":
        return sys.stdin.buffer.read()
    return (arguments or "{}").encode(errors="surrogateescape")


def _request(tool: str, arguments: bytes, session: str) -> ToolRequest:
    from letsbe.cli.lines import request_of  # noqa: PLC0415 - loads pydantic

    return request_of(tool, arguments, session)


def _show(answer: Answer) -> None:
    output = answer.output
    facts: Iterator[tuple[str, object]] = iter(
        [
            ("status", answer.status.value),
            ("tier", answer.tier),
            ("rule", answer.rule),
            ("reason", answer.reason),
            ("instead", answer.alternative),
            ("approval", answer.approval_id),
            ("audit", answer.audit_id),
        ]
    )
    print_facts(facts)
    if isinstance(output, dict):
        click.echo()
        print_facts(output.items())
    elif output is not None:
        click.echo(f"\n{output}")
