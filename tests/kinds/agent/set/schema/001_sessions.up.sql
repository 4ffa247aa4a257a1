CREATE TABLE sessions (id TEXT PRIMARY KEY NOT NULL, day DATE NOT NULL, started_at TIMESTAMP);
CREATE TABLE messages (
    id TEXT PRIMARY KEY NOT NULL,
    session_id TEXT NOT NULL REFERENCES sessions (id),
    parent_id TEXT REFERENCES messages (id),
    role TEXT NOT NULL,
    sent_at TIMESTAMP NOT NULL,
    result JSON,
    raw TEXT NOT NULL
);
CREATE TABLE parts (
    message_id TEXT NOT NULL REFERENCES messages (id),
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    text TEXT,
    PRIMARY KEY (message_id, position)
);
