"""An explanation and a preview as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from letsbe.cli.output import styled


def print_explanation(told: Mapping[str, Any]) -> None:
    """Print every rule that matched, the paths and the levels.

    Args:
        told: What :func:`letsbe.wrapper.explaining.explanation` gave.
    """
    _heading("rules")
    for row in told.get("rules", ()):
        click.echo(_rule(row))
    if told.get("paths"):
        _heading("paths")
        for path, kind in told["paths"].items():
            click.echo(f"  {path}  {kind}")
    _heading("levels")
    for level, said in told.get("levels", {}).items():
        click.echo(f"  {level}  {_level(said)}")
    _heading("class")
    said = told.get("class") or told.get("no_class") or "none"
    click.echo(f"  {said}")


def print_preview(preview: Mapping[str, Any] | None) -> None:
    """Print what a call would take or change, if that is known."""
    if preview is None:
        return
    _heading("takes")
    click.echo(f"  {preview['summary']}")
    for what in preview.get("left_out", ()):
        click.echo(f"  not counted: {what}")
    if preview.get("difference"):
        _heading("difference")
        for line in _coloured(preview["difference"]):
            click.echo(line, nl=False)


def _heading(text: str) -> None:
    click.echo(f"\n{click.style(text, bold=True)}")


def _rule(row: Mapping[str, Any]) -> str:
    mark = "*" if row.get("decided") else " "
    facts = [str(row.get("why", ""))]
    if row.get("at"):
        facts.append(f"at `{row['at']}`")
    facts += [name for name in ("external", "refused") if row.get(name)]
    tier = str(row.get("tier", ""))
    return f"{mark} {styled(tier)}  {row.get('rule')}  {', '.join(facts)}"


def _level(said: Mapping[str, str]) -> str:
    locked, unlocked = said["locked"], said["unlocked"]
    return locked if locked == unlocked else f"{locked}; {unlocked} if unlocked"


def _coloured(difference: str) -> Iterator[str]:
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in difference.splitlines(keepends=True):
        end = "" if line.endswith("\n") else "\n"
        yield click.style(line + end, fg=colours.get(line[:1]))
