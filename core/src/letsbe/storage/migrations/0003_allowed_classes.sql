-- Classes of calls that a person allowed for a while.
CREATE TABLE allowed_classes (
    id          TEXT PRIMARY KEY,
    agent_id    TEXT NOT NULL,
    session_id  TEXT,
    tool_name   TEXT NOT NULL,
    tier        TEXT NOT NULL,
    external    INTEGER NOT NULL CHECK (external IN (0, 1)),
    text        TEXT NOT NULL,
    class       TEXT NOT NULL,
    approval_id TEXT NOT NULL,
    created_at  REAL NOT NULL,
    created_by  TEXT NOT NULL,
    expires_at  REAL NOT NULL,
    revoked_at  REAL,
    revoked_by  TEXT,
    uses        INTEGER NOT NULL DEFAULT 0 CHECK (uses >= 0)
) STRICT;
CREATE INDEX allowed_classes_agent ON allowed_classes (agent_id, tool_name, expires_at);
-- What a person is shown beside what will run; neither is part of the digest.
ALTER TABLE approvals ADD COLUMN explanation TEXT;
ALTER TABLE approvals ADD COLUMN preview TEXT;
