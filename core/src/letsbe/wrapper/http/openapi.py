"""The OpenAPI document, made from the table of endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import letsbe
from letsbe.wrapper.http.endpoints import Endpoint

_REF = "#/components/schemas/{model}"


def document(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Describe the API as OpenAPI 3.1.

    Args:
        endpoints: Every row of the table.

    Returns:
        The document as JSON.
    """
    rows = list(endpoints)
    paths: dict[str, dict[str, Any]] = {}
    for row in rows:
        paths.setdefault(row.path, {})[row.method.lower()] = _operation(row)
    return {
        "openapi": "3.1.0",
        "info": {"title": "LetsBe Safety Wrapper", "version": letsbe.__version__},
        "paths": paths,
        "components": {
            "schemas": {**_schemas(rows), "Error": _ERROR},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(row: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": row.summary,
        "operationId": row.handler.__name__,
        "responses": {
            "default": {"description": "An error", **_json("Error")},
            "200": {"description": "The answer"},
        },
    }
    if row.answer is not None:
        operation["responses"]["200"].update(_json(row.answer.__name__))
    if row.body is not None:
        operation["requestBody"] = _json(row.body.__name__)
    if row.roles:
        operation["security"] = [{"bearer": []}]
        names = ", ".join(sorted(role.value for role in row.roles))
        operation["description"] = f"Needs the token of: {names}."
    parameters = [*_path_parameters(row), *_query_parameters(row)]
    return operation | ({"parameters": parameters} if parameters else {})


def _path_parameters(row: Endpoint) -> list[dict[str, Any]]:
    if "{id}" not in row.path:
        return []
    return [
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    ]


def _query_parameters(row: Endpoint) -> list[dict[str, Any]]:
    if row.query is None:
        return []
    properties = row.query.model_json_schema().get("properties", {})
    return [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in properties.items()
    ]


def _json(model: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model)}
    return {"content": {"application/json": {"schema": schema}}}


def _schemas(rows: Iterable[Endpoint]) -> dict[str, Any]:
    models = dict[type[BaseModel], None]()
    for row in rows:
        models.update(dict.fromkeys(m for m in (row.body, row.answer) if m is not None))
    inputs = [(model, "validation") for model in models]
    _, definitions = models_json_schema(inputs, ref_template=_REF)  # type: ignore[arg-type] # the mode is a literal
    return dict(definitions.get("$defs", {}))


_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["status", "error"],
    "properties": {
        "status": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "field": {"type": "string"},
                            "message": {"type": "string"},
                        },
                    },
                },
                "alternative": {"type": ["string", "null"]},
            },
        },
    },
}
