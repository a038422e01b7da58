"""Starting the programs of a pipeline, and ending them with all they started.

A program is reaped last of all: until then its process group's number cannot become
another's, so ending the group hits nobody else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from letsbe.execution.leftovers import MARK, Leftovers
from letsbe.policy.sandbox import Access, Sandbox, SandboxFailed, Start

Target = Literal["output", "error", "discarded"]


@dataclass(frozen=True, slots=True)
class Program:
    """One program to start.

    Args:
        path: The absolute path of the executable.
        argv: Its words, secrets filled in.
        environment: All its variables.
        stdin: The file it reads; ``None`` for the pipe before it, or nothing.
        stdout: Where its output goes: on, to the errors, or nowhere.
        stderr: Where its error output goes, likewise.
        access: What it may do; ``None`` for whatever the service may do.
    """

    path: str
    argv: Sequence[str] = field(repr=False)
    environment: Mapping[str, str] = field(repr=False)
    stdin: str | None = None
    stdout: Target = "output"
    stderr: Target = "error"
    access: Access | None = None


class NotStarted(Exception):
    """A program or its input could not be opened.

    Args:
        message: What could not be done; safe to show.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Group:
    """The processes of one pipeline, each the leader of a session of its own.

    Args:
        output: The descriptor that the last program writes to.
        errors: The descriptor for error output.
        sandbox: What holds each program to its access; ``None`` if nothing does.
    """

    def __init__(
        self, output: int, errors: int, sandbox: Sandbox | None = None
    ) -> None:
        self._output = output
        self._errors = errors
        self._sandbox = sandbox
        self._kept = contextlib.ExitStack()
        self._temporary: str | None = None
        self._processes: list[subprocess.Popen[bytes]] = []
        self._leftovers = Leftovers()
        self.descriptors: list[int] = []
        """One per process; readable when it has ended."""

    def start(self, programs: Sequence[Program], cwd: str) -> None:
        """Start programs, each reading what the one before it prints.

        Args:
            programs: At least one.
            cwd: The folder they start in.

        Raises:
            NotStarted: One could not be started; call :meth:`finish` all the same.
        """
        self._make_temporary_folder(programs)
        before = -1
        try:
            for program in programs[:-1]:
                reader, writer = os.pipe2(os.O_CLOEXEC)
                try:
                    self._start(program, cwd, before, writer)
                finally:
                    os.close(writer)
                    _close(before)
                    before = reader
            self._start(programs[-1], cwd, before, self._output)
        finally:
            _close(before)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to every process, and to all that they started.

        What has left its process group is kept in mind for :meth:`finish`.
        """
        self._leftovers.note(process.pid for process in self._processes)
        self._to_groups(number)

    def _to_groups(self, number: signal.Signals) -> None:
        for process in self._processes:
            # It is gone, or it has changed its user: then it is out of reach.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number)

    def finish(self, *, ended: bool = False) -> list[int]:
        """End whatever is left, reap, and return the exit codes.

        A process ended by signal n counts as 128 + n, as shells have it.

        Args:
            ended: Whether the run was ended before it was done: then nothing of it is
                left, wherever it went. A program that is done may leave a service that
                it has started in a session of its own.
        """
        self._to_groups(signal.SIGKILL)
        codes = [process.wait() for process in self._processes]
        if ended:
            self._leftovers.end()
        for descriptor in self.descriptors:
            os.close(descriptor)
        self._kept.close()
        return [code if code >= 0 else 128 - code for code in codes]

    def _start(self, program: Program, cwd: str, before: int, after: int) -> None:
        targets = {
            "output": after,
            "error": self._errors,
            "discarded": subprocess.DEVNULL,
        }
        own_input = _opened(program.stdin) if program.stdin is not None else -1
        given = own_input if own_input >= 0 else before
        start = Start(
            argv=program.argv,
            executable=program.path,
            cwd=cwd,
            environment={**program.environment, MARK: self._leftovers.mark},
            stdin=given if given >= 0 else subprocess.DEVNULL,
            stdout=targets[program.stdout],
            stderr=targets[program.stderr],
        )
        try:
            process = self._spawn(start, program.access)
        except (OSError, ValueError):
            message = f"{program.path} could not be started in {cwd}"
            raise NotStarted(message) from None
        except SandboxFailed as error:
            message = f"{program.path} was not started: {error}"
            raise NotStarted(message) from None
        finally:
            _close(own_input)
        self._processes.append(process)
        self.descriptors.append(os.pidfd_open(process.pid))

    def _make_temporary_folder(self, programs: Sequence[Program]) -> None:
        if self._sandbox:
            accesses = [program.access for program in programs if program.access]
            folder = self._sandbox.temporary_folder(accesses)
            try:
                self._temporary = self._kept.enter_context(folder)
            except OSError:
                message = "no folder for temporary files could be made"
                raise NotStarted(message) from None

    def _spawn(self, start: Start, access: Access | None) -> subprocess.Popen[bytes]:
        if self._sandbox and access:
            return self._sandbox.start(access, start, self._temporary)
        return subprocess.Popen(
            start.argv,
            executable=start.executable,
            stdin=start.stdin,
            stdout=start.stdout,
            stderr=start.stderr,
            cwd=start.cwd,
            env=start.environment,
            start_new_session=True,
        )


def _opened(path: str) -> int:
    """Open a program's input; a pipe or socket that could block is not one."""
    message = f"the input {path} is not a file that can be read"
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        raise NotStarted(message) from None
    mode = os.fstat(descriptor).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISCHR(mode)):
        os.close(descriptor)
        raise NotStarted(message)
    os.set_blocking(descriptor, True)
    return descriptor


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        os.close(descriptor)
