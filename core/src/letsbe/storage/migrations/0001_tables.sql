-- Numbers that stand for time are seconds since 1970 (UTC); lists and objects are JSON.

CREATE TABLE secrets (
    name        TEXT NOT NULL,
    version     INTEGER NOT NULL CHECK (version >= 1),
    -- Nonce and ciphertext; nothing once the secret is deleted.
    sealed      BLOB,
    fingerprint TEXT NOT NULL,
    tools       TEXT NOT NULL,
    hosts       TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('current', 'previous', 'deleted')),
    created_at  REAL NOT NULL,
    -- The number of the vault's change that last touched this row.
    changed     INTEGER NOT NULL,
    PRIMARY KEY (name, version),
    CHECK ((sealed IS NULL) = (state = 'deleted'))
) STRICT;
CREATE UNIQUE INDEX secrets_current ON secrets (name) WHERE state = 'current';
CREATE INDEX secrets_changed ON secrets (changed);

CREATE TABLE approvals (
    id              TEXT PRIMARY KEY,
    digest          TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (
        state IN ('pending', 'running', 'done', 'failed', 'interrupted', 'denied',
                  'expired', 'withdrawn')),
    agent_id        TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    tool_name       TEXT NOT NULL,
    -- References stand here unresolved: no value is ever stored.
    tool_args       TEXT NOT NULL,
    context         TEXT NOT NULL,
    tier            TEXT NOT NULL,
    external        INTEGER NOT NULL CHECK (external IN (0, 1)),
    rule            TEXT NOT NULL,
    reason          TEXT NOT NULL,
    alternative     TEXT,
    plan            TEXT NOT NULL,
    created_at      REAL NOT NULL,
    expires_at      REAL NOT NULL,
    decided_at      REAL,
    decided_by      TEXT,
    decision_reason TEXT,
    answer          TEXT
) STRICT;
-- Equal pending requests are one approval.
CREATE UNIQUE INDEX approvals_pending ON approvals (digest) WHERE state = 'pending';
CREATE INDEX approvals_state ON approvals (state, created_at);

CREATE TABLE tool_calls (
    agent_id     TEXT NOT NULL,
    session_id   TEXT NOT NULL,
    tool_call_id TEXT NOT NULL,
    digest       TEXT NOT NULL,
    approval_id  TEXT,
    answer       TEXT,
    created_at   REAL NOT NULL,
    PRIMARY KEY (agent_id, session_id, tool_call_id)
) STRICT;
CREATE INDEX tool_calls_created ON tool_calls (created_at);

CREATE TABLE audit_log (
    seq         INTEGER PRIMARY KEY CHECK (seq >= 1),
    time        TEXT NOT NULL,
    kind        TEXT NOT NULL,
    agent_id    TEXT,
    session_id  TEXT,
    tool_name   TEXT,
    tier        TEXT,
    external    INTEGER NOT NULL CHECK (external IN (0, 1)),
    rule        TEXT,
    decision    TEXT,
    approval_id TEXT,
    intent_seq  INTEGER,
    digest      TEXT,
    detail      TEXT NOT NULL,
    prev_hash   TEXT NOT NULL,
    hash        TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_tool ON audit_log (tool_name, seq);
CREATE INDEX audit_log_agent ON audit_log (agent_id, seq);
-- These stop mistakes; what stops a forger is the chain of hashes.
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only appended to');
END;
CREATE TRIGGER audit_log_is_not_cut BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only appended to');
END;

CREATE TABLE token_usage (
    hour          INTEGER NOT NULL,
    agent_id      TEXT NOT NULL,
    model         TEXT NOT NULL,
    input_tokens  INTEGER NOT NULL CHECK (input_tokens >= 0),
    output_tokens INTEGER NOT NULL CHECK (output_tokens >= 0),
    cached_tokens INTEGER NOT NULL CHECK (cached_tokens >= 0),
    revision      INTEGER NOT NULL CHECK (revision >= 1),
    PRIMARY KEY (hour, agent_id, model)
) STRICT;

CREATE TABLE hub_state (
    key        TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    updated_at REAL NOT NULL
) STRICT;
