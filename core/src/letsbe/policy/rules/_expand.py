"""Globs made into paths, at the moment of execution and with each path judged again."""

from __future__ import annotations

import glob
import itertools

from letsbe.errors import PathRefused
from letsbe.policy.commands import Word
from letsbe.policy.paths import PathClass
from letsbe.policy.rules._path_effects import class_of_path, is_closed
from letsbe.policy.rules._where import Where

EXPANSION_LIMIT = 10_000
"""The most paths that one glob may become."""


def expand(word: Word, where: Where) -> list[str]:
    """Return the paths that a word with an unquoted glob means, as bash would.

    Hidden files need a pattern that starts with a dot; the paths are sorted; a pattern
    that fits nothing stays as it is. A path that a program could take for a flag gets
    ``./`` in front.

    Args:
        word: A word whose ``glob`` is set.
        where: The place that it was judged for.

    Returns:
        The paths, at least one.

    Raises:
        PathRefused: There are too many, or one is of a worse class than the pattern
            was judged to be.
    """
    # Path.glob has other rules: it finds hidden files and takes no absolute pattern.
    found = glob.iglob(word.text, root_dir=where.cwd)  # noqa: PTH207 -- as said above
    paths = sorted(itertools.islice(found, EXPANSION_LIMIT + 1))
    if len(paths) > EXPANSION_LIMIT:
        message = f"a wildcard fits more than {EXPANSION_LIMIT} paths: narrow it"
        raise PathRefused(message)
    judged = class_of_path(word.text, where)
    for path in paths:
        worse = class_of_path(path, where)
        if is_closed(path, where) or (worse > judged and worse > PathClass.OTHER):
            message = (
                "a wildcard fits a path that needs more care than it was judged to: "
                "name the files"
            )
            raise PathRefused(message)
    return [f"./{path}" if path.startswith("-") else path for path in paths] or [
        word.text
    ]
