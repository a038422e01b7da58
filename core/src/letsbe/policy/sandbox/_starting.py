"""A program to start, as whom, and the start itself."""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from letsbe.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Start:
    """A program to start.

    Args:
        argv: Its words.
        executable: Its absolute path.
        cwd: The folder it starts in.
        environment: All its variables.
        stdin: A descriptor, or ``subprocess.DEVNULL``; so are the next two.
        stdout: Where it prints.
        stderr: Where it prints errors.
    """

    argv: Sequence[str] = field(repr=False)
    executable: str
    cwd: str
    environment: Mapping[str, str] = field(repr=False)
    stdin: int
    stdout: int
    stderr: int


def spawn(
    program: Start,
    prefix: Sequence[str],
    kept: Sequence[int],
    user: pwd.struct_passwd | None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own.

    Args:
        program: The program.
        prefix: Words of another program that becomes this one.
        kept: Descriptors that the prefix names.
        user: The user that it runs as; ``None`` for ours.

    Raises:
        OSError: It could not be started.
        ValueError: A word or variable holds a NUL.
    """
    argv = program.argv
    if prefix:
        argv = [*prefix, program.executable, *program.argv[1:]]
    return subprocess.Popen(
        argv,
        executable=prefix[0] if prefix else program.executable,
        stdin=program.stdin,
        stdout=program.stdout,
        stderr=program.stderr,
        cwd=program.cwd,
        env=program.environment,
        start_new_session=True,
        pass_fds=kept,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=os.getgrouplist(user.pw_name, user.pw_gid) if user else None,
    )


def with_null(program: Start, stack: contextlib.ExitStack) -> Start:
    """Open ``/dev/null`` for a program while we may.

    Args:
        program: A program whose streams may be ``subprocess.DEVNULL``.
        stack: Closes it.

    Returns:
        The program with descriptors instead.
    """
    streams = (program.stdin, program.stdout, program.stderr)
    if subprocess.DEVNULL not in streams:
        return program
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    stack.callback(os.close, null)
    opened = [null if s == subprocess.DEVNULL else s for s in streams]
    return replace(program, stdin=opened[0], stdout=opened[1], stderr=opened[2])


def other_user(name: str | None) -> pwd.struct_passwd | None:
    """Return the user that programs run as; ``None`` for ours.

    Raises:
        ConfigurationError: There is none of that name, or we cannot become it.
    """
    if name is None:
        return None
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        message = f"there is no user {name}: create it, or leave user out"
        raise ConfigurationError(message) from None
    if os.geteuid() != 0 and user.pw_uid != os.geteuid():
        message = "user can be set only if the service runs as root"
        raise ConfigurationError(message)
    return user if user.pw_uid != os.geteuid() else None


def home_of(number: int) -> str:
    """Return a user's home folder."""
    try:
        return pwd.getpwuid(number).pw_dir
    except KeyError:
        return "/nonexistent"
