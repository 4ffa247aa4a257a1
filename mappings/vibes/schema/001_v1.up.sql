-- description: Vibes 1, the five tables with integer keys

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    email TEXT,
    hashed_password TEXT NOT NULL,
    settings JSON,
    created_at DATETIME NOT NULL
);

CREATE TABLE journals (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT,
    content TEXT NOT NULL,
    mood TEXT,
    tag_ids JSON NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME
);

CREATE TABLE tags (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    color VARCHAR(7),
    journal_ids JSON NOT NULL,
    usage_count INTEGER NOT NULL,
    UNIQUE (user_id, name)
);

CREATE TABLE reminders (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    journal_id INTEGER REFERENCES journals (id) ON DELETE SET NULL,
    title TEXT NOT NULL,
    at_time TIME NOT NULL,
    weekdays JSON NOT NULL,
    active BOOLEAN NOT NULL,
    payload JSON,
    next_at DATETIME
);

CREATE TABLE secret_tags (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    phrase TEXT NOT NULL,
    created_at DATETIME NOT NULL
);

CREATE INDEX idx_journals_user ON journals (user_id, created_at);
CREATE INDEX idx_reminders_user ON reminders (user_id);
CREATE INDEX idx_reminders_journal ON reminders (journal_id);
CREATE INDEX idx_secret_tags_user ON secret_tags (user_id);
