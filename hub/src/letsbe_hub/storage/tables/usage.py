"""The buckets of tokens: absolute values, each with a revision."""

from __future__ import annotations

import sqlalchemy as sa

from letsbe_hub.storage.tables._metadata import (
    count,
    instant,
    metadata,
    not_negative,
    tenant_reference,
)

COUNTS = (
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "cost_micros",
    "requests",
    "estimated_requests",
)
"""What a bucket counts, in the order of the columns."""

token_usage_buckets = sa.Table(
    "token_usage_buckets",
    metadata,
    tenant_reference(primary_key=True),
    # The hour's start.
    sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("agent_id", sa.Text, primary_key=True),
    sa.Column("model", sa.Text, primary_key=True),
    count("revision"),
    *(count(name) for name in COUNTS),
    instant("received_at"),
    not_negative(*COUNTS),
)
