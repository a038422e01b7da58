-- Where references stood in texts that sessions sent: keyed fingerprints of what was
-- around them, never the texts.
CREATE TABLE reference_marks (
    id         INTEGER PRIMARY KEY,
    agent_id   TEXT NOT NULL,
    session_id TEXT NOT NULL,
    text_mark  BLOB NOT NULL,
    places     TEXT NOT NULL,
    heads      BLOB NOT NULL,
    tails      BLOB NOT NULL,
    UNIQUE (agent_id, session_id, text_mark)
) STRICT;
