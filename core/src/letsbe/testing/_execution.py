"""A running call's loan from the core, with secrets that a test chooses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from letsbe.errors import UnknownSecret

_REFERENCE = re.compile(r"SECRET_REF\(([A-Za-z][A-Za-z0-9_.-]{0,63})\)")


class FakeExecution:
    """An :class:`letsbe.plugin.Execution` for tests.

    Args:
        environment: The variables that ``env_refs`` and ``secret_refs`` would give.
        secrets: Values by name, put in place of ``SECRET_REF(name)``.
        deadline: The seconds left. It does not run down and cancels nothing: cancel
            with :func:`anyio.fail_after`, as the core does.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        deadline: float = 60.0,
    ) -> None:
        self._environment = MappingProxyType(dict(environment or {}))
        self._secrets = dict(secrets or {})
        self._deadline = deadline
        self.filled: list[str] = []
        """The texts that were filled, as they were before: references, not values."""

    @property
    def deadline(self) -> float:
        """The seconds left until the call is cancelled."""
        return self._deadline

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with their values."""
        return self._environment

    def fill(self, text: str) -> str:
        """Put values in place of references, in one pass.

        Args:
            text: Text that may hold ``SECRET_REF(name)``.

        Returns:
            The text with values; a value that looks like a reference stays as it is.

        Raises:
            UnknownSecret: A reference names a secret the test did not give.
        """
        self.filled.append(text)
        return _REFERENCE.sub(self._value, text)

    def redact(self, data: bytes) -> bytes:
        """Put references in place of the secrets' values, longest value first.

        Args:
            data: Any bytes. Encoded forms of a value are not looked for.

        Returns:
            The data with ``SECRET_REF(name)``.
        """
        by_length = sorted(self._secrets.items(), key=lambda item: -len(item[1]))
        for name, value in by_length:
            data = data.replace(value.encode(), f"SECRET_REF({name})".encode())
        return data

    def registered(self, data: bytes) -> frozenset[str]:
        """Return the names of the secrets whose plain values data holds."""
        held = (name for name, v in self._secrets.items() if v.encode() in data)
        return frozenset(held)

    def _value(self, match: re.Match[str]) -> str:
        name = match.group(1)
        try:
            return self._secrets[name]
        except KeyError:
            message = f"there is no secret named {name}: give it to FakeExecution"
            raise UnknownSecret(message) from None
