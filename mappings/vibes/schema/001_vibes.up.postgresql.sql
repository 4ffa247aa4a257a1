-- description: the five tables of Vibes with UUIDs as keys

-- `uuid` and gen_random_uuid() are part of PostgreSQL: no extension is needed.
-- `legacy_id` is the integer key that Vibes 1 knew a row by; rows that the application makes have none.

CREATE TABLE users (
    id UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    legacy_id INTEGER UNIQUE,
    username TEXT NOT NULL UNIQUE,
    email TEXT,
    hashed_password TEXT NOT NULL,
    settings JSONB,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE journals (
    id UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    legacy_id INTEGER UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT,
    content TEXT NOT NULL,
    mood TEXT,
    tag_ids JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ
);

CREATE TABLE tags (
    id UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    legacy_id INTEGER UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    color VARCHAR(7),
    journal_ids JSONB NOT NULL,
    usage_count INTEGER NOT NULL,
    UNIQUE (user_id, name)
);

CREATE TABLE reminders (
    id UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    legacy_id INTEGER UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    journal_id UUID REFERENCES journals (id) ON DELETE SET NULL,
    title TEXT NOT NULL,
    at_time TIME NOT NULL,
    weekdays JSONB NOT NULL,
    active BOOLEAN NOT NULL,
    payload JSONB,
    next_at TIMESTAMPTZ
);

CREATE TABLE secret_tags (
    id UUID NOT NULL PRIMARY KEY DEFAULT gen_random_uuid(),
    legacy_id INTEGER UNIQUE,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    phrase TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX idx_journals_user ON journals (user_id, created_at);
CREATE INDEX idx_reminders_user ON reminders (user_id);
CREATE INDEX idx_reminders_journal ON reminders (journal_id);
CREATE INDEX idx_secret_tags_user ON secret_tags (user_id);
