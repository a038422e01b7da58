"""``Idempotency-Key``: a request that is sent again gets the first one's answer.

The key is reserved before the work and the answer stored after it; the work's own
transaction notes that it was done. A node that dies before that leaves a reservation
without an answer: after a while, or at once where no other node could hold it, the same
request runs again. One that dies after it leaves the note: the repetition is told that
it was done and that its answer is lost, and nothing is done twice.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from letsbe_hub.api.envelope import failed
from letsbe_hub.api.principals import Principal
from letsbe_hub.errors import Conflict, InvalidRequest, StillRunning
from letsbe_hub.storage.store import ALONGSIDE, Store
from letsbe_hub.storage.tables.shared import idempotency_keys as keys

HEADER = "idempotency-key"
KEPT_SECONDS = 24 * 3600.0
ABANDONED_SECONDS = 60.0
"""After this long a request without an answer counts as cut off by its node's end."""

_CUT_OFF = failed(
    Conflict(
        "this was done, and its answer was lost when the Hub was cut off: look at what"
        " is there, and take a new Idempotency-Key to do more"
    )
)
_LOST = bytes(_CUT_OFF.body)
_FORM = re.compile(r"[\x21-\x7e]{8,128}")


def key_of(request: Request) -> str | None:
    """Return a request's key, if it has one.

    Raises:
        InvalidRequest: It is none.
    """
    key = request.headers.get(HEADER)
    if key is not None and not _FORM.fullmatch(key):
        raise InvalidRequest(
            "the Idempotency-Key header needs 8 to 128 visible ASCII characters"
        )
    return key


@dataclass(frozen=True, slots=True)
class Reservation:
    """A key that a request of this node holds.

    Args:
        principal: Whose.
        key: Which.
        since: Since when; another node that takes it over sets another moment.
    """

    principal: str
    key: str
    since: float

    @property
    def ours(self) -> sa.ColumnElement[bool]:
        """Match it as long as no other node has taken it over."""
        return (
            (keys.c.principal == self.principal)
            & (keys.c.key == self.key)
            & (keys.c.created_at == self.since)
        )


class Remembered:
    """The answers of one Hub.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def forget_cut_off(self) -> None:
        """Give up the keys that a process which has ended held.

        Only for a database that no other process uses: there, whatever has no answer
        at the start never gets one, and nobody need wait to run it again.
        """
        self._store.write(
            lambda c: c.execute(sa.delete(keys).where(keys.c.status.is_(None)))
        )

    async def reserve(
        self, principal: Principal, key: str, request: Request, body: bytes
    ) -> Response | Reservation:
        """Begin a request, or return the answer of an earlier one.

        Raises:
            Conflict: Another request had this key.
            StillRunning: The earlier one has no answer yet.
        """
        digest = _digest(request, body)
        now = time.time()
        mine = Reservation(principal.actor, key, now)

        def change(connection: sa.Connection) -> Response | Reservation:
            connection.execute(
                sa.delete(keys).where(keys.c.created_at < now - KEPT_SECONDS)
            )
            where = (keys.c.principal == principal.actor) & (keys.c.key == key)
            found = connection.execute(
                sa.select(keys).where(where).with_for_update()
            ).first()
            if found is not None and not _abandoned(found, now):
                return _earlier(found, digest, now)
            connection.execute(sa.delete(keys).where(where))
            connection.execute(
                sa.insert(keys).values(
                    principal=principal.actor,
                    key=key,
                    request_hash=digest,
                    created_at=now,
                )
            )
            return mine

        try:
            return await self._store.write_async(change)
        except sa.exc.IntegrityError:
            raise StillRunning.until(1) from None

    @contextlib.contextmanager
    def noting(self, held: Reservation) -> Iterator[None]:
        """Let every write of a block note, in its transaction, that it was made.

        So a node that dies between the change and its answer has not left a request
        that would be run again: it is known that it was done.
        """
        token = ALONGSIDE.set(lambda connection: _note(connection, held))
        try:
            yield
        finally:
            ALONGSIDE.reset(token)

    async def settle(self, held: Reservation, answer: Response) -> None:
        """Store a request's answer, unless it failed by our fault.

        What failed so and has changed nothing may be sent again at once; what has
        changed something keeps the note that it did.
        """
        change: sa.Executable = sa.delete(keys).where(
            held.ours, keys.c.status.is_(None)
        )
        if answer.status_code < 500 and answer.status_code != 429:
            change = (
                sa.update(keys)
                .where(held.ours)
                .values(status=answer.status_code, answer=bytes(answer.body))
            )
        await self._store.write_async(lambda connection: connection.execute(change))


def _note(connection: sa.Connection, held: Reservation) -> None:
    values = {"status": _CUT_OFF.status_code, "answer": _LOST}
    noted = connection.execute(sa.update(keys).where(held.ours).values(values))
    if noted.rowcount == 0:
        # It took so long that another node began it anew; that one does it.
        raise StillRunning.until(1)


def _digest(request: Request, body: bytes) -> str:
    line = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(line + body).hexdigest()


def _abandoned(found: sa.Row[tuple[object, ...]], now: float) -> bool:
    return found.status is None and found.created_at < now - ABANDONED_SECONDS


def _earlier(found: sa.Row[tuple[object, ...]], digest: str, now: float) -> Response:
    if found.request_hash != digest:
        raise Conflict(
            "this Idempotency-Key was used for another request: take a new one"
        )
    if found.created_at > now - ABANDONED_SECONDS and found.answer in (None, _LOST):
        raise StillRunning.until(found.created_at + ABANDONED_SECONDS - now)
    headers = {"cache-control": "no-store", "idempotent-replay": "true"}
    return Response(found.answer, found.status, headers, "application/json")
