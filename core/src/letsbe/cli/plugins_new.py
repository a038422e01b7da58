"""``letsbe plugins new``: a whole plugin to begin with."""

from __future__ import annotations

import re
from pathlib import Path

import click

import letsbe
from letsbe.cli.output import json_option, print_facts, print_json, reporting
from letsbe.errors import Conflict, FieldError, InvalidRequest

TEMPLATES = Path(letsbe.__file__).parent / "templates"
"""The templates: links to the workspace's own, real files in an installed core."""

KINDS = ("tool", "executor", "redactor", "billing", "notifier")
LINK = ".txt"
"""What ends a template's file names here, so that nobody takes them for code."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_TAKEN = frozenset({"letsbe", "sample", "test", "tests"})
_WORKSPACE = "\n# In the workspace of LetsBe only:"


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name")
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="The folder to make it in; this one unless given.",
)
@json_option
@reporting
def new(kind: str, name: str, folder: Path, as_json: bool) -> None:
    """Make a new plugin: code, tests that call the kit, README, CI example."""
    made = make_plugin(kind, name, folder)
    distribution = made.name
    if as_json:
        print_json({"folder": str(made), "distribution": distribution})
        return
    print_facts([("made", str(made)), ("distribution", distribution)])
    click.echo(f"\nNext: cd {made} && uv run python -m pytest")


def make_plugin(kind: str, name: str, folder: Path) -> Path:
    """Copy the template of a kind under another name.

    Args:
        kind: One of :data:`KINDS`.
        name: The plugin's name: lower-case letters, digits and `_`.
        folder: Where its folder is made.

    Returns:
        Its folder, ``letsbe-KIND-NAME``.

    Raises:
        InvalidRequest: The name cannot be one.
        Conflict: There is something of that name.
    """
    if not _NAME.fullmatch(name) or name in _TAKEN:
        message = (
            "NAME must be lower-case letters, digits and `_`, a letter first, at most "
            "32, and not `sample`"
        )
        raise InvalidRequest(message, details=(FieldError("NAME", message),))
    made = folder.absolute() / f"letsbe-{kind}-{name.replace('_', '-')}"
    if made.exists():
        message = f"{made} is there already: choose another name or folder"
        raise Conflict(message)
    template = TEMPLATES / kind
    for source in sorted(template.rglob(f"*{LINK}")):
        place = str(source.relative_to(template)).removesuffix(LINK)
        target = made / _renamed(place, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        if target.name == "pyproject.toml":
            text = _project(text, name)
        target.write_text(_renamed(text, name), encoding="utf-8")
    return made


def _project(text: str, name: str) -> str:
    """Leave out what only the workspace needs; a distribution's name has hyphens."""
    text = text.partition(_WORKSPACE)[0]
    hyphened = name.replace("_", "-")
    return re.sub(
        r'(?<=^name = ")(.*)sample(?=")', rf"\g<1>{hyphened}", text, flags=re.MULTILINE
    )


def _renamed(text: str, name: str) -> str:
    camel = "".join(part.capitalize() for part in name.split("_"))
    text = text.replace("SAMPLE", name.upper()).replace("Sample", camel)
    return text.replace("sample", name)
