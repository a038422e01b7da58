"""The master skill: how an agent reaches the tenant's tools, in three ways."""

from __future__ import annotations

from collections.abc import Sequence

from letsbe.plugin import ToolAdapter
from letsbe.storage.tool_registry import Tool

WAYS = """\
1. API: an operation such as `{example}`. `describe_tool` says what a tool can do and \
which arguments it takes; `use_tool` calls it, with address and keys filled in. \
`TOOL.request` sends what no operation does.
2. CLI: `shell` and `docker` run one command line, without a shell behind it: pipes, \
`&&` and `< file` work; variables, `$(...)` and scripts do not. `file_*` and `env_*` \
work on files. Look first, then change one thing.
3. Browser: nothing here browses. Where only a web page would do, such as a first \
set-up, say so to {person}, with the address and what to click. Type no secret.
"""
"""The access patterns, told once: here and in every agent's AGENTS.md."""

_EXAMPLE = "nextcloud.list_files"

_HEAD = """\
---
name: letsbe-tools
description: How to reach this business's tools - by API, by command line, by browser.
---

# The tools of this business

Each tool is reached in the first of these ways that works. Never ask for a password or
key, and never write one: where a value is needed, `SECRET_REF(name)` stands for it.

{ways}
| tool | for | address |
|---|---|---|
{rows}
"""


def ways(person: str, example: str = _EXAMPLE) -> str:
    """Tell the ways to reach a tool, in their order.

    Args:
        person: Who is told what a browser would be needed for.
        example: An operation that there is.
    """
    return WAYS.format(person=person, example=example)


def master_skill(tools: Sequence[Tool], adapters: Sequence[ToolAdapter]) -> str:
    """Write the master skill.

    Args:
        tools: The registry's tools.
        adapters: The active adapters.

    Returns:
        Markdown with a skill's front matter. No secret, and no name of one.
    """
    summaries = {a.name: _summary(a) for a in adapters}
    rows = [
        f"| `{tool.name}` | {summaries.get(tool.name) or 'no operations: use 2 or 3'} "
        f"| {tool.base_url} |"
        for tool in tools
    ]
    names = [
        o.name
        for a in adapters
        if a.name in {t.name for t in tools}
        for o in a.operations
    ]
    told = ways("a person", names[0] if names else _EXAMPLE)
    return _HEAD.format(ways=told, rows="\n".join(rows))


def _summary(adapter: ToolAdapter) -> str:
    declared = getattr(adapter, "adapter", None)
    return "" if declared is None else str(declared.summary)
