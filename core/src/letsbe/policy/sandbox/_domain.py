"""From an access to what the kernel is told: rulesets, filters, capabilities."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from letsbe.policy.sandbox import _landlock as landlock
from letsbe.policy.sandbox._landlock import READING, WRITING, Right
from letsbe.policy.sandbox._seccomp import Filter
from letsbe.policy.sandbox._surroundings import (
    Survey,
    closed_paths,
    folders_around,
    stamp_of,
    survey,
)
from letsbe.policy.sandbox.access import Access, Grant, Level

SECRETS = [
    "/etc/shadow",
    "/etc/shadow-",
    "/etc/gshadow",
    "/etc/gshadow-",
    "/etc/security/opasswd",
    "~/.ssh",
    "~/.gnupg/private-keys-v1.d",
    "~/.aws",
    "~/.config/gcloud",
    "~/.azure",
    "~/.netrc",
    "~/.pgpass",
    "~/.my.cnf",
    "~/.git-credentials",
    "~/.docker/config.json",
    "~/.kube",
    "~/.bash_history",
    "~/.zsh_history",
]
"""Secrets that no program of tier GREEN has to read; ``~`` is the service's home and
root's."""

_DEVICES = "/dev"
_HARMLESS_DEVICES = (
    ("/dev/null", Right.READ_FILE | Right.WRITE_FILE | Right.TRUNCATE),
    ("/dev/zero", Right.READ_FILE | Right.WRITE_FILE | Right.TRUNCATE),
    ("/dev/full", Right.READ_FILE | Right.WRITE_FILE | Right.TRUNCATE),
    ("/dev/random", Right.READ_FILE),
    ("/dev/urandom", Right.READ_FILE),
)


class Domains:
    """Landlock rulesets for one machine and tenant.

    Args:
        roots: The folders that may be written to.
        closed: The places that stay closed.
        homes: Home folders whose secrets are closed to programs that only read.
        version: The ABI's version to use.
    """

    def __init__(
        self,
        roots: Iterable[Path],
        closed: Iterable[Path],
        homes: Collection[str],
        version: int,
    ) -> None:
        self.roots = tuple(dict.fromkeys(os.path.realpath(root) for root in roots))
        self.closed = closed_paths(closed)
        self._secrets = closed_paths(_in_homes(SECRETS, homes))
        self._version = version
        self._lock = threading.RLock()
        self._surveys: dict[frozenset[str], Survey] = {}
        self._made: dict[Access, tuple[Survey, int]] = {}

    def ruleset(self, access: Access, temporary: str | None) -> int:
        """Make the ruleset for an access.

        Args:
            access: What a program may do; at most :attr:`Level.CHANGE`.
            temporary: A folder of its own, if it has one.

        Returns:
            The ruleset's descriptor, to be closed.

        Raises:
            OSError: The kernel refused.
        """
        if temporary is not None or access.writable:
            return self._make(access, temporary)
        found = self._survey(self._readable(access))
        with self._lock:
            known = self._made.get(access)
            if known is None or known[0] is not found:
                if known is not None:
                    os.close(known[1])
                known = self._made[access] = (found, self._make(access, None))
            return os.dup(known[1])

    def edition(self, access: Access) -> Survey:
        """Return what a ruleset is made from: the same object while it would be the
        same."""
        return self._survey(self._readable(access))

    def _make(self, access: Access, temporary: str | None) -> int:
        changes = access.level is Level.CHANGE
        signals = access.level is Level.WRITE and Grant.SIGNALS in access.grants
        ruleset = landlock.create_ruleset(
            self._version,
            network=access.reaches_out,
            signals=changes or signals,
            abstract_sockets=changes,
        )
        try:
            for path, rights in self._rules(access, temporary):
                landlock.allow(ruleset, self._version, path, rights)
        except OSError:
            os.close(ruleset)
            raise
        return ruleset

    def closed_for(self, access: Access) -> frozenset[str]:
        """Return the places that are closed to a program."""
        if access.level is Level.READ and Grant.ACCOUNTS not in access.grants:
            return self.closed | self._secrets
        return self.closed

    def crowded_roots(self) -> tuple[str, ...]:
        """Return roots, or folders in them, that directly hold a closed place.

        Landlock cannot let new files be made in them.
        """
        return tuple(
            folder
            for folder in sorted(folders_around(self.closed))
            if any(f"{folder}/".startswith(f"{root}/") for root in self.roots)
        )

    def _rules(
        self, access: Access, temporary: str | None
    ) -> Iterator[tuple[str, Right]]:
        # Names may be read everywhere: on the way to a closed place Landlock could
        # close them only with all that lies beside it.
        yield "/", Right.READ_DIR
        if access.level is Level.CHANGE:
            found = self._survey(self._readable(access))
            yield from ((path, landlock.EVERY_RIGHT) for path in found.free)
            return
        found = self._survey(self._readable(access))
        yield from ((path, READING) for path in found.free)
        yield from _HARMLESS_DEVICES
        if Grant.DEVICES in access.grants or Grant.KERNEL in access.grants:
            yield _DEVICES, READING | Right.IOCTL_DEV
        yield from self._writable(access)
        if temporary is not None:
            yield temporary, WRITING

    def _writable(self, access: Access) -> Iterator[tuple[str, Right]]:
        folders = self.roots if access.level is Level.WRITE else ()
        found = self._survey(self.closed | {_DEVICES})
        for folder in (*folders, *(os.path.realpath(p) for p in access.writable)):
            yield from ((path, WRITING) for path in found.within(folder))

    def _readable(self, access: Access) -> frozenset[str]:
        if access.level is Level.CHANGE:
            return self.closed
        return self.closed_for(access) | {_DEVICES}

    def _survey(self, closed: frozenset[str]) -> Survey:
        with self._lock:
            known = self._surveys.get(closed)
            if known and known.settled and known.stamp == stamp_of(known.around):
                return known
            found = self._surveys[closed] = survey(closed)
            return found


def filter_for(access: Access, version: int) -> Filter | None:
    """Return the seccomp filter for an access; ``None`` if it needs none.

    Args:
        access: What a program may do.
        version: The Landlock ABI that holds for it; 0 if none does.
    """
    if access.level > Level.WRITE:
        return None
    reads = access.level is Level.READ
    kernel = reads and Grant.KERNEL in access.grants
    return Filter(
        families=_families(access),
        sending=not (reads and Grant.INTERFACES in access.grants),
        metadata=not reads,
        files=not (reads and version == 0),
        updating=Grant.NULL in access.grants,
        truncating=version >= 3,
        signals=version >= landlock.SCOPE_ABI
        or (not reads and Grant.SIGNALS in access.grants),
        ipc=not reads,
        others=not reads,
        controls=not reads or kernel or Grant.DEVICES in access.grants,
    )


def _families(access: Access) -> frozenset[int]:
    families = set()
    if access.reaches_out or Grant.INTERFACES in access.grants:
        families |= {socket.AF_INET, socket.AF_INET6}
    if access.reaches_out or not access.grants.isdisjoint(
        {Grant.NETLINK, Grant.KERNEL}
    ):
        families.add(socket.AF_NETLINK)
    if Grant.RAW in access.grants and access.reaches_out:
        families.add(socket.AF_PACKET)
    if Grant.UNIX in access.grants:
        families.add(socket.AF_UNIX)
    return frozenset(map(int, families))


def _in_homes(paths: Sequence[str], homes: Collection[str]) -> Iterator[str]:
    for path in paths:
        if path.startswith("~/"):
            yield from (home + path[1:] for home in homes)
        else:
            yield path
