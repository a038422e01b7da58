"""Where a token may begin, in plain text and inside escapes.

In raw JSON a line that begins with a token reads ``\\nghp_...``: the ``n`` belongs to
the escape, so a word boundary would miss the token.
"""

from __future__ import annotations

import re

_BACKSLASH = 0x5C
_ESCAPED = b"nrtbfu"
_LONGEST = 12
_INSIDE = re.compile(rb"[A-Za-z0-9]")
_ESCAPE = re.compile(
    rb"""(?:
      \\[nrtbfv0]                # the end of an escape in JSON or source
    | \\u[0-9a-fA-F]{4} | \\x[0-9a-fA-F]{2}
    | %[0-9A-F]{2}               # the end of a percent-encoded byte
    | \[[0-9;]{0,8}m             # the end of a terminal's colour sequence
    | &(?:quot|amp|lt|gt|nbsp);?
    )\Z""",
    re.VERBOSE,
)


def begins_token(text: bytes, start: int) -> bool:
    """Say whether a token can begin at an offset.

    Args:
        text: The whole text.
        start: The offset of the first byte that would belong to the token.
    """
    if not start:
        return True
    if text[start - 1] == _BACKSLASH and text[start] in _ESCAPED:
        return False
    if not _INSIDE.match(text, start - 1):
        return True
    return _ESCAPE.search(text, max(0, start - _LONGEST), start) is not None
