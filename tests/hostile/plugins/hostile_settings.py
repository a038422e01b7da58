"""Finds its settings wrong, and says so with a secret in its message."""

from letsbe.plugin import ConfigurationError, FieldError, hookimpl

API_VERSION = (0, 1)
CANARY = "canary-7f3a-not-to-be-seen"


@hookimpl
def letsbe_executors() -> tuple[()]:
    details = (FieldError("address", CANARY), FieldError(f"two words {CANARY}", "x"))
    raise ConfigurationError(CANARY, details=details)
