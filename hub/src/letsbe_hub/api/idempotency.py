"""``Idempotency-Key``: a request that is sent again gets the first one's answer.

The key is reserved before the work and the answer stored after it. A node that dies
in between leaves a reservation without an answer; after a while the request may be
sent again, and runs again, as every change is safe to repeat or refuses to be.
"""

from __future__ import annotations

import hashlib
import re
import time

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from letsbe_hub.api.principals import Principal
from letsbe_hub.errors import Conflict, InvalidRequest, StillRunning
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.shared import idempotency_keys as keys

HEADER = "idempotency-key"
KEPT_SECONDS = 24 * 3600.0
ABANDONED_SECONDS = 60.0
"""After this long a request without an answer counts as cut off by its node's end."""

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


class Remembered:
    """The answers of one Hub.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def reserve(
        self, principal: Principal, key: str, request: Request, body: bytes
    ) -> Response | None:
        """Begin a request, or return the answer of an earlier one.

        Raises:
            Conflict: Another request had this key.
            StillRunning: The earlier one has no answer yet.
        """
        digest = _digest(request, body)
        now = time.time()

        def change(connection: sa.Connection) -> Response | None:
            connection.execute(
                sa.delete(keys).where(keys.c.created_at < now - KEPT_SECONDS)
            )
            where = (keys.c.principal == principal.actor) & (keys.c.key == key)
            found = connection.execute(
                sa.select(keys).where(where).with_for_update()
            ).first()
            if found is not None and not _abandoned(found, now):
                return _earlier(found, digest)
            connection.execute(sa.delete(keys).where(where))
            connection.execute(
                sa.insert(keys).values(
                    principal=principal.actor,
                    key=key,
                    request_hash=digest,
                    created_at=now,
                )
            )
            return None

        try:
            return await self._store.write_async(change)
        except sa.exc.IntegrityError:
            raise StillRunning("the same request is being answered right now") from None

    async def settle(self, principal: Principal, key: str, answer: Response) -> None:
        """Store a request's answer, unless it failed by our fault."""
        where = (keys.c.principal == principal.actor) & (keys.c.key == key)
        change: sa.Executable = sa.delete(keys).where(where)
        if answer.status_code < 500 and answer.status_code != 429:
            change = (
                sa.update(keys)
                .where(where)
                .values(status=answer.status_code, answer=bytes(answer.body))
            )
        await self._store.write_async(lambda connection: connection.execute(change))


def _digest(request: Request, body: bytes) -> str:
    line = f"{request.method} {request.url.path}\n".encode()
    return hashlib.sha256(line + body).hexdigest()


def _abandoned(found: sa.Row[tuple[object, ...]], now: float) -> bool:
    return found.status is None and found.created_at < now - ABANDONED_SECONDS


def _earlier(found: sa.Row[tuple[object, ...]], digest: str) -> Response:
    if found.request_hash != digest:
        raise Conflict(
            "this Idempotency-Key was used for another request: take a new one"
        )
    if found.status is None:
        raise StillRunning("the same request is being answered right now")
    headers = {"cache-control": "no-store", "idempotent-replay": "true"}
    return Response(found.answer, found.status, headers, "application/json")
