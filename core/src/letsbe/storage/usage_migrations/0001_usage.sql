-- Numbers that stand for time are seconds since 1970 (UTC).

-- The columns are in the order in which letsbe.db had them, which are copied as they are.
CREATE TABLE token_usage (
    hour               INTEGER NOT NULL,
    agent_id           TEXT NOT NULL,
    model              TEXT NOT NULL,
    input_tokens       INTEGER NOT NULL CHECK (input_tokens >= 0),
    output_tokens      INTEGER NOT NULL CHECK (output_tokens >= 0),
    cached_tokens      INTEGER NOT NULL CHECK (cached_tokens >= 0),
    revision           INTEGER NOT NULL CHECK (revision >= 1),
    reasoning_tokens   INTEGER NOT NULL DEFAULT 0 CHECK (reasoning_tokens >= 0),
    -- Millionths of the provider's currency.
    cost_micros        INTEGER NOT NULL DEFAULT 0 CHECK (cost_micros >= 0),
    requests           INTEGER NOT NULL DEFAULT 0 CHECK (requests >= 0),
    -- Of the requests, those whose tokens nobody told, so that they are estimated.
    estimated_requests INTEGER NOT NULL DEFAULT 0 CHECK (estimated_requests >= 0),
    PRIMARY KEY (hour, agent_id, model)
) STRICT;

-- How far each journal of usage has been added to the buckets.
CREATE TABLE usage_journals (
    id      TEXT PRIMARY KEY,
    applied INTEGER NOT NULL CHECK (applied >= 0)
) STRICT;

-- What the Hub said of usage: the tokens that may be used, and what it has got.
CREATE TABLE hub_state (
    key        TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    updated_at REAL NOT NULL
) STRICT;
