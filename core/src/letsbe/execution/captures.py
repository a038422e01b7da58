"""From what programs printed to what is answered: redacted, then cut, then decoded."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

from letsbe.execution.running import Captured, Run

MARGIN = 65_536
"""Bytes captured beyond the limit, so that no secret is cut in half before it is
taken out: the longest secret."""


def captured_output(run: Run, redact: Callable[[bytes], bytes]) -> dict[str, Any]:
    """Return what a run printed.

    Args:
        run: The run, ended; its limits are :data:`MARGIN` above what is answered.
        redact: Takes secrets out of a whole stream.

    Returns:
        ``stdout``, ``stderr``, whether each was cut, and whether one is no text.
    """
    out, out_is_text = _text(run.stdout, redact)
    errors, errors_are_text = _text(run.stderr, redact)
    return {
        "stdout": out,
        "stderr": errors,
        "stdout_truncated": _is_cut(run.stdout),
        "stderr_truncated": _is_cut(run.stderr),
        "binary": not (out_is_text and errors_are_text),
    }


def _text(stream: Captured, redact: Callable[[bytes], bytes]) -> tuple[str, bool]:
    """Take secrets out of the whole, then cut, then decode."""
    if not stream.data:
        return "", True
    data = redact(bytes(stream.data))
    if stream.cut:
        data = data[: len(data) - MARGIN]
    data = data[: _kept(stream)]
    try:
        # What was cut may end inside a character.
        cut = len(data) == _kept(stream) or stream.cut
        return codecs.getincrementaldecoder("utf-8")().decode(data, not cut), True
    except UnicodeDecodeError:
        return data.decode("utf-8", "backslashreplace"), False


def _kept(stream: Captured) -> int:
    return stream.limit - MARGIN


def _is_cut(stream: Captured) -> bool:
    return stream.cut or len(stream.data) > _kept(stream)
