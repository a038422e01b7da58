"""The raw request of an adapter: any method and path, classified by a table."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import Field

from letsbe.errors import FieldError, InvalidRequest
from letsbe.plugin._actions import Arguments
from letsbe.plugin._adapters.operations import Raise
from letsbe.plugin._adapters.paths import read_path
from letsbe.policy.tiers import Tier

RAW = "request"
"""What the raw request's operation is called."""

_FORMAT = re.compile(r"\.(json|xml)$")  # Rails answers `/x.json` as `/x`
_OVERRIDE = frozenset({"_method", "x-http-method-override"})

Scalar = str | int | float | bool


class RawRequest(Arguments):
    """A request that no operation covers."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    """The HTTP method."""
    path: Annotated[str, Field(min_length=1, max_length=2000)]
    """The path from the tool's base address on, beginning with a slash."""
    query: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    """The query's parameters; a list repeats one."""
    body: Any = None
    """The body, as JSON."""


@dataclass(frozen=True, slots=True)
class RouteRule:
    """What requests of some methods to some paths are.

    Args:
        methods: ``GET``, several as ``PUT|PATCH``, or ``*`` for all.
        pattern: The path: ``*`` is any one segment, ``**`` at the end any number.
            Case, encoding and a slash at the end make no difference.
        tier: The tier of such a request.
        why: What it does, in words that end a sentence.
        external: Whether it reaches people or systems outside.
        refused: Whether it is never sent.
    """

    methods: str
    pattern: str
    tier: Tier
    why: str
    external: bool = False
    refused: bool = False
    _expression: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compile the pattern."""
        parts = [_part(p) for p in self.pattern.casefold().strip("/").split("/")]
        text = "/".join(parts).replace("/\0", "(/.*)?").replace("\0", ".*")
        object.__setattr__(self, "_expression", re.compile(text, re.DOTALL))

    def matches(self, method: str, path: str) -> bool:
        """Whether it is about a request."""
        if self.methods != "*" and method not in self.methods.split("|"):
            return False
        return any(self._expression.fullmatch(form) for form in _forms(path))


def judge_route(rules: Sequence[RouteRule], sent: RawRequest) -> Iterable[Raise]:
    """Say what a raw request is: the strictest of the rules that match.

    Args:
        rules: The adapter's table.
        sent: The request.

    Returns:
        An opinion for each rule; one that says RED if there is none.

    Raises:
        InvalidRequest: The path could lead elsewhere, or the query names another
            method.
    """
    path = read_path(sent.path)
    for name in sent.query:
        if name.casefold() in _OVERRIDE:
            message = "the method is given as `method`, not in the query"
            raise InvalidRequest(
                message, details=(FieldError("tool_args.query", message),)
            )
    found = [rule for rule in rules if rule.matches(sent.method, path)]
    if not found:
        return [
            Raise(Tier.RED, "unknown", f"no rule knows what this {sent.method} does")
        ]
    return [
        Raise(rule.tier, "route", rule.why, rule.external, rule.refused)
        for rule in found
    ]


def _part(part: str) -> str:
    if part == "**":
        return "\0"
    return "[^/]+".join(re.escape(piece) for piece in part.split("*"))


def _forms(path: str) -> set[str]:
    whole = unquote(path).casefold().strip("/")
    return {whole, _FORMAT.sub("", whole)}
