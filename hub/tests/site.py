"""A Hub to call, and whoever may call it."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.testclient import TestClient

from letsbe_hub.api.principals import (
    Audience,
    Principal,
    TokenKind,
    bearer_hash,
    new_token,
    token_hash,
)
from letsbe_hub.errors import Unauthenticated
from letsbe_hub.opening import Hub
from letsbe_hub.tenants.registration import issue_token
from letsbe_hub.tenants.registry import NewTenant, create


@dataclass(frozen=True)
class Site:
    """A Hub on an empty database, and whoever may call it."""

    hub: Hub
    http: TestClient
    app: Starlette

    def tenant(self, **more: str) -> Tenant:
        """Make a tenant and register its server."""
        order = secrets.token_hex(4)
        new = NewTenant("Bakery", order, "lite", **more)
        store = self.hub.store
        tenant_id = store.write(lambda c: create(c, new, "cli"))
        token, _ = store.write(lambda c: issue_token(c, tenant_id, 10, "cli"))
        answer = self.http.post(
            "/api/v1/tenant/register",
            headers=bearer(token),
            json={"orderId": order, "serverId": f"srv-{order}"},
        )
        assert answer.status_code == 201, answer.text
        return Tenant(tenant_id, order, answer.json()["data"]["apiKey"])


@dataclass(frozen=True)
class Tenant:
    """A registered tenant."""

    id: str
    order: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.key)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@dataclass
class People:
    """Stands in for the room of people: tokens and who they are."""

    audience: Audience
    kind: TokenKind
    known: dict[str, Principal] = field(default_factory=dict)

    def add(
        self,
        name: str,
        *permissions: str,
        tenants: frozenset[str] | None = None,
    ) -> dict[str, str]:
        token = new_token(self.kind)
        self.known[token_hash(token)] = Principal(
            self.audience, name, frozenset(permissions), tenants
        )
        return bearer(token)

    async def __call__(self, request: Request) -> Principal:
        found = self.known.get(bearer_hash(request, self.kind))
        if found is None:
            raise Unauthenticated("the session is not known")
        return found


def approval(id_: str = "apr_1", **more: Any) -> dict[str, Any]:
    """Make what a server asks for an approval with."""
    return {
        "tenantApprovalId": id_,
        "digest": "0" * 64,
        "agentId": "main",
        "toolName": "shell",
        "tier": "RED",
        "external": False,
        "reason": "deletes files for good",
        "summary": {"plan": {"argv": [["rm", "-r", "old"]]}},
        "expiresAt": int(time.time()) // 3600 * 3600 + 7200,
    } | more
