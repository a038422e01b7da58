"""Whether a glob could name a secret, judged without looking at any folder.

A glob that names every file of a folder (``*``, ``?*``, ``*.*``) is judged by the
folder, so that ``wc -l *`` stays a read; one that says anything of a name
(``id_*``, ``*.p?m``, ``sh?dow``) counts if any secret name fits it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from letsbe.policy import path_table

GLOB_CHARACTERS = frozenset("*?[{")

# One character, or the star that is any number of them. A bracket is taken for any
# character: more than it matches, never less.
_ANY = "\0"
_STAR = "\1"
_TOKEN = re.compile(r"\[[^/\]]*\]|\*+|[?\[]")
_LONGEST_GLOB = 256
_CHOICE = re.compile(r"\{.*(,|\.\.)")

# Extensions of everyday data: `*.json` is no hint at `credentials.json`.
_EVERYDAY = frozenset(
    {"json", "yml", "yaml", "toml", "php", "js", "cnf", "db", "sqlite"}
)


def may_be_secret(path: str, places: Sequence[str] | None = None) -> bool:
    """Tell whether a path with globs could name a secret, or one of some places.

    Args:
        path: A normal absolute path with at least one glob character.
        places: Absolute paths to compare with instead of the table's patterns.

    Returns:
        Whether some file with such a name would be secret. Errs towards yes.
    """
    if _CHOICE.search(path):
        return True  # alternatives in braces can spell anything
    if len(path) > _LONGEST_GLOB:
        return True  # a limit on the work; everyday globs are far below it
    parts = tuple(map(_tokens, path.strip("/").split("/")))
    if places is not None:
        return any(_may_start(parts, place.strip("/").split("/")) for place in places)
    if any(_may_hold(parts, pattern) for pattern in _SECRET_PLACES):
        return True
    if any(_may_end(parts, pattern) for pattern in _SECRET_FILES):
        return True
    if path.startswith(path_table.PUBLIC_PLACES):
        return False
    return any(map(_may_be_secret_name, parts))


def _may_start(parts: tuple[str, ...], place: Sequence[str]) -> bool:
    """Tell whether the first components can be those of a place, or ``**`` any."""
    if any(part == _STAR * 2 for part in parts[: len(place)]):
        return True
    return len(parts) >= len(place) and all(
        _meet(part, name) for part, name in zip(parts, place, strict=False)
    )


def _may_hold(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Tell whether some components in a row can be those of a pattern."""
    length = len(pattern)
    return any(
        _may_be(parts[start : start + length], pattern, first=start == 0)
        for start in range(len(parts) - length + 1)
    )


def _may_end(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Tell whether the last components can be those of a pattern."""
    length = len(pattern)
    return len(parts) >= length and _may_be(
        parts[-length:], pattern, first=len(parts) == length
    )


def _may_be(parts: tuple[str, ...], pattern: tuple[str, ...], *, first: bool) -> bool:
    """Tell whether components can be those of a pattern of the same length.

    One of them has to spell out something of a name that the pattern spells out; at
    the start of an absolute path (``/*/*``) even a bare star counts, because there
    the folders are known.
    """
    pairs = tuple(zip(parts, pattern, strict=True))
    spells = first or any(
        not _is_generic(part) and _STAR not in name for part, name in pairs
    )
    return spells and all(_fits(part, name) for part, name in pairs)


@lru_cache(maxsize=1024)
def _may_be_secret_name(part: str) -> bool:
    if _is_generic(part) or not (_ANY in part or _STAR in part):
        return False  # names without a glob are compared exactly elsewhere
    return any(_hints_at(part, name) for name in _SECRET_NAMES)


def _hints_at(part: str, name: str) -> bool:
    """Tell whether a glob hints at one secret name: it fits by what it spells out."""
    stem, dot, extension = name.rpartition(".")
    part_stem, part_dot, part_extension = part.rpartition(".")
    if name.startswith(_STAR + "."):
        return _hints_at_suffix(part, name[2:])
    if dot and part_dot and extension.strip(_STAR) in _EVERYDAY:
        return (
            not _is_generic(part_stem)
            and _fits(part_stem, stem)
            and _meet(part_extension, extension)
        )
    return _fits(part, name)


def _fits(part: str, name: str) -> bool:
    """Tell whether a glob fits a name by more than the name's own star."""
    if name == _STAR or not _meet(part, name):
        return name == _STAR
    start = name.partition(_STAR)[0]
    begins_alike = part[:1] not in {_ANY, _STAR}
    return (
        begins_alike
        or (len(start) > 1 and start in part)
        or _meet(part, name.replace(_STAR, ""))
    )


def _hints_at_suffix(part: str, extension: str) -> bool:
    _, dot, part_extension = part.rpartition(".")
    if dot:
        return not _is_generic(part_extension) and _meet(part_extension, extension)
    spelled = re.split(f"[{_ANY}{_STAR}]", part)[-1]
    return bool(spelled) and ("." + extension).endswith(spelled)


def _is_generic(part: str) -> bool:
    """Tell whether a component says nothing of the name it stands for."""
    return bool(part) and not part.strip(_ANY + _STAR + ".") and part[0] != "."


def _tokens(part: str) -> str:
    if part == "**":
        return _STAR * 2
    return _TOKEN.sub(lambda m: _STAR if m.group()[0] == "*" else _ANY, part)


def _meet(one: str, other: str) -> bool:
    """Tell whether two patterns fit some same text.

    Walks both at once through the set of positions that can be reached; the work is
    bounded by the product of their lengths.
    """
    seen: set[tuple[int, int]] = set()
    ahead = [(0, 0)]
    while ahead:
        at = ahead.pop()
        if at == (len(one), len(other)):
            return True
        if at not in seen:
            seen.add(at)
            ahead.extend(_steps(one, other, *at))
    return False


def _steps(one: str, other: str, i: int, j: int) -> list[tuple[int, int]]:
    left = one[i] if i < len(one) else None
    right = other[j] if j < len(other) else None
    steps = []
    if left == _STAR:
        steps.append((i + 1, j))
        if right is not None:
            steps.append((i, j + 1))
    if right == _STAR:
        steps.append((i, j + 1))
        if left is not None:
            steps.append((i + 1, j))
    if left and right and (left == right or _ANY in (left, right)):
        steps.append((i + 1, j + 1))
    return steps


def _patterns(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text.replace("*", _STAR) for text in texts)


def _rows(texts: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(text.split("/")) for text in _patterns(texts))


_SECRET_NAMES = _patterns(path_table.SECRET_NAMES)
_SECRET_PLACES = _rows(path_table.SECRET_PLACES)
_SECRET_FILES = _rows(path_table.SECRET_FILES)
