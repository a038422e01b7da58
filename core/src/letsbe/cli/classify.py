"""``letsbe classify``: what a tool call would do, without doing it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
)
from letsbe.errors import LetsBeError
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.wrapper.opening import Wrapper
    from letsbe.wrapper.requests import ToolRequest


@click.command()
@click.argument("tool", required=False)
@click.argument("arguments", required=False, metavar="JSON")
@click.option("--agent", default="main", show_default=True, help="Who would call.")
@click.option(
    "--jsonl", is_flag=True, help="Read calls from standard input, one JSON a line."
)
@home_option
@json_option
@reporting
def classify(
    tool: str | None,
    arguments: str | None,
    agent: str,
    jsonl: bool,
    home: Home,
    as_json: bool,
) -> None:
    """Say what a tool call would do, and do nothing.

    JSON are the tool's arguments. With --jsonl each line holds `id`, `tool_name` and
    `tool_args`, and is answered by one line.
    """
    from letsbe.cli.lines import request_of  # noqa: PLC0415 - slow to import
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415

    if jsonl == (tool is not None):
        raise click.UsageError("give TOOL and JSON, or --jsonl")
    with open_wrapper(home) as wrapper:
        if jsonl:
            for line in sys.stdin.buffer:
                if line.strip():
                    print_json(_judge_line(wrapper, line, agent))
            return
        request = request_of(str(tool), (arguments or "{}").encode(), "cli")
        verdict = judge(wrapper, request, agent)
    if as_json:
        print_json(verdict)
    else:
        print_facts(verdict.items())


def judge(wrapper: Wrapper, request: ToolRequest, agent: str) -> dict[str, Any]:
    """Classify one call.

    Returns:
        ``tier``, ``external``, ``refused``, ``rule``, ``reason``, ``alternative``. A
        call that is refused or malformed is RED, and its rule is the error's code.
    """
    try:
        verdict, _ = wrapper.dispatcher.judge(request, agent)
    except LetsBeError as error:
        return _refused(wrapper, error)
    return _redacted(
        wrapper,
        {
            "tier": str(verdict.tier),
            "external": verdict.external,
            "refused": verdict.refused,
            "rule": verdict.rule,
            "reason": verdict.reason,
            "alternative": verdict.alternative,
        },
    )


def _refused(wrapper: Wrapper, error: LetsBeError) -> dict[str, Any]:
    return _redacted(
        wrapper,
        {
            "tier": "RED",
            "external": False,
            "refused": True,
            "rule": error.code,
            "reason": error.message,
            "alternative": error.alternative,
        },
    )


def _redacted(wrapper: Wrapper, told: dict[str, Any]) -> dict[str, Any]:
    return cast(dict[str, Any], wrapper.pipeline.redact_json(told))


def _judge_line(wrapper: Wrapper, line: bytes, agent: str) -> dict[str, Any]:
    from letsbe.cli.lines import parse_line  # noqa: PLC0415 - slow to import

    line_id, request, agent_id, error = parse_line(line, "cli")
    if request is None:
        return {"id": line_id, **_refused(wrapper, error)}
    return {"id": line_id, **judge(wrapper, request, agent_id or agent)}
