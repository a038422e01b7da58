"""What reading, writing or destroying a path means, by the class of the path."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache

from letsbe.policy.commands import Word
from letsbe.policy.paths import PathClass, holds_secrets, normal_path, path_class
from letsbe.policy.rules._where import Effect, Where
from letsbe.policy.tiers import Tier

PATH_KINDS = frozenset({"read", "list", "write", "remove", "modify", "upload"})

_DISK = re.compile(
    r"/dev/(sd|hd|vd|xvd|nvme|mmcblk|md|dm-|loop|ram|zd|nbd|sr|mapper/|disk/|block/)"
)
_TOP = re.compile(
    r"/|/(bin|boot|dev|efi|etc|home|lib|lib32|lib64|media|mnt|opt|proc|root|run|sbin|srv"
    r"|sys|usr|var)|/usr/(bin|lib|local|sbin|share)|/var/lib|/home/[^/]+"
)
# Files that some program runs or obeys by itself later on.
_STARTUP = re.compile(
    r"/(\.(bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv"
    r"|zprofile|zlogin|inputrc|vimrc|exrc|emacs|gitconfig|gdbinit|pythonrc|pth|xinitrc"
    r"|xprofile|xsession|screenrc|tmux\.conf|wgetrc|curlrc|mailrc|forward|rhosts"
    r"|psqlrc|sqliterc|gitattributes|gitmodules)|[^/]*\.pth"
    r"|\.git/(hooks(/.*)?|config|info/attributes)|\.githooks/.*|\.husky/.*"
    r"|\.config/(git|systemd|autostart|environment\.d|fish|nvim|mutt)(/.*)?"
    r"|crontabs?(/.*)?|authorized_keys2?|sitecustomize\.py|usercustomize\.py)$"
)


_TREE = "/**"


def whole_tree(path: str) -> str:
    """Name a folder with all below it, as a placeholder's path."""
    return path + _TREE


def path_effects(
    kind: str, word: Word, where: Where, *, recursive: bool
) -> Iterator[Effect]:
    """Say what is done to a path.

    Args:
        kind: One of :data:`PATH_KINDS`.
        word: The path, or a placeholder for some.
        where: What the judgement depends on.
        recursive: Whether all below it is meant too.

    Yields:
        One effect for each reason; none for a harmless path.
    """
    for path in word.stands_for or (word.text,):
        yield from _effects_of(
            kind,
            without_tree(path),
            where,
            recursive=recursive or path.endswith(_TREE),
            placeholder=bool(word.stands_for),
        )
    if "SECRET_REF(" in word.text and kind != "list":
        yield Effect(
            Tier.RED, "path.secret_ref", "the path is a secret, so it cannot be judged"
        )


def classes_of(word: Word, where: Where) -> set[str]:
    """Return the classes of a path operand, ``top`` among them where it is one."""
    classes: set[str] = set()
    for path in map(without_tree, word.stands_for or (word.text,)):
        classes.add(str(class_of_path(path, where)))
        if is_top(path, where):
            classes.add("top")
    return classes


def is_top(path: str, where: Where) -> bool:
    """Tell whether a path is the root, a system folder, a home, or all in one."""
    text = normal_path(_home(path, where), where.cwd) if "\0" not in path else "/"
    while True:
        folder, _, name = text.rpartition("/")
        if text == where.home or _TOP.fullmatch(text):
            return True
        # `/etc/*` and `/e*` mean the folder, or some folder at the top.
        if not any(c in name for c in "*?[") or not text.strip("/"):
            return False
        if folder == "":
            return True
        if set(name) - set("*?.[]!"):
            return False
        text = folder


def without_tree(path: str) -> str:
    """Take that back: the folder's own path."""
    return (path.removesuffix(_TREE) or "/") if path.endswith(_TREE) else path


def _home(path: str, where: Where) -> str:
    if path == "~" or path.startswith("~/"):
        return where.home + path[1:]
    return path


def _effects_of(
    kind: str, path: str, where: Where, *, recursive: bool, placeholder: bool
) -> Iterator[Effect]:
    if is_closed(path, where):
        why = "the path is closed to agents"
        yield Effect(Tier.CRITICAL_RED, "path.closed", why, refused=True)
        return
    if kind == "list":
        return
    place = class_of_path(path, where)
    if kind in ("read", "upload"):
        yield from _reading(place)
        if (recursive or placeholder) and _holds_secrets(path, where):
            tier = Tier.RED if placeholder else Tier.YELLOW
            why = "reads a whole folder that is known to hold secrets"
            yield Effect(tier, "read.tree", why)
        return
    top = kind != "write" and recursive and is_top(path, where)
    yield from _changing(kind, path, place, where, top=top)


def _reading(place: PathClass) -> Iterator[Effect]:
    if place is PathClass.SECRET:
        yield Effect(Tier.RED, "read.secret", "reads a path that may hold secrets")
    elif place is PathClass.DEVICE:
        yield Effect(Tier.RED, "read.device", "reads a device")


def _changing(
    kind: str, path: str, place: PathClass, where: Where, *, top: bool
) -> Iterator[Effect]:
    text = "" if "\0" in path else normal_path(_home(path, where), where.cwd)
    verb = {"write": "writes", "remove": "destroys"}.get(kind, "changes")
    yield Effect(
        Tier.RED if kind == "remove" else Tier.YELLOW, kind, f"{verb} a file or folder"
    )
    if place is PathClass.DEVICE:
        disk = _DISK.match(text)
        tier = Tier.CRITICAL_RED if disk else Tier.RED
        yield Effect(tier, f"{kind}.device", f"{verb} a device")
    elif place is PathClass.SECRET:
        why = f"{verb} a path that holds secrets or grants access"
        yield Effect(Tier.RED, f"{kind}.secret", why)
    elif place is PathClass.SYSTEM:
        yield Effect(Tier.RED, f"{kind}.system", f"{verb} a part of the system")
    elif _STARTUP.search(text):
        why = f"{verb} a file that programs run or obey by themselves"
        yield Effect(Tier.RED, f"{kind}.startup", why)
    if top:
        why = f"{verb} a system folder with all that is in it"
        yield Effect(Tier.CRITICAL_RED, f"{kind}.top", why)


def class_of_path(path: str, where: Where) -> PathClass:
    """Return the class of a path, or of what it leads to if that is worse."""
    path = _home(path, where)
    kind = path_class(path, cwd=where.cwd, roots=where.roots, forbidden=where.forbidden)
    if kind >= PathClass.DEVICE or "\0" in path:
        return kind
    text = normal_path(path, where.cwd)
    real = _real_path(text)
    if real == text:
        return kind
    # A link counts as what it leads to. It may change until the command runs; this
    # catches the link that is already there.
    led = path_class(real, cwd="/", roots=where.roots, forbidden=where.forbidden)
    return max(kind, led)


def _real_path(text: str) -> str:
    if text.startswith(("/proc/", "/dev/", "/sys/")) or len(text) > 1024:
        return text
    try:
        return os.path.realpath(text)
    except (OSError, ValueError):
        return text


def is_closed(path: str, where: Where) -> bool:
    """Tell whether a path is closed to agents."""
    if "\0" in path:
        return False
    text = normal_path(_home(path, where), where.cwd)
    return any(
        text == place or text.startswith(place + "/")
        for place in map(_plain, map(str, where.forbidden))
    )


@lru_cache(maxsize=256)
def _plain(place: str) -> str:
    return posixpath.normpath(place)


def _holds_secrets(path: str, where: Where) -> bool:
    if "\0" in path:
        return True
    return holds_secrets(
        _home(path, where),
        cwd=where.cwd,
        roots=where.roots,
        forbidden=where.forbidden,
    )
