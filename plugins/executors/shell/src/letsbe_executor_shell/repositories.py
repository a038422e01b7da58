"""Programs that a git repository's own configuration names, which reading may run.

``git status`` and ``git diff`` pass files that changed through a repository's clean
filters. No flag switches filters off, for they are called by names of the repository's
choice. The sandbox holds what they run to what GREEN may do; where there is none,
reading such a repository is running what it says.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

from letsbe.plugin import JudgedCommand, Judgement, Match, Tier, Where

_SAYS = re.compile(
    rb"^\s*\[\s*(filter|include|includeif)\b", re.IGNORECASE | re.MULTILINE
)
_LONGEST = 1_000_000


def with_filters(judgement: Judgement, where: Where) -> Judgement:
    """Add a rule for each command that may run filters of a repository.

    Args:
        judgement: What was found about a line that runs without a sandbox.
        where: The place it was judged for.
    """
    folders = [p.cwd for p in judgement.pipelines for _ in p.stages or (None,)]
    found = [
        Match(
            Tier.RED,
            "git.filter",
            "may run programs that this repository's configuration names as filters",
            (command.words[0].start, command.words[0].end),
            command=number,
        )
        for number, (command, cwd) in enumerate(
            zip(judgement.commands, folders, strict=True)
        )
        if command is not None and _filters(command, cwd)
    ]
    if not found:
        return judgement
    matches = (*judgement.matches, *found)
    deciding = max(matches, key=lambda match: (match.refused, match.tier))
    return replace(judgement, matches=matches, deciding=deciding)


def _filters(command: JudgedCommand, cwd: str) -> bool:
    words = [word.text for word in command.words]
    if "git" not in (os.path.basename(word) for word in words):  # noqa: PTH119 -- text
        return False
    elsewhere = ("-C", "--git-dir", "--work-tree")
    if any(word.startswith(elsewhere) for word in words):
        return True
    return _says_so(cwd)


def _says_so(cwd: str) -> bool:
    """Tell whether the repository around a folder names filters, or may."""
    for folder in (Path(cwd), *Path(cwd).parents):
        inside = folder / ".git"
        if inside.is_dir():
            return any(
                map(_names_filters, (inside / "config", inside / "config.worktree"))
            )
        if inside.exists():
            return True  # a worktree or submodule, whose configuration lies elsewhere
        if (folder / "HEAD").is_file() and _names_filters(folder / "config"):
            return True
    return False


def _names_filters(config: Path) -> bool:
    try:
        with config.open("rb") as file:
            text = file.read(_LONGEST + 1)
    except OSError:
        return config.exists()
    return len(text) > _LONGEST or _SAYS.search(text) is not None
