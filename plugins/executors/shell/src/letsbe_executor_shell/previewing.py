"""The blast radius of a line: the files and bytes it takes, counted beforehand."""

from __future__ import annotations

import time
from dataclasses import asdict, replace

from letsbe.plugin import Extent, Judgement, Preview, Tier, Where, measure
from letsbe_executor_shell.touching import KINDS, Touch, touches

SECONDS = 1.0
"""How long a whole line may be counted."""

_VERBS = {"remove": "removes", "modify": "changes or moves", "write": "replaces"}


def preview(judgement: Judgement, where: Where) -> Preview | None:
    """Count what a line would take or change.

    Args:
        judgement: What was found about the line.
        where: The place it was judged for.

    Returns:
        Files, folders and bytes that are removed, changed or replaced as things are
        now; ``None`` for a line that only reads.
    """
    folders = [p.cwd for p in judgement.pipelines for _ in p.stages or (None,)]
    ends = time.monotonic() + SECONDS
    extents = {kind: Extent() for kind in KINDS}
    met: set[str] = set()
    left_out: list[str] = []
    for number, cwd in enumerate(folders):
        found = touches(judgement, number, replace(where, cwd=cwd))
        for touch in found:
            met.add(touch.kind)
            left = max(0.0, ends - time.monotonic())
            extent = _counted(touch, left)
            _add(extents[touch.kind], extent)
            left_out += [note for note in (touch.problem, extent.stopped) if note]
        if not found:
            left_out += _uncounted(judgement, number)
    if not met and not left_out:
        return None
    summary = [_said(kind, extents[kind]) for kind in KINDS if kind in met]
    return Preview(
        "; ".join(summary) or "what it does cannot be counted without doing it",
        {_VERBS[kind]: asdict(extents[kind]) for kind in KINDS if kind in met},
        left_out=tuple(dict.fromkeys(left_out)),
    )


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
    matches = [m for m in judgement.matches if m.command == number]
    tier = max((match.tier for match in matches), default=Tier.GREEN)
    command = judgement.commands[number]
    if tier is Tier.GREEN or command is None:
        return []
    return [f"what {command.words[0].text} does"]
