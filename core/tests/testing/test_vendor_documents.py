"""What a vendor's document says of a request, in OpenAPI 3 and in Swagger 2."""

from __future__ import annotations

import json
from typing import Any

import pytest

from letsbe.testing import SentRequest, VendorDocument

OPENAPI: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "https://{host}/api"}],
    "security": [{"key": []}],
    "paths": {
        "/notes/{id}": {
            "parameters": [
                {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "schema": {"type": "integer"},
                }
            ],
            "get": {
                "parameters": [
                    {"name": "full", "in": "query", "schema": {"type": "boolean"}},
                    {
                        "name": "tags[]",
                        "in": "query",
                        "schema": {
                            "type": "array",
                            "items": {"type": "string", "enum": ["a", "b"]},
                        },
                    },
                    {
                        "name": "X-Version",
                        "in": "header",
                        "required": True,
                        "schema": {"type": "string"},
                    },
                ]
            },
            "put": {
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/Note"}
                        }
                    },
                }
            },
        },
        "/notes/latest": {"get": {"security": []}},
        "/import": {
            "post": {"requestBody": {"content": {"multipart/form-data": {}}}},
        },
    },
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "schemas": {
            "Note": {
                "allOf": [
                    {"$ref": "#/components/schemas/Named"},
                    {
                        "type": "object",
                        "properties": {
                            "text": {"type": "string", "nullable": True},
                            "stars": {
                                "type": "integer",
                                "minimum": 0,
                                "exclusiveMinimum": True,
                            },
                        },
                    },
                ]
            },
            "Named": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}},
            },
        },
    },
}

SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "basePath": "/v1",
    "securityDefinitions": {"basic": {"type": "basic"}},
    "paths": {
        "/things": {
            "post": {
                "security": [{"basic": []}],
                "parameters": [
                    {"name": "kind", "in": "query", "type": "integer"},
                    {
                        "name": "body",
                        "in": "body",
                        "required": True,
                        "schema": {"$ref": "#/definitions/Thing"},
                    },
                ],
            }
        }
    },
    "definitions": {
        "Thing": {"type": "object", "properties": {"size": {"type": "number"}}}
    },
}

JSON = {"content-type": "application/json", "x-key": "k"}
READ = {"x-key": "k", "x-version": "1"}


def faults(method: str, path: str, **parts: Any) -> list[str]:
    return VendorDocument(OPENAPI).faults(SentRequest(method, path, **parts))


def put(body: Any) -> list[str]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return faults("PUT", "/api/notes/7", headers=JSON, body=content)


def test_a_request_as_documented_has_no_fault() -> None:
    query = (("full", "true"), ("tags[]", "a"), ("tags[]", "b"))
    assert faults("GET", "/api/notes/7", query=query, headers=READ) == []
    assert put({"name": "n", "text": None, "stars": 1}) == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/notes/7"),  # without the server's own path
        ("DELETE", "/api/notes/7"),
        ("GET", "/api/notes/7/more"),
        ("GET", "/api/notes/"),
    ],
)
def test_what_is_not_in_the_document_is_a_fault(method: str, path: str) -> None:
    (fault,) = faults(method, path, headers=READ)
    assert fault == f"{method} {path}: not in the vendor's document"


def test_a_path_without_variables_comes_first() -> None:
    assert faults("GET", "/api/notes/latest") == []


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ([("colour", "red")], "colour is not documented"),
        ([("full", "perhaps")], "'perhaps' is not of type 'boolean'"),
        ([("tags[]", "c")], "'c' is not one of"),
    ],
)
def test_a_wrong_query_is_a_fault(query: list[tuple[str, str]], said: str) -> None:
    (fault,) = faults("GET", "/api/notes/7", query=tuple(query), headers=READ)
    assert said in fault


def test_a_path_variable_has_a_type() -> None:
    (fault,) = faults("GET", "/api/notes/seven", headers=READ)
    assert "path id: 'seven' is not of type 'integer'" in fault


def test_a_missing_header_and_a_missing_credential_are_faults() -> None:
    found = " ".join(faults("GET", "/api/notes/7"))
    assert "the header parameter X-Version is missing" in found
    assert "none of the documented credentials" in found


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"text": "t"}, "'name' is a required property"),
        ({"name": 3}, "body.name: 3 is not of type 'string'"),
        ({"name": "n", "stars": 0}, "body.stars: 0 is less than or equal to"),
        ({"name": "n", "colour": "red"}, "'colour' was unexpected"),
        (b"{", "the body is not JSON"),
        (b"", "the body is missing"),
    ],
)
def test_a_wrong_body_is_a_fault(body: Any, said: str) -> None:
    assert said in " ".join(put(body))


def test_a_body_where_none_is_documented_is_a_fault() -> None:
    found = faults("GET", "/api/notes/7", headers={**READ, **JSON}, body=b"{}")
    assert found == ["GET /api/notes/7: a body is not documented"]


def test_a_form_is_not_read_as_json() -> None:
    headers = {"x-key": "k", "content-type": "multipart/form-data; boundary=x"}
    assert faults("POST", "/api/import", headers=headers, body=b"--x--") == []


def test_swagger_is_read_too() -> None:
    document = VendorDocument(SWAGGER)
    headers = {"content-type": "application/json", "authorization": "Basic eA=="}

    def sent(query: str, size: Any, **given: str) -> list[str]:
        body = json.dumps({"size": size}).encode()
        request = SentRequest("POST", "/v1/things", (("kind", query),), given, body)
        return document.faults(request)

    assert sent("1", 2.5, **headers) == []
    assert len(sent("one", "big")) == 2  # no content type: the body is not looked at
    assert "body.size: 'big' is not of type 'number'" in " ".join(
        sent("1", "big", **headers)
    )


def test_another_base_path_can_be_given() -> None:
    document = VendorDocument(SWAGGER, base_path="/api/v9")
    assert document.knows(SentRequest("POST", "/api/v9/things"))
    assert not document.knows(SentRequest("POST", "/v1/things"))
