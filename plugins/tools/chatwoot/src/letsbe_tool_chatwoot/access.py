"""How Chatwoot is told who asks, and how it tells what is wrong.

Source: Chatwoot's API document of 4.2, and its application controllers.
"""

from __future__ import annotations

from letsbe.plugin import Fault, Outgoing, Response, ToolForbidden

ACCOUNT = "/api/v1/accounts/{$account_id}"
REPORTS = "/api/v2/accounts/{$account_id}/reports"


def authenticate(out: Outgoing) -> None:
    """Add the access token, in the header that has an underscore."""
    out.headers["api_access_token"] = out.secret("access_token")


def read_fault(response: Response) -> Fault | None:
    """Read ``{"error"}``, or ``{"message", "attributes"}`` of a validation.

    A user whose role does not suffice gets 401, as one who is not known: the text
    tells them apart.
    """
    if response.status < 400:
        return None
    body = response.json()
    told = str(body.get("error") or body.get("message") or "")
    if attributes := body.get("attributes"):
        told += f" ({', '.join(map(str, attributes))})"
    if response.status == 401 and "authorized" in told:
        return Fault(ToolForbidden, told)
    return Fault(None, told)
