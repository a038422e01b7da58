"""The sandbox: starts programs so that the kernel holds them to their tier.

Landlock, seccomp, no_new_privs, capabilities and mount namespaces all belong to a
thread, and what a thread starts inherits them. So a program is started by a thread that
exists for nothing else: it restricts itself, starts the program, and ends. No launcher
is run and no Python runs between fork and exec.
"""

from __future__ import annotations

import contextlib
import enum
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from letsbe.errors import ConfigurationError
from letsbe.policy.sandbox import _bubblewrap as bubblewrap
from letsbe.policy.sandbox import _landlock as landlock
from letsbe.policy.sandbox import _mounts, _system
from letsbe.policy.sandbox._domain import (
    Domains,
    capabilities,
    capability_bits,
    capability_names,
    filter_for,
)
from letsbe.policy.sandbox._limits import limiting_words
from letsbe.policy.sandbox._seccomp import compile_filter
from letsbe.policy.sandbox._threads import SandboxFailed, in_thread
from letsbe.policy.sandbox.access import Access, Level
from letsbe.policy.sandbox.settings import SandboxSettings
from letsbe.policy.tiers import Tier


class Mechanism(enum.StrEnum):
    """What keeps programs in."""

    LANDLOCK = "landlock"
    BUBBLEWRAP = "bubblewrap"
    SECCOMP = "seccomp"
    """Alone, it keeps GREEN programs from writing and sending, and no more."""
    NONE = "none"


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


class Sandbox:
    """Starts programs, each with no more access than its tier.

    Args:
        settings: What the operator says.
        roots: The folders that YELLOW programs may write to.
        closed: The places that are closed to every program.
        mechanism: The mechanism to use; the best that works here unless given.
        landlock_abi: The most of Landlock to use, for tests.

    Raises:
        ConfigurationError: It is required and cannot be had, or the user cannot be.
    """

    def __init__(
        self,
        settings: SandboxSettings,
        *,
        roots: Iterable[Path],
        closed: Iterable[Path] = (),
        mechanism: Mechanism | None = None,
        landlock_abi: int | None = None,
    ) -> None:
        self.settings = settings
        self._user = _user(settings.user)
        self._permitted = _system.permitted_capabilities()
        self._abi = min(landlock.abi(), landlock_abi or landlock.abi())
        homes = {_home(os.geteuid()), _home(0)}
        writable = (*roots, *settings.writable)
        self._domains = Domains(writable, closed, homes, self._abi)
        self._limits = limiting_words(settings.limits) or ()
        self._bubblewrap = bubblewrap.find_bubblewrap()
        self._mounts = False
        self.mechanism = mechanism or self._best()
        if self.mechanism is not Mechanism.LANDLOCK:
            self._abi = 0
        self._mounts = self.mechanism is not Mechanism.NONE and self._works(
            lambda: _mounts.make_read_only(())
        )
        if settings.sandbox == "required" and self._is_poor:
            message = (
                "sandbox is required, but this system offers neither Landlock nor "
                "bubblewrap: install bubblewrap, use a kernel from 5.13 on with "
                "Landlock switched on, or set sandbox to optional"
            )
            raise ConfigurationError(message)

    @property
    def _is_poor(self) -> bool:
        return self.mechanism in {Mechanism.SECCOMP, Mechanism.NONE}

    def describe(self) -> str:
        """Say in one line what is enforced here, and what is not."""
        return "; ".join(self._report())

    def start(
        self, access: Access, program: Start, temporary: str | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program that is held to its access.

        Args:
            access: What it may do.
            program: What to start.
            temporary: The folder from :meth:`temporary_folder`.

        Returns:
            The process, the leader of a session of its own.

        Raises:
            SandboxFailed: It could not be kept in.
            OSError: It could not be started.
            ValueError: A word or variable holds a NUL.
        """
        gains = access.gains or self.mechanism is Mechanism.NONE
        added = self._variables(access, temporary)
        if not access.has_temporary_folder:
            temporary = None
        with contextlib.ExitStack() as stack:
            program = _with_null(program, stack)
            program = replace(program, environment={**program.environment, **added})
            prefix, kept = self._prefix(access, program, temporary, stack)
            if gains or kept:
                return self._spawn(program, prefix, kept)
            steps = self._steps(access, temporary, stack)
            return in_thread(steps, lambda: self._spawn(program, prefix, ()))

    @contextlib.contextmanager
    def temporary_folder(self, accesses: Iterable[Access]) -> Iterator[str | None]:
        """Lend a folder for temporary files to programs that may write.

        Args:
            accesses: What the programs may do that will share it.

        Returns:
            A context: the folder, or ``None`` if none of them may write.
        """
        if not any(access.has_temporary_folder for access in accesses):
            yield None
            return
        folder = os.path.realpath(tempfile.mkdtemp(prefix="letsbe-"))
        try:
            if self._user:
                os.chown(folder, self._user.pw_uid, self._user.pw_gid)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _variables(self, access: Access, temporary: str | None) -> dict[str, str]:
        variables = {}
        if self._user:
            name, home = self._user.pw_name, self._user.pw_dir
            variables = {"HOME": home, "USER": name, "LOGNAME": name}
        if temporary is not None and access.has_temporary_folder:
            # Caches lie in the home folder, which is not to be written.
            caches = {"XDG_CACHE_HOME": temporary, "npm_config_cache": temporary}
            variables |= {"TMPDIR": temporary, **caches}
        return variables

    def _best(self) -> Mechanism:
        if self.settings.sandbox == "off" or not _system.KNOWN:
            return Mechanism.NONE
        if self._abi and self._works(self._enter):
            return Mechanism.LANDLOCK
        self._abi = 0
        if self._bubblewrap and self._bubblewrap_works():
            return Mechanism.BUBBLEWRAP
        return Mechanism.SECCOMP if self._works(self._enter) else Mechanism.NONE

    def _enter(self) -> None:
        """Do to the calling thread what is done for a GREEN program."""
        with contextlib.ExitStack() as stack:
            for step in self._steps(Access(Tier.GREEN), None, stack):
                step()

    @staticmethod
    def _works(action: Callable[[], None]) -> bool:
        try:
            in_thread((), action)
        except (OSError, SandboxFailed):
            return False
        return True

    def _bubblewrap_works(self) -> bool:
        words = ["--ro-bind", "/", "/", "--unshare-net", "--", "/bin/true"]
        try:
            ran = subprocess.run(
                [str(self._bubblewrap), *words],
                capture_output=True,
                check=False,
                timeout=10,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return ran.returncode == 0

    def _prefix(
        self,
        access: Access,
        program: Start,
        temporary: str | None,
        stack: contextlib.ExitStack,
    ) -> tuple[list[str], tuple[int, ...]]:
        """Return the words before the program, and descriptors that they name."""
        by_wrap = self.mechanism is Mechanism.BUBBLEWRAP and not access.looks_around
        if not by_wrap or access.level > Level.WRITE:
            return [*self._limits], ()
        wanted = filter_for(access, 0)
        assert wanted is not None
        # Its namespaces keep files from being written, so that the filter need not.
        wanted = replace(wanted, files=True, truncating=True)
        rules = bubblewrap.filter_file(compile_filter(wanted))
        stack.callback(os.close, rules)
        kept = capabilities(access, self._permitted, changes_user=False)
        words = bubblewrap.bubblewrap_words(
            access,
            roots=self._domains.roots,
            temporary=temporary,
            closed=self._domains.closed_for(access),
            capabilities=capability_names(kept),
            filter_descriptor=rules,
            cwd=program.cwd,
        )
        return [*self._limits, str(self._bubblewrap), *words, "--"], (rules,)

    def _steps(
        self, access: Access, temporary: str | None, stack: contextlib.ExitStack
    ) -> list[Callable[[], None]]:
        """Return what a thread does to itself, in order; its files are opened here."""
        steps: list[Callable[[], None]] = []
        kept = capabilities(
            access, self._permitted, changes_user=self._user is not None
        )
        confined = not access.looks_around and self._abi > 0
        if self._mounts and access.level is Level.WRITE:
            places = [*self._domains.roots, *access.writable]
            places += [temporary] if temporary else []
            steps.append(lambda: _mounts.make_read_only(places))
        elif self._mounts and access.level is Level.CHANGE:
            steps.append(lambda: _mounts.cover(self._domains.closed))
            # Else it could lift the cover, or look from where there is none.
            kept &= ~capability_bits(("sys_admin", "sys_ptrace"))
            confined = False
        if self._permitted and kept != self._permitted:
            steps.append(lambda: _system.set_capabilities(kept))
        steps.append(_system.set_no_new_privileges)
        if confined and access.level <= Level.CHANGE:
            ruleset = self._domains.ruleset(access, temporary)
            stack.callback(os.close, ruleset)
            steps.append(lambda: landlock.restrict(ruleset))
        wanted = filter_for(access, self._abi if confined else 0)
        if wanted is not None:
            code = compile_filter(wanted)
            steps.append(lambda: _system.set_filter(code))
        return steps

    def _spawn(
        self, program: Start, prefix: Sequence[str], kept: Sequence[int]
    ) -> subprocess.Popen[bytes]:
        argv = program.argv
        if prefix:
            argv = [*prefix, program.executable, *program.argv[1:]]
        user = self._user
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

    def _report(self) -> Iterator[str]:
        if self.mechanism is Mechanism.NONE:
            yield "no sandbox: tiers are judged, but not enforced by the kernel"
            return
        if self.mechanism is Mechanism.SECCOMP:
            yield "sandbox by seccomp alone: GREEN cannot write or send"
            yield "not covered: YELLOW outside the roots, the closed places"
            return
        name = f"Landlock (ABI {self._abi}) and seccomp"
        if self.mechanism is Mechanism.BUBBLEWRAP:
            name = "bubblewrap and seccomp"
        yield f"sandbox by {name}: GREEN cannot write, send or gain privileges"
        yield "YELLOW writes inside the roots only"
        if self.mechanism is Mechanism.LANDLOCK and not self._mounts:
            yield "not covered: modes, owners and times of own files outside the roots"
        if self.mechanism is Mechanism.BUBBLEWRAP and not self._mounts:
            yield "not covered: RED in the closed places"
        if not self._limits:
            yield "no resource limits: util-linux's prlimit is not installed"
        crowded = self._domains.crowded_roots()
        if crowded and self.mechanism is Mechanism.LANDLOCK:
            yield f"nothing new can be made in {crowded[0]}: it holds a closed place"


def _with_null(program: Start, stack: contextlib.ExitStack) -> Start:
    """Open ``/dev/null`` for a program while we may."""
    streams = (program.stdin, program.stdout, program.stderr)
    if subprocess.DEVNULL not in streams:
        return program
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    stack.callback(os.close, null)
    opened = [null if s == subprocess.DEVNULL else s for s in streams]
    return replace(program, stdin=opened[0], stdout=opened[1], stderr=opened[2])


def _user(name: str | None) -> pwd.struct_passwd | None:
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


def _home(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_dir
    except KeyError:
        return "/nonexistent"
