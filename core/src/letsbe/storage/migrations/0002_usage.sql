-- What providers tell of a request besides its tokens, and how many requests there were.
ALTER TABLE token_usage ADD COLUMN
    reasoning_tokens INTEGER NOT NULL DEFAULT 0 CHECK (reasoning_tokens >= 0);
-- Millionths of the provider's currency.
ALTER TABLE token_usage ADD COLUMN
    cost_micros INTEGER NOT NULL DEFAULT 0 CHECK (cost_micros >= 0);
ALTER TABLE token_usage ADD COLUMN
    requests INTEGER NOT NULL DEFAULT 0 CHECK (requests >= 0);
-- Of the requests, those whose tokens nobody told, so that they are estimated.
ALTER TABLE token_usage ADD COLUMN
    estimated_requests INTEGER NOT NULL DEFAULT 0 CHECK (estimated_requests >= 0);
-- How far each journal of usage has been added to the buckets.
CREATE TABLE usage_journals (
    id      TEXT PRIMARY KEY,
    applied INTEGER NOT NULL CHECK (applied >= 0)
) STRICT;
