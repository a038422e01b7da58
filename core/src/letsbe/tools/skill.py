"""The master skill: how an agent reaches the tenant's tools, in three ways."""

from __future__ import annotations

from collections.abc import Sequence

from letsbe.plugin import ToolAdapter
from letsbe.storage.tool_registry import Tool

_HEAD = """\
---
name: letsbe-tools
description: How to reach this business's tools - by API, by command line, by browser.
---

# The tools of this business

Each tool is reached in the first of three ways that works. Never ask for a password or
key, and never write one: where a value is needed, `SECRET_REF(name)` stands for it.

## 1. API

Call the operation `TOOL.OPERATION`, such as `{example}`. What each tool can do stands
in its cheat sheet and in `describe_tool`. `TOOL.request` sends any other request. Keys
and addresses are filled in for you. An answer `pending_approval` waits for a person: go
on with something else. An error says what to do; a change that failed half-way says
what took effect.

| tool | for | address |
|---|---|---|
{rows}

## 2. Command line

For what no operation does: `shell` and `docker` run one command on this server,
`file_*` and `env_*` work on its files. Look first (`docker ps`, `docker logs`), then
change one thing. A secret goes in by `env_refs`, not in the command.

## 3. Browser

For what neither does, such as a first set-up: open the tool's address in a browser if
one is at hand, else tell a person the address and what to click there. Type no secret.
"""


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
    example = names[0] if names else "ghost.list_posts"
    return _HEAD.format(example=example, rows="\n".join(rows))


def _summary(adapter: ToolAdapter) -> str:
    declared = getattr(adapter, "adapter", None)
    return "" if declared is None else str(declared.summary)
