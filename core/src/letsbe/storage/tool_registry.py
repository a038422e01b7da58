"""The tenant's tools: where each one answers, and which secrets it needs."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from tinydb import TinyDB, where

from letsbe.errors import FieldError, InvalidRequest, NotFound, StorageError
from letsbe.storage.documents import open_document

TABLE = "tools"


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.scheme not in {"http", "https"}:
        message = "write http:// or https://, a host, and a port if it has one"
        raise ValueError(message)
    if "@" in parts.netloc or parts.query or parts.fragment:
        message = "no user, password, query or fragment: secrets belong in the vault"
        raise ValueError(message)
    if not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>'):
        message = "only ASCII characters without blanks"
        raise ValueError(message)
    return url.rstrip("/")


_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}\z")]
_AdapterName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}\z")]
_Text = Annotated[str, StringConstraints(max_length=512, pattern=r"^[^\x00-\x1f]*\z")]
_SecretName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}\z")
]
_Url = Annotated[str, StringConstraints(max_length=2048), AfterValidator(_check_url)]


class Tool(BaseModel):
    """One tool of the tenant."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    name: _Name
    """What it is called here; the first part of its operations' names."""
    base_url: _Url
    """Where it answers, without a slash at the end."""
    adapter: _AdapterName
    """The name of the adapter that speaks to it."""
    secrets: dict[_Name, _SecretName] = Field(default_factory=dict)
    """The name in the vault of each of its credentials; never a value."""
    settings: dict[_Name, _Text] = Field(default_factory=dict)
    """What else its adapter must know, such as an account's number; no secret."""
    certificates: str | None = None
    """A PEM file with the authorities to trust instead of the public ones."""


def parse_tool(fields: Mapping[str, Any]) -> Tool:
    """Check what someone sent as a tool.

    Raises:
        InvalidRequest: A field is unknown, missing or wrong; the error names each.
    """
    try:
        return Tool.model_validate(fields)
    except ValidationError as error:
        details = _details(error)
        named = "; ".join(f"{d.field}: {d.message}" for d in details)
        message = f"this is not a tool: {named}"
        raise InvalidRequest(message, details=details) from None


class ToolRegistry:
    """The document with the tenant's tools.

    Args:
        path: The document.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def list(self) -> list[Tool]:
        """Return every tool, sorted by name.

        Raises:
            StorageError: The document is damaged or holds something else.
        """
        with open_document(self._path) as document:
            return self._load(document)

    def get(self, name: str) -> Tool:
        """Return one tool.

        Raises:
            NotFound: There is none of that name.
            StorageError: As :meth:`list`.
        """
        for tool in self.list():
            if tool.name == name:
                return tool
        raise _unknown(name)

    def put(self, tool: Tool) -> None:
        """Add a tool, or replace the one of its name.

        Raises:
            StorageError: As :meth:`list`, or it cannot be written.
        """
        with open_document(self._path) as document:
            self._load(document)
            document.table(TABLE).upsert(
                tool.model_dump(mode="json"), where("name") == tool.name
            )

    def remove(self, name: str) -> None:
        """Take a tool out.

        Raises:
            NotFound: There is none of that name.
            StorageError: As :meth:`list`, or it cannot be written.
        """
        with open_document(self._path) as document:
            self._load(document)
            if not document.table(TABLE).remove(where("name") == name):
                raise _unknown(name)

    def _load(self, document: TinyDB) -> builtins.list[Tool]:
        """Check everything that is there, before anything is built on it."""
        tools: dict[str, Tool] = {}
        for stored in document.table(TABLE).all():
            try:
                tool = Tool.model_validate(dict(stored))
            except ValidationError as error:
                wrong = ", ".join(sorted({d.field for d in _details(error)}))
                message = f"{self._path}: tool {stored.doc_id} is wrong in: {wrong}"
                raise StorageError(message) from None
            if tool.name in tools:
                message = f"{self._path} has two tools named {tool.name}: remove one"
                raise StorageError(message)
            tools[tool.name] = tool
        return [tools[name] for name in sorted(tools)]


def _details(error: ValidationError) -> tuple[FieldError, ...]:
    return tuple(
        FieldError(".".join(map(str, item["loc"])), item["msg"])
        for item in error.errors(include_input=False, include_url=False)
    )


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no tool named {name}: see `letsbe plugins list`")
