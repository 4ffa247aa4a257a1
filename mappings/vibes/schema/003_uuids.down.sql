-- ledger: users SELECT new, old FROM id_map WHERE tab = 'users'
-- ledger: journals SELECT new, old FROM id_map WHERE tab = 'journals'
-- ledger: tags SELECT new, old FROM id_map WHERE tab = 'tags'
-- ledger: reminders SELECT new, old FROM id_map WHERE tab = 'reminders'
-- ledger: secret_tags SELECT new, old FROM id_map WHERE tab = 'secret_tags'

CREATE TABLE id_map (
    tab TEXT NOT NULL,
    old INTEGER NOT NULL,
    new TEXT NOT NULL,
    PRIMARY KEY (tab, old),
    UNIQUE (tab, new)
);

-- Rows of Vibes 1 get their numbers back. Those that Vibes 2 made are numbered on behind the highest of their table, the
-- oldest first where the table has a time, else by their ids.
INSERT INTO id_map (tab, old, new)
SELECT tab,
    coalesce(legacy_id, coalesce(max(legacy_id) OVER (PARTITION BY tab), 0)
        + row_number() OVER (PARTITION BY tab ORDER BY legacy_id IS NOT NULL, created_at, id)),
    id
FROM (
    SELECT 'users' AS tab, id, legacy_id, created_at FROM users
    UNION ALL SELECT 'journals', id, legacy_id, created_at FROM journals
    UNION ALL SELECT 'tags', id, legacy_id, NULL FROM tags
    UNION ALL SELECT 'reminders', id, legacy_id, NULL FROM reminders
    UNION ALL SELECT 'secret_tags', id, legacy_id, created_at FROM secret_tags
) AS rows_of_both;

CREATE TABLE old_users (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    email TEXT,
    hashed_password TEXT NOT NULL,
    settings JSON,
    created_at DATETIME NOT NULL
);

CREATE TABLE old_journals (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT,
    content TEXT NOT NULL,
    mood TEXT,
    tag_ids JSON NOT NULL,
    created_at DATETIME NOT NULL,
    updated_at DATETIME
);

CREATE TABLE old_tags (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    color VARCHAR(7),
    journal_ids JSON NOT NULL,
    usage_count INTEGER NOT NULL,
    UNIQUE (user_id, name)
);

CREATE TABLE old_reminders (
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

CREATE TABLE old_secret_tags (
    id INTEGER PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    phrase TEXT NOT NULL,
    created_at DATETIME NOT NULL
);

INSERT INTO old_users (id, username, email, hashed_password, settings, created_at)
SELECT m.old, n.username, n.email, n.hashed_password, n.settings, n.created_at
FROM users n JOIN id_map m ON m.tab = 'users' AND m.new = n.id;

INSERT INTO old_journals (id, user_id, title, content, mood, tag_ids, created_at, updated_at)
SELECT m.old, u.old, n.title, n.content, n.mood,
    CASE json_type(n.tag_ids) WHEN 'array' THEN
        (SELECT json_group_array((SELECT old FROM id_map WHERE tab = 'tags' AND new = e.value) ORDER BY e.key)
            FROM json_each(n.tag_ids) e)
    ELSE n.tag_ids END,
    n.created_at, n.updated_at
FROM journals n
JOIN id_map m ON m.tab = 'journals' AND m.new = n.id
LEFT JOIN id_map u ON u.tab = 'users' AND u.new = n.user_id;

INSERT INTO old_tags (id, user_id, name, color, journal_ids, usage_count)
SELECT m.old, u.old, n.name, n.color,
    CASE json_type(n.journal_ids) WHEN 'array' THEN
        (SELECT json_group_array((SELECT old FROM id_map WHERE tab = 'journals' AND new = e.value) ORDER BY e.key)
            FROM json_each(n.journal_ids) e)
    ELSE n.journal_ids END,
    n.usage_count
FROM tags n
JOIN id_map m ON m.tab = 'tags' AND m.new = n.id
LEFT JOIN id_map u ON u.tab = 'users' AND u.new = n.user_id;

INSERT INTO old_reminders (id, user_id, journal_id, title, at_time, weekdays, active, payload, next_at)
SELECT m.old, u.old, j.old, n.title, n.at_time, n.weekdays, n.active,
    json_replace(n.payload,
        '$.tag_id', (SELECT t.old FROM id_map t WHERE t.tab = 'tags' AND t.new = n.payload ->> 'tag_id'),
        '$.journal_ids', json(CASE json_type(n.payload, '$.journal_ids') WHEN 'array' THEN
            (SELECT json_group_array((SELECT old FROM id_map WHERE tab = 'journals' AND new = e.value) ORDER BY e.key)
                FROM json_each(n.payload, '$.journal_ids') e)
        ELSE n.payload -> '$.journal_ids' END)),
    n.next_at
FROM reminders n
JOIN id_map m ON m.tab = 'reminders' AND m.new = n.id
LEFT JOIN id_map u ON u.tab = 'users' AND u.new = n.user_id
LEFT JOIN id_map j ON j.tab = 'journals' AND j.new = n.journal_id;

INSERT INTO old_secret_tags (id, user_id, name, phrase, created_at)
SELECT m.old, u.old, n.name, n.phrase, n.created_at
FROM secret_tags n
JOIN id_map m ON m.tab = 'secret_tags' AND m.new = n.id
LEFT JOIN id_map u ON u.tab = 'users' AND u.new = n.user_id;

DROP TABLE secret_tags;
DROP TABLE reminders;
DROP TABLE tags;
DROP TABLE journals;
DROP TABLE users;

ALTER TABLE old_users RENAME TO users;
ALTER TABLE old_journals RENAME TO journals;
ALTER TABLE old_tags RENAME TO tags;
ALTER TABLE old_reminders RENAME TO reminders;
ALTER TABLE old_secret_tags RENAME TO secret_tags;

CREATE INDEX idx_journals_user ON journals (user_id, created_at);
CREATE INDEX idx_reminders_user ON reminders (user_id);
CREATE INDEX idx_reminders_journal ON reminders (journal_id);
CREATE INDEX idx_secret_tags_user ON secret_tags (user_id);
