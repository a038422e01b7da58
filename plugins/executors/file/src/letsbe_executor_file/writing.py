"""Writing a file as a whole, or adding to its end."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from letsbe.plugin import (
    Execution,
    FieldError,
    InvalidRequest,
    Place,
    Replacement,
    ToolFailed,
    append_file,
    write_file,
)
from letsbe_executor_file.arguments import WriteArguments

PRIVATE = 0o600
"""The mode of a new file that secrets were filled into."""
PUBLIC = 0o644
"""The mode of any other new file."""


def check_content(arguments: WriteArguments) -> int:
    """Check the content's form, and say how many bytes it is before it is filled.

    Raises:
        InvalidRequest: It is not valid base64, or not Unicode.
    """
    return len(_encoded(arguments.content, arguments.encoding))


def write(place: Place, arguments: WriteArguments, run: Execution) -> dict[str, Any]:
    """Write a file.

    Args:
        place: Where.
        arguments: What, and how.
        run: Fills secrets in.

    Returns:
        The real ``path``, whether it was ``created``, the ``bytes`` written and the
        file's ``size`` afterwards.

    Raises:
        ToolFailed: A folder is missing, the file exists and must not, or the system
            does not let us.
    """
    content = arguments.content
    filled = run.fill(content) if arguments.encoding == "utf-8" else content
    data = _encoded(filled, arguments.encoding)
    if place.missing:
        if not arguments.create_parents:
            message = (
                f"the folder of {place.path} does not exist: set create_parents to "
                "make it"
            )
            raise ToolFailed(message)
        place.make_folders()
    done = _put(place, data, arguments.mode, PUBLIC if filled == content else PRIVATE)
    return {
        "path": done.path,
        "created": done.created,
        "bytes": len(data),
        "size": done.size,
    }


def _put(place: Place, data: bytes, how: str, mode: int) -> Replacement:
    if how == "append" and place.status is not None:
        return append_file(place, data)
    # Made by an append: if somebody makes it first, theirs must not be replaced.
    return write_file(place, data, mode=mode, exclusive=how in {"create", "append"})


def _encoded(content: str, encoding: str) -> bytes:
    try:
        if encoding == "base64":
            return base64.b64decode(content, validate=True)
        return content.encode()
    except (binascii.Error, ValueError):
        form = "valid base64" if encoding == "base64" else "valid Unicode text"
        detail = FieldError("tool_args.content", f"is not {form}")
        raise InvalidRequest(f"content is not {form}", details=(detail,)) from None
