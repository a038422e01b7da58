"""The second factor: six digits that an app makes of a secret and the time (RFC 6238).

The secret is kept sealed. A code is good for its half minute and the ones beside it,
and once: the step that was used last is remembered.
"""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass

import pyotp
import sqlalchemy as sa

from letsbe.vault.sealing import NotSealedHere, Sealer
from letsbe_hub.errors import Conflict
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.tables.people import people

STEP = 30
ISSUER = "LetsBe Hub"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app needs; it is shown this once.

    Args:
        secret: In base32.
        uri: The same as an ``otpauth:`` URI, for a QR code.
    """

    secret: str
    uri: str


class SecondFactor:
    """Makes and checks codes.

    Args:
        key: 32 bytes that the secrets are sealed with.
    """

    def __init__(self, key: bytes) -> None:
        self._sealer = Sealer(key)

    def enrol(self, connection: sa.Connection, person_id: str) -> Enrolment:
        """Begin: a new secret, which does not count before it is confirmed.

        Raises:
            Conflict: The person has a second factor already.
        """
        row = connection.execute(
            sa.select(people).where(people.c.id == person_id)
        ).one()
        if row.totp_confirmed:
            raise Conflict("there is a second factor: turn it off first")
        secret = pyotp.random_base32()
        sealed = self._sealer.seal(secret, (person_id,))
        _set(connection, person_id, totp_sealed=sealed, totp_step=0)
        uri = pyotp.TOTP(secret).provisioning_uri(name=row.email, issuer_name=ISSUER)
        return Enrolment(secret, uri)

    def confirm(
        self, connection: sa.Connection, person_id: str, code: str, actor: str
    ) -> bool:
        """Let the secret count, once the app has shown that it has it."""
        if not self.check(connection, person_id, code):
            return False
        _set(connection, person_id, totp_confirmed=True)
        record(connection, actor, "second_factor.on", f"person:{person_id}")
        return True

    def check(
        self,
        connection: sa.Connection,
        person_id: str,
        code: str,
        now: float | None = None,
    ) -> bool:
        """Check a code and use it up, inside a write."""
        row = connection.execute(
            sa.select(people).where(people.c.id == person_id).with_for_update()
        ).one()
        if row.totp_sealed is None or not code.isascii() or not code.isdigit():
            return False
        totp = pyotp.TOTP(self._opened(person_id, row.totp_sealed))
        present = int((time.time() if now is None else now) // STEP)
        for step in (present - 1, present, present + 1):
            if hmac.compare_digest(totp.at(step * STEP), code):
                if step <= row.totp_step:
                    return False
                _set(connection, person_id, totp_step=step)
                return True
        return False

    def turn_off(self, connection: sa.Connection, person_id: str, actor: str) -> None:
        """Forget the secret."""
        forget(connection, person_id, actor)

    def _opened(self, person_id: str, sealed: bytes) -> str:
        try:
            return self._sealer.open(sealed, (person_id,))
        except NotSealedHere:
            message = (
                "the second factor was sealed with another key: bring people.key back,"
                " or turn it off with `letsbe-hub admin reset-second-factor`"
            )
            raise Conflict(message) from None


def forget(connection: sa.Connection, person_id: str, actor: str) -> None:
    """Forget a person's second factor; no key is needed for that."""
    _set(connection, person_id, totp_sealed=None, totp_confirmed=False, totp_step=0)
    record(connection, actor, "second_factor.off", f"person:{person_id}")


def _set(connection: sa.Connection, person_id: str, **values: object) -> None:
    connection.execute(
        sa.update(people).where(people.c.id == person_id).values(**values)
    )
