"""Changing variables: all at once, and nothing else in the file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from letsbe.plugin import Execution, Place, Preview, ToolFailed, write_file
from letsbe_executor_env.arguments import UpdateArguments
from letsbe_executor_env.document import Document, parse
from letsbe_executor_env.quoting import check_value, readers_that_differ
from letsbe_executor_env.reading import remarks
from letsbe_executor_env.storage import locked, read_text

PRIVATE = 0o600
"""The mode of a new file: it is made to hold secrets."""
_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class _Change:
    before: Document
    after: Document


def update(
    find: Callable[[], Place], arguments: UpdateArguments, run: Execution
) -> dict[str, Any]:
    """Set and remove variables.

    Args:
        find: Walks to the file, anew each time.
        arguments: What to change.
        run: Fills secrets in.

    Returns:
        The real ``path``, whether it was ``created``; the keys ``added``, ``changed``,
        ``unchanged``, ``removed`` and ``missing`` (not there to be removed);
        ``duplicates`` and ``invalid_lines``; ``notes`` on values that some readers
        read differently.

    Raises:
        ToolFailed: A value cannot stand in such a file, a quote in the file is not
            closed, others keep changing it, or the system does not let us.
    """
    values = {key: run.fill(value) for key, value in arguments.set.items()}
    for key, value in values.items():
        check_value(key, value)
    with find() as place, locked(place, run.deadline):
        for _ in range(_ATTEMPTS):
            # Walked again under the lock: the file may be another by now.
            with find() as current:
                change = _change(current, values, arguments.unset)
                if _store(current, change):
                    return _answer(current, change, values, arguments.unset)
    message = f"{place.path} is being changed by others all the time: try again"
    raise ToolFailed(message)


def preview_update(place: Place, arguments: UpdateArguments) -> Preview:
    """Say which keys an update would add, set and remove, as the file is now.

    Args:
        place: The file.
        arguments: What to change.

    Raises:
        ToolFailed: The file cannot be read or is no .env file.
    """
    before = parse(read_text(place) if place.status is not None else "").values
    keys = {
        "adds": [key for key in arguments.set if key not in before],
        "sets": [key for key in arguments.set if key in before],
        "removes": [key for key in arguments.unset if key in before],
        "finds nothing to remove of": [k for k in arguments.unset if k not in before],
    }
    told = [f"{verb} {', '.join(names)}" for verb, names in keys.items() if names]
    return Preview(f"{'; '.join(told)} in {place.path}", keys)


def _change(place: Place, values: Mapping[str, str], unset: tuple[str, ...]) -> _Change:
    before = parse(read_text(place) if place.status is not None else "")
    for line in before.invalid:
        if line.open_quote:
            message = (
                f"line {line.number} of {place.path} opens a quote that is not closed, "
                "so what follows cannot be told: mend it with file_write first"
            )
            raise ToolFailed(message)
    after = before
    for key, value in values.items():
        if before.values.get(key) != value or key in before.duplicates:
            after = after.with_value(key, value)
    for key in unset:
        after = after.without(key)
    return _Change(before, after)


def _store(place: Place, change: _Change) -> bool:
    """Write the change unless the file has changed since it was read."""
    if place.missing:
        message = f"the folder of {place.path} does not exist: make it first"
        raise ToolFailed(message)
    if change.after == change.before:
        return True
    if not _is_as_found(place):
        return False
    exclusive = place.status is None
    try:
        data = change.after.text.encode()
        write_file(place, data, mode=PRIVATE, exclusive=exclusive)
    except ToolFailed:
        if exclusive and not _is_as_found(place):
            return False  # somebody made it first
        raise
    return True


def _is_as_found(place: Place) -> bool:
    """Tell whether the file is the one of the walk, for editors that do not lock."""
    try:
        now = os.stat(place.name, dir_fd=place.folder, follow_symlinks=False)
    except FileNotFoundError:
        return place.status is None
    then = place.status
    return then is not None and (now.st_ino, now.st_size, now.st_mtime_ns) == (
        then.st_ino,
        then.st_size,
        then.st_mtime_ns,
    )


def _answer(
    place: Place, change: _Change, values: Mapping[str, str], unset: tuple[str, ...]
) -> dict[str, Any]:
    old = change.before.values
    return {
        "path": place.path,
        "created": place.status is None and bool(change.after.lines),
        "added": [key for key in values if key not in old],
        "changed": [k for k, v in values.items() if k in old and old[k] != v],
        "unchanged": [k for k, v in values.items() if k in old and old[k] == v],
        "removed": [key for key in unset if key in old],
        "missing": [key for key in unset if key not in old],
        "notes": _notes(values),
        **remarks(change.after),
    }


def _notes(values: Mapping[str, str]) -> list[str]:
    notes = []
    for key, value in values.items():
        readers = readers_that_differ(value)
        if readers:
            notes.append(
                f"{key}: no spelling is read alike by all; bash reads this one right, "
                f"these do not: {', '.join(readers)}"
            )
    return notes
