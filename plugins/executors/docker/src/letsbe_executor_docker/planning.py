"""What a judged line leaves for those who approve it and for execution."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any

from letsbe.plugin import JudgedPipeline, Judgement, Match, Where
from letsbe_executor_docker.compose import Project
from letsbe_executor_docker.words import Words


@dataclass(frozen=True, slots=True)
class Work:
    """What classification leaves for execution and preview.

    Args:
        judgement: What was found, and what is to run.
        programs: The absolute path of each program; ``None`` if it is not installed.
        where: The place it was judged for.
        commands: The docker commands among it.
        projects: The compose projects whose files were judged.
    """

    judgement: Judgement
    programs: dict[str, str | None]
    where: Where
    commands: tuple[Words, ...]
    projects: tuple[Project, ...]

    @property
    def pipelines(self) -> tuple[JudgedPipeline, ...]:
        """What is to run."""
        return self.judgement.pipelines


def plan_of(work: Work, host: str) -> dict[str, Any]:
    """Say what will run, so that a person can judge it and a digest can bind it."""
    return {
        "docker_host": host,
        "pipelines": [
            {
                "join": pipeline.join,
                "cwd": pipeline.cwd,
                "stages": [
                    {
                        "argv": list(stage.argv),
                        "program": work.programs[stage.words[0].text],
                        "stdin": stage.stdin,
                        "stdout": str(stage.stdout),
                        "stderr": str(stage.stderr),
                        "environment": dict(stage.environment),
                    }
                    for stage in pipeline.stages
                ],
            }
            for pipeline in work.pipelines
        ],
        "line": " ".join(
            f"{pipeline.join} {_shown(pipeline)}".strip() for pipeline in work.pipelines
        ),
        **({"compose": [p.as_json() for p in work.projects]} if work.projects else {}),
        # What a file declares may change with its variables, whose values stay out.
        "rules": sorted({match.rule for match in work.judgement.matches}),
    }


def row_of(match: Match, text: str | None) -> dict[str, Any]:
    """Tell of a match; ``at`` is the piece of the line that it is about."""
    start, end = match.span
    return {
        "rule": match.rule,
        "tier": str(match.tier),
        "why": match.why,
        "external": match.external,
        "refused": match.refused,
        "alternative": match.alternative,
        "command": match.command + 1,
        "at": text[start:end] if text and 0 <= start < end else None,
    }


def _shown(pipeline: JudgedPipeline) -> str:
    if not pipeline.stages:
        return f"cd {shlex.quote(pipeline.cwd)}"
    return " | ".join(shlex.join(stage.argv) for stage in pipeline.stages)
