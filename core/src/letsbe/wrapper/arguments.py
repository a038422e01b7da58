"""Arguments as they may be stored: registered values turned into references.

A model never sees a secret's value, but a file, a tool or a person may have put one
into a call. Such a value becomes ``SECRET_REF(name)`` before anything else happens, so
that its scopes count and neither approval nor audit ever holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from letsbe.redaction.pipeline import Pipeline
from letsbe.vault.vault import Vault


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
    longest_first = sorted(values, key=len, reverse=True)
    referred = _replaced(arguments, {value: values[value] for value in longest_first})
    return referred, pipeline.redact_json(referred) is referred


def _replaced(value: Any, references: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        for plain, reference in references.items():
            value = value.replace(plain, reference)
        return value
    if isinstance(value, Mapping):
        return {key: _replaced(item, references) for key, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, references) for item in value]
    return value
