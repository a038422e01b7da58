"""``letsbe tools``: the tenant's tools and what adapters can do with them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from letsbe.cli.output import (
    EXIT_FAILED,
    home_option,
    json_option,
    print_facts,
    print_json,
    print_table,
    reporting,
)
from letsbe.errors import InvalidRequest, NotFound
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.tools.generating import Generated
    from letsbe.wrapper.opening import Wrapper

CHECK_SECONDS = 20.0


@click.group()
def tools() -> None:
    """See and register the tenant's tools."""


@tools.command()
@click.option(
    "--from",
    "folder",
    required=True,
    type=click.Path(path_type=Path),
    help="The provisioner's folder with one NAME.env file a tool.",
)
@home_option
@json_option
@reporting
def generate(home: Home, folder: Path, as_json: bool) -> None:
    """Make the tool registry, the master skill and the cheat sheets.

    Addresses go to the registry and credentials to the vault; the registry gets their
    names alone. A tool that is registered and has no file stays as it is.
    """
    from letsbe.storage.tool_registry import ToolRegistry  # noqa: PLC0415 - slow
    from letsbe.tools.describing import declared_adapters  # noqa: PLC0415 - slow
    from letsbe.tools.generating import generate as make  # noqa: PLC0415 - slow
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415 - slow

    registry = ToolRegistry(home.tool_registry)
    with open_wrapper(home) as wrapper:
        adapters = declared_adapters(wrapper.plugins)
        found = make(folder, adapters, registry, wrapper.secrets.vault)
    with open_wrapper(home) as wrapper:  # anew, with the tools that are there now
        written = _write_texts(wrapper)
    if as_json:
        print_json({"tools": [_row(each) for each in found], "written": written})
    else:
        _print_generated(found)
        print_facts([("written", " ".join(written))])
    if any(each.problem or each.missing for each in found):
        sys.exit(EXIT_FAILED)


@tools.command("list")
@home_option
@json_option
@reporting
def list_tools(home: Home, as_json: bool) -> None:
    """List the tools of the registry."""
    from letsbe.storage.tool_registry import ToolRegistry  # noqa: PLC0415 - slow

    exists = home.tool_registry.exists()
    found = ToolRegistry(home.tool_registry).list() if exists else []
    if as_json:
        print_json([tool.model_dump(mode="json") for tool in found])
        return
    rows = [
        (t.name, t.adapter, t.base_url, " ".join(sorted(t.secrets.values())))
        for t in found
    ]
    print_table(("tool", "adapter", "address", "secrets"), rows)


@tools.command()
@click.argument("name", required=False)
@home_option
@json_option
@reporting
def check(home: Home, name: str | None, as_json: bool) -> None:
    """Ask the tools, or one, whether they answer and take their credentials."""
    import anyio  # noqa: PLC0415 - slow

    from letsbe.storage.tool_registry import ToolRegistry  # noqa: PLC0415 - slow
    from letsbe.tools.checking import check_tools  # noqa: PLC0415 - slow
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415 - slow

    registry = ToolRegistry(home.tool_registry)
    registered = registry.list() if home.tool_registry.exists() else []
    asked = [registry.get(name)] if name else registered
    with open_wrapper(home) as wrapper:
        found = anyio.run(check_tools, wrapper, asked, CHECK_SECONDS)
    if as_json:
        print_json(
            [{"tool": c.tool, "status": c.status, "message": c.message} for c in found]
        )
    else:
        rows = [(c.tool, c.status, c.message) for c in found]
        print_table(("tool", "status", "message"), rows)
    if any(c.status in {"failed", "no_secret"} for c in found):
        sys.exit(EXIT_FAILED)


@tools.command()
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Every active adapter.")
@home_option
@json_option
@reporting
def describe(home: Home, name: str | None, everything: bool, as_json: bool) -> None:
    """Print what a tool can do: operations, tiers, arguments.

    NAME is a tool (`ghost`) or an operation (`ghost.list_posts`). With --all every
    active adapter, those without an entry in the registry too.
    """
    from letsbe.tools.describing import describe as told  # noqa: PLC0415 - slow
    from letsbe.tools.describing import tools_of  # noqa: PLC0415 - slow
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415 - slow

    if everything == bool(name):
        message = "name a tool or an operation, or give --all"
        raise InvalidRequest(message)
    tool, _, operation = (name or "").partition(".")
    with open_wrapper(home) as wrapper:
        found = [told(adapter) for adapter in tools_of(wrapper.plugins, tool or None)]
    if operation:
        found = [o for each in found for o in each["operations"] if o["name"] == name]
    if name and not found:
        message = f"there is no active tool or operation {name}"
        raise NotFound(message, alternative="see `letsbe tools describe --all`")
    if as_json:
        print_json(found if everything else found[0])
        return
    _print_described(found)


def _print_described(found: Sequence[dict[str, Any]]) -> None:
    for each in found:
        if "operations" not in each:
            print_facts([(k, v) for k, v in each.items() if k != "arguments"])
            fields = each["arguments"].get("properties", {})
            needed = set(each["arguments"].get("required", ()))
            rows = [
                (n, "yes" if n in needed else "", f.get("description", ""))
                for n, f in fields.items()
            ]
            print_table(("argument", "needed", "what"), rows)
            continue
        print_facts([(k, each[k]) for k in ("tool", "adapter", "summary", "base_url")])
        rows = [(o["name"], o["tier"], o["summary"]) for o in each["operations"]]
        print_table(("operation", "tier", "summary"), rows)


def _write_texts(wrapper: Wrapper) -> list[str]:
    """Write the master skill, and a cheat sheet for each tool of the registry."""
    from letsbe.storage.tool_registry import ToolRegistry  # noqa: PLC0415 - slow
    from letsbe.tools.cheat_sheets import cheat_sheet  # noqa: PLC0415 - slow
    from letsbe.tools.describing import tools_of  # noqa: PLC0415 - slow
    from letsbe.tools.skill import master_skill  # noqa: PLC0415 - slow

    home, adapters = wrapper.home, list(tools_of(wrapper.plugins))
    registered = ToolRegistry(home.tool_registry).list()
    names = {tool.name for tool in registered}
    home.cheat_sheets.mkdir(mode=0o700, exist_ok=True)
    texts = {home.master_skill: master_skill(registered, adapters)}
    for adapter in adapters:
        if adapter.name in names:
            sheet = home.cheat_sheets / f"{adapter.name}.md"
            texts[sheet] = cheat_sheet(adapter)
    for path, text in texts.items():
        path.write_text(wrapper.pipeline.redact_text(text), encoding="utf-8")
    for path in home.cheat_sheets.glob("*.md"):
        if path not in texts:
            path.unlink()
    return [str(path.relative_to(home.folder)) for path in texts]


def _row(each: Generated) -> dict[str, Any]:
    tool = each.tool
    return {
        "file": each.file,
        "tool": None if tool is None else tool.name,
        "adapter": None if tool is None else tool.adapter,
        "secrets": list(each.registered),
        "missing": list(each.missing),
        "problem": each.problem,
    }


def _print_generated(found: Sequence[Generated]) -> None:
    rows = []
    for each in found:
        row = _row(each)
        missing = f"missing: {', '.join(each.missing)}" if each.missing else ""
        told = each.problem or missing or "registered"
        secrets = " ".join(each.registered)
        rows.append((each.file, row["tool"], row["adapter"], secrets, told))
    print_table(("file", "tool", "adapter", "secrets", "state"), rows)
