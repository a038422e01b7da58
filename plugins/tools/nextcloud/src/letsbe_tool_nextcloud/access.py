"""How Nextcloud is told who asks, and how its two interfaces tell what is wrong.

OCS answers in an envelope; its second version also sets the HTTP status. WebDAV answers
in XML. Verified on Nextcloud 34.0.1.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any, TypeAlias

from defusedxml.ElementTree import fromstring

from letsbe.plugin import (
    Arguments,
    Fault,
    InvalidRequest,
    Outgoing,
    Response,
    ToolClient,
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

OCS = "/ocs/v2.php"
DAV = "/remote.php/dav"
ADMINISTRATION = ("admin_password",)
"""What operations that govern people need: Nextcloud takes no app password there."""
LOOKING = (*ADMINISTRATION, "app_password")
"""What operations that look at people use: an administrator's app password will do."""

Meanings: TypeAlias = Mapping[int, tuple[type[ToolFailed], str]]
"""What OCS status codes mean for one operation, with words where the server has none.
Its own words are in its user's language, so nothing is read from them."""

_GOVERNED = tuple(f"{OCS}/cloud/{kind}" for kind in ("users", "groups", "apps"))
_KINDS: dict[int, type[ToolFailed]] = {
    403: ToolForbidden,
    404: ToolNotFound,
    429: ToolRateLimited,
    997: ToolUnauthenticated,
    998: ToolNotFound,
}
_DAV_KINDS: dict[int, type[ToolFailed]] = {
    405: ToolConflict,  # MKCOL of what exists
    409: ToolNotFound,  # the folder above is missing
    412: ToolConflict,
    423: ToolConflict,
    507: ToolForbidden,
}


def authenticate(out: Outgoing) -> None:
    """Add the name and the password that a request asks for."""
    governs = out.path.startswith(_GOVERNED)
    has_real = "admin_password" in out.credentials
    has_app = "app_password" in out.credentials
    if (governs and has_real) or (not has_app and (governs or has_real)):
        pair = f"{out.setting('admin_user')}:{out.secret('admin_password')}"
    else:
        pair = f"{out.setting('user')}:{out.secret('app_password')}"
    out.headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"


def read_fault(response: Response, means: Meanings | None = None) -> Fault | None:
    """Find the fault in an answer of OCS or WebDAV.

    Args:
        response: The answer.
        means: What status codes of OCS mean here.
    """
    if "xml" in response.headers.get("content-type", ""):
        return _dav_fault(response) if response.status >= 400 else None
    body = response.json()
    if not isinstance(body, dict):
        return None
    if "ocs" not in body:
        return (
            Fault(None, str(body.get("message") or "")) if body.get("message") else None
        )
    meta = body["ocs"]["meta"]
    code, told = int(meta["statuscode"]), str(meta.get("message") or "")
    if response.status < 400 and code in {100, 200}:
        return None
    if "Password confirmation" in told:
        told += ": this needs the administrator's real password, not an app password"
    kind, words = (means or {}).get(code, (_KINDS.get(code), ""))
    if kind is None and response.status < 400:
        kind = ToolInvalid if code < 500 else ToolUnexpected
    return Fault(kind, told or words)


def _dav_fault(response: Response) -> Fault:
    root = fromstring(response.content)
    told = root.findtext("{http://sabredav.org/ns}message") or ""
    return Fault(_DAV_KINDS.get(response.status), told)


async def ocs(
    tool: ToolClient,
    method: str,
    path: str,
    values: dict[str, str | int] | None = None,
    means: Meanings | None = None,
    /,
    **sent: Any,  # noqa: ANN401 - JSON
) -> Any:  # noqa: ANN401 - the tool's JSON
    """Call OCS and take the data out of its envelope.

    Args:
        tool: The client of one call.
        method: The HTTP method.
        path: The path after ``/ocs/v2.php``, a template.
        values: What stands in its places.
        means: What status codes mean here.
        sent: The query of a GET or DELETE, the body of anything else; ``None`` is
            left out.
    """
    given = {name: value for name, value in sent.items() if value is not None} or None
    queried = method in {"GET", "DELETE"}
    response = await tool.send(
        method,
        f"{OCS}{path}",
        values,
        query=given if queried else None,
        json=None if queried else given,
        fault=partial(read_fault, means=means),
    )
    return response.json()["ocs"]["data"]


def refuse_references(args: Arguments) -> None:
    """Refuse a secret where it would be handed on to phones and people, or sought.

    Raises:
        InvalidRequest: An argument holds a reference.
    """
    if "SECRET_REF(" in args.model_dump_json():
        message = "this is no place for a secret: leave SECRET_REF(...) out"
        raise InvalidRequest(message)


async def check(tool: ToolClient) -> str:
    """Ask for its state, which needs no password."""
    status = await tool.get("/status.php")
    if status["maintenance"] or not status["installed"]:
        message = "Nextcloud is in maintenance mode, or not installed yet"
        raise ToolUnavailable(message)
    return f"Nextcloud {status['versionstring']}"
