"""``letsbe audit``: reading and verifying the audit log."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import click

from letsbe.cli.output import (
    EXIT_FAILED,
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
    styled,
)
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.storage.audit import AuditLog, AuditRow

PAGE = 500
POLL_SECONDS = 0.5


@click.group()
def audit() -> None:
    """Read and verify the audit log."""


@audit.command()
@click.option(
    "--anchor",
    metavar="SEQ:HASH",
    help="A head noted earlier; shows whether the log was cut or rewritten since.",
)
@home_option
@json_option
@reporting
def verify(home: Home, anchor: str | None, as_json: bool) -> None:
    """Check the whole chain. Ends with 1 if it does not hold."""
    with _log(home) as log:
        found = log.verify(_anchor(anchor))
    if as_json:
        print_json({"ok": found.ok, **dataclasses.asdict(found)})
    else:
        head = f"{found.head[0]}:{found.head[1]}" if found.head else None
        print_facts(
            [
                ("audit log", styled("ok") if found.ok else styled("failed")),
                ("rows", found.rows),
                ("head", head),
                ("broken at row", found.broken_seq),
                ("because", found.broken_why),
                ("gaps", list(found.gaps)),
                ("intents without outcome", list(found.open_intents)),
                ("anchored rows", found.anchored if anchor else None),
                ("anchor", found.anchor_why),
            ]
        )
    sys.exit(0 if found.ok else EXIT_FAILED)


@audit.command()
@click.option("-n", "--lines", type=click.IntRange(1, 1000), default=20)
@click.option("-f", "--follow", is_flag=True, help="Go on as rows come.")
@home_option
@json_option
@reporting
def tail(home: Home, lines: int, follow: bool, as_json: bool) -> None:
    """Print the newest rows."""
    with _log(home) as log:
        rows = log.query(limit=lines, newest_first=True)[::-1]
        last = 0
        while True:
            for row in rows:
                last = row.seq
                _print_row(row, as_json=as_json)
            if not follow:
                return
            time.sleep(POLL_SECONDS)
            rows = log.query(after_seq=last, limit=PAGE)


@audit.command()
@click.option("--output", type=click.File("w", encoding="utf-8"), default="-")
@click.option("--agent", help="Only this agent's rows.")
@click.option("--tool", help="Only this tool's rows.")
@home_option
@reporting
def export(home: Home, output: IO[str], agent: str | None, tool: str | None) -> None:
    """Write rows as JSON lines, oldest first."""
    with _log(home) as log:
        for row in _all_rows(log, agent, tool):
            output.write(json.dumps(dataclasses.asdict(row), ensure_ascii=False) + "\n")


def _all_rows(log: AuditLog, agent: str | None, tool: str | None) -> Iterator[AuditRow]:
    last = 0
    while rows := log.query(agent_id=agent, tool_name=tool, after_seq=last, limit=PAGE):
        yield from rows
        last = rows[-1].seq


def _print_row(row: AuditRow, *, as_json: bool) -> None:
    if as_json:
        print_json(dataclasses.asdict(row))
        return
    what = " ".join(
        str(part)
        for part in (row.agent_id, row.tool_name, row.tier and styled(row.tier))
        if part
    )
    reason = row.detail.get("reason") or row.detail.get("name") or ""
    when, decision = row.time[:19], row.decision or ""
    click.echo(f"{row.seq:>6} {when} {row.kind:<8} {decision:<16} {what}  {reason}")


def _anchor(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    number, _, value = text.partition(":")
    if not number.isdigit() or not value:
        raise click.BadParameter("write it as SEQ:HASH", param_hint="--anchor")
    return int(number), value


@contextmanager
def _log(home: Home) -> Iterator[AuditLog]:
    from letsbe.wrapper.opening import open_audit  # noqa: PLC0415 - slow to import

    with open_audit(home) as log:
        yield log
