-- description: the five tables of Vibes with UUIDs as keys

-- SQLite has no type for UUIDs: they are kept as text, and a CHECK holds their form. Columns that reference an id need none.
-- `legacy_id` is the integer key that Vibes 1 knew a row by; rows that the application makes have none.

CREATE TABLE users (
    id TEXT NOT NULL PRIMARY KEY
        CHECK (id LIKE '________-____-____-____-____________' AND length(replace(id, '-', '')) = 32 AND id NOT GLOB '*[^0-9a-f-]*'),
    legacy_id INTEGER UNIQUE,
    username TEXT NOT NULL UNIQUE,
    email TEXT,
    hashed_password TEXT NOT NULL,
    settings JSON,
    created_at DATETIME NOT NULL
);

CREATE TABLE journals (
    id TEXT NOT NULL PRIMARY KEY
        CHECK (id LIKE '________-____-____-____-____________' AND length(replace(id, '-', '')) = 32 AND id NOT GLOB '*[^0-9a-f-]*'),
    legacy_id INTEGER UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT,
    content TEXT NOT NULL,
    mood TEXT,
    tag_ids JSON NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME
);

CREATE TABLE tags (
    id TEXT NOT NULL PRIMARY KEY
        CHECK (id LIKE '________-____-____-____-____________' AND length(replace(id, '-', '')) = 32 AND id NOT GLOB '*[^0-9a-f-]*'),
    legacy_id INTEGER UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    color VARCHAR(7),
    journal_ids JSON NOT NULL,
    usage_count INTEGER NOT NULL,
    UNIQUE (user_id, name)
);

CREATE TABLE reminders (
    id TEXT NOT NULL PRIMARY KEY
        CHECK (id LIKE '________-____-____-____-____________' AND length(replace(id, '-', '')) = 32 AND id NOT GLOB '*[^0-9a-f-]*'),
    legacy_id INTEGER UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    journal_id TEXT REFERENCES journals (id) ON DELETE SET NULL,
    title TEXT NOT NULL,
    at_time TIME NOT NULL,
    weekdays JSON NOT NULL,
    active BOOLEAN NOT NULL,
    payload JSON,
    next_at DATETIME
);

CREATE TABLE secret_tags (
    id TEXT NOT NULL PRIMARY KEY
        CHECK (id LIKE '________-____-____-____-____________' AND length(replace(id, '-', '')) = 32 AND id NOT GLOB '*[^0-9a-f-]*'),
    legacy_id INTEGER UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    phrase TEXT NOT NULL,
    created_at DATETIME NOT NULL
);

CREATE INDEX idx_journals_user ON journals (user_id, created_at);
CREATE INDEX idx_reminders_user ON reminders (user_id);
CREATE INDEX idx_reminders_journal ON reminders (journal_id);
CREATE INDEX idx_secret_tags_user ON secret_tags (user_id);
