"""The executor of the action ``shell``: what was judged is what runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from letsbe.plugin import (
    Action,
    Example,
    Execution,
    Health,
    LineRun,
    LineWork,
    Preview,
    ProgramThreads,
    Result,
    Sandbox,
    SandboxSettings,
    Site,
    Tier,
    ToolCall,
    Verdict,
    clean_environment,
)
from letsbe_executor_shell.arguments import ShellArguments
from letsbe_executor_shell.judging import TABLES, Judge, Work
from letsbe_executor_shell.needing import NEEDS, Needs
from letsbe_executor_shell.previewing import preview
from letsbe_executor_shell.simulating import Simulator

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
        site: The allowed roots, forbidden paths, closed ports and output limit; the
            settings are those of the sandbox.

    Raises:
        ConfigurationError: A sandbox is required and this system has none.
        pydantic.ValidationError: The settings are wrong.
    """

    actions = (SHELL,)

    def __init__(self, site: Site) -> None:
        site.rules.add(TABLES)
        self._rules = site.rules
        self._environment = clean_environment()
        self._needs = Needs.read(NEEDS, self._environment["HOME"])
        self._sandbox = Sandbox(
            SandboxSettings.model_validate(dict(site.settings)),
            roots=site.roots,
            closed=site.forbidden,
        )
        self.judge = Judge(site.rules, site, enforced=self._sandbox.is_enforced)
        self._simulator = Simulator(site.rules, self._sandbox, self._environment)
        self._threads = ProgramThreads(site.output_limit, self._sandbox)

    def classify(self, call: ToolCall) -> Verdict:
        """Judge a call; see :class:`letsbe_executor_shell.judging.Judge`."""
        return self.judge.judge(cast(ShellArguments, call.arguments))

    def preview(
        self, call: ToolCall, verdict: Verdict, redact: Callable[[bytes], bytes]
    ) -> Preview | None:
        """Count the files, packages and rows that the line would take or change."""
        work = cast(Work, verdict.work)
        return preview(work.judgement, work.where, self._simulator, redact)

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
        access = self._needs.access_of(work.judgement)
        line = LineRun(
            cast(LineWork, work),
            run,
            self._environment,
            access,
            recheck=lambda commands: self.judge.recheck(work, commands),
        )
        timeout = cast(ShellArguments, call.arguments).timeout
        job = await self._threads.work(line.run, deadline=run.deadline, seconds=timeout)
        return Result(line.output(timed_out=job.ended))

    async def check(self) -> Health:
        """Say whether all rule tables are in use, and what the kernel enforces."""
        book = self._rules.book
        if book.problems:
            return Health(False, book.problems[0])
        tables = f"rule tables for {len(book.programs)} programs"
        return Health(True, f"{tables}; {self._sandbox.describe()}")
