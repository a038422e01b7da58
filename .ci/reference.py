"""Writes docs/reference.md: the plugin API as its own docstrings say it.

Run it after a change of a public docstring; a test compares.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import letsbe.plugin
from letsbe.plugin import _hooks

TARGET = Path(__file__).parents[1] / "docs" / "reference.md"

HEAD = """# Reference

Made from the code by `.ci/reference.py`: the hooks, then the names of `letsbe.plugin`.
"""


def sections() -> Iterator[str]:
    """Yield the document, piece by piece."""
    yield HEAD
    yield "## Hooks\n"
    for name, hook in vars(_hooks).items():
        if name.startswith("letsbe_"):
            yield entry(name, hook)
    yield "## Names\n"
    for name in letsbe.plugin.__all__:
        yield entry(name, getattr(letsbe.plugin, name))


def entry(name: str, thing: object) -> str:
    """Return one name's signature and documentation."""
    signature = ""
    if inspect.isfunction(thing):
        signature = f"({', '.join(inspect.signature(thing).parameters)})"
    own = vars(thing).get("__doc__") if inspect.isclass(thing) else None
    documented = own if inspect.isclass(thing) else getattr(thing, "__doc__", None)
    is_value = not str(getattr(thing, "__module__", "")).startswith("letsbe.")
    text = "" if is_value or not documented else inspect.cleandoc(documented)
    members = methods(thing) if inspect.isclass(thing) and not is_value else ""
    body = "\n".join(part for part in (text, members) if part)
    block = f"\n```text\n{body}\n```\n" if body else ""
    return f"### `{name}{signature}`\n{block}"


def methods(thing: type) -> str:
    """Return a class's public methods, each with the first line of what it does."""
    told = []
    for name, member in vars(thing).items():
        function = member.fget if isinstance(member, property) else member
        documented = inspect.getdoc(function) if inspect.isfunction(function) else None
        if not name.startswith("_") and documented and function is not None:
            parameters = list(inspect.signature(function).parameters)[1:]
            call = "" if isinstance(member, property) else f"({', '.join(parameters)})"
            told.append(f"  {name}{call}: {documented.splitlines()[0]}")
    return "\n" + "\n".join(told) if told else ""


def text() -> str:
    """Return the whole document."""
    return "\n".join(sections())


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
