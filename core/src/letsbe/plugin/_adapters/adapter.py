"""An adapter: what it declares, and what that becomes for a tool of the tenant."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from letsbe.discovery.records import type_name
from letsbe.errors import LetsBeError, ToolFailed, ToolUnexpected
from letsbe.plugin._actions import Action, Example
from letsbe.plugin._adapters.client import ToolClient, no_address
from letsbe.plugin._adapters.faults import ReadFault
from letsbe.plugin._adapters.local_files import (
    FileUse,
    GrantedFiles,
    LocalFiles,
    file_fields,
)
from letsbe.plugin._adapters.operations import Operation, Raise
from letsbe.plugin._adapters.paths import read_path
from letsbe.plugin._adapters.requests import Outgoing, Terms
from letsbe.plugin._adapters.response import Json
from letsbe.plugin._adapters.routes import RAW, RawRequest, RouteRule, judge_route
from letsbe.plugin._calls import Execution, Result, ToolCall
from letsbe.plugin._protocols import Health
from letsbe.plugin._site import Site
from letsbe.plugin._tool_site import ToolSite
from letsbe.policy.network.urls import Origin
from letsbe.policy.steps import Step
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict

_ROLE = re.compile(r"[a-z][a-z0-9_]{0,31}")


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret that an adapter needs, by the part it plays.

    Args:
        name: What the adapter calls it: ``admin_key``.
        what: What it is and where a person gets it, in a few words.
        env: The variables in which the provisioner leaves it, the best first.
        required: Whether every operation needs it that does not say otherwise.
    """

    name: str
    what: str
    env: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class Setting:
    """Something else that an adapter must be told of a tool, which is no secret.

    Args:
        name: What the adapter calls it: ``account_id``.
        what: What it is, in a few words.
        env: The variables in which the provisioner leaves it, the best first.
        default: What it is where the registry says nothing; ``None`` if it must.
    """

    name: str
    what: str
    env: tuple[str, ...] = ()
    default: str | None = None


def _nothing(outgoing: Outgoing) -> None:
    """Add nothing: the tool needs no credential."""


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """Everything that an adapter is.

    Args:
        name: Its name, that of its entry point, and of its tool unless the registry
            gives another one.
        summary: One sentence: what the tool is for.
        operations: What it can do.
        routes: What raw requests are, by method and path; what none of them knows is
            RED.
        authenticate: Adds to a request what proves who asks.
        credentials: The secrets that it needs.
        settings: What else it must be told.
        address_env: The variables in which the provisioner leaves the base address.
        fault: Finds the error in an answer, in the tool's own shape.
        check: Asks the tool, without a credential, whether it can work; gives one line.
        probe: The name of an operation without arguments that shows that the
            credentials work.
        headers: Headers of every request.
        notes: What an agent must know of the tool, a line each, for the cheat sheet.
    """

    name: str
    summary: str
    operations: tuple[Operation, ...]
    routes: tuple[RouteRule, ...]
    authenticate: Callable[[Outgoing], None] = _nothing
    credentials: tuple[Credential, ...] = ()
    settings: tuple[Setting, ...] = ()
    address_env: tuple[str, ...] = ()
    fault: ReadFault | None = None
    check: Callable[[ToolClient], Awaitable[str]] | None = None
    probe: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a declaration that contradicts itself.

        Raises:
            ValueError: Two operations of one name, or a credential or operation that
                is named and not there.
        """
        names = [operation.name for operation in self.operations]
        known = {credential.name for credential in self.credentials}
        used = {c for o in self.operations for c in o.credentials or ()}
        wrong = sorted({n for n in names if names.count(n) > 1 or n == RAW})
        wrong += sorted(used - known)
        wrong += [n for n in known if not _ROLE.fullmatch(n)]
        if self.probe is not None and self.probe not in names:
            wrong.append(self.probe)
        if wrong:
            message = f"the adapter {self.name} contradicts itself: {', '.join(wrong)}"
            raise ValueError(message)

    def for_site(self, site: Site) -> list[BoundAdapter]:
        """Make a tool adapter for each of the tenant's tools that it speaks to.

        Args:
            site: What the registration hook was given.

        Returns:
            The adapters; one without an address if the registry has no such tool, so
            that its operations can be read about.
        """
        tools = site.tools or (ToolSite(self.name),)
        return [BoundAdapter(self, tool, site) for tool in tools]

    def needed(self, operation: Operation) -> frozenset[str]:
        """Return the names of the credentials that an operation may use."""
        if operation.credentials is not None:
            return frozenset(operation.credentials)
        return frozenset(c.name for c in self.credentials if c.required)


class BoundAdapter:
    """An adapter for one tool: a :class:`~letsbe.plugin.ToolAdapter`.

    Args:
        adapter: What it can do.
        site: The tool.
        server: What the adapter may know of the server it runs on.
    """

    def __init__(self, adapter: Adapter, site: ToolSite, server: Site) -> None:
        self.name = site.name
        self.adapter = adapter
        self.site = site
        self._output_limit = server.output_limit
        raw = _raw_operation(adapter)
        self._by_name = {f"{site.name}.{o.name}": o for o in (*adapter.operations, raw)}
        self._local_files = LocalFiles(server, site.name)
        self._file_fields = {
            name: file_fields(declared.arguments)
            for name, declared in self._by_name.items()
        }
        self._actions = tuple(self._action(n, o) for n, o in self._by_name.items())
        self._hosts: tuple[str, ...] | None = None

    @property
    def operations(self) -> Sequence[Action]:
        """What it can do, each named ``tool.operation``; the raw request last."""
        return self._actions

    def classify(self, call: ToolCall) -> Verdict:
        """Judge a call by its operation and its arguments."""
        if self.site.base_url is None:
            raise no_address(self.name)
        declared = self._by_name[call.tool_name]
        plan: dict[str, Any] = {"tool": self.name, "base_url": self.site.base_url}
        if isinstance(call.arguments, RawRequest):
            plan |= {
                "method": call.arguments.method,
                "path": read_path(call.arguments.path),
            }
        files = [
            self._local_files.judge(use, path)
            for path, use in self._file_uses(call).items()
        ]
        if files:
            plan["files"] = [dict(each.plan) for each in files]
        base = Verdict(
            declared.tier if declared.name != RAW else Tier.GREEN,
            call.tool_name,
            declared.summary,
            external=_is_external(declared),
            hosts=self._reached(self.site.base_url),
            plan=plan,
            paths={path: kind for each in files for path, kind in each.paths.items()},
        )
        raises = declared.raises(call.arguments) if declared.raises else ()
        others = [each.verdict(call.tool_name) for each in raises]
        return _with_steps(base.raised_by([*others, *files]), call.tool_name, files)

    async def invoke(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Do it, and say of what goes wrong what it may have changed."""
        declared = self._by_name[call.tool_name]
        client = ToolClient(
            self.site,
            self._terms(call.tool_name, declared, verdict),
            run,
            GrantedFiles(self._local_files, self._file_uses(call), verdict.tier, run),
        )
        try:
            output = await declared.run(client, call.arguments)
            return Result(self._checked(output, call.tool_name))
        except ToolFailed as error:
            raise client.told(error) from None
        except LetsBeError:
            raise
        except Exception as error:  # noqa: BLE001 - any shape may come from a tool
            message = (
                f"{call.tool_name}: the answer was not understood ({type_name(error)})"
            )
            raise client.told(ToolUnexpected(message)) from None
        finally:
            await client.close()

    async def check(self) -> Health:
        """Ask the tool, without a credential, whether it can work."""
        if self.site.base_url is None:
            message = f"no address: {self.name} is not in the tool registry"
            return Health(True, message)
        if self.adapter.check is None:
            return Health(True)
        terms = self._terms(f"{self.name} check", None, None)
        client = ToolClient(self.site, terms, None)
        try:
            return Health(True, await self.adapter.check(client))
        except LetsBeError as error:
            return Health(False, error.message)
        finally:
            await client.close()

    def _action(self, name: str, declared: Operation) -> Action:
        needed = self.adapter.needed(declared)
        if declared.name == RAW:
            needed = frozenset(c.name for c in self.adapter.credentials)
        held = [s for c, s in self.site.secrets.items() if c in needed]
        return Action(
            name=name,
            summary=declared.summary,
            arguments=declared.arguments,
            tier=declared.tier,
            external=_is_external(declared),
            idempotent=declared.idempotent,
            examples=declared.examples,
            secrets=tuple(sorted(set(held))),
            needs=tuple(sorted({u.value for u in self._file_fields[name].values()})),
        )

    def _file_uses(self, call: ToolCall) -> dict[str, FileUse]:
        """Return the paths that a call's arguments name, with what it does there."""
        fields = self._file_fields[call.tool_name].items()
        named = {getattr(call.arguments, field): use for field, use in fields}
        return {path: use for path, use in named.items() if path is not None}

    def _terms(
        self, name: str, declared: Operation | None, verdict: Verdict | None
    ) -> Terms:
        adapter = self.adapter
        needed: frozenset[str] = frozenset()
        if declared is not None:
            needed = adapter.needed(declared)
            if declared.name == RAW:
                needed = frozenset(c.name for c in adapter.credentials)
        return Terms(
            operation=name,
            changes=verdict is not None and verdict.tier > Tier.GREEN,
            idempotent=declared is None or declared.idempotent,
            credentials=needed,
            authenticate=adapter.authenticate,
            fault=adapter.fault,
            headers=adapter.headers,
            defaults={s.name: s.default for s in adapter.settings if s.default},
        )

    def _reached(self, base_url: str) -> tuple[str, ...]:
        if self._hosts is None:
            self._hosts = (Origin.of_base_url(base_url).host,)
        return self._hosts

    def _checked(self, output: Json, name: str) -> Json:
        """Make sure that an output is JSON, and short enough."""
        size = len(json.dumps(output, ensure_ascii=False).encode("utf-8", "replace"))
        if size > self._output_limit:
            raise ToolUnexpected(
                f"{name}: the answer has {size} bytes, and at most "
                f"{self._output_limit} may be returned",
                alternative="ask for less: a page, a limit, fewer fields",
            )
        return output


def _with_steps(verdict: Verdict, name: str, files: Sequence[Verdict]) -> Verdict:
    """Say what a class of such calls would hold, if they use files of the server."""
    if not files:
        return verdict  # the operation is the class
    rules, external = frozenset({verdict.rule}), verdict.external
    does = Step(name, verdict.tier, rules, external=external)
    return replace(
        verdict, steps=(does, *(step for each in files for step in each.steps or ()))
    )


def _is_external(declared: Operation) -> bool:
    return declared.external or declared.tier is Tier.YELLOW_EXTERNAL


def _raw_operation(adapter: Adapter) -> Operation:
    """The operation for what no other one covers."""

    async def run(tool: ToolClient, sent: RawRequest) -> Json:
        response = await tool.send_raw(sent.method, sent.path, sent.query, sent.body)
        told: dict[str, Any] = {"status": response.status}
        body = response.peek()
        if body is None and response.content:
            return {**told, "text": response.text}
        return {**told, "body": body}

    def raises(sent: RawRequest) -> list[Raise]:
        return list(judge_route(adapter.routes, sent))

    return Operation(
        name=RAW,
        summary="Send a request that no other operation covers; prefer those.",
        arguments=RawRequest,
        run=run,
        tier=Tier.GREEN,  # the least; the table says what each request is
        raises=raises,
        credentials=None,
        examples=_raw_examples(adapter.routes),
    )


def _raw_examples(routes: Sequence[RouteRule]) -> tuple[Example, ...]:
    """Show a read, the first that the table has."""
    reads = (r.pattern for r in routes if "GET" in r.methods and r.tier is Tier.GREEN)
    path = next(reads, "/").replace("/**", "").replace("*", "1") or "/"
    arguments = {"method": "GET", "path": path}
    sent = RawRequest.model_validate(arguments)
    return (Example(arguments, max(r.tier for r in judge_route(routes, sent))),)
