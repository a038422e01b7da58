"""Schemas as a model is shown them: what every prompt carries has to be small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic import BaseModel

_NULL = {"type": "null"}
_NAMED_BY_CALLER = frozenset({"properties", "$defs", "patternProperties"})


def compact_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return a model's JSON schema without what tells a caller nothing.

    Args:
        model: The model of a tool's arguments.

    Returns:
        A schema that allows the same values, but for ``null`` in place of a field that
        is left out. Titles, empty defaults and the model's own name are gone.
    """
    schema = _compact(model.model_json_schema())
    schema.pop("description", None)
    return cast(dict[str, Any], schema)


def _compact(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(schema, list):
        return [_compact(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    schema = _without_null(schema)
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "title" or (key == "default" and value in (None, [], {}, "")):
            continue
        if key in _NAMED_BY_CALLER:
            kept[key] = {name: _compact(inner) for name, inner in value.items()}
        elif key in {"default", "enum", "const", "examples"}:
            kept[key] = value
        elif key == "description":
            kept[key] = " ".join(value.split())
        else:
            kept[key] = _compact(value)
    return kept


def _without_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = schema.get("anyOf")
    if not choices or _NULL not in choices:
        return schema
    others = [choice for choice in choices if choice != _NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**others[0], **rest} if len(others) == 1 else {**rest, "anyOf": others}
