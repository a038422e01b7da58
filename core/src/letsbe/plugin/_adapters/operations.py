"""Operations as data: their arguments, their tier, and the function that does them."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, get_type_hints

from letsbe.plugin._actions import Arguments, Example
from letsbe.plugin._adapters.paths import placeholders
from letsbe.plugin._adapters.response import Json
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict

if TYPE_CHECKING:
    from letsbe.plugin._adapters.client import ToolClient

A = TypeVar("A", bound=Arguments)

_IN_QUERY = frozenset({"GET", "HEAD", "DELETE"})


class NoArguments(Arguments):
    """Takes nothing."""


@dataclass(frozen=True, slots=True)
class Raise:
    """Why one call of an operation counts as more than the operation's own tier.

    Args:
        tier: The tier it has at least.
        rule: A name for programs, such as ``publish``.
        why: What was found, in words that end a sentence: ``makes the post public``.
        external: Whether it reaches people or systems outside.
        refused: Whether it will not be run at all, whoever approves.
        alternative: What to do instead, where there is something.
    """

    tier: Tier
    rule: str
    why: str
    external: bool = False
    refused: bool = False
    alternative: str | None = None

    def verdict(self, operation: str) -> Verdict:
        """Return it as an opinion of a call."""
        return Verdict(
            self.tier,
            f"{operation}.{self.rule}",
            self.why,
            external=self.external or self.tier is Tier.YELLOW_EXTERNAL,
            refused=self.refused,
            alternative=self.alternative,
        )


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing an adapter can do with its tool.

    Args:
        name: Its name without the tool's: ``list_posts``.
        summary: One line for the agent, in the imperative.
        arguments: The model of its arguments.
        run: Does it, with the client of one call and the arguments. What it returns
            is JSON.
        tier: The lowest tier a call of it can have.
        external: Whether every call of it reaches people or systems outside.
        idempotent: Whether calling it twice does no more than calling it once; only
            then are its requests sent again when one is lost.
        raises: Says why a call counts as more, from its arguments; it can lower
            nothing.
        examples: Calls that show its use, each with the tier it must have. What needs
            no arguments has the call without any, if there is no other.
        credentials: Which of the adapter's credentials it needs; ``None`` for those
            that the adapter always needs.
    """

    name: str
    summary: str
    arguments: type[Arguments]
    run: Callable[[ToolClient, Any], Awaitable[Any]] = field(repr=False)
    tier: Tier = Tier.RED
    external: bool = False
    idempotent: bool = False
    raises: Callable[[Any], Iterable[Raise]] | None = field(default=None, repr=False)
    examples: tuple[Example, ...] = ()
    credentials: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Let an operation that needs no arguments be its own example."""
        needed = (f.is_required() for f in self.arguments.model_fields.values())
        if not self.examples and not any(needed):
            object.__setattr__(self, "examples", (Example({}, self.tier),))


def operation(
    tier: Tier,
    *,
    external: bool = False,
    idempotent: bool | None = None,
    raises: Callable[[A], Iterable[Raise]] | None = None,
    examples: Iterable[Example] = (),
    credentials: tuple[str, ...] | None = None,
) -> Callable[[Callable[[ToolClient, A], Awaitable[Any]]], Operation]:
    """Make an operation of an async function.

    The function's name is the operation's, the first line of its docstring the summary,
    and the type of its second parameter the model of the arguments.

    Args:
        tier: As for :class:`Operation`, as are the others.
        external: As there.
        idempotent: As there; if it is left out, what is GREEN is.
        raises: As there.
        examples: As there.
        credentials: As there.

    Raises:
        TypeError: The function has no docstring, or no second parameter whose type is
            a model of :class:`Arguments`.
    """

    def declare(run: Callable[[ToolClient, A], Awaitable[Any]]) -> Operation:
        name = getattr(run, "__name__", "")
        document = inspect.getdoc(run)
        if not document:
            message = f"the operation {name} needs a docstring: its first line is shown"
            raise TypeError(message)
        return Operation(
            name=name,
            summary=document.splitlines()[0],
            arguments=_model_of(run, name),
            run=run,
            tier=tier,
            external=external,
            idempotent=tier is Tier.GREEN if idempotent is None else idempotent,
            raises=raises,
            examples=tuple(examples),
            credentials=credentials,
        )

    return declare


def route(
    name: str,
    summary: str,
    request: str,
    arguments: type[A],
    tier: Tier,
    *,
    external: bool = False,
    idempotent: bool | None = None,
    raises: Callable[[A], Iterable[Raise]] | None = None,
    examples: Iterable[Example] = (),
    credentials: tuple[str, ...] | None = None,
    headers: Mapping[str, str] | None = None,
    in_query: tuple[str, ...] = (),
    wrap: Callable[[dict[str, Any]], Any] | None = None,
    pick: Callable[[Any], Any] | None = None,
) -> Operation:
    """Make an operation that is one request.

    Arguments that the path has a place for go there, the others into the query (GET,
    HEAD, DELETE) or into a JSON object that is the body; if there are no others there
    is no body. Those that are ``None`` are left out. A field's
    ``serialization_alias`` is what the tool calls it.

    Args:
        name: As for :class:`Operation`, as are those not named here.
        summary: As there.
        request: The method and path: ``GET /api/posts/{id}``.
        arguments: As there.
        tier: As there.
        external: As there.
        idempotent: As there; if it is left out, what is GREEN is.
        raises: As there.
        examples: As there.
        credentials: As there.
        headers: Headers that this request has beside the adapter's own.
        in_query: Arguments that go into the query although there is a body.
        wrap: Makes the body of the arguments, where the tool wants more than them.
        pick: Makes the output of the answer's JSON.
    """
    return Operation(
        name=name,
        summary=summary,
        arguments=arguments,
        run=_one_request(request, arguments, headers, in_query, wrap, pick),
        tier=tier,
        external=external,
        idempotent=tier is Tier.GREEN if idempotent is None else idempotent,
        raises=raises,
        examples=tuple(examples),
        credentials=credentials,
    )


def _one_request(
    request: str,
    arguments: type[Arguments],
    headers: Mapping[str, str] | None,
    in_query: tuple[str, ...],
    wrap: Callable[[dict[str, Any]], Any] | None,
    pick: Callable[[Any], Any] | None,
) -> Callable[[ToolClient, Any], Awaitable[Json]]:
    method, _, path = request.partition(" ")
    in_path = placeholders(path)
    fields = arguments.model_fields.keys() - in_path - set(in_query)
    has_body = method not in _IN_QUERY and bool(fields or wrap)

    async def run(tool: ToolClient, sent: Arguments) -> Json:
        values = {field: getattr(sent, field) for field in in_path}
        others: dict[str, Any] = sent.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude=set(in_path)
        )
        queried = list(others) if method in _IN_QUERY else in_query
        query = {name: others.pop(name) for name in queried if name in others}
        body = wrap(others) if wrap else others
        response = await tool.send(
            method,
            path,
            values,
            query=query,
            json=body if has_body else None,
            headers=headers,
        )
        answer = response.json()
        return pick(answer) if pick else answer

    return run


def _model_of(run: Callable[..., Any], name: str) -> type[Arguments]:
    parameters = list(inspect.signature(run).parameters)
    hints = get_type_hints(run, localns={"ToolClient": object})
    model = hints.get(parameters[1]) if len(parameters) == 2 else None
    if not isinstance(model, type) or not issubclass(model, Arguments):
        message = (
            f"the operation {name} takes a ToolClient and a model of Arguments: "
            "annotate its second parameter"
        )
        raise TypeError(message)
    return model
