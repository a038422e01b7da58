"""bubblewrap, the other mechanism: namespaces where the kernel has no Landlock."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence

from letsbe.policy.sandbox._surroundings import kind_of
from letsbe.policy.sandbox.access import Access, Grant, Level

FOLDERS = "/usr/bin:/bin:/usr/local/bin"


def find_bubblewrap() -> str | None:
    """Return the path of ``bwrap``; ``None`` if it is not installed."""
    return shutil.which("bwrap", path=FOLDERS)


def bubblewrap_words(
    access: Access,
    *,
    roots: Sequence[str],
    temporary: str | None,
    closed: Iterable[str],
    capabilities: Sequence[str],
    filter_descriptor: int,
    cwd: str,
) -> list[str]:
    """Return the flags that keep a program in.

    Args:
        access: What it may do: at most :attr:`Level.WRITE`.
        roots: What it may write if its level is that.
        temporary: A folder of its own, if it has one.
        closed: The places that it finds empty.
        capabilities: The names of those that it keeps, if the service has any.
        filter_descriptor: Where bubblewrap reads the seccomp program.
        cwd: The folder it starts in.
    """
    words = ["--ro-bind", "/", "/", "--dev", "/dev", "--unshare-ipc", "--unshare-uts"]
    if Grant.DEVICES in access.grants:
        words += ["--dev-bind", "/dev", "/dev"]
    if not access.reaches_out and Grant.NETLINK not in access.grants:
        words.append("--unshare-net")
    writable = [*access.writable, *(roots if access.level is Level.WRITE else ())]
    if temporary is not None:
        writable.append(temporary)
    for path in writable:
        words += ["--bind-try", path, path]
    for path in sorted(closed):
        words += _covered(path)
    words += ["--cap-drop", "ALL"]
    for name in capabilities:
        words += ["--cap-add", name]
    return [*words, "--seccomp", str(filter_descriptor), "--chdir", cwd]


def filter_file(program: bytes) -> int:
    """Return a descriptor that a seccomp program can be read from.

    Raises:
        OSError: There is no memory for it.
    """
    descriptor = os.memfd_create("seccomp", os.MFD_CLOEXEC)
    os.write(descriptor, program)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _covered(path: str) -> Iterator[str]:
    kind = kind_of(path)
    if kind == "folder":
        yield from ("--tmpfs", path, "--remount-ro", path)
    elif kind == "file":
        yield from ("--ro-bind", "/dev/null", path)
