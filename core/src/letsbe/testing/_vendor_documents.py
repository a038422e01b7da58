"""Requests checked against the document in which a vendor describes its API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from typing_extensions import override

_DOCUMENT = "urn:letsbe:vendor-document"
_METHODS = {"get", "put", "post", "delete", "patch", "head", "options"}
_LEFT_TO_HTTP = {"accept", "authorization", "content-type"}
"""Header parameters that OpenAPI ignores (3.0.3, Parameter Object)."""
_NUMBERS = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request as it came over the wire.

    Args:
        method: In capitals.
        path: As it was sent, encoded.
        query: Names and values, decoded, in the order sent.
        headers: Names in lower case.
        body: The bytes.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @override
    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class VendorDocument:
    """An OpenAPI 3 or Swagger 2 document.

    Swagger's ``basePath`` and the path of OpenAPI's first server stand before every
    path. A body may hold no field that the document does not name.

    Args:
        document: The parsed document.
        base_path: What stands before every path instead.
    """

    def __init__(
        self, document: Mapping[str, Any], *, base_path: str | None = None
    ) -> None:
        self._document = _as_json_schema(document)
        self._base = _base_path(document) if base_path is None else base_path

    def knows(self, request: SentRequest) -> bool:
        """Say whether the document has this method at this path."""
        return self._find(request) is not None

    def faults(self, request: SentRequest) -> list[str]:
        """Say what of a request the document does not allow.

        Args:
            request: The request.

        Returns:
            One sentence for each fault; none if the request is as documented.
        """
        found = self._find(request)
        if found is None:
            return [f"{request}: not in the vendor's document"]
        template, operation = found
        declared = [self._resolved(p) for p in operation["parameters"]]
        faults = [
            *self._parameter_faults(request, template, declared),
            *self._body_faults(request, operation, declared),
            *self._credential_faults(request, operation),
        ]
        return [f"{request}: {fault}" for fault in faults]

    def _find(self, request: SentRequest) -> tuple[str, dict[str, Any]] | None:
        """Return the operation whose path fits with the fewest variables."""
        for template, pattern, item in self._paths:
            operation = item.get(request.method.lower())
            if operation is not None and pattern.fullmatch(request.path):
                common = item.get("parameters", [])
                own = operation.get("parameters", [])
                return template, {**operation, "parameters": [*common, *own]}
        return None

    @cached_property
    def _paths(self) -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
        found = []
        for path, item in self._document.get("paths", {}).items():
            template = self._base + path.split("?")[0]
            parts = re.split(r"\{([^}]*)\}", template)
            pattern = "".join(
                "([^/]+)" if number % 2 else re.escape(part)
                for number, part in enumerate(parts)
            )
            found.append((template, re.compile(pattern), item))
        return sorted(found, key=lambda entry: entry[0].count("{"))

    def _parameter_faults(
        self, request: SentRequest, template: str, declared: list[dict[str, Any]]
    ) -> Iterator[str]:
        sent = {
            "path": self._in_path(request.path, template),
            "query": _gathered(request.query),
            "header": {name: [value] for name, value in request.headers.items()},
        }
        names = {p["name"] for p in declared if p["in"] == "query"}
        for name in [n for n in sent["query"] if n not in names and n.endswith("[]")]:
            # Rails and PHP read `labels[]` as the array `labels`.
            sent["query"].setdefault(name[:-2], []).extend(sent["query"].pop(name))
        for name in sent["query"]:
            if name not in names:
                yield f"the query parameter {name} is not documented"
        for parameter in declared:
            place, name = parameter["in"], parameter["name"]
            key = name.lower() if place == "header" else name
            if place not in sent or (place == "header" and key in _LEFT_TO_HTTP):
                continue
            values = sent[place].get(key)
            if values is None and parameter.get("required"):
                yield f"the {place} parameter {name} is missing"
            elif values is not None:
                yield from self._value_faults(f"{place} {name}", parameter, values)

    def _value_faults(
        self, where: str, parameter: dict[str, Any], values: list[str]
    ) -> Iterator[str]:
        schema = self._resolved(parameter.get("schema", parameter))
        if _has_type(schema, "array"):
            if len(values) == 1:
                values = values[0].split(",")
            element = self._resolved(schema.get("items", {}))
            value: Any = [_typed(v, element) for v in values]
        else:
            value = _typed(values[-1], schema)
        kept = {k: v for k, v in schema.items() if k not in {"required", "in", "name"}}
        yield from self._schema_faults(where, kept, value)

    def _body_faults(
        self,
        request: SentRequest,
        operation: dict[str, Any],
        declared: list[dict[str, Any]],
    ) -> Iterator[str]:
        schema, required = self._body_schema(operation, declared)
        if not request.body:
            if required:
                yield "the body is missing"
            return
        if schema is None:
            yield "a body is not documented"
        elif "json" in request.headers.get("content-type", ""):
            try:
                body = json.loads(request.body)
            except ValueError:
                yield "the body is not JSON"
            else:
                yield from self._document_faults(schema, body)

    def _document_faults(self, schema: dict[str, Any], body: object) -> list[str]:
        faults = list(self._schema_faults("body", schema, body))
        if faults or not isinstance(body, dict) or self._is_open(schema):
            return faults
        closed = {"allOf": [schema], "unevaluatedProperties": False}
        return list(self._schema_faults("body", closed, body))

    def _body_schema(
        self, operation: dict[str, Any], declared: list[dict[str, Any]]
    ) -> tuple[dict[str, Any] | None, bool]:
        for parameter in declared:  # Swagger 2
            if parameter["in"] == "body":
                return parameter.get("schema", {}), bool(parameter.get("required"))
        if any(parameter["in"] == "formData" for parameter in declared):
            return {}, True
        body = self._resolved(operation.get("requestBody", {}))
        content = body.get("content", {})
        for kind, described in content.items():
            if "json" in kind:
                return described.get("schema", {}), bool(body.get("required"))
        return ({} if content else None), bool(body.get("required"))

    def _is_open(self, schema: dict[str, Any]) -> bool:
        """Whether a schema names no fields at all, so that any may be sent."""
        resolved = self._resolved(schema)
        return not {"properties", "allOf", "anyOf"} & set(resolved)

    def _credential_faults(
        self, request: SentRequest, operation: dict[str, Any]
    ) -> Iterator[str]:
        asked = operation.get("security", self._document.get("security", []))
        schemes = self._document.get("securityDefinitions") or self._document.get(
            "components", {}
        ).get("securitySchemes", {})
        if asked and not any(
            all(_shows(request, schemes.get(name, {})) for name in choice)
            for choice in asked
        ):
            yield "it shows none of the documented credentials"

    def _schema_faults(
        self, where: str, schema: object, value: object
    ) -> Iterator[str]:
        validator = Draft202012Validator(
            _inside_document(schema), registry=self._registry
        )
        for error in validator.iter_errors(value):
            place = ".".join([where, *map(str, error.absolute_path)])
            yield f"{place}: {error.message}"

    @cached_property
    def _registry(self) -> Registry[Any]:
        resource = DRAFT202012.create_resource(self._document)
        registry: Registry[Any] = Registry().with_resource(_DOCUMENT, resource)
        return registry

    def _resolved(self, node: Mapping[str, Any]) -> dict[str, Any]:
        while "$ref" in node:
            target: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[unquote(part).replace("~1", "/").replace("~0", "~")]
            node = target
        return dict(node)

    def _in_path(self, path: str, template: str) -> dict[str, list[str]]:
        names = re.findall(r"\{([^}]*)\}", template)
        pattern = next(p for t, p, _ in self._paths if t == template)
        match = pattern.fullmatch(path)
        values = match.groups() if match else ()
        return {n: [unquote(v)] for n, v in zip(names, values, strict=True)}


def _base_path(document: Mapping[str, Any]) -> str:
    servers = document.get("servers") or [{"url": document.get("basePath", "")}]
    return urlsplit(re.sub(r"\{\w+\}", "x", servers[0]["url"])).path.rstrip("/")


def _as_json_schema(node: object) -> Any:  # noqa: ANN401 # as json.loads
    """Say in JSON Schema what OpenAPI 3.0 and Swagger 2 say otherwise."""
    if isinstance(node, list):
        return [_as_json_schema(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    converted = {
        # Vendors write oneOf where several alternatives fit: Cal.com's bookings.
        "anyOf" if key == "oneOf" else key: _as_json_schema(value)
        for key, value in node.items()
    }
    kind = converted.get("type")
    if converted.pop("nullable", False) is True and isinstance(kind, str):
        converted["type"] = [kind, "null"]
        if isinstance(converted.get("enum"), list):
            converted["enum"] = [*converted["enum"], None]
    for limit in ("exclusiveMinimum", "exclusiveMaximum"):
        if isinstance(converted.get(limit), bool):
            bound = converted.get(f"{limit[9].lower()}{limit[10:]}")
            exclusive = converted.pop(limit)
            if exclusive and bound is not None:
                converted[limit] = bound
    return converted


def _inside_document(schema: object) -> Any:  # noqa: ANN401 # as json.loads
    """Make a schema's references point into the document it was taken from."""
    if isinstance(schema, list):
        return [_inside_document(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: f"{_DOCUMENT}{value}"
        if key == "$ref" and isinstance(value, str)
        else _inside_document(value)
        for key, value in schema.items()
    }


def _has_type(schema: dict[str, Any], kind: str) -> bool:
    declared = schema.get("type")
    return declared == kind or (isinstance(declared, list) and kind in declared)


def _typed(text: str, schema: dict[str, Any]) -> str | float | bool:
    """Read a parameter's text as the type it is declared to have."""
    if _has_type(schema, "boolean") and text in {"true", "false"}:
        return text == "true"
    if _has_type(schema, "integer") and re.fullmatch(r"-?\d+", text):
        return int(text)
    if _has_type(schema, "number") and _NUMBERS.fullmatch(text):
        return float(text)
    return text


def _gathered(query: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    gathered: dict[str, list[str]] = {}
    for name, value in query:
        gathered.setdefault(name, []).append(value)
    return gathered


def _shows(request: SentRequest, scheme: Mapping[str, Any]) -> bool:
    name = str(scheme.get("name", "")).lower()
    if scheme.get("type") == "apiKey" and scheme.get("in") == "query":
        return name in {key.lower() for key, _ in request.query}
    if scheme.get("type") == "apiKey":
        return name in request.headers
    return "authorization" in request.headers
