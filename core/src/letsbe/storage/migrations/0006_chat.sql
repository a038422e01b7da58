-- What was said by the chat relay: how each turn ended, so that a stream can be resumed
-- after a restart. Secrets were taken out of it.
CREATE TABLE chat_conversations (
    agent_id        TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    run             TEXT NOT NULL,
    turns           INTEGER NOT NULL CHECK (turns > 0),
    under_way       INTEGER NOT NULL CHECK (under_way IN (0, 1)),
    used_at         REAL NOT NULL,
    PRIMARY KEY (agent_id, conversation_id)
) STRICT;
CREATE TABLE chat_events (
    agent_id        TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    number          INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    data            TEXT NOT NULL,
    PRIMARY KEY (agent_id, conversation_id, number)
) STRICT;
