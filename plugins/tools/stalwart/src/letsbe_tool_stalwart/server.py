"""A mail server, whichever generation it is.

Stalwart 0.16 took away the REST interface of 0.15 and has JMAP in its place. The
server is asked which one it has: ``/api/schema`` is new in 0.16.
"""

from __future__ import annotations

from typing import Any, Protocol

from letsbe.plugin import ToolClient
from letsbe_tool_stalwart.jmap import JmapServer
from letsbe_tool_stalwart.rest import RestServer


class Server(Protocol):
    """What both generations can do. Accounts and lists are named by their address."""

    async def accounts(self, page: int, limit: int) -> dict[str, Any]:
        """List the accounts of people."""
        ...

    async def account(self, address: str) -> dict[str, Any]:
        """Show one account."""
        ...

    async def create_account(
        self, address: str, password: str, name: str | None, quota: int | None
    ) -> dict[str, Any]:
        """Make an account whose domain is there."""
        ...

    async def set_password(self, address: str, password: str) -> None:
        """Change an account's password; its application passwords stay."""
        ...

    async def update_account(
        self, address: str, name: str | None, quota: int | None
    ) -> None:
        """Change what is said of an account, or how much it may hold, in bytes."""
        ...

    async def change_aliases(
        self, address: str, add: list[str], remove: list[str]
    ) -> None:
        """Add other addresses to an account, and take some away."""
        ...

    async def delete_account(self, address: str) -> None:
        """Delete an account with all its mail."""
        ...

    async def domains(self, page: int, limit: int) -> dict[str, Any]:
        """List the domains."""
        ...

    async def create_domain(self, name: str, description: str | None) -> dict[str, Any]:
        """Make a domain."""
        ...

    async def delete_domain(self, name: str) -> None:
        """Delete a domain."""
        ...

    async def dns_records(self, domain: str) -> dict[str, Any]:
        """Show the records that a domain needs."""
        ...

    async def lists(self, page: int, limit: int) -> dict[str, Any]:
        """List the mailing lists."""
        ...

    async def create_list(
        self, address: str, members: list[str], description: str | None
    ) -> dict[str, Any]:
        """Make a mailing list."""
        ...

    async def change_list(
        self, address: str, add: list[str], remove: list[str]
    ) -> None:
        """Add members to a mailing list, and take some away."""
        ...

    async def delete_list(self, address: str) -> None:
        """Delete a mailing list."""
        ...

    async def queue(self, text: str | None, page: int, limit: int) -> dict[str, Any]:
        """List the messages that wait."""
        ...

    async def queued(self, message_id: str) -> dict[str, Any]:
        """Show one message that waits."""
        ...

    async def retry(self, message_id: str) -> None:
        """Try to deliver a message now."""
        ...

    async def cancel(self, message_id: str) -> None:
        """Deliver a message no more."""
        ...


async def server_of(tool: ToolClient) -> Server:
    """Ask the server which generation it is."""
    answer = await tool.send("GET", "/api/schema", accept=(404,))
    return RestServer(tool) if answer.status == 404 else JmapServer(tool)
