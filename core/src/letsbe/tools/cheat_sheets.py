"""What an agent is told of a tool: made from its operations, short enough to afford."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from letsbe.plugin import Action, Adapter, Tier, ToolAdapter

LIMIT = 4_500
"""The most bytes of a sheet: names and signs have about three bytes a token, and a
sheet should take fewer than 1,500 tokens."""

_MARKS = {
    Tier.GREEN: "",
    Tier.YELLOW: "Y",
    Tier.YELLOW_EXTERNAL: "X",
    Tier.RED: "R",
    Tier.CRITICAL_RED: "C",
}
_LEGEND = (
    "No mark reads; Y changes; X reaches people outside; R is hard to undo; C is "
    "catastrophic. `?` marks what may be left out."
)


def cheat_sheet(adapter: ToolAdapter) -> str:
    """Write a tool's cheat sheet.

    Args:
        adapter: The tool's adapter.

    Returns:
        Markdown, with as much of each operation as there is room for.
    """
    declared: Adapter | None = getattr(adapter, "adapter", None)
    head = [f"# {adapter.name}", ""]
    if declared:
        head += [declared.summary, ""]
        head += [f"- {note}" for note in declared.notes]
    head += ["", _LEGEND, ""]
    text = ""
    for form in _FORMS:
        lines = [form(action) for action in adapter.operations]
        text = "\n".join([*head, *lines]).replace("\n\n\n", "\n\n") + "\n"
        if len(text.encode()) <= LIMIT:
            return text
    return _cut(text)


def _whole(action: Action) -> str:
    return f"- {_head(action, _arguments(action))} {action.summary}"


def _short(action: Action) -> str:
    needed = _arguments(action, optional=False)
    return f"- {_head(action, needed)} {action.summary}"


def _names(action: Action) -> str:
    return f"- {_head(action, _arguments(action, optional=False))}"


_FORMS: Sequence[Callable[[Action], str]] = (_whole, _short, _names)


def _head(action: Action, arguments: Sequence[str]) -> str:
    mark = "" if action.name.endswith(".request") else _MARKS[action.tier]
    if action.external and action.tier > Tier.YELLOW_EXTERNAL:
        mark += "X"
    name = action.name.partition(".")[2]
    return f"`{name}({', '.join(arguments)})`{' ' if mark else ''}{mark}:"


def _arguments(action: Action, *, optional: bool = True) -> list[str]:
    fields = action.arguments.model_fields.items()
    needed = [name for name, field in fields if field.is_required()]
    others = [f"{name}?" for name, field in fields if not field.is_required()]
    if optional:
        return [*needed, *others]
    return [*needed, "…"] if others else needed


def _cut(text: str) -> str:
    """Leave out what has no room, and say so."""
    more = "- and more: `describe_tool` lists all of them\n"
    kept = text.encode()[: LIMIT - len(more.encode())].decode(errors="ignore")
    return kept[: kept.rfind("\n") + 1] + more
