"""Stalwart from 0.16 on: objects over JMAP (RFC 8620).

Sets are written as objects whose values are true, lists as objects whose keys are
numbers. Objects refer to each other by ids, which are looked up by name first.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from letsbe.plugin import ToolClient, ToolNotFound, ToolUnexpected
from letsbe_tool_stalwart.addresses import split

_USING = ["urn:ietf:params:jmap:core", "urn:stalwart:jmap"]
_NEW = "new"
_HIDDEN = ("credentials", "encryptionAtRest", "permissions", "memberTenantId")


class JmapServer:
    """A server of the newer generation.

    Args:
        tool: The client of one call.
    """

    def __init__(self, tool: ToolClient) -> None:
        self._tool = tool

    async def accounts(self, page: int, limit: int) -> dict[str, Any]:
        """List the accounts of people."""
        found = await self._listed("Account", {}, page, limit)
        people = [item for item in found["items"] if item.get("@type") == "User"]
        return {**found, "items": people}

    async def account(self, address: str) -> dict[str, Any]:
        """Show one account."""
        return _shown(await self._account(address))

    async def create_account(
        self, address: str, password: str, name: str | None, quota: int | None
    ) -> dict[str, Any]:
        """Make an account whose domain is there."""
        local, domain = split(address)
        new: dict[str, Any] = {
            "@type": "User",
            "name": local,
            "domainId": await self._id_of_domain(domain),
            "aliases": {},
            "credentials": {"0": {"@type": "Password", "secret": password}},
            "encryptionAtRest": {"@type": "Disabled"},
            "memberGroupIds": {},
            "permissions": {"@type": "Inherit"},
            "quotas": {} if quota is None else {"maxDiskQuota": quota},
            "roles": {"@type": "User"},
        }
        if name is not None:
            new["description"] = name
        return await self._created("Account", new, address)

    async def set_password(self, address: str, password: str) -> None:
        """Change an account's password; its other credentials stay."""
        account = await self._account(address)
        kept: dict[str, Any] = account.get("credentials") or {}
        for key, credential in kept.items():
            if credential.get("@type") == "Password":
                change: dict[str, Any] = {f"credentials/{key}/secret": password}
                break
        else:
            key = str(max((int(key) for key in kept), default=-1) + 1)
            change = {f"credentials/{key}": {"@type": "Password", "secret": password}}
        await self._updated("Account", account["id"], change)

    async def update_account(
        self, address: str, name: str | None, quota: int | None
    ) -> None:
        """Change what is said of an account, or how much it may hold."""
        account = await self._account(address)
        change: dict[str, Any] = {}
        if name is not None:
            change["description"] = name
        if quota is not None:
            change["quotas/maxDiskQuota"] = quota
        await self._updated("Account", account["id"], change)

    async def change_aliases(
        self, address: str, add: list[str], remove: list[str]
    ) -> None:
        """Add other addresses to an account, and take some away."""
        account = await self._account(address)
        kept: dict[str, Any] = account.get("aliases") or {}
        change: dict[str, Any] = {}
        domains = {
            d: await self._id_of_domain(d) for _, d in map(split, [*add, *remove])
        }
        for key, alias in kept.items():
            for local, domain in map(split, remove):
                if (alias["name"], alias["domainId"]) == (local, domains[domain]):
                    change[f"aliases/{key}"] = None
        free = max((int(key) for key in kept), default=-1) + 1
        for number, (local, domain) in enumerate(map(split, add), free):
            entry = {"name": local, "domainId": domains[domain], "enabled": True}
            change[f"aliases/{number}"] = entry
        await self._updated("Account", account["id"], change)

    async def delete_account(self, address: str) -> None:
        """Delete an account with all its mail."""
        await self._destroyed("Account", (await self._account(address))["id"])

    async def domains(self, page: int, limit: int) -> dict[str, Any]:
        """List the domains."""
        return await self._listed("Domain", {}, page, limit)

    async def create_domain(self, name: str, description: str | None) -> dict[str, Any]:
        """Make a domain whose keys the server makes and renews."""
        new: dict[str, Any] = {
            "name": name,
            "aliases": {},
            "certificateManagement": {"@type": "Manual"},
            "dkimManagement": {"@type": "Automatic"},
            "dnsManagement": {"@type": "Manual"},
            "subAddressing": {"@type": "Enabled"},
        }
        if description is not None:
            new["description"] = description
        return await self._created("Domain", new, name)

    async def delete_domain(self, name: str) -> None:
        """Delete a domain."""
        await self._destroyed("Domain", await self._id_of_domain(name))

    async def dns_records(self, domain: str) -> dict[str, Any]:
        """Show the records that a domain needs, as a zone file."""
        ids = [await self._id_of_domain(domain)]
        (found,) = await self._got("Domain", ids)
        return {"zone": found["dnsZoneFile"]}

    async def lists(self, page: int, limit: int) -> dict[str, Any]:
        """List the mailing lists."""
        return await self._listed("MailingList", {}, page, limit)

    async def create_list(
        self, address: str, members: list[str], description: str | None
    ) -> dict[str, Any]:
        """Make a mailing list."""
        local, domain = split(address)
        new: dict[str, Any] = {
            "name": local,
            "domainId": await self._id_of_domain(domain),
            "aliases": {},
            "recipients": dict.fromkeys(members, True),
        }
        if description is not None:
            new["description"] = description
        return await self._created("MailingList", new, address)

    async def change_list(
        self, address: str, add: list[str], remove: list[str]
    ) -> None:
        """Add members to a mailing list, and take some away."""
        found = await self._list(address)
        kept: dict[str, Any] = found.get("recipients") or {}
        left = {member: True for member in kept if member not in remove}
        change = {"recipients": {**left, **dict.fromkeys(add, True)}}
        await self._updated("MailingList", found["id"], change)

    async def delete_list(self, address: str) -> None:
        """Delete a mailing list."""
        await self._destroyed("MailingList", (await self._list(address))["id"])

    async def queue(self, text: str | None, page: int, limit: int) -> dict[str, Any]:
        """List the messages that wait."""
        wanted = {} if text is None else {"text": text}
        found = await self._listed("QueuedMessage", wanted, page, limit)
        return {"messages": found["items"], "total": found["total"]}

    async def queued(self, message_id: str) -> dict[str, Any]:
        """Show one message that waits."""
        (found,) = await self._got("QueuedMessage", [message_id])
        return found

    async def retry(self, message_id: str) -> None:
        """Try to deliver a message now."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        await self._updated("QueuedMessage", message_id, {"nextRetry": now})

    async def cancel(self, message_id: str) -> None:
        """Deliver a message no more."""
        await self._destroyed("QueuedMessage", message_id)

    async def _account(self, address: str) -> dict[str, Any]:
        local, domain = split(address)
        wanted = {"name": local, "domainId": await self._id_of_domain(domain)}
        return await self._one("Account", wanted, address)

    async def _list(self, address: str) -> dict[str, Any]:
        return await self._one("MailingList", {"text": split(address)[0]}, address)

    async def _one(
        self, kind: str, wanted: dict[str, Any], address: str
    ) -> dict[str, Any]:
        """Find the object of an address; a filter may match a part of a name."""
        ids = (await self._call(f"{kind}/query", {"filter": wanted}))["ids"]
        for found in await self._got(kind, ids) if ids else ():
            if str(found.get("emailAddress")).casefold() == address.casefold():
                return found
        message = f"there is no {kind} with this address"
        raise ToolNotFound(message, alternative="list them to see the addresses")

    async def _id_of_domain(self, name: str) -> str:
        ids = (await self._call("Domain/query", {"filter": {"name": name}}))["ids"]
        for found in await self._got("Domain", ids) if ids else ():
            if str(found.get("name")).casefold() == name.casefold():
                return str(found["id"])
        message = "the server does not have this address's domain"
        raise ToolNotFound(message, alternative="make it with create_domain")

    async def _listed(
        self, kind: str, wanted: dict[str, Any], page: int, limit: int
    ) -> dict[str, Any]:
        asked = {
            "filter": wanted,
            "position": (page - 1) * limit,
            "limit": limit,
            "calculateTotal": True,
        }
        found = await self._call(f"{kind}/query", asked)
        items = await self._got(kind, found["ids"]) if found["ids"] else []
        return {"items": [_shown(i) for i in items], "total": found.get("total")}

    async def _got(self, kind: str, ids: list[str]) -> list[dict[str, Any]]:
        answer = await self._call(f"{kind}/get", {"ids": ids})
        found: list[dict[str, Any]] = answer["list"]
        if not found:
            message = f"there is no {kind} of this id"
            raise ToolNotFound(message)
        return found

    async def _created(
        self, kind: str, new: dict[str, Any], name: str
    ) -> dict[str, Any]:
        answer = await self._call(f"{kind}/set", {"create": {_NEW: new}})
        return {"id": answer["created"][_NEW]["id"], "name": name}

    async def _updated(self, kind: str, found: str, change: dict[str, Any]) -> None:
        if change:
            await self._call(f"{kind}/set", {"update": {found: change}})

    async def _destroyed(self, kind: str, found: str) -> None:
        await self._call(f"{kind}/set", {"destroy": [found]})

    async def _call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        body = {"using": _USING, "methodCalls": [[f"x:{method}", arguments, "c"]]}
        answer = (await self._tool.send("POST", "/jmap", json=body)).json()
        for name, found, call in answer["methodResponses"]:
            if name == f"x:{method}" and call == "c":
                result: dict[str, Any] = found
                return result
        message = f"the answer has nothing of {method}"
        raise ToolUnexpected(message)


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in _HIDDEN}
