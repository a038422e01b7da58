"""The blast radius of a line: files, packages and rows it takes, counted beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from letsbe.plugin import Extent, Judgement, Preview, Tier, Where, measure
from letsbe_executor_shell.rows import rows_of
from letsbe_executor_shell.simulating import Simulator, shortened
from letsbe_executor_shell.touching import KINDS, Touch, touches

SECONDS = 1.0
"""How long a whole line may be counted."""

_VERBS = {"remove": "removes", "modify": "changes or moves", "write": "replaces"}


@dataclass(slots=True)
class _Told:
    """What is known of packages and rows."""

    summary: list[str] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def preview(
    judgement: Judgement,
    where: Where,
    simulator: Simulator,
    redact: Callable[[bytes], bytes],
) -> Preview | None:
    """Count what a line would take or change.

    Args:
        judgement: What was found about the line.
        where: The place it was judged for.
        simulator: Asks package managers.
        redact: Takes secrets out of names.

    Returns:
        Files, folders and bytes, packages and rows that are removed, changed or
        replaced as things are now; ``None`` for a line that only reads.
    """
    folders = [p.cwd for p in judgement.pipelines for _ in p.stages or (None,)]
    ends = time.monotonic() + SECONDS
    extents = {kind: Extent() for kind in KINDS}
    met: set[str] = set()
    left_out: list[str] = []
    others = _Told()
    for number, cwd in enumerate(folders):
        place = replace(where, cwd=cwd)
        if _asked(judgement, number, place, others, simulator, redact):
            continue
        found = touches(judgement, number, place)
        for touch in found:
            met.add(touch.kind)
            left = max(0.0, ends - time.monotonic())
            extent = _counted(touch, left)
            _add(extents[touch.kind], extent)
            left_out += [note for note in (touch.problem, extent.stopped) if note]
        if not found:
            left_out += _uncounted(judgement, number)
    left_out += others.left_out
    if not met and not left_out and not others.summary:
        return None
    summary = [_said(kind, extents[kind]) for kind in KINDS if kind in met]
    summary += others.summary
    return Preview(
        "; ".join(summary) or "what it does cannot be counted without doing it",
        {_VERBS[kind]: asdict(extents[kind]) for kind in KINDS if kind in met}
        | others.detail,
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _asked(
    judgement: Judgement,
    number: int,
    where: Where,
    told: _Told,
    simulator: Simulator,
    redact: Callable[[bytes], bytes],
) -> bool:
    """Ask package managers and databases; False if the command is of neither."""
    command = judgement.commands[number]
    if command is None or _tier(judgement, number) is Tier.GREEN:
        return False
    packages = simulator.packages(command, where)
    if packages is not None:
        if packages.problem is not None:
            told.left_out.append(packages.problem)
        else:
            told.summary.append(packages.text())
            told.detail |= shortened(packages.names, redact)
        return True
    rows = rows_of(command, where)
    if rows is None:
        return False
    if rows.problem is not None:
        told.left_out.append(rows.problem)
    for kind, count in rows.counts.items():
        told.summary.append(f"{kind} {count} row{'s' * (count != 1)}")
        told.detail[f"{kind} rows"] = told.detail.get(f"{kind} rows", 0) + count
    return True


def _counted(touch: Touch, seconds: float) -> Extent:
    return measure(
        touch.paths,
        recursive=touch.recursive,
        counts=touch.search.fits if touch.search else None,
        seconds=seconds,
    )


def _add(total: Extent, more: Extent) -> None:
    total.files += more.files
    total.folders += more.folders
    total.others += more.others
    total.bytes += more.bytes
    total.missing += more.missing
    total.unread += more.unread
    total.stopped = total.stopped or more.stopped


def _said(kind: str, extent: Extent) -> str:
    text = f"{_VERBS[kind]} {extent.text()}"
    if extent.missing and kind != "write":
        text += f" ({extent.missing} not there)"
    if extent.unread:
        text += f" ({extent.unread} folders could not be looked into)"
    return text


def _uncounted(judgement: Judgement, number: int) -> list[str]:
    """Name a command that does more than read, of whose effect nothing is known."""
    command = judgement.commands[number]
    if _tier(judgement, number) is Tier.GREEN or command is None:
        return []
    return [f"what {command.words[0].text} does"]


def _tier(judgement: Judgement, number: int) -> Tier:
    found = (match.tier for match in judgement.matches if match.command == number)
    return max(found, default=Tier.GREEN)
