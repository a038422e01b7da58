"""What usage costs: what is in the pool, and what premium models are charged at.

Everything is whole numbers, and a bucket's charge depends on the bucket and on its
period's rates alone: those that stood when the period was opened. So a statement can be
made again from the buckets at any time, whatever usage costs by then.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.dialects import postgresql, sqlite

from letsbe_hub.storage.tables.billing import billing_rates

MILLION = 1_000_000
TERMS = {
    "currency",
    "included_models",
    "overage_unit_tokens",
    "overage_unit_price",
    "premium_unit_micros",
    "markups",
}
"""The settings that say what usage costs; a period keeps those it was opened under."""

Count = Annotated[int, Field(ge=0)]
Glob = Annotated[str, Field(min_length=1, max_length=128)]


class Markup(BaseModel):
    """One step of the sliding scale: cheap models carry more of it than dear ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    below: Annotated[int, Field(gt=0)] | None = None
    """For models whose million tokens cost less than this, in millionths of the
    currency; the last step leaves it out."""
    percent: Annotated[int, Field(ge=0, le=1000)]
    """What is added to the cost."""


class BillingSettings(BaseModel):
    """How usage is billed."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    backend: str = "ledger"
    """The billing plugin that new accounts are billed by."""
    currency: Annotated[str, Field(pattern=r"^[a-z]{3}$")] = "eur"
    """Three lower-case letters."""
    plan_tokens: Mapping[str, Count] = {
        "lite": 8 * MILLION,
        "build": 15 * MILLION,
        "scale": 25 * MILLION,
        "enterprise": 40 * MILLION,
    }
    """The tokens of each plan's monthly pool."""
    included_models: tuple[Glob, ...] = ("*deepseek*", "*glm-*")
    """Models that use the pool. Every other one is premium and metered by its cost."""
    overage_unit_tokens: Annotated[int, Field(gt=0)] = 1_000
    """The tokens of one overage unit."""
    overage_unit_price: Count = 1
    """What a unit costs, in hundredths of the currency; for statements."""
    premium_unit_micros: Annotated[int, Field(gt=0)] = 10_000
    """What a premium unit is worth, in millionths of the currency."""
    markups: tuple[Markup, ...] = (
        Markup(below=1 * MILLION, percent=40),
        Markup(below=5 * MILLION, percent=30),
        Markup(below=15 * MILLION, percent=20),
        Markup(percent=12),
    )
    """The sliding scale of premium models, cheapest first."""
    alerts: tuple[Annotated[int, Field(gt=0, le=100)], ...] = (80, 90, 100)
    """Percentages of the pool at which its owner is told."""
    at_limit: Literal["pause", "overage"] = "pause"
    """What happens at 100 % unless the owner chooses otherwise."""
    grace_hours: Annotated[float, Field(ge=1, le=240)] = 24.0
    """How long after its end a period takes late usage."""
    dunning_days: Annotated[float, Field(ge=0, le=365)] = 14.0
    """How long a subscription may stay unpaid before its agents are paused."""
    charge_minutes: Annotated[float, Field(gt=0, le=1440)] = 60.0
    """How often whole units are charged."""

    @model_validator(mode="after")
    def _scale_ends_open(self) -> Self:
        steps = [step.below for step in self.markups]
        bounded = [step for step in steps[:-1] if step is not None]
        sound = len(bounded) == len(steps) - 1 and bounded == sorted(set(bounded))
        if not steps or steps[-1] is not None or not sound:
            message = "markups rise in `below`, and only the last has none"
            raise ValueError(message)
        return self


class Rates:
    """What buckets cost.

    Args:
        settings: How usage is billed.
    """

    def __init__(self, settings: BillingSettings) -> None:
        self.settings = settings
        self.terms = settings.model_dump(mode="json", include=TERMS)
        text = json.dumps(self.terms, sort_keys=True, separators=(",", ":"))
        self.version = hashlib.sha256(text.encode()).hexdigest()[:32]
        self._included = lru_cache(4096)(self._matches)
        self._earlier: dict[str, Rates] = {}

    def keep(self, connection: sa.Connection) -> str:
        """Keep these rates for the periods that are opened under them.

        Returns:
            Their version.
        """
        on_sqlite = connection.dialect.name == "sqlite"
        insert = (sqlite.insert if on_sqlite else postgresql.insert)(billing_rates)
        row = insert.values(version=self.version, terms=self.terms, kept_at=time.time())
        connection.execute(row.on_conflict_do_nothing())
        return self.version

    def of(self, connection: sa.Connection, version: str | None) -> Rates:
        """Return the rates that a period was opened under.

        Args:
            connection: To read with.
            version: What the period says; one of before rates were kept has none.
        """
        if version is None or version == self.version:
            return self
        if version not in self._earlier:
            query = sa.select(billing_rates.c.terms)
            query = query.where(billing_rates.c.version == version)
            terms: dict[str, Any] = connection.execute(query).scalar_one()
            values = self.settings.model_dump(mode="json") | terms
            self._earlier[version] = Rates(BillingSettings.model_validate(values))
        return self._earlier[version]

    def included(self, model: str) -> bool:
        """Say whether a model's tokens come out of the pool."""
        return self._included(model)

    def pool_tokens(self, model: str, tokens: int) -> int:
        """Return how many of a bucket's tokens come out of the pool."""
        return tokens if self.included(model) else 0

    def premium_micros(self, model: str, tokens: int, cost_micros: int) -> int:
        """Return what a bucket is charged, in millionths; nothing if it is included."""
        if self.included(model) or cost_micros == 0:
            return 0
        per_million = cost_micros * MILLION // max(tokens, 1)
        for step in self.settings.markups:
            if step.below is None or per_million < step.below:
                return cost_micros + cost_micros * step.percent // 100
        raise AssertionError  # the last step is open

    def overage_tokens(self, used: int, pool: int, cap: int | None) -> int:
        """Return the tokens above the pool that are charged: up to the cap."""
        above = max(0, used - pool)
        return above if cap is None else min(above, cap)

    def _matches(self, model: str) -> bool:
        name = model.lower()
        return any(fnmatchcase(name, glob) for glob in self.settings.included_models)
