"""What commands print, for people or as JSON, and how they end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TextIO, TypeVar

import click

from letsbe.errors import LetsBeError
from letsbe.home import Home

EXIT_FAILED = 1
EXIT_DENIED = 3
EXIT_PENDING = 4

COLOURS = {
    "GREEN": "green",
    "YELLOW": "yellow",
    "YELLOW_EXTERNAL": "yellow",
    "RED": "red",
    "CRITICAL_RED": "bright_red",
    "ok": "green",
    "active": "green",
    "done": "green",
    "pending": "yellow",
    "pending_approval": "yellow",
    "denied": "red",
    "error": "red",
    "failed": "red",
}
"""How tiers and states are shown; names that click and rich share."""

P = ParamSpec("P")
T = TypeVar("T")


def home_option(command: Callable[P, T]) -> Callable[P, T]:
    """Give a command ``--home``, which becomes its argument ``home``."""

    def to_home(_: click.Context, __: click.Parameter, value: Path | None) -> Home:
        return Home(value.absolute()) if value else Home.default()

    option = click.option(
        "--home",
        # The Secrets Proxy's account enters it without being able to list it.
        type=click.Path(path_type=Path, file_okay=False, readable=False),
        callback=to_home,
        help="The home folder; else $LETSBE_HOME, else ~/.letsbe.",
    )
    return option(command)


def json_option(command: Callable[P, T]) -> Callable[P, T]:
    """Give a command ``--json``, which becomes its argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def reporting(command: Callable[P, T]) -> Callable[P, T]:
    """Turn our errors into a message and the exit code 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except LetsBeError as error:
            report(error, as_json=bool(kwargs.get("as_json")))

    return run


def report(error: LetsBeError, *, as_json: bool) -> NoReturn:
    """Show an error and end the command."""
    if as_json:
        print_json({"status": "error", "error": error_json(error)})
    else:
        click.secho(f"error: {error.message}", err=True, fg="red")
        if error.alternative:
            click.echo(f"  {error.alternative}", err=True)
    sys.exit(EXIT_FAILED)


def error_json(error: LetsBeError) -> dict[str, Any]:
    """Return an error as the API shows it."""
    return {
        "code": error.code,
        "message": error.message,
        "details": [{"field": d.field, "message": d.message} for d in error.details],
        "alternative": error.alternative,
    }


def print_json(value: Any) -> None:  # noqa: ANN401 - any JSON
    """Print one JSON value on one line, at once."""
    click.echo(json.dumps(value, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: drawn with rich on a terminal, tab-separated elsewhere."""
    listed = [[("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not _on_terminal():
        for row in ([*columns], *listed):
            click.echo("\t".join(cell.replace("\n", " ") for cell in row))
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns)
    for row in listed:
        table.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in row))
    Console().print(table)


def _on_terminal() -> bool:
    # Python has no stream at all where a program was started with it closed.
    stream: TextIO | None = sys.stdout
    return stream is not None and stream.isatty()


def print_facts(facts: Iterable[tuple[str, object]]) -> None:
    """Print named values, one a line, leaving out those that are not there."""
    shown = [(name, value) for name, value in facts if value not in (None, "", (), [])]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        text = (
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        )
        click.echo(f"{click.style(name.ljust(width), bold=True)}  {styled(text)}")


def styled(text: str) -> str:
    """Colour a tier's or a status's name."""
    return click.style(text, fg=COLOURS[text]) if text in COLOURS else text
