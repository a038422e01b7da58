"""The executor of the action ``docker``: what was judged is what runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from anyio import to_thread

from letsbe.plugin import (
    Action,
    Example,
    Execution,
    Health,
    LetsBeError,
    LineRun,
    Preview,
    ProgramThreads,
    Result,
    Run,
    Site,
    Tier,
    ToolCall,
    ToolFailed,
    Verdict,
    clean_environment,
    find_program,
)
from letsbe_executor_docker.arguments import DockerArguments
from letsbe_executor_docker.engine import Engine
from letsbe_executor_docker.judging import Judge
from letsbe_executor_docker.planning import Work
from letsbe_executor_docker.previewing import preview
from letsbe_executor_docker.settings import read_settings

DOCKER = Action(
    name="docker",
    summary=(
        "Run docker and docker compose commands; programs that only filter may follow "
        "a |. No shell."
    ),
    arguments=DockerArguments,
    tier=Tier.GREEN,
    examples=(
        Example({"command": "docker ps -a | grep web"}, Tier.GREEN),
        Example({"argv": ["docker", "restart", "web"]}, Tier.YELLOW),
        Example({"command": "docker system prune -f"}, Tier.RED),
    ),
)


class DockerExecutor:
    """Judges docker commands and runs the very words it judged.

    Args:
        site: The allowed roots, forbidden paths, rule tables and settings.

    Raises:
        ConfigurationError: The plugin's settings are wrong.
    """

    actions = (DOCKER,)

    def __init__(self, site: Site) -> None:
        settings = read_settings(site.settings)
        self.judge = Judge(site.rules, site, settings)
        self._engine = Engine(settings.socket)
        self._threads = ProgramThreads(site.output_limit)
        self._environment = {
            **clean_environment(),
            "DOCKER_HOST": settings.host,
            **({"DOCKER_CONFIG": str(settings.config)} if settings.config else {}),
        }

    def classify(self, call: ToolCall) -> Verdict:
        """Judge a call; see :class:`letsbe_executor_docker.judging.Judge`."""
        return self.judge.judge(cast(DockerArguments, call.arguments))

    def preview(
        self, call: ToolCall, verdict: Verdict, redact: Callable[[bytes], bytes]
    ) -> Preview | None:
        """List what the line would remove or end."""
        return preview(cast(Work, verdict.work).commands, self._engine)

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Run what was judged.

        Returns:
            As the action ``shell``: ``exit_code``, ``stdout``, ``stderr`` and what is
            to be known about them.

        Raises:
            ToolFailed: Docker is not installed, or a compose file changed since.
            DeadlineExceeded: The call's deadline ended it.
        """
        work = cast(Work, verdict.work)
        line = LineRun(work, run, self._environment)

        def task(job: Run) -> LetsBeError | None:
            if not all(project.is_unchanged() for project in work.projects):
                message = "a compose file changed after it was judged: call again"
                return ToolFailed(message)
            return line.run(job)

        timeout = cast(DockerArguments, call.arguments).timeout
        job = await self._threads.work(task, deadline=run.deadline, seconds=timeout)
        return Result(line.output(timed_out=job.ended))

    async def check(self) -> Health:
        """Say whether docker is installed and its Engine answers."""
        problems = self.judge.book.problems
        if problems:
            return Health(False, problems[0])
        if not find_program("docker"):
            return Health(False, "docker is not installed on this machine")
        version = await to_thread.run_sync(self._engine.version)
        if version is None:
            return Health(False, "the Docker Engine does not answer at its socket")
        return Health(True, f"Docker Engine {version}")
