"""The pool of tokens, held to at the edge: with the Hub or without it.

The Hub's last word on it lies in ``hub_state``: how many tokens may be used from when
until when. What was used is counted here, so nothing need be asked. A call reserves
what it may use at worst before it is sent on, so that many at once do not run over.
"""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from letsbe.errors import LetsBeError, StorageError
from letsbe.storage.database import Database

_log = logging.getLogger(__name__)

KEY = "allowance"
"""Under which the Hub's client keeps it."""
LOOK_SECONDS = 1.0
"""How long a sum and an allowance are good for."""
BYTES_PER_TOKEN = 4
ANSWER_TOKENS = 4096
"""What an answer is taken to have at most, where the request sets no limit."""

_USED_UP = (
    "this period's tokens are used up and agents are paused: the owner may choose"
    " overage at the Hub, or wait for the next period"
)
_UNPAID = (
    "agents are paused because this server's subscription is not paid: they go on at"
    " the server's next contact with the Hub once the owner has paid"
)

_MOST = re.compile(rb'"max_(?:completion_|output_)?tokens"\s*:\s*(\d{1,9})')


class PoolUsedUp(LetsBeError):
    """This period's tokens are used up, and the owner chose that agents stop.

    Not 401 or 403, on which the agent runtime gives the provider up, and not 429 or
    503, on which it tries again and again.
    """

    code = "pool_used_up"
    status = 422


@dataclass(frozen=True, slots=True)
class Limit:
    """What holds now.

    Args:
        start: From when on usage counts.
        tokens: How many tokens; ``None`` for no end.
        included: The models that count, as globs.
        unpaid: Whether this is a pause because nobody pays the subscription.
    """

    start: float
    tokens: int | None
    included: tuple[str, ...]
    unpaid: bool = False

    def counts(self, model: str) -> bool:
        """Say whether a model's tokens come out of the pool."""
        return any(fnmatchcase(model.lower(), glob) for glob in self.included)


class Pool:
    """Lets calls through as long as there are tokens.

    A database that cannot be read stops nobody: what was last known holds.

    Args:
        database: Where the meter counts, and the Hub's word is kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reserved = 0
        self._limit: Limit | None = None
        self._used = 0
        self._looked_at = float("-inf")

    @contextmanager
    def reserved(self, model: str | None, most: int) -> Iterator[None]:
        """Hold what a call may use at worst, for as long as it is under way.

        Args:
            model: Which model it asks for; one that is not named counts.
            most: How many tokens it may use, :func:`worst_case`.

        Raises:
            PoolUsedUp: There is not as much left.
        """
        tokens = self._wanted(model, most)
        self._reserved += tokens
        try:
            yield
        finally:
            self._reserved -= tokens
            if tokens:
                self._looked_at = float("-inf")  # there is something new to count

    def _wanted(self, model: str | None, tokens: int) -> int:
        limit = self._present()
        if limit is None or limit.tokens is None:
            return 0
        if model is not None and not limit.counts(model):
            return 0
        if self._used + self._reserved + tokens > limit.tokens:
            raise PoolUsedUp(_UNPAID if limit.unpaid else _USED_UP)
        return tokens

    def _present(self) -> Limit | None:
        now = time.monotonic()
        if now - self._looked_at > LOOK_SECONDS:
            try:
                self._limit, self._used = self._database.read(_look)
            except StorageError:
                _log.warning("the pool cannot be read: the last known limit holds")
            self._looked_at = now
        return self._limit


def worst_case(body: bytes) -> int:
    """Return how many tokens a request and its answer may have at most, about."""
    asked = max((int(found) for found in _MOST.findall(body)), default=ANSWER_TOKENS)
    return -(-len(body) // BYTES_PER_TOKEN) + asked


def limit_at(allowance: Any, now: float) -> Limit | None:  # noqa: ANN401 - any JSON
    """Return what an allowance says of a moment.

    After the last period that it tells of, the last limit holds on from its end: a Hub
    that is away lets nobody run on without one.

    Args:
        allowance: What the Hub told; nothing if it never did.
        now: The moment.
    """
    if not allowance or not allowance.get("periods"):
        return None
    periods = allowance["periods"]
    held = next((p for p in periods if now < p["endsAt"]), None)
    last = periods[-1]
    return Limit(
        held["startsAt"] if held else last["endsAt"],
        (held or last)["limitTokens"],
        tuple(allowance["includedModels"]),
        bool(allowance.get("unpaid")),
    )


def _look(connection: sqlite3.Connection) -> tuple[Limit | None, int]:
    row = connection.execute(
        "SELECT value FROM hub_state WHERE key = ?", (KEY,)
    ).fetchone()
    limit = limit_at(json.loads(row[0]), time.time()) if row else None
    if limit is None or limit.tokens is None:
        return limit, 0
    rows = connection.execute(
        "SELECT model, SUM(input_tokens + output_tokens) FROM token_usage"
        " WHERE hour >= ? GROUP BY model",
        (int(limit.start),),
    )
    return limit, sum(tokens for model, tokens in rows if limit.counts(model))
