"""The executor of the action ``shell``: what was judged is what runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from letsbe.plugin import (
    Action,
    Example,
    Execution,
    Health,
    JudgedPipeline,
    JudgedStage,
    NotStarted,
    PathRefused,
    Program,
    ProgramThreads,
    Result,
    Run,
    Site,
    Target,
    Tier,
    ToolCall,
    ToolFailed,
    Verdict,
    captured_output,
    clean_environment,
    expand,
)
from letsbe_executor_shell.arguments import ShellArguments
from letsbe_executor_shell.judging import TABLES, Judge, Work

SHELL = Action(
    name="shell",
    summary=(
        "Run programs and pipelines (| && || ;) without a shell: no variables, "
        "substitutions or output redirections to files."
    ),
    arguments=ShellArguments,
    tier=Tier.GREEN,
    examples=(
        Example({"command": "grep -n error app.log | tail -n 5"}, Tier.GREEN),
        Example({"argv": ["git", "commit", "-m", "two\nlines"]}, Tier.YELLOW),
        Example({"command": "rm -rf build"}, Tier.RED),
    ),
)


class ShellExecutor:
    """Judges command lines by rule tables and runs the very words it judged.

    Args:
        site: The allowed roots, forbidden paths, closed ports and output limit.
    """

    actions = (SHELL,)

    def __init__(self, site: Site) -> None:
        site.rules.add(TABLES)
        self._rules = site.rules
        self.judge = Judge(site.rules, site)
        self._threads = ProgramThreads(site.output_limit)
        self._environment = clean_environment()

    def classify(self, call: ToolCall) -> Verdict:
        """Judge a call; see :class:`letsbe_executor_shell.judging.Judge`."""
        return self.judge.judge(cast(ShellArguments, call.arguments))

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Run what was judged.

        Returns:
            ``exit_code`` of the last program, ``stdout`` and ``stderr`` with flags that
            say if they were cut or are not text, the exit code of each program, and
            ``timed_out`` if the call's own ``timeout`` ended it.

        Raises:
            ToolFailed: A program is not installed or could not be started.
            DeadlineExceeded: The call's deadline ended it.
        """
        line = _Line(cast(Work, verdict.work), run, self._environment)
        timeout = cast(ShellArguments, call.arguments).timeout
        job = await self._threads.work(line.run, deadline=run.deadline, seconds=timeout)
        return Result(line.output(timed_out=job.ended))

    async def check(self) -> Health:
        """Say whether all rule tables are in use."""
        book = self._rules.book
        if book.problems:
            return Health(False, book.problems[0])
        return Health(True, f"rule tables for {len(book.programs)} programs")


class _Line:
    """A command line at work, in a thread of its own."""

    def __init__(self, work: Work, run: Execution, environment: dict[str, str]) -> None:
        self._work = work
        self._run = run
        self._environment = environment
        self._stages: list[dict[str, Any]] = []
        self._status = 0
        self._out: dict[str, Any] = {}

    def run(self, job: Run) -> ToolFailed | PathRefused | None:
        """Run all pipelines; return what went wrong instead of raising it."""
        try:
            for pipeline in self._work.pipelines:
                if not self._is_due(pipeline) or job.ended:
                    self._note(pipeline, [None] * len(pipeline.stages))
                elif pipeline.stages:
                    self._start(pipeline, job)
                elif not _can_enter(pipeline.cwd):
                    # What follows was judged for that folder, so it cannot run here.
                    message = f"cd: {pipeline.cwd} is not a folder that can be entered"
                    return ToolFailed(message)
            self._out = captured_output(job, self._run.redact)
        except NotStarted as error:
            return ToolFailed(error.message)
        except (ToolFailed, PathRefused) as error:
            return error
        return None

    def output(self, *, timed_out: bool) -> dict[str, Any]:
        """Return the answer."""
        return {
            "exit_code": self._status,
            **self._out,
            "stages": self._stages,
            "timed_out": timed_out,
        }

    def _is_due(self, pipeline: JudgedPipeline) -> bool:
        if pipeline.join == "&&":
            return self._status == 0
        return pipeline.join != "||" or self._status != 0

    def _start(self, pipeline: JudgedPipeline, job: Run) -> None:
        programs = [self._program(stage) for stage in pipeline.stages]
        codes = job.pipeline(programs, pipeline.cwd)
        self._status = codes[-1]
        self._note(pipeline, codes)

    def _note(self, pipeline: JudgedPipeline, codes: Sequence[int | None]) -> None:
        for stage, code in zip(pipeline.stages, codes, strict=True):
            self._stages.append({"program": stage.words[0].text, "exit_code": code})

    def _program(self, stage: JudgedStage) -> Program:
        name = stage.words[0].text
        path = self._work.programs[name]
        if path is None:
            raise ToolFailed(f"{name} is not installed on this machine")
        return Program(
            path=path,
            argv=list(self._words(stage)),
            environment={
                **self._run.environment,
                **self._environment,
                **stage.environment,
            },
            stdin=stage.stdin,
            stdout=cast(Target, str(stage.stdout)),
            stderr=cast(Target, str(stage.stderr)),
        )

    def _words(self, stage: JudgedStage) -> Iterator[str]:
        for word in stage.words:
            if word.glob:
                yield from expand(word, self._work.where)
                continue
            text = self._run.fill(word.text)
            # A secret may not turn an operand into a flag that nobody judged.
            if text.startswith("-") and not word.text.startswith("-"):
                raise ToolFailed("a secret's value starts with a dash: use env_refs")
            yield text


def _can_enter(folder: str) -> bool:
    return Path(folder).is_dir() and os.access(folder, os.X_OK)
