"""The errors that cross a boundary, each with a text that is safe to show.

Every error a caller can meet is a :class:`LetsBeError`. Its message names what is
wrong and what to do; it never holds a secret, a value that a caller sent, or the text
of another library's exception. HTTP, MCP and the command line all show the same
``code``, ``message`` and ``details``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request.

    Args:
        field: The field's path, with dots: ``tool_args.command``.
        message: What is wrong with it, without its value.
    """

    field: str
    message: str


class LetsBeError(Exception):
    """The base of every error that may reach a caller.

    Args:
        message: What is wrong and what to do, in one or two sentences.
        details: The fields at fault, if the request's form is what is wrong.
        alternative: Another way to get what was wanted, if there is one.
    """

    code: ClassVar[str] = "error"
    """A stable name for programs to tell errors apart."""
    status: ClassVar[int] = 500
    """The HTTP status when the error answers a request as a whole."""

    def __init__(
        self,
        message: str,
        *,
        details: tuple[FieldError, ...] = (),
        alternative: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.alternative = alternative

    @override
    def __str__(self) -> str:
        return self.message


class InvalidRequest(LetsBeError):
    """The request's form is wrong: a field unknown, missing or of the wrong type."""

    code = "invalid_request"
    status = 400


class UnknownTool(LetsBeError):
    """No active plugin offers a tool of that name."""

    code = "unknown_tool"
    status = 404


class Unauthenticated(LetsBeError):
    """The bearer token is missing or is none of ours."""

    code = "unauthenticated"
    status = 401


class Forbidden(LetsBeError):
    """The token is right but may not do this."""

    code = "forbidden"
    status = 403


class NotFound(LetsBeError):
    """There is nothing of that name or id."""

    code = "not_found"
    status = 404


class Conflict(LetsBeError):
    """The request contradicts what is already there."""

    code = "conflict"
    status = 409


class TooLarge(LetsBeError):
    """The body or value is over the size limit."""

    code = "too_large"
    status = 413


class Busy(LetsBeError):
    """The limit of concurrent executions is reached; try again in a moment."""

    code = "busy"
    status = 429


class Refused(LetsBeError):
    """The call is understood and will not be run, whoever approves it."""

    code = "refused"
    status = 422


class UnknownSecret(Refused):
    """A reference names a secret that the vault does not hold."""

    code = "unknown_secret"


class SecretOutOfScope(Refused):
    """The secret may not be used for this tool or this host."""

    code = "secret_out_of_scope"


class MaskedValue(Refused):
    """An argument holds a mask where a value or a reference is due."""

    code = "masked_value"


class PathRefused(Refused):
    """A path is outside the allowed roots, forbidden, or of a form not accepted."""

    code = "path_refused"


class UrlRefused(Refused):
    """A URL, or a redirect from it, leads where requests may not go."""

    code = "url_refused"


class ApprovalClosed(Conflict):
    """The approval was already decided, used, withdrawn or has expired."""

    code = "approval_closed"


class ApprovalChanged(Conflict):
    """What would run now is not what was asked about."""

    code = "approval_changed"


class ToolFailed(LetsBeError):
    """The tool ran, or tried to, and could not do what was asked."""

    code = "tool_failed"
    status = 200


class DeadlineExceeded(ToolFailed):
    """The call was ended at its deadline, with all it had started."""

    code = "deadline_exceeded"


class ToolUnauthenticated(ToolFailed):
    """The tool does not accept the credential that it was given, or there is none."""

    code = "tool_unauthenticated"


class ToolForbidden(ToolFailed):
    """The tool knows who asks and does not allow it."""

    code = "tool_forbidden"


class ToolNotFound(ToolFailed):
    """The tool has nothing of that id or path."""

    code = "tool_not_found"


class ToolConflict(ToolFailed):
    """What is there contradicts the call: it exists, changed or is locked."""

    code = "tool_conflict"


class ToolRateLimited(ToolFailed):
    """The tool takes no more calls for now."""

    code = "tool_rate_limited"


class ToolInvalid(ToolFailed):
    """The tool does not accept the arguments."""

    code = "tool_invalid"


class ToolUnavailable(ToolFailed):
    """The tool cannot be reached, does not answer in time, or says it cannot work."""

    code = "tool_unavailable"


class ToolUnexpected(ToolFailed):
    """The tool's answer is not what its adapter knows."""

    code = "tool_unexpected"


class CallCancelled(ToolFailed):
    """The runtime ended the call, with all it had started."""

    code = "cancelled"


class OutputWithheld(LetsBeError):
    """A redaction layer failed, so what it should have seen is not shown."""

    code = "output_withheld"


class StorageError(LetsBeError):
    """A database or document cannot be used as it is."""

    code = "storage_error"


class ConfigurationError(LetsBeError):
    """The home folder or its configuration is missing, wrong or unsafe."""

    code = "configuration_error"


class AgentUnavailable(LetsBeError):
    """The agent runtime cannot be reached, or could not answer a message."""

    code = "agent_unavailable"
    status = 502


class TryLater(LetsBeError):
    """A service outside cannot do it now; the same request may work in a while.

    Args:
        message: As for every error.
        retry_after: Seconds that the service asks to wait, if it says so.
    """

    code = "try_later"
    status = 503

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Rejected(LetsBeError):
    """A service outside understood the request and will never do it."""

    code = "rejected"
    status = 422


class AddressGone(Rejected):
    """Nothing can be delivered at this address any more: forget it."""

    code = "address_gone"
