"""The sandbox: starts programs so that the kernel holds them to their tier.

Landlock, seccomp, no_new_privs, capabilities and mount namespaces all belong to a
thread, and what a thread starts inherits them. So a program is started by a thread that
exists for nothing else: it restricts itself, starts the program, and ends. No launcher
is run and no Python runs between fork and exec.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from letsbe.errors import ConfigurationError
from letsbe.policy.sandbox import _bubblewrap as bubblewrap
from letsbe.policy.sandbox import _landlock as landlock
from letsbe.policy.sandbox import _mounts, _system
from letsbe.policy.sandbox._capabilities import (
    capabilities,
    capability_bits,
    capability_names,
)
from letsbe.policy.sandbox._domain import Domains, filter_for
from letsbe.policy.sandbox._limits import Limits
from letsbe.policy.sandbox._mechanism import Mechanism, report
from letsbe.policy.sandbox._seccomp import compile_filter
from letsbe.policy.sandbox._starting import (
    Start,
    home_of,
    other_user,
    spawn,
    with_null,
)
from letsbe.policy.sandbox._threads import (
    RestrictedThread,
    RestrictedThreads,
    SandboxFailed,
    in_thread,
)
from letsbe.policy.sandbox.access import Access, Level
from letsbe.policy.sandbox.settings import SandboxSettings
from letsbe.policy.tiers import Tier


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
        self._user = other_user(settings.user)
        self._permitted = _system.permitted_capabilities()
        self._abi = min(landlock.abi(), landlock_abi or landlock.abi())
        homes = {home_of(os.geteuid()), home_of(0)}
        writable = (*roots, *settings.writable)
        self._domains = Domains(writable, closed, homes, self._abi)
        self._limits = Limits(settings.limits)
        self._threads = RestrictedThreads()
        weakref.finalize(self, self._threads.close)
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

    @property
    def is_enforced(self) -> bool:
        """Whether a GREEN program is kept from writing and sending at all."""
        return self.mechanism is not Mechanism.NONE

    def describe(self) -> str:
        """Say in one line what is enforced here, and what is not."""
        clauses = report(
            self.mechanism,
            abi=self._abi,
            mounts=self._mounts,
            limits=not self._limits.lacks_words,
            crowded=self._domains.crowded_roots(),
        )
        return "; ".join(clauses)

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
            program = with_null(program, stack)
            program = replace(program, environment={**program.environment, **added})
            prefix, kept = self._prefix(access, program, temporary, stack)
            if gains or kept:
                return spawn(program, prefix, kept, self._user)
            process = self._spawn_restricted(access, program, prefix, temporary)
            if not prefix:
                self._limit(process)
            return process

    def _spawn_restricted(
        self,
        access: Access,
        program: Start,
        prefix: Sequence[str],
        temporary: str | None,
    ) -> subprocess.Popen[bytes]:
        def start() -> subprocess.Popen[bytes]:
            return spawn(program, prefix, (), self._user)

        lasting = access.level is Level.READ and not temporary and not access.writable
        edition = self._domains.edition(access) if lasting else None
        if edition is None or not edition.settled:
            with contextlib.ExitStack() as stack:
                return in_thread(self._steps(access, temporary, stack), start)
        kind = (access, edition)
        return self._threads.act(kind, lambda: self._restricted(access), start)

    def _restricted(self, access: Access) -> RestrictedThread:
        with contextlib.ExitStack() as stack:
            return RestrictedThread(self._steps(access, None, stack))

    def _limit(self, process: subprocess.Popen[bytes]) -> None:
        try:
            self._limits.apply(process.pid)
        except OSError as error:
            process.kill()
            process.wait()
            message = f"its limits could not be set (error {error.errno})"
            raise SandboxFailed(message) from None

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
            reads = access.level is Level.READ and self.mechanism is not Mechanism.NONE
            limited_from_outside = reads and not self._user
            return ([] if limited_from_outside else self._limits.words()), ()
        wanted = filter_for(access, 0)
        assert wanted is not None
        # Its namespaces keep files from being written, so that the filter need not.
        wanted = replace(wanted, files=True, truncating=True)
        rules = bubblewrap.filter_file(compile_filter(wanted))
        stack.callback(os.close, rules)
        permitted = 0 if self._user else self._permitted
        kept = capabilities(access, permitted, changes_user=False)
        words = bubblewrap.bubblewrap_words(
            access,
            roots=self._domains.roots,
            temporary=temporary,
            closed=self._domains.closed_for(access),
            capabilities=capability_names(kept),
            filter_descriptor=rules,
            cwd=program.cwd,
        )
        return [*self._limits.words(), str(self._bubblewrap), *words, "--"], (rules,)

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
