"""Writing a file so that nobody ever sees a part of it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from letsbe.errors import PathRefused, ToolFailed
from letsbe.policy.files._place import Place, explain

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

# Rights that a program's file has because of what is in it; new content has not
# earned them.
_EARNED = ("security.capability", "security.ima", "security.evm")


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a write did.

    Args:
        path: The real path.
        created: Whether nothing was there before.
        size: The file's size afterwards, in bytes.
    """

    path: str
    created: bool
    size: int


class Content:
    """The new content of a file, until it takes the file's name.

    Args:
        file: A descriptor of the temporary file.
        path: The real path, for errors.
        created: Whether nothing was there before.
    """

    def __init__(self, file: int, path: str, *, created: bool) -> None:
        self._file = file
        self._path = path
        self.created = created
        """Whether nothing was there before."""
        self.size = 0
        """The bytes added so far."""

    def add(self, data: bytes) -> None:
        """Add to the end.

        Raises:
            ToolFailed: The system does not let us.
        """
        with _explained(self._path):
            _write_all(self._file, data)
        self.size += len(data)

    def room(self) -> tuple[int, int]:
        """Return the file system's bytes: those left to this account, and all."""
        found = os.fstatvfs(self._file)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


@contextlib.contextmanager
def replacing(
    place: Place, *, mode: int = 0o644, exclusive: bool = False
) -> Iterator[Content]:
    """Put a file's whole content in place in one step, when the block ends well.

    The content goes to a temporary file in the same folder, is synced, and takes the
    name by a rename, so that a reader sees the old or the new, also after a crash. An
    existing file's mode (less set-user-id and set-group-id), owner, ACL and extended
    attributes are kept; other hard links to it keep the old content. If the block
    raises, nothing is changed.

    Args:
        place: Where; its parent folder exists.
        mode: The mode of a file that is new.
        exclusive: Whether to fail if there is something.

    Yields:
        What takes the content.

    Raises:
        PathRefused: What is there is no regular file.
        ToolFailed: It exists though ``exclusive``, or the system does not let us.
    """
    before = _current(place)
    if before is not None and exclusive:
        message = f"{place.path} exists already: use mode overwrite to replace it"
        raise ToolFailed(message)
    with _temporary(place) as (file, name):
        yield Content(file, place.path, created=before is None)
        with _explained(place.path):
            if before is None:
                os.fchmod(file, mode)
            else:
                _keep(place, before, file)
            os.fsync(file)
            _take_name(place, name, exclusive=before is None and exclusive)
    with _explained(place.path):
        _sync_folder(place)


def write_file(
    place: Place, data: bytes, *, mode: int = 0o644, exclusive: bool = False
) -> Replacement:
    """Put a file's whole content in place in one step; as :func:`replacing`.

    Args:
        place: Where; its parent folder exists.
        data: The content.
        mode: The mode of a file that is new.
        exclusive: Whether to fail if there is something.

    Returns:
        What was done.
    """
    with replacing(place, mode=mode, exclusive=exclusive) as content:
        content.add(data)
    return Replacement(place.path, content.created, content.size)


def append_file(place: Place, data: bytes) -> Replacement:
    """Add to the end of a file that exists, together with whoever else does.

    Args:
        place: Where the file is.
        data: What to add.

    Returns:
        What was done.

    Raises:
        PathRefused: What is there is no regular file.
        ToolFailed: There is none, or the system does not let us; what was added before
            that is taken back if nobody added anything meanwhile.
    """
    file = place.open_file(os.O_WRONLY | os.O_APPEND)
    try:
        start = os.fstat(file).st_size
        try:
            _write_all(file, data)
            os.fsync(file)
        except OSError:
            _take_back(file, start, len(data))
            raise
        return Replacement(place.path, False, os.fstat(file).st_size)
    except OSError as error:
        raise explain(error, place.path) from None
    finally:
        os.close(file)


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise explain(error, path) from None


def _current(place: Place) -> os.stat_result | None:
    """Return the status of the file that has the name now, which may be a newer one."""
    if not place.name:
        raise explain(OSError(errno.EISDIR, ""), place.path)
    try:
        status = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explain(error, place.path) from None
    if stat.S_ISDIR(status.st_mode):
        raise explain(OSError(errno.EISDIR, ""), place.path)
    if not stat.S_ISREG(status.st_mode):
        message = f"{place.path} is not a regular file: only those are written"
        raise PathRefused(message)
    return status


@contextlib.contextmanager
def _temporary(place: Place) -> Iterator[tuple[int, str]]:
    name = f".letsbe-{secrets.token_hex(8)}.tmp"
    with _explained(place.path):
        file = os.open(name, _CREATE, 0o600, dir_fd=place.folder)
    try:
        yield file, name
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=place.folder)
        raise
    finally:
        os.close(file)


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _keep(place: Place, before: os.stat_result, file: int) -> None:
    """Give the new file what the old one had."""
    if (before.st_uid, before.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.fchown(file, before.st_uid, before.st_gid)
        except PermissionError:
            message = (
                f"{place.path} belongs to another account, which cannot be kept: "
                "change its owner, or use mode append"
            )
            raise ToolFailed(message) from None
    _copy_attributes(place, file)
    os.fchmod(file, stat.S_IMODE(before.st_mode) & 0o1777)


def _copy_attributes(place: Place, file: int) -> None:
    # A file that cannot be read has attributes that cannot be read either; and not
    # every file system has any.
    with contextlib.suppress(OSError, ToolFailed):
        old = place.open_file()
        try:
            for name in os.listxattr(old):
                if name not in _EARNED:
                    with contextlib.suppress(OSError):
                        os.setxattr(file, name, os.getxattr(old, name))
        finally:
            os.close(old)


def _take_name(place: Place, temporary: str, *, exclusive: bool) -> None:
    folder = place.folder
    if not exclusive:
        os.rename(temporary, place.name, src_dir_fd=folder, dst_dir_fd=folder)
        return
    try:
        # A link is never made over something; a rename is.
        os.link(temporary, place.name, src_dir_fd=folder, dst_dir_fd=folder)
        os.unlink(temporary, dir_fd=folder)
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK}:
            raise
        # No hard links here: hold the name with an empty file, then replace that.
        os.close(os.open(place.name, _CREATE, 0o600, dir_fd=folder))
        os.rename(temporary, place.name, src_dir_fd=folder, dst_dir_fd=folder)


def _sync_folder(place: Place) -> None:
    folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=place.folder)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _take_back(file: int, start: int, added: int) -> None:
    size = os.fstat(file).st_size
    if start < size <= start + added:
        with contextlib.suppress(OSError):
            os.ftruncate(file, start)
