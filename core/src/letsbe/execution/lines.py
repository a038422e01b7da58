"""A judged command line at work: pipelines in their order, joined as they say."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, cast

from letsbe.errors import LetsBeError, PathRefused, ToolFailed
from letsbe.execution.captures import captured_output
from letsbe.execution.processes import NotStarted, Program, Target
from letsbe.execution.running import Run
from letsbe.policy.rules import JudgedPipeline, JudgedStage, Where, expand
from letsbe.policy.sandbox import Access


class Lender(Protocol):
    """What a running call is lent; see :class:`letsbe.plugin.Execution`."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that hold secrets."""
        ...

    def fill(self, text: str) -> str:
        """Put values in place of references."""
        ...

    def redact(self, data: bytes) -> bytes:
        """Take secrets out."""
        ...


class LineWork(Protocol):
    """What classification leaves for execution."""

    @property
    def pipelines(self) -> tuple[JudgedPipeline, ...]:
        """What is to run."""
        ...

    @property
    def programs(self) -> Mapping[str, str | None]:
        """The absolute path of each program; ``None`` if it is not installed."""
        ...

    @property
    def where(self) -> Where:
        """The place it was judged for."""
        ...


class LineRun:
    """A command line at work, in a thread of its own.

    Args:
        work: What is to run.
        lender: The call's secrets and redaction.
        environment: The variables that every program gets.
        access: Tells what a program may do, by its number in the line (``cd`` counts)
            and its words; ``None`` if nothing holds it to that.
        recheck: Says, by the numbers of the commands that start next, what forbids
            them by now: a link may lead elsewhere than when the line was judged.
    """

    def __init__(
        self,
        work: LineWork,
        lender: Lender,
        environment: Mapping[str, str],
        access: Callable[[int, JudgedStage], Access] | None = None,
        recheck: Callable[[range], LetsBeError | None] | None = None,
    ) -> None:
        self._work = work
        self._lender = lender
        self._environment = environment
        self._access = access
        self._recheck = recheck
        self._stages: list[dict[str, Any]] = []
        self._status = 0
        self._out: dict[str, Any] = {}

    def run(self, job: Run) -> LetsBeError | None:
        """Run all pipelines; return what went wrong instead of raising it."""
        try:
            number = 0
            for pipeline in self._work.pipelines:
                first, number = number, number + max(1, len(pipeline.stages))
                if not self._is_due(pipeline) or job.ended:
                    self._note(pipeline, [None] * len(pipeline.stages))
                elif pipeline.stages:
                    self._start(pipeline, job, first)
                elif not _can_enter(pipeline.cwd):
                    # What follows was judged for that folder, so it cannot run here.
                    message = f"cd: {pipeline.cwd} is not a folder that can be entered"
                    return ToolFailed(message)
            self._out = captured_output(job, self._lender.redact)
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

    def _start(self, pipeline: JudgedPipeline, job: Run, first: int) -> None:
        programs = [
            self._program(stage, number)
            for number, stage in enumerate(pipeline.stages, first)
        ]
        if self._recheck:
            found = self._recheck(range(first, first + len(programs)))
            if found is not None:
                raise found
        codes = job.pipeline(programs, pipeline.cwd)
        self._status = codes[-1]
        self._note(pipeline, codes)

    def _note(self, pipeline: JudgedPipeline, codes: Sequence[int | None]) -> None:
        for stage, code in zip(pipeline.stages, codes, strict=True):
            self._stages.append({"program": stage.words[0].text, "exit_code": code})

    def _program(self, stage: JudgedStage, number: int) -> Program:
        name = stage.words[0].text
        path = self._work.programs[name]
        if path is None:
            raise ToolFailed(f"{name} is not installed on this machine")
        return Program(
            path=path,
            argv=list(self._words(stage)),
            environment={
                **self._lender.environment,
                **self._environment,
                **stage.environment,
            },
            stdin=stage.stdin,
            stdout=cast(Target, str(stage.stdout)),
            stderr=cast(Target, str(stage.stderr)),
            access=self._access(number, stage) if self._access else None,
        )

    def _words(self, stage: JudgedStage) -> Iterator[str]:
        for word in stage.words:
            if word.glob:
                yield from expand(word, self._work.where)
                continue
            text = self._lender.fill(word.text)
            # A secret may not turn an operand into a flag that nobody judged.
            if text.startswith("-") and not word.text.startswith("-"):
                raise ToolFailed("a secret's value starts with a dash: use env_refs")
            yield text


def _can_enter(folder: str) -> bool:
    return Path(folder).is_dir() and os.access(folder, os.X_OK)
