"""The executor of the action ``shell``: what was judged is what runs."""

from __future__ import annotations

import codecs
import os
import pwd
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import anyio
from anyio import lowlevel, to_thread

from letsbe.plugin import (
    PROGRAM_FOLDERS,
    Action,
    DeadlineExceeded,
    Example,
    Execution,
    Health,
    JudgedPipeline,
    JudgedStage,
    PathRefused,
    Result,
    RuleBook,
    Site,
    Tier,
    ToolCall,
    ToolFailed,
    Verdict,
    expand,
)
from letsbe_executor_shell.arguments import ShellArguments
from letsbe_executor_shell.judging import TABLES, Judge, Work
from letsbe_executor_shell.processes import NotStarted, Program, Target
from letsbe_executor_shell.running import Captured, Run

THREADS = 64
"""The most command lines at work at once; the core's own limit is lower."""
MARGIN = 65_536
"""Bytes captured beyond the limit, so that no secret is cut in half before it is
taken out: the longest secret."""

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
        self.book = RuleBook.load([TABLES])
        self.judge = Judge(self.book, site)
        self._site = site
        self._threads = anyio.CapacityLimiter(THREADS)
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
        work = cast(Work, verdict.work)
        timeout = cast(ShellArguments, call.arguments).timeout
        seconds = run.deadline if timeout is None else min(timeout, run.deadline)
        limit = self._site.output_limit
        job = Run(
            limit * 3 // 4 + MARGIN, limit // 4 + MARGIN, time.monotonic() + seconds
        )
        line = _Line(work, run, job, self._environment)
        try:
            async with anyio.create_task_group() as watch:
                watch.start_soon(_end_when_cancelled, job)
                failure = await to_thread.run_sync(line.run, limiter=self._threads)
                watch.cancel_scope.cancel()
        finally:
            job.close()
        # If it was cancelled, this is where that is heard: everything has ended by now.
        await lowlevel.checkpoint_if_cancelled()
        if failure:
            raise failure
        if job.ended and (timeout is None or timeout > run.deadline):
            raise DeadlineExceeded("the command was ended at the call's deadline")
        return Result(line.output(timed_out=job.ended))

    async def check(self) -> Health:
        """Say whether all rule tables are in use."""
        if self.book.problems:
            return Health(False, self.book.problems[0])
        return Health(True, f"rule tables for {len(self.book.programs)} programs")


def clean_environment() -> dict[str, str]:
    """Return the variables that every program gets, and the only ones of ours."""
    try:
        user = pwd.getpwuid(os.geteuid())
        name, home = user.pw_name, user.pw_dir
    except KeyError:
        name, home = str(os.geteuid()), "/nonexistent"
    zone = os.environ.get("TZ")
    return {
        "PATH": ":".join(PROGRAM_FOLDERS),
        "HOME": home,
        "USER": name,
        "LOGNAME": name,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        **({"TZ": zone} if zone else {}),
    }


async def _end_when_cancelled(job: Run) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        job.end()


class _Line:
    """A command line at work, in a thread of its own."""

    def __init__(
        self, work: Work, run: Execution, job: Run, environment: dict[str, str]
    ) -> None:
        self._work = work
        self._run = run
        self._job = job
        self._environment = environment
        self._stages: list[dict[str, Any]] = []
        self._status = 0
        self._out: dict[str, Any] = {}

    def run(self) -> ToolFailed | PathRefused | None:
        """Run all pipelines; return what went wrong instead of raising it."""
        try:
            for pipeline in self._work.pipelines:
                if not self._is_due(pipeline) or self._job.ended:
                    self._note(pipeline, [None] * len(pipeline.stages))
                elif pipeline.stages:
                    self._start(pipeline)
                elif not _can_enter(pipeline.cwd):
                    # What follows was judged for that folder, so it cannot run here.
                    message = f"cd: {pipeline.cwd} is not a folder that can be entered"
                    return ToolFailed(message)
            self._redact()
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

    def _start(self, pipeline: JudgedPipeline) -> None:
        programs = [self._program(stage) for stage in pipeline.stages]
        codes = self._job.pipeline(programs, pipeline.cwd)
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

    def _redact(self) -> None:
        job = self._job
        out, out_is_text = self._text(job.stdout)
        errors, errors_are_text = self._text(job.stderr)
        self._out = {
            "stdout": out,
            "stderr": errors,
            "stdout_truncated": _is_cut(job.stdout),
            "stderr_truncated": _is_cut(job.stderr),
            "binary": not (out_is_text and errors_are_text),
        }

    def _text(self, stream: Captured) -> tuple[str, bool]:
        """Take secrets out of the whole, then cut, then decode."""
        if not stream.data:
            return "", True
        data = self._run.redact(bytes(stream.data))
        if stream.cut:
            data = data[: len(data) - MARGIN]
        data = data[: _kept(stream)]
        try:
            # What was cut may end inside a character.
            cut = len(data) == _kept(stream) or stream.cut
            return codecs.getincrementaldecoder("utf-8")().decode(data, not cut), True
        except UnicodeDecodeError:
            return data.decode("utf-8", "backslashreplace"), False


def _kept(stream: Captured) -> int:
    return stream.limit - MARGIN


def _is_cut(stream: Captured) -> bool:
    return stream.cut or len(stream.data) > _kept(stream)


def _can_enter(folder: str) -> bool:
    return Path(folder).is_dir() and os.access(folder, os.X_OK)
