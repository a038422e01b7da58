"""The OpenAPI document, made from the table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import letsbe
from letsbe_hub.api.endpoints import Endpoint
from letsbe_hub.api.principals import Audience

_REF = "#/components/schemas/{model}"
_TOKENS = {
    Audience.TENANT: "tenantKey",
    Audience.ADMIN: "staffSession",
    Audience.CUSTOMER: "customerSession",
}


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
    bearer = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "LetsBe Hub", "version": letsbe.__version__},
        "paths": paths,
        "components": {
            "schemas": {**_schemas(rows), "Error": _ERROR},
            "securitySchemes": dict.fromkeys(
                sorted({*_TOKENS.values()} | {row.token for row in rows if row.token}),
                bearer,
            ),
        },
    }


def _operation(row: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": row.summary,
        "operationId": _operation_id(row),
        "tags": [row.audience.value],
        "responses": {
            "default": {"description": "An error", **_content(_ref("Error"))},
            "2XX": {"description": "The answer", **_content(_envelope(row))},
        },
    }
    if row.body is not None:
        needed = any(each.is_required() for each in row.body.model_fields.values())
        content = _content(_ref(row.body.__name__))
        operation["requestBody"] = content | {"required": needed}
    token = row.token or _TOKENS.get(row.audience)
    if token is not None:
        operation["security"] = [{token: []}]
    if row.permission is not None:
        operation["description"] = f"Needs the permission `{row.permission}`."
    parameters = [*_path_parameters(row), *_headers(row), *_query_parameters(row)]
    return operation | ({"parameters": parameters} if parameters else {})


def _operation_id(row: Endpoint) -> str:
    module = row.handler.__module__.rsplit(".", 1)[1]
    return f"{row.audience.value}_{module}_{row.handler.__name__}"


def _envelope(row: Endpoint) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "null"}
    if row.answer is not None:
        data = _ref(row.answer.__name__)
        if row.many:
            data = {"type": "array", "items": data}
    return {
        "type": "object",
        "required": ["success", "data", "meta"],
        "properties": {
            "success": {"const": True},
            "data": data,
            "meta": {"type": "object"},
        },
    }


def _path_parameters(row: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", row.path)
    ]


def _headers(row: Endpoint) -> list[dict[str, Any]]:
    if row.method == "GET" or row.hot or row.open:
        return []
    said = "Sent again with the same key, the request gets the first one's answer."
    return [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "description": said,
            "schema": {"type": "string", "minLength": 8, "maxLength": 128},
        }
    ]


def _query_parameters(row: Endpoint) -> list[dict[str, Any]]:
    if row.query is None:
        return []
    properties = row.query.model_json_schema().get("properties", {})
    return [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in properties.items()
    ]


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _ref(model: str) -> dict[str, Any]:
    return {"$ref": _REF.format(model=model)}


def _schemas(rows: Iterable[Endpoint]) -> dict[str, Any]:
    inputs = dict.fromkeys(
        (model, mode)
        for row in rows
        for model, mode in ((row.body, "validation"), (row.answer, "serialization"))
        if model is not None
    )
    _, definitions = models_json_schema(list(_typed(inputs)), ref_template=_REF)
    return dict(definitions.get("$defs", {}))


def _typed(inputs: Iterable[tuple[type[BaseModel], str]]) -> Any:  # noqa: ANN401 - pydantic's own literal
    return inputs


_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["success", "error"],
    "properties": {
        "success": {"const": False},
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
                        "required": ["field", "message"],
                        "properties": {
                            "field": {"type": "string"},
                            "message": {"type": "string"},
                        },
                    },
                },
                "alternative": {"type": "string"},
            },
        },
    },
}
