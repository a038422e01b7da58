"""What kind of place a path names, told from its text.

The judgement of a command's operands and of the file executor's paths. It looks at no
file: a link is judged where it is really followed, by :mod:`letsbe.policy.files`.
Whatever cannot be told from the text counts as the worst it could be.
"""

from __future__ import annotations

import enum
import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from typing_extensions import override

from letsbe.policy import path_table
from letsbe.policy.path_globs import GLOB_CHARACTERS, may_be_secret


class PathClass(enum.IntEnum):
    """What a path names; a class that needs more care compares greater."""

    WORKSPACE = 0
    """Inside the allowed roots."""
    OTHER = 1
    """Nobody's in particular: home and temporary folders, harmless devices."""
    SYSTEM = 2
    """A part of the machine's own: programs, configuration, state."""
    DEVICE = 3
    """A device, or a socket that controls the machine."""
    SECRET = 4
    """Holds secrets, or might: reading it is more than a read."""

    @override
    def __str__(self) -> str:
        return self.name.lower()


LONGEST_PATH = 4096
"""PATH_MAX of Linux; nothing longer can be opened."""

_HOME = "/home/~"

# Stands for a glob's characters where they are none; no pattern holds it.
_PLAIN = str.maketrans(dict.fromkeys(GLOB_CHARACTERS, "\x7f"))


def path_class(
    path: str,
    *,
    cwd: str,
    roots: Sequence[Path],
    forbidden: Sequence[Path] = (),
    literal: bool = False,
) -> PathClass:
    """Tell what a path names, from its text.

    Args:
        path: The path as a command has it: absolute or relative, with ``..``, ``~`` or
            a glob. It needs not exist.
        cwd: The absolute folder that a relative path starts from.
        roots: The allowed folders, absolute.
        forbidden: Paths closed to agents; they and all below count as secret, and so
            does a glob that may reach them.
        literal: Whether the path is a name as it is, in which ``~`` and the characters
            of globs mean nothing.

    Returns:
        The class. A path that is secret is so inside the roots too. The longest of
        the allowed roots and the system's folders decides between the two.
    """
    if not path or "\0" in path or len(path) > LONGEST_PATH:
        return PathClass.SECRET
    if path[0] == "~" and not literal:
        expanded = _expand_home(path)
        if expanded is None:
            return PathClass.SECRET
        path = expanded
    text = normal_path(path, cwd)
    if literal:
        text = text.translate(_PLAIN)
    if any(_reaches(text, _plain(place)) for place in forbidden):
        return PathClass.SECRET
    longest_root = max((_depth_of(text, _plain(r)) for r in roots), default=0)
    fixed = _class_without_roots(text)
    if fixed.kind is PathClass.SECRET or longest_root <= fixed.depth:
        return fixed.kind
    return PathClass.WORKSPACE


def holds_secrets(
    path: str, *, cwd: str, roots: Sequence[Path], forbidden: Sequence[Path] = ()
) -> bool:
    """Tell whether reading a folder with all below it is bound to meet secrets.

    For programs that read recursively. It is so for a secret path itself, for the
    folders that every machine keeps secrets under (``/``, ``/etc``, ``/proc``, homes)
    and for folders around a forbidden path; not for a workspace that might hold a
    stray ``.env``.

    Args:
        path: As for :func:`path_class`.
        cwd: As for :func:`path_class`.
        roots: As for :func:`path_class`.
        forbidden: As for :func:`path_class`.

    Returns:
        Whether a recursive read should count as reading a secret.
    """
    if path_class(path, cwd=cwd, roots=roots, forbidden=forbidden) is PathClass.SECRET:
        return True
    text = normal_path(_expand_home(path) or path, cwd)
    if any(_reaches(_plain(place), text) for place in forbidden):
        return True
    in_root = any(_depth_of(text, _plain(root)) > 1 for root in roots)
    return bool(_HOLDER.fullmatch(text)) and not in_root


def is_secret_path(path: str) -> bool:
    """Tell whether a normal absolute path is secret by its names alone.

    Args:
        path: What :func:`normal_path` returns, or the real path of an open file.
    """
    return _class_without_roots(path).kind is PathClass.SECRET


def normal_path(path: str, cwd: str) -> str:
    """Make a path absolute and take out ``.``, ``..`` and repeated slashes, by text.

    Args:
        path: A path without NUL.
        cwd: The absolute folder that a relative path starts from.
    """
    text = posixpath.normpath(posixpath.join(cwd, path))
    return text[1:] if text.startswith("//") else text


@lru_cache(maxsize=256)
def _plain(place: Path) -> str:
    return normal_path(str(place), "/")


def _expand_home(path: str) -> str | None:
    """Return the path with ``~`` or ``~user`` made some home; None if it is neither."""
    if path[:1] != "~":
        return None
    user, slash, rest = path[1:].partition("/")
    if user == "root":
        return "/root" + slash + rest
    if user and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", user):
        return None  # `~-` and `~2` name folders of a shell's memory
    return _HOME + slash + rest


def _depth_of(text: str, folder: str) -> int:
    """Return how many characters of a path a folder around it takes; 0 if outside."""
    if folder == "/":
        return 1
    inside = text == folder or text.startswith(folder + "/")
    return len(folder) if inside else 0


def _reaches(text: str, place: str) -> bool:
    """Tell whether a path, perhaps with globs, may be in a place."""
    if _depth_of(text, place):
        return True
    if GLOB_CHARACTERS.isdisjoint(text):
        return False
    return may_be_secret(text, (place,))


class _Fixed:
    """The class of a path wherever the roots are, and how long its reason is."""

    __slots__ = ("depth", "kind")

    def __init__(self, kind: PathClass, depth: int) -> None:
        self.kind = kind
        self.depth = depth


@lru_cache(maxsize=2048)
def _class_without_roots(text: str) -> _Fixed:
    if not GLOB_CHARACTERS.isdisjoint(text) and may_be_secret(text):
        return _Fixed(PathClass.SECRET, len(text))
    if _has_secret_name(text) or _SECRET_PLACE.search(text):
        return _Fixed(PathClass.SECRET, len(text))
    if text.endswith(path_table.CONTROL_SOCKETS):
        return _Fixed(PathClass.DEVICE, len(text))
    return _system_class(text)


def _system_class(text: str) -> _Fixed:
    if text in path_table.SYSTEM_FOLDERS:
        # As deep as a root may be: a root that is `/srv` itself makes it workspace.
        return _Fixed(PathClass.SYSTEM, max(1, len(text) - 1))
    if any(_depth_of(text, place) for place in path_table.OPEN_PLACES):
        return _Fixed(PathClass.OTHER, 0)
    if text.startswith("/dev"):
        if text in path_table.HARMLESS_DEVICES:
            return _Fixed(PathClass.OTHER, len(text))
        if _depth_of(text, "/dev"):
            return _Fixed(PathClass.DEVICE, len("/dev"))
    longest = max(_depth_of(text, place) for place in path_table.SYSTEM_PLACES)
    return _Fixed(PathClass.SYSTEM if longest else PathClass.OTHER, longest)


def _has_secret_name(text: str) -> bool:
    parts = text.split("/")
    if _EXACT_NAMES.isdisjoint(parts) and not _NAME_PATTERN.search(text):
        return False
    if text.startswith(path_table.PUBLIC_PLACES):
        return False
    *folders, last = parts
    return any(map(_is_secret_name, folders)) or (
        _is_secret_name(last) and not _PUBLIC_NAME.fullmatch(last)
    )


def _is_secret_name(name: str) -> bool:
    return name in _EXACT_NAMES or bool(_NAME_PATTERN.fullmatch("/" + name))


def _expression(pattern: str) -> str:
    """Translate a pattern of the table: ``*`` is any text inside one component."""
    return "[^/]*".join(map(re.escape, pattern.split("*")))


def _any_of(patterns: Sequence[str]) -> str:
    return "(?:" + "|".join(map(_expression, patterns)) + ")"


_EXACT_NAMES = frozenset(n for n in path_table.SECRET_NAMES if "*" not in n)
_NAME_PATTERN = re.compile(
    "/" + _any_of([n for n in path_table.SECRET_NAMES if "*" in n]) + r"(?=/|\Z)",
    re.DOTALL,
)
_PUBLIC_NAME = re.compile(_any_of(path_table.PUBLIC_NAMES), re.DOTALL)
_SECRET_PLACE = re.compile(
    "/" + _any_of(path_table.SECRET_PLACES + path_table.SECRET_FILES) + r"(?=/|\Z)",
    re.DOTALL,
)
_HOLDER = re.compile(
    r"/|/etc|/etc/ssl|/etc/ssh|/proc(/[^/]+)?|/root|/home(/[^/]+)?|/var|/var/lib"
    r"|/run|/dev"
)
