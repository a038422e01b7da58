"""Stalwart up to 0.15: principals and a queue over REST."""

from __future__ import annotations

from typing import Any

from letsbe.plugin import ToolClient, ToolFailed
from letsbe_tool_stalwart.addresses import split

_PRINCIPALS = "/api/principal"
_ONE = "/api/principal/{name}"
_QUEUE = "/api/queue/messages"
_HIDDEN = ("secrets",)  # password hashes


class RestServer:
    """A server of the older generation.

    Args:
        tool: The client of one call.
    """

    def __init__(self, tool: ToolClient) -> None:
        self._tool = tool

    async def accounts(self, page: int, limit: int) -> dict[str, Any]:
        """List the accounts of people."""
        return await self._listed("individual", page, limit)

    async def account(self, address: str) -> dict[str, Any]:
        """Show one account."""
        return _shown((await self._tool.get(_ONE, {"name": address}))["data"])

    async def create_account(
        self, address: str, password: str, name: str | None, quota: int | None
    ) -> dict[str, Any]:
        """Make an account. Without the role it could not sign in."""
        body: dict[str, Any] = {
            "type": "individual",
            "name": address,
            "emails": [address],
            "secrets": [password],
            "roles": ["user"],
        }
        if name is not None:
            body["description"] = name
        if quota is not None:
            body["quota"] = quota
        return await self._created(body)

    async def set_password(self, address: str, password: str) -> None:
        """Replace the password. What else is kept beside it stays."""
        found = (await self._tool.get(_ONE, {"name": address}))["data"]
        kept = found.get("secrets") or []
        old = [
            s for s in ([kept] if isinstance(kept, str) else kept) if _is_password(s)
        ]
        steps = [_step("removeItem", "secrets", secret) for secret in old]
        await self._patched(address, [*steps, _step("addItem", "secrets", password)])

    async def update_account(
        self, address: str, name: str | None, quota: int | None
    ) -> None:
        """Change what is said of an account, or how much it may hold."""
        steps: list[dict[str, Any]] = []
        if name is not None:
            steps.append(_step("set", "description", name))
        if quota is not None:
            steps.append(_step("set", "quota", quota))
        await self._patched(address, steps)

    async def change_aliases(
        self, address: str, add: list[str], remove: list[str]
    ) -> None:
        """Add other addresses to an account, and take some away."""
        await self._changed(address, "emails", add, remove)

    async def delete_account(self, address: str) -> None:
        """Delete an account with all its mail."""
        await self._tool.send("DELETE", _ONE, {"name": address})

    async def domains(self, page: int, limit: int) -> dict[str, Any]:
        """List the domains."""
        return await self._listed("domain", page, limit)

    async def create_domain(self, name: str, description: str | None) -> dict[str, Any]:
        """Make a domain, and the keys that sign its mail."""
        body = {"type": "domain", "name": name, "description": description or name}
        made = await self._created(body)
        for algorithm in ("Ed25519", "Rsa"):
            key = {"id": None, "algorithm": algorithm, "domain": name, "selector": None}
            try:
                await self._tool.send("POST", "/api/dkim", json=key)
            except ToolFailed as error:
                made["warning"] = f"no {algorithm} key was made: {error.message}"
        return made

    async def delete_domain(self, name: str) -> None:
        """Delete a domain."""
        await self._tool.send("DELETE", _ONE, {"name": name})

    async def dns_records(self, domain: str) -> dict[str, Any]:
        """Show the records that a domain needs."""
        answer = await self._tool.get("/api/dns/records/{domain}", {"domain": domain})
        return {"records": answer["data"]}

    async def lists(self, page: int, limit: int) -> dict[str, Any]:
        """List the mailing lists."""
        return await self._listed("list", page, limit)

    async def create_list(
        self, address: str, members: list[str], description: str | None
    ) -> dict[str, Any]:
        """Make a mailing list; who has no account here is an external member."""
        local, _ = split(address)
        body = {
            "type": "list",
            "name": address,
            "emails": [address],
            "externalMembers": members,
            "description": description or local,
        }
        return await self._created(body)

    async def change_list(
        self, address: str, add: list[str], remove: list[str]
    ) -> None:
        """Add members to a mailing list, and take some away."""
        await self._changed(address, "externalMembers", add, remove)

    async def delete_list(self, address: str) -> None:
        """Delete a mailing list."""
        await self._tool.send("DELETE", _ONE, {"name": address})

    async def queue(self, text: str | None, page: int, limit: int) -> dict[str, Any]:
        """List the messages that wait."""
        query = {"values": 1, "page": page, "limit": limit, "text": text}
        answer = (await self._tool.send("GET", _QUEUE, query=query)).json()
        found = answer["data"]
        running = found.get("status")
        return {"messages": found["items"], "total": found["total"], "running": running}

    async def queued(self, message_id: str) -> dict[str, Any]:
        """Show one message that waits."""
        answer = await self._tool.get(f"{_QUEUE}/{{id}}", {"id": message_id})
        found: dict[str, Any] = answer["data"]
        return found

    async def retry(self, message_id: str) -> None:
        """Try to deliver a message now."""
        await self._tool.send("PATCH", f"{_QUEUE}/{{id}}", {"id": message_id})

    async def cancel(self, message_id: str) -> None:
        """Deliver a message no more."""
        await self._tool.send("DELETE", f"{_QUEUE}/{{id}}", {"id": message_id})

    async def _listed(self, kind: str, page: int, limit: int) -> dict[str, Any]:
        answer = await self._tool.get(_PRINCIPALS, types=kind, page=page, limit=limit)
        found = answer["data"]
        return {"items": [_shown(i) for i in found["items"]], "total": found["total"]}

    async def _created(self, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._tool.send("POST", _PRINCIPALS, json=body)
        return {"id": answer.json()["data"], "name": body["name"]}

    async def _changed(
        self, name: str, field: str, add: list[str], remove: list[str]
    ) -> None:
        steps = [_step("addItem", field, item) for item in add]
        steps += [_step("removeItem", field, item) for item in remove]
        await self._patched(name, steps)

    async def _patched(self, name: str, steps: list[dict[str, Any]]) -> None:
        if steps:
            await self._tool.send("PATCH", _ONE, {"name": name}, json=steps)


def _step(action: str, field: str, value: str | int) -> dict[str, Any]:
    return {"action": action, "field": field, "value": value}


def _is_password(secret: str) -> bool:
    """Whether it is neither an application's password nor a second factor."""
    return not secret.startswith(("$app$", "otpauth://"))


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in _HIDDEN}
