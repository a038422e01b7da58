"""The tenant's document on disk.

People write it with ``letsbe openclaw``, the Hub with the same functions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import ValidationError
from tinydb import TinyDB, where

from letsbe.errors import ConfigurationError, NotFound
from letsbe.openclaw.tenant import (
    AgentProfile,
    Business,
    Channel,
    Job,
    Model,
    Row,
    Runtime,
    Tenant,
)
from letsbe.storage.documents import open_document
from letsbe.wrapper.requests import field_errors, invalid

R = TypeVar("R", bound=Row)
Table = Literal["models", "agents", "channels", "jobs"]

_BUSINESS, _RUNTIME = "business", "runtime"
_KEYS = {
    "models": "model",
    "agents": "agent_id",
    "channels": "channel",
    "jobs": "name",
}
_ROWS: dict[str, type[Row]] = {
    "business": Business,
    "runtime": Runtime,
    "models": Model,
    "agents": AgentProfile,
    "channels": Channel,
    "jobs": Job,
}


class TenantDocument:
    """All of it, read and written row by row.

    Args:
        path: ``Home.tenant``, which need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Tenant:
        """Read all of it.

        Raises:
            ConfigurationError: It does not exist, lacks something, or a row is wrong.
            StorageError: It is damaged.
        """
        rows = self._rows()
        if not rows[_BUSINESS]:
            message = "it is not known whom the agents work for"
            instead = "run `letsbe openclaw tenant` with --business, --owner, --domain"
            raise ConfigurationError(message, alternative=instead)
        if not rows["models"]:
            message = "the tenant has no model"
            instead = "run `letsbe openclaw model add UPSTREAM MODEL`"
            raise ConfigurationError(message, alternative=instead)
        return Tenant(
            business=self._checked(Business, rows[_BUSINESS])[0],
            models=self._checked(Model, rows["models"]),
            agents=self._checked(AgentProfile, rows["agents"]),
            channels=self._checked(Channel, rows["channels"]),
            jobs=self._checked(Job, rows["jobs"]),
            runtime=next(iter(self._checked(Runtime, rows[_RUNTIME])), Runtime()),
        )

    def runtime(self) -> Runtime:
        """Read where OpenClaw is; the rest of the document need not be whole.

        Raises:
            ConfigurationError: The row is wrong.
            StorageError: The document is damaged.
        """
        rows = self._rows()[_RUNTIME]
        return next(iter(self._checked(Runtime, rows)), Runtime())

    def set_single(self, table: Literal["business", "runtime"], **fields: Any) -> None:  # noqa: ANN401 - checked by the row's model
        """Change fields of a table that has one row.

        Raises:
            InvalidRequest: A field is missing or wrong.
        """
        with open_document(self._path) as document:
            kept = [dict(row) for row in document.table(table)]
            row = _row(_ROWS[table], {**(kept[0] if kept else {}), **fields})
            document.table(table).truncate()
            document.table(table).insert(row)

    def put(self, row: Model | AgentProfile | Channel | Job) -> None:
        """Write a row, new or in place of the one with its name."""
        table = next(name for name, kind in _ROWS.items() if isinstance(row, kind))
        stored = row.model_dump(mode="json", exclude_none=True)
        with open_document(self._path) as document:
            document.table(table).upsert(stored, self._same(table, stored))

    def remove(
        self, table: Literal["models", "agents", "channels", "jobs"], key: str
    ) -> None:
        """Remove a row.

        Raises:
            NotFound: There is none of that name.
        """
        query = where(_KEYS[table]) == key
        if table == "models":
            upstream, _, model = key.partition("/")
            query = (where("upstream") == upstream) & (where("model") == model)
        with open_document(self._path) as document:
            if not document.table(table).remove(query):
                raise NotFound(f"the tenant's {table} have none of that name")

    def agents(self) -> tuple[AgentProfile, ...]:
        """Return the agents there are, in the order in which they were added."""
        return self._checked(AgentProfile, self._rows()["agents"])

    def facts(self) -> dict[str, Any]:
        """Return all that is known, whole or not."""
        rows = self._rows()
        return {
            **{key: value for row in rows[_BUSINESS] for key, value in row.items()},
            **{key: value for row in rows[_RUNTIME] for key, value in row.items()},
            "models": [f"{row['upstream']}/{row['model']}" for row in rows["models"]],
            "agents": [row["agent_id"] for row in rows["agents"]],
            "channels": [row["channel"] for row in rows["channels"]],
            "jobs": [row["name"] for row in rows["jobs"]],
        }

    def _same(self, table: str, row: dict[str, Any]) -> Any:  # noqa: ANN401 - TinyDB's
        key = _KEYS[table]
        same = where(key) == row[key]
        return (
            same & (where("upstream") == row["upstream"]) if table == "models" else same
        )

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        if not self._path.exists():
            return {table: [] for table in _ROWS}
        with open_document(self._path) as document:
            return {table: _all(document, table) for table in _ROWS}

    def _checked(self, kind: type[R], rows: list[dict[str, Any]]) -> tuple[R, ...]:
        try:
            return tuple(kind.model_validate(row) for row in rows)
        except ValidationError as error:
            details = field_errors(error)
            named = "; ".join(f"{d.field}: {d.message}" for d in details)
            message = f"{self._path} has a wrong {kind.__name__.lower()}: {named}"
            raise ConfigurationError(message, details=details) from None


def _all(document: TinyDB, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in document.table(table)]


def _row(kind: type[Row], fields: dict[str, Any]) -> dict[str, Any]:
    return checked(kind, fields).model_dump(mode="json", exclude_none=True)


def checked(kind: type[R], fields: dict[str, Any]) -> R:
    """Make a row from what a person gave.

    Raises:
        InvalidRequest: A field is missing or wrong; the error names each.
    """
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        summary = f"the {kind.__name__.lower()} is not right"
        raise invalid(summary, field_errors(error)) from None
