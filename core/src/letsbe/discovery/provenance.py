"""Where an installed distribution came from.

The one module that uses the ``importlib_metadata`` backport: ``Distribution.origin``
(PEP 610) came to the standard library with Python 3.13.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast
from urllib.parse import unquote, urlsplit

import importlib_metadata

from letsbe.discovery.records import shown

INDEX = "index"
UNKNOWN = "unknown"

_LIMIT = 300


def origin_of(distribution: str) -> str:
    """Say where a distribution came from.

    Args:
        distribution: Its name.

    Returns:
        ``index``, ``editable /folder``, ``path /folder``, ``url https://...``,
        ``vcs git+https://...@commit``, or ``unknown`` if its metadata cannot be read.
        Never a user name, password, query or fragment of a URL: they hold tokens.
    """
    try:
        found = importlib_metadata.distribution(distribution).origin
        told = cast("SimpleNamespace | None", found)
        return INDEX if told is None else shown(_describe(told), _LIMIT)
    except Exception:  # noqa: BLE001 - broken metadata is a fact to show, not a failure
        return UNKNOWN


def _describe(origin: SimpleNamespace) -> str:
    if hasattr(origin, "vcs_info"):
        vcs = origin.vcs_info
        return f"vcs {vcs.vcs}+{without_credentials(origin.url)}@{vcs.commit_id}"
    if hasattr(origin, "dir_info") or origin.url.startswith("file:"):
        editable = getattr(getattr(origin, "dir_info", None), "editable", False)
        folder = unquote(urlsplit(origin.url).path)
        return f"{'editable' if editable else 'path'} {folder}"
    return f"url {without_credentials(origin.url)}"


def without_credentials(url: str) -> str:
    """Take out of a URL what may hold credentials.

    Args:
        url: Any URL.

    Returns:
        Its scheme, host, port and path.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{host}{port}{parts.path}"
