"""Passwords: argon2id, a few at a time, each in a thread."""

from __future__ import annotations

import anyio
from anyio import to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from letsbe.errors import FieldError
from letsbe_hub.errors import InvalidRequest

SHORTEST = 12
LONGEST = 256
AT_ONCE = 2
"""A check takes 64 MiB and a third of a second of one core: measured."""

_TELLING = 4
"""Characters of a name that a password may not hold; shorter ones are in any text."""

_HASHER = PasswordHasher()
_DUMMY = _HASHER.hash("of nobody, so that an unknown name takes as long")


class Passwords:
    """Hashes and checks passwords, never more than two at once."""

    def __init__(self) -> None:
        self._limit: anyio.CapacityLimiter | None = None

    async def hash(self, password: str) -> str:
        """Hash a password that :func:`check_form` has accepted."""
        return await to_thread.run_sync(_HASHER.hash, password, limiter=self._places())

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Check a password; of nobody, or of one without a password, as slowly."""

        def verify() -> bool:
            try:
                _HASHER.verify(hashed or _DUMMY, password)
            except (VerificationError, InvalidHashError):
                return False
            return hashed is not None

        return await to_thread.run_sync(verify, limiter=self._places())

    def _places(self) -> anyio.CapacityLimiter:
        if self._limit is None:
            self._limit = anyio.CapacityLimiter(AT_ONCE)
        return self._limit


def hash_now(password: str) -> str:
    """Hash a password on this thread, for the command line."""
    return _HASHER.hash(password)


def check_form(password: str, email: str) -> None:
    """Make sure that a password is not too easily guessed.

    Length counts and composition rules do not: NIST SP 800-63B, 3.1.1.2.

    Raises:
        InvalidRequest: It is too short, too long, or made of the address.
    """
    told, name = None, email.partition("@")[0].lower()
    made_of_it = len(name) >= _TELLING and name in password.lower()
    if not SHORTEST <= len(password) <= LONGEST:
        told = f"it needs {SHORTEST} to {LONGEST} characters"
    elif len(set(password)) < 5 or made_of_it:
        told = "it is too easily guessed: take several words"
    if told:
        details = (FieldError("password", told),)
        raise InvalidRequest(f"the password cannot be used: {told}", details=details)
