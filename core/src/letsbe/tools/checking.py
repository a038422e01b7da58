"""Whether the tenant's tools can be used: address, secrets, and an answer to a call."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from letsbe.errors import DeadlineExceeded, LetsBeError
from letsbe.plugin import Adapter, ToolCall
from letsbe.plugin._health import ask
from letsbe.plugin._offers import Offer
from letsbe.storage.tool_registry import Tool
from letsbe.vault.scopes import check_scope
from letsbe.vault.vault import Vault
from letsbe.wrapper.answers import showable
from letsbe.wrapper.injection import BoundExecution
from letsbe.wrapper.opening import Wrapper


@dataclass(frozen=True, slots=True)
class ToolCheck:
    """How one tool is.

    Args:
        tool: Its name.
        status: ``ok``, ``no_adapter``, ``no_secret``, or ``failed``.
        message: What was found, and what to do.
    """

    tool: str
    status: str
    message: str


async def check_tools(
    wrapper: Wrapper, tools: list[Tool], seconds: float
) -> list[ToolCheck]:
    """Ask each tool whether it answers and takes its credentials.

    Args:
        wrapper: Lends vault, adapters and redaction.
        tools: The tools to ask.
        seconds: The longest that one may take.

    Returns:
        How each is, in order.
    """
    found: dict[str, ToolCheck] = {}

    async def examine(tool: Tool) -> None:
        try:
            found[tool.name] = await _check(wrapper, tool, seconds)
        except LetsBeError as error:
            shown = showable(error, wrapper.pipeline)
            told = ". ".join(t for t in (shown.message, shown.alternative) if t)
            found[tool.name] = ToolCheck(tool.name, "failed", told)

    async with anyio.create_task_group() as tasks:
        for tool in tools:
            tasks.start_soon(examine, tool)
    return [found[tool.name] for tool in tools]


async def _check(wrapper: Wrapper, tool: Tool, seconds: float) -> ToolCheck:
    offers = {
        name: offer
        for name, offer in wrapper.plugins.catalog.items()
        if name.startswith(f"{tool.name}.")
    }
    if not offers:
        message = f"no active plugin has the adapter {tool.adapter}, so no operations"
        return ToolCheck(tool.name, "no_adapter", message)
    provider = next(iter(offers.values())).provider
    declared = getattr(provider, "adapter", None)
    lacking = _lacking(tool, declared, wrapper.secrets.vault)
    if lacking:
        message = f"not in the registry or the vault: {', '.join(lacking)}"
        return ToolCheck(tool.name, "no_secret", message)
    health = await ask(provider, seconds)
    if not health.healthy:
        return ToolCheck(tool.name, "failed", health.message)
    probe = declared.probe if isinstance(declared, Adapter) else None
    if probe is not None:
        await _probe(wrapper, offers, f"{tool.name}.{probe}", seconds)
    told = "its credentials work" if probe else "it answers"
    return ToolCheck(tool.name, "ok", "; ".join(t for t in (health.message, told) if t))


async def _probe(
    wrapper: Wrapper, offers: Mapping[str, Offer], name: str, seconds: float
) -> None:
    """Call an operation that reads and needs no arguments; look at no answer."""
    offer, vault = offers[name], wrapper.secrets.vault
    call = ToolCall(name, offer.action.arguments(), "operator", "tools-check")
    verdict = offer.classify(call)
    for secret in offer.action.secrets:
        check_scope(vault.get(secret), name, verdict.hosts)
    secrets = {secret: vault.reveal(secret) for secret in offer.action.secrets}
    run = BoundExecution(time.monotonic() + seconds, secrets, {}, wrapper.pipeline)
    with anyio.move_on_after(seconds):
        await offer.run(call, verdict, run)
        return
    message = f"{name} did not answer within {seconds:g} seconds"
    raise DeadlineExceeded(message)


def _lacking(tool: Tool, declared: object, vault: Vault) -> list[str]:
    known = {record.name for record in vault.list()}
    lacking = [secret for secret in tool.secrets.values() if secret not in known]
    if isinstance(declared, Adapter):
        lacking += [
            credential.name
            for credential in declared.credentials
            if credential.required and credential.name not in tool.secrets
        ]
        lacking += [
            setting.name
            for setting in declared.settings
            if setting.default is None and setting.name not in tool.settings
        ]
    return lacking
