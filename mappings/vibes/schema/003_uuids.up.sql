-- description: Vibes 2, the five tables with UUIDs as keys
-- ids: id_map(tab, old, new) = { uuid5 = ["tab", "old"] } FROM SELECT 'users', id FROM users UNION ALL SELECT 'journals', id FROM journals UNION ALL SELECT 'tags', id FROM tags UNION ALL SELECT 'reminders', id FROM reminders UNION ALL SELECT 'secret_tags', id FROM secret_tags EXCEPT SELECT tab, old FROM id_map
-- ledger: users SELECT legacy_id, id FROM users
-- ledger: journals SELECT legacy_id, id FROM journals
-- ledger: tags SELECT legacy_id, id FROM tags
-- ledger: reminders SELECT legacy_id, id FROM reminders
-- ledger: secret_tags SELECT legacy_id, id FROM secret_tags

-- SQLite has no type for UUIDs: they are kept as text, and a CHECK holds their form. Columns that reference an id need none.
-- `legacy_id` is the integer key that Vibes 1 knew a row by; rows that the application makes have none.

CREATE TABLE new_users (
    id TEXT NOT NULL PRIMARY KEY
        CHECK (id LIKE '________-____-____-____-____________' AND length(replace(id, '-', '')) = 32 AND id NOT GLOB '*[^0-9a-f-]*'),
    legacy_id INTEGER UNIQUE,
    username TEXT NOT NULL UNIQUE,
    email TEXT,
    hashed_password TEXT NOT NULL,
    settings JSON,
    created_at DATETIME NOT NULL
);

CREATE TABLE new_journals (
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

CREATE TABLE new_tags (
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

CREATE TABLE new_reminders (
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

CREATE TABLE new_secret_tags (
    id TEXT NOT NULL PRIMARY KEY
        CHECK (id LIKE '________-____-____-____-____________' AND length(replace(id, '-', '')) = 32 AND id NOT GLOB '*[^0-9a-f-]*'),
    legacy_id INTEGER UNIQUE,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    phrase TEXT NOT NULL,
    created_at DATETIME NOT NULL
);

-- An id that leads nowhere would become null: the set asks before the move that there is none.

INSERT INTO new_users (id, legacy_id, username, email, hashed_password, settings, created_at)
SELECT m.new, o.id, o.username, o.email, o.hashed_password, o.settings, o.created_at
FROM users o JOIN id_map m ON m.tab = 'users' AND m.old = o.id;

INSERT INTO new_journals (id, legacy_id, user_id, title, content, mood, tag_ids, created_at, updated_at)
SELECT m.new, o.id, u.new, o.title, o.content, o.mood,
    CASE json_type(o.tag_ids) WHEN 'array' THEN
        (SELECT json_group_array((SELECT new FROM id_map WHERE tab = 'tags' AND old = e.value) ORDER BY e.key)
            FROM json_each(o.tag_ids) e)
    ELSE o.tag_ids END,
    o.created_at, o.updated_at
FROM journals o
JOIN id_map m ON m.tab = 'journals' AND m.old = o.id
LEFT JOIN id_map u ON u.tab = 'users' AND u.old = o.user_id;

INSERT INTO new_tags (id, legacy_id, user_id, name, color, journal_ids, usage_count)
SELECT m.new, o.id, u.new, o.name, o.color,
    CASE json_type(o.journal_ids) WHEN 'array' THEN
        (SELECT json_group_array((SELECT new FROM id_map WHERE tab = 'journals' AND old = e.value) ORDER BY e.key)
            FROM json_each(o.journal_ids) e)
    ELSE o.journal_ids END,
    o.usage_count
FROM tags o
JOIN id_map m ON m.tab = 'tags' AND m.old = o.id
LEFT JOIN id_map u ON u.tab = 'users' AND u.old = o.user_id;

-- json_replace() leaves alone what a payload does not have, and everything else in it.
INSERT INTO new_reminders (id, legacy_id, user_id, journal_id, title, at_time, weekdays, active, payload, next_at)
SELECT m.new, o.id, u.new, j.new, o.title, o.at_time, o.weekdays, o.active,
    json_replace(o.payload,
        '$.tag_id', (SELECT t.new FROM id_map t WHERE t.tab = 'tags' AND t.old = o.payload ->> 'tag_id'),
        '$.journal_ids', json(CASE json_type(o.payload, '$.journal_ids') WHEN 'array' THEN
            (SELECT json_group_array((SELECT new FROM id_map WHERE tab = 'journals' AND old = e.value) ORDER BY e.key)
                FROM json_each(o.payload, '$.journal_ids') e)
        ELSE o.payload -> '$.journal_ids' END)),
    o.next_at
FROM reminders o
JOIN id_map m ON m.tab = 'reminders' AND m.old = o.id
LEFT JOIN id_map u ON u.tab = 'users' AND u.old = o.user_id
LEFT JOIN id_map j ON j.tab = 'journals' AND j.old = o.journal_id;

INSERT INTO new_secret_tags (id, legacy_id, user_id, name, phrase, created_at)
SELECT m.new, o.id, u.new, o.name, o.phrase, o.created_at
FROM secret_tags o
JOIN id_map m ON m.tab = 'secret_tags' AND m.old = o.id
LEFT JOIN id_map u ON u.tab = 'users' AND u.old = o.user_id;

DROP TABLE secret_tags;
DROP TABLE reminders;
DROP TABLE tags;
DROP TABLE journals;
DROP TABLE users;
DROP TABLE id_map;

ALTER TABLE new_users RENAME TO users;
ALTER TABLE new_journals RENAME TO journals;
ALTER TABLE new_tags RENAME TO tags;
ALTER TABLE new_reminders RENAME TO reminders;
ALTER TABLE new_secret_tags RENAME TO secret_tags;

CREATE INDEX idx_journals_user ON journals (user_id, created_at);
CREATE INDEX idx_reminders_user ON reminders (user_id);
CREATE INDEX idx_reminders_journal ON reminders (journal_id);
CREATE INDEX idx_secret_tags_user ON secret_tags (user_id);
