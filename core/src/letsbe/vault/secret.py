"""A secret's value, which shows itself only when asked to."""

from __future__ import annotations

from typing import NoReturn, Protocol, final

from typing_extensions import override


@final
class Secret:
    """Text that must not be seen.

    ``repr``, ``str``, formatting and logging give its name; copying and pickling are
    refused. :meth:`reveal` is the one way to the value.

    Args:
        name: The secret's name in the vault.
        value: The text itself.
    """

    __slots__ = ("__value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.__value = value

    def reveal(self) -> str:
        """Return the value. Keep it no longer than the call that needs it."""
        return self.__value

    @override
    def __repr__(self) -> str:
        return f"Secret({self.name!r})"

    @override
    def __str__(self) -> str:
        return f"SECRET_REF({self.name})"

    @override
    def __reduce__(self) -> NoReturn:
        message = "a secret cannot be pickled or copied"
        raise TypeError(message)


class RegisteredSecrets(Protocol):
    """What redaction layers are given of the vault: all values, nothing else."""

    @property
    def version(self) -> int:
        """A number that grows with every change of any secret."""
        ...

    def current(self) -> tuple[Secret, ...]:
        """Return every value to take out: current ones and ones being rotated."""
        ...
