"""A tool's errors, in each vendor's shape, turned into named ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from letsbe.discovery.records import shown
from letsbe.errors import (
    ToolConflict,
    ToolFailed,
    ToolForbidden,
    ToolInvalid,
    ToolNotFound,
    ToolRateLimited,
    ToolUnauthenticated,
    ToolUnavailable,
    ToolUnexpected,
)
from letsbe.plugin._adapters.response import Response

_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that an adapter found in an answer.

    Args:
        kind: Which of the named errors it is; ``None`` leaves it to the status.
        text: What the tool says of it. It is redacted before anyone sees it.
    """

    kind: type[ToolFailed] | None = None
    text: str = ""


ReadFault = Callable[[Response], Fault | None]
"""Finds the error in an answer. Asked of every answer: some tools answer 200 to a call
that failed. ``None`` leaves it to the status."""

_BY_STATUS: dict[int, type[ToolFailed]] = {
    400: ToolInvalid,
    401: ToolUnauthenticated,
    402: ToolForbidden,
    403: ToolForbidden,
    404: ToolNotFound,
    405: ToolInvalid,
    406: ToolInvalid,
    408: ToolUnavailable,
    409: ToolConflict,
    410: ToolNotFound,
    411: ToolInvalid,
    412: ToolConflict,
    413: ToolInvalid,
    415: ToolInvalid,
    422: ToolInvalid,
    423: ToolConflict,
    429: ToolRateLimited,
    502: ToolUnavailable,
    503: ToolUnavailable,
    504: ToolUnavailable,
    507: ToolUnavailable,
}

_SAYS: dict[type[ToolFailed], tuple[str, str]] = {
    ToolUnauthenticated: (
        "the tool does not accept its credential",
        "the operator should renew this tool's secrets and see `letsbe tools check`",
    ),
    ToolForbidden: (
        "the tool does not allow it",
        "do it another way, or ask the operator for a credential with more rights",
    ),
    ToolNotFound: (
        "the tool has nothing of that id or path",
        "list what there is first",
    ),
    ToolConflict: (
        "it contradicts what the tool holds now",
        "read the thing again, then decide whether the change still makes sense",
    ),
    ToolRateLimited: (
        "the tool takes no more calls for now",
        "wait before the next call, and ask for more at once",
    ),
    ToolInvalid: (
        "the tool does not accept the arguments",
        "correct what it names and call again",
    ),
    ToolUnavailable: (
        "the tool cannot answer now",
        "try again in a minute; tell the operator if it stays so",
    ),
    ToolUnexpected: (
        "the tool answered in a way that its adapter does not know",
        "tell the operator; `letsbe tools check` may show more",
    ),
}


def find_fault(response: Response, read: ReadFault | None) -> Fault | None:
    """Find the error in an answer.

    Args:
        response: The answer.
        read: The adapter's own reading, which may fail on shapes it does not know.

    Returns:
        The fault, its kind known; ``None`` if the call succeeded.
    """
    told: Fault | None = None
    if read is not None:
        try:
            told = read(response)
        except Exception:  # noqa: BLE001 - an unknown shape is told by its status
            told = None
    kind = None if told is None else told.kind
    if kind is None and response.status < 400:
        return None
    known = kind or _BY_STATUS.get(response.status, ToolUnexpected)
    return Fault(known, "" if told is None else told.text)


def error_of(
    kind: type[ToolFailed], operation: str, detail: str, vendor: str = ""
) -> ToolFailed:
    """Make a named error.

    Args:
        kind: Which one.
        operation: The operation that failed.
        detail: What happened, such as the status; nothing from outside.
        vendor: What the tool says, redacted.

    Returns:
        The error.
    """
    sentence, advice = _SAYS[kind]
    text = f"{operation}: {sentence} ({detail})"
    if vendor := " ".join(vendor.split()):
        text += f'; it says: "{shown(vendor, _LONGEST)}"'
    return kind(text, alternative=advice)
