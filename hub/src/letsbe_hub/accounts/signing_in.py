"""Signing in, and setting a new password by a link in a letter."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.accounts import guarding
from letsbe_hub.accounts.passwords import Passwords, check_form
from letsbe_hub.accounts.people import find_by_email, normal, set_password
from letsbe_hub.accounts.second_factor import SecondFactor
from letsbe_hub.accounts.sessions import Opened, open_session
from letsbe_hub.api.principals import token_hash
from letsbe_hub.errors import SecondFactorRequired, TokenSpent, Unauthenticated
from letsbe_hub.notifications.notices import Told, tell
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.ids import new_id
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.people import one_time_tokens, people

LINK_SECONDS = 1800.0
_WRONG = "the address, the password or the code is wrong"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody signs in with.

    Args:
        kind: ``staff`` or ``customer``.
        email: The address.
        password: The password.
        code: The second factor's, if they have one.
        address: The address that the request came from.
    """

    kind: str
    email: str
    password: str
    code: str | None
    address: str


class SignIn:
    """Signs people in.

    Args:
        store: The database.
        passwords: Checks passwords.
        second_factor: Checks codes.
    """

    def __init__(
        self, store: Store, passwords: Passwords, second_factor: SecondFactor
    ) -> None:
        self._store = store
        self.passwords = passwords
        self.second_factor = second_factor

    async def sign_in(self, attempt: Attempt) -> Opened:
        """Sign somebody in.

        Raises:
            Unauthenticated: Something is wrong; which of it is not said.
            SecondFactorRequired: The password is right, and a code is missing.
            RateLimited: Too many attempts; the password was not even looked at.
        """
        email = normal(attempt.email)
        account = guarding.account_of(attempt.kind, email)
        network = guarding.network_of(attempt.address)

        def enter(connection: sa.Connection) -> tuple[sa.Row[Any] | None, bool]:
            person = find_by_email(connection, attempt.kind, email)
            id_ = None if person is None else person.id
            guarding.require_open(connection, account, network, id_)
            known = id_ is not None and guarding.is_known(connection, id_, network)
            count = guarding.failed(connection, account, network, known=known)
            if person is not None and count == guarding.FROM_ANYWHERE:
                _warn(connection, person)
            return person, known

        person, known = await self._store.write_async(enter)
        hashed = person.password_hash if person and person.state == "active" else None
        right = await self.passwords.verify(hashed, attempt.password)
        if person is None or not right:
            raise Unauthenticated(_WRONG)
        opened = await self._store.write_async(
            lambda c: self._finish(c, attempt, person, account, known=known)
        )
        if opened is None:
            raise Unauthenticated(_WRONG)
        if isinstance(opened, SecondFactorRequired):
            raise opened
        return opened

    def _finish(
        self,
        connection: sa.Connection,
        attempt: Attempt,
        person: sa.Row[Any],
        account: str,
        *,
        known: bool,
    ) -> Opened | SecondFactorRequired | None:
        network = guarding.network_of(attempt.address)
        if person.totp_confirmed:
            if not attempt.code:
                guarding.take_back(connection, account, network, known=known)
                return SecondFactorRequired("send the second factor's code too")
            if not self.second_factor.check(connection, person.id, attempt.code):
                return None
        guarding.take_back(connection, account, network, known=known)
        guarding.succeeded(connection, account, network, person.id)
        connection.execute(
            sa.update(people)
            .where(people.c.id == person.id)
            .values(signed_in_at=time.time())
        )
        actor = f"{person.kind}:{person.id}"
        record(connection, actor, "session.open", f"person:{person.id}")
        return open_session(connection, person, network)

    def ask_for_password(
        self, connection: sa.Connection, kind: str, email: str
    ) -> None:
        """Send a link to set a new password; to nobody if there is no such person."""
        person = find_by_email(connection, kind, normal(email))
        if person is None or person.state != "active":
            return
        now = time.time()
        where = one_time_tokens.c.person_id == person.id
        recent = sa.and_(where, one_time_tokens.c.created_at > now - 60)
        if connection.execute(sa.select(one_time_tokens).where(recent)).first():
            return  # one letter a minute
        unused = sa.and_(where, one_time_tokens.c.used_at.is_(None))
        connection.execute(sa.update(one_time_tokens).where(unused).values(used_at=now))
        token = secrets.token_urlsafe(32)
        connection.execute(
            sa.insert(one_time_tokens).values(
                token_hash=token_hash(token),
                person_id=person.id,
                purpose="password",
                created_at=now,
                expires_at=now + LINK_SECONDS,
            )
        )
        values = {"token": token, "minutes": round(LINK_SECONDS / 60)}
        told = Told(f"password:{new_id('req')}", "password_reset", values)
        tell(connection, told, person_id=person.id)

    async def set_password(self, token: str, password: str, address: str) -> None:
        """Set a new password by a link's token, which is used up by it.

        A second factor stays as it is.

        Raises:
            TokenSpent: It was used, has expired, or never was.
            InvalidRequest: The password is too easily guessed; the link stays good.
        """
        hashed = token_hash(token)
        person = await self._store.read_async(lambda c: _holder(c, hashed))
        check_form(password, person.email)
        made = await self.passwords.hash(password)
        network = guarding.network_of(address)
        await self._store.write_async(lambda c: _spend(c, hashed, made, network))


def _warn(connection: sa.Connection, person: sa.Row[Any]) -> None:
    day = int(time.time() // 86_400)
    told = Told(f"guarded:{person.id}:{day}", "sign_in_guarded")
    tell(connection, told, person_id=person.id)


def _holder(connection: sa.Connection, hashed: str) -> sa.Row[Any]:
    query = (
        sa.select(people)
        .join(one_time_tokens)
        .where(
            one_time_tokens.c.token_hash == hashed,
            one_time_tokens.c.used_at.is_(None),
            one_time_tokens.c.expires_at > time.time(),
            people.c.state == "active",
        )
    )
    found = connection.execute(query).first()
    if found is None:
        raise TokenSpent("the link was used or has expired: ask for another one")
    return found


def _spend(connection: sa.Connection, hashed: str, made: str, network: str) -> None:
    used = connection.execute(
        sa.update(one_time_tokens)
        .where(
            one_time_tokens.c.token_hash == hashed, one_time_tokens.c.used_at.is_(None)
        )
        .values(used_at=time.time())
    ).rowcount
    if not used:
        raise TokenSpent("the link was used or has expired: ask for another one")
    query = sa.select(people).join(one_time_tokens)
    person = connection.execute(
        query.where(one_time_tokens.c.token_hash == hashed)
    ).one()
    actor = f"{person.kind}:{person.id}"
    set_password(connection, person.id, made, actor)
    guarding.know(connection, person.id, network)
    told = Told(f"changed:{new_id('req')}", "password_changed")
    tell(connection, told, person_id=person.id)
