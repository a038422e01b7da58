"""The side channel: secrets, for the operator's token alone."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from pydantic import BaseModel, Field, SecretStr
from starlette.responses import Response

from letsbe.vault.records import SecretRecord
from letsbe.vault.values import Alphabet
from letsbe.wrapper.http.endpoints import (
    Body,
    Endpoint,
    Exchange,
    Nothing,
    answered,
    parsed,
)
from letsbe.wrapper.tokens import Role

OPERATOR = frozenset({Role.OPERATOR})
Patterns = Annotated[list[str], Field(min_length=1, max_length=64)]


class SecretView(BaseModel):
    """A secret's record, without its value."""

    name: str
    version: int
    fingerprint: str
    tools: list[str]
    hosts: list[str]
    created_at: float
    """When its first value came, in seconds since 1970 (UTC)."""
    rotated_at: float
    """When its newest value came."""

    @classmethod
    def of(cls, record: SecretRecord) -> SecretView:
        """Describe a record."""
        return cls(
            name=record.name,
            version=record.version,
            fingerprint=record.fingerprint,
            tools=list(record.tools),
            hosts=list(record.hosts),
            created_at=record.created_at,
            rotated_at=record.rotated_at,
        )


class SecretList(BaseModel):
    """Every secret's record."""

    secrets: list[SecretView]


class ProvideBody(Body):
    """A value to keep."""

    name: str
    """The name that references use."""
    value: SecretStr
    """The value."""
    tools: Patterns | None = None
    """The tools it may be used for: names, ``prefix.*`` or ``*`` (the default)."""
    hosts: Patterns | None = None
    """The hosts it may be sent to: names, ``*.example.com`` or ``*`` (the default)."""


class GenerateBody(Body):
    """A random value to make and keep."""

    name: str
    """The name that references use."""
    length: int = 32
    """How many characters."""
    alphabet: Alphabet = "letters_digits"
    """Of which characters."""
    tools: Patterns | None = None
    """As for a value that is provided."""
    hosts: Patterns | None = None
    """As for a value that is provided."""


class RotateBody(Body):
    """A value to put in place of the current one."""

    value: SecretStr | None = None
    """The new value; without one a random value is made."""


class Revealed(BaseModel):
    """A secret's value."""

    name: str
    value: str


async def provide(exchange: Exchange) -> Response:
    """Store a value."""
    body = await parsed(exchange.request, ProvideBody)
    vault = exchange.wrapper.secrets.vault
    tools, hosts = _scope(body.tools), _scope(body.hosts)
    value = body.value.get_secret_value()
    record = await to_thread.run_sync(
        lambda: vault.provide(body.name, value, tools=tools, hosts=hosts)
    )
    return answered(SecretView.of(record), 201)


async def generate(exchange: Exchange) -> Response:
    """Store a random value."""
    body = await parsed(exchange.request, GenerateBody)
    vault = exchange.wrapper.secrets.vault
    record = await to_thread.run_sync(
        lambda: vault.generate(
            body.name,
            length=body.length,
            alphabet=body.alphabet,
            tools=_scope(body.tools),
            hosts=_scope(body.hosts),
        )
    )
    return answered(SecretView.of(record), 201)


async def rotate(exchange: Exchange) -> Response:
    """Put a new value in place of the current one."""
    body = await parsed(exchange.request, RotateBody)
    value = body.value.get_secret_value() if body.value else None
    vault, name = exchange.wrapper.secrets.vault, exchange.id
    record = await to_thread.run_sync(lambda: vault.rotate(name, value))
    return answered(SecretView.of(record))


async def reveal(exchange: Exchange) -> Response:
    """Show a value."""
    desk, name = exchange.wrapper.secrets, exchange.id
    secret = await to_thread.run_sync(lambda: desk.reveal(name))
    return answered(Revealed(name=name, value=secret.reveal()))


async def delete(exchange: Exchange) -> Response:
    """Erase a secret with its history."""
    vault, name = exchange.wrapper.secrets.vault, exchange.id
    await to_thread.run_sync(lambda: vault.delete(name))
    return Response(status_code=204)


async def list_secrets(exchange: Exchange) -> Response:
    """List the secrets' records."""
    views = [SecretView.of(record) for record in exchange.wrapper.secrets.vault.list()]
    return answered(SecretList(secrets=views))


def _scope(patterns: list[str] | None) -> tuple[str, ...] | None:
    return None if patterns is None else tuple(patterns)


_PATH = "/api/v1/secrets"

ENDPOINTS = (
    Endpoint("GET", _PATH, list_secrets, OPERATOR, "List secrets", answer=SecretList),
    Endpoint(
        "POST",
        _PATH,
        provide,
        OPERATOR,
        "Provide a secret",
        body=ProvideBody,
        answer=SecretView,
    ),
    Endpoint(
        "POST",
        f"{_PATH}/generate",
        generate,
        OPERATOR,
        "Generate a secret",
        body=GenerateBody,
        answer=SecretView,
    ),
    Endpoint(
        "POST",
        f"{_PATH}/{{id}}/rotate",
        rotate,
        OPERATOR,
        "Rotate a secret",
        body=RotateBody,
        answer=SecretView,
    ),
    Endpoint(
        "POST",
        f"{_PATH}/{{id}}/reveal",
        reveal,
        OPERATOR,
        "Reveal a secret",
        body=Nothing,
        answer=Revealed,
    ),
    Endpoint("DELETE", f"{_PATH}/{{id}}", delete, OPERATOR, "Delete a secret"),
)
