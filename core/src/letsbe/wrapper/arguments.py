"""Requests as they may be stored: registered values turned into references.

A model never sees a secret's value, but a file, a tool or a person may have put one
into a call. Such a value becomes ``SECRET_REF(name)`` before anything else happens, so
that its scopes count and neither approval nor audit ever holds it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from letsbe.errors import OutputWithheld
from letsbe.redaction.pipeline import Pipeline
from letsbe.vault.names import NAME
from letsbe.vault.vault import Vault
from letsbe.wrapper.requests import RequestContext, ToolRequest

REFERENCE = rf"SECRET_REF\({NAME}\)"
"""A reference that is well-formed, as a regular expression."""


def normalised(
    arguments: dict[str, Any], pipeline: Pipeline, vault: Vault
) -> tuple[dict[str, Any], bool]:
    """Turn registered values in arguments into references.

    Args:
        arguments: A call's arguments.
        pipeline: Says whether they hold anything that must not be seen.
        vault: Says which values are current.

    Returns:
        The arguments, the same object if there was nothing to do, and whether they can
        be stored: after the change nothing else would have to be taken out. What cannot
        be put back exactly (an encoded form, a value since rotated, an unregistered
        secret) is left for execution as it came.
    """
    if pipeline.redact_json(arguments) is arguments:
        return arguments, True
    current = {record.name: vault.reveal(record.name) for record in vault.list()}
    values = {
        secret.reveal(): f"SECRET_REF({name})" for name, secret in current.items()
    }
    referred = _replaced(arguments, _any_of(values), values)
    return referred, pipeline.redact_json(referred) is referred


def is_clean(request: ToolRequest, pipeline: Pipeline) -> bool:
    """Say whether neither the ids nor the arguments of a request hold a secret.

    One look at all of it, which is all that nearly every request needs.
    """
    ids: list[Any] = [request.session_id, *request.context.model_dump().values()]
    try:
        found: list[Any] = [ids, request.tool_args]
        return pipeline.redact_json(found) is found
    except OutputWithheld:
        return False


def with_clean_ids(request: ToolRequest, pipeline: Pipeline) -> ToolRequest:
    """Turn registered values in the ids of a request into references.

    Ids are stored and shown as they come, and are the caller's to choose.

    Args:
        request: A request.
        pipeline: Finds the values.

    Returns:
        The request; the same object if there was nothing to do. An id that only looks
        like a secret, as random ones do, stays as it is. With a layer that fails the
        request has no ids; its arguments cannot be looked at either, so nothing runs.
    """
    ids = {"session_id": request.session_id, **request.context.model_dump()}
    given = {name: text for name, text in ids.items() if isinstance(text, str)}
    try:
        clean = {name: pipeline.redact_text(text) for name, text in given.items()}
    except OutputWithheld:
        none = {"session_id": "withheld", "context": RequestContext()}
        return request.model_copy(update=none)
    changed = {
        name: text
        for name, text in clean.items()
        if text != given[name] and re.search(REFERENCE, text)
    }
    if not changed:
        return request
    session_id = changed.pop("session_id", request.session_id)
    context = request.context.model_copy(update=changed)
    return request.model_copy(update={"session_id": session_id, "context": context})


def _any_of(values: Mapping[str, str]) -> re.Pattern[str]:
    """Match a reference, or else the longest value.

    References stand first, so that a value which is another secret's name, or a part
    of the word itself, leaves them whole.
    """
    longest_first = sorted(values, key=len, reverse=True)
    return re.compile("|".join([REFERENCE, *map(re.escape, longest_first)]))


def _replaced(
    value: Any,  # noqa: ANN401 - any JSON
    pattern: re.Pattern[str],
    references: Mapping[str, str],
) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return pattern.sub(lambda found: references.get(found[0], found[0]), value)
    if isinstance(value, Mapping):
        return {k: _replaced(item, pattern, references) for k, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, pattern, references) for item in value]
    return value
