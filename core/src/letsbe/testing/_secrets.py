"""The registered secrets, as redaction layers see them, without a vault."""

from __future__ import annotations

from collections.abc import Mapping

from letsbe.vault.secret import Secret


class FakeSecrets:
    """A :class:`letsbe.plugin.RegisteredSecrets` for tests.

    Args:
        values: Values by name.
    """

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._secrets = [Secret(n, v) for n, v in (values or {}).items()]
        self._version = 1

    @property
    def version(self) -> int:
        """A number that grows with every change."""
        return self._version

    def current(self) -> tuple[Secret, ...]:
        """Return every value to take out, in the order they were registered."""
        return tuple(self._secrets)

    def provide(self, name: str, value: str) -> None:
        """Register one more value, or another one of the same name.

        Earlier values of a name stay, as they do in the vault while one is rotated.

        Args:
            name: The secret's name.
            value: Its value.
        """
        self._secrets.append(Secret(name, value))
        self._version += 1

    def delete(self, name: str) -> None:
        """Forget every value of a name.

        Args:
            name: The secret's name; one that is not registered changes nothing.
        """
        self._secrets = [s for s in self._secrets if s.name != name]
        self._version += 1
