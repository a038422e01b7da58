"""What an approval binds to, in one number, and how two such things differ."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any


def canonical(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    """Write JSON in the one way that equal values share (sorted keys, no blanks)."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True
    ).encode()


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON
    """Return the SHA-256 of a value's canonical JSON, in hex."""
    return sha256(canonical(value))


def sha256(text: bytes) -> str:
    """Return the SHA-256 of bytes, in hex."""
    return hashlib.sha256(text).hexdigest()


def call_digest(
    agent_id: str, tool: str, arguments: Mapping[str, Any], plan: Mapping[str, Any]
) -> str:
    """Return the digest of what will run.

    Args:
        agent_id: For whom.
        tool: The tool's name.
        arguments: The arguments, with secrets as references; so their names count.
        plan: What the verdict says will run: argv, folder, resolved programs.
    """
    return digest(
        {"agent": agent_id, "tool": tool, "arguments": arguments, "plan": plan}
    )


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Say where two JSON values differ, one line a place.

    Args:
        before: What was asked about.
        after: What would run now.
        path: Where in the whole these stand.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}, key=str):
            place = f"{path}.{key}" if path else str(key)
            yield from differences(before.get(key), after.get(key), place)
    elif before != after:
        old, new = (json.dumps(side, ensure_ascii=False) for side in (before, after))
        yield f"{path}: {old} became {new}"


ABRIDGED_AT = 4096
"""Characters of one string that the audit log keeps whole."""


def abridged(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Shorten long strings to their beginning, length and SHA-256, for the audit."""
    if isinstance(value, str) and len(value) > ABRIDGED_AT:
        whole = value.encode(errors="surrogatepass")
        return {
            "begins": value[: ABRIDGED_AT // 4],
            "bytes": len(whole),
            "sha256": sha256(whole),
        }
    if isinstance(value, Mapping):
        return {key: abridged(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [abridged(item) for item in value]
    return value
