-- description: Vibes 2, the five tables with UUIDs as keys
-- ids: id_map(tab, old, new) = { uuid5 = ["tab", "old"] } FROM SELECT 'users', id FROM users UNION ALL SELECT 'journals', id FROM journals UNION ALL SELECT 'tags', id FROM tags UNION ALL SELECT 'reminders', id FROM reminders UNION ALL SELECT 'secret_tags', id FROM secret_tags EXCEPT SELECT tab, old FROM id_map
-- ledger: users SELECT legacy_id, id FROM users
-- ledger: journals SELECT legacy_id, id FROM journals
-- ledger: tags SELECT legacy_id, id FROM tags
-- ledger: reminders SELECT legacy_id, id FROM reminders
-- ledger: secret_tags SELECT legacy_id, id FROM secret_tags

-- `uuid` and gen_random_uuid() are part of PostgreSQL: no extension is needed. The tables stay, with what is granted on them.
-- `legacy_id` is the integer key that Vibes 1 knew a row by; rows that the application makes have none.

ALTER TABLE journals DROP CONSTRAINT journals_user_id_fkey;
ALTER TABLE tags DROP CONSTRAINT tags_user_id_fkey;
ALTER TABLE reminders DROP CONSTRAINT reminders_user_id_fkey;
ALTER TABLE reminders DROP CONSTRAINT reminders_journal_id_fkey;
ALTER TABLE secret_tags DROP CONSTRAINT secret_tags_user_id_fkey;

ALTER TABLE users DROP CONSTRAINT users_pkey;
ALTER TABLE users RENAME COLUMN id TO legacy_id;
ALTER TABLE users ALTER COLUMN legacy_id DROP IDENTITY, ALTER COLUMN legacy_id DROP NOT NULL, ADD COLUMN id UUID;
ALTER TABLE journals DROP CONSTRAINT journals_pkey;
ALTER TABLE journals RENAME COLUMN id TO legacy_id;
ALTER TABLE journals RENAME COLUMN user_id TO old_user_id;
ALTER TABLE journals ALTER COLUMN legacy_id DROP IDENTITY, ALTER COLUMN legacy_id DROP NOT NULL, ADD COLUMN id UUID, ADD COLUMN user_id UUID;
ALTER TABLE tags DROP CONSTRAINT tags_pkey;
ALTER TABLE tags RENAME COLUMN id TO legacy_id;
ALTER TABLE tags RENAME COLUMN user_id TO old_user_id;
ALTER TABLE tags ALTER COLUMN legacy_id DROP IDENTITY, ALTER COLUMN legacy_id DROP NOT NULL, ADD COLUMN id UUID, ADD COLUMN user_id UUID;
ALTER TABLE reminders DROP CONSTRAINT reminders_pkey;
ALTER TABLE reminders RENAME COLUMN id TO legacy_id;
ALTER TABLE reminders RENAME COLUMN user_id TO old_user_id;
ALTER TABLE reminders RENAME COLUMN journal_id TO old_journal_id;
ALTER TABLE reminders ALTER COLUMN legacy_id DROP IDENTITY, ALTER COLUMN legacy_id DROP NOT NULL, ADD COLUMN id UUID, ADD COLUMN user_id UUID,
    ADD COLUMN journal_id UUID;
ALTER TABLE secret_tags DROP CONSTRAINT secret_tags_pkey;
ALTER TABLE secret_tags RENAME COLUMN id TO legacy_id;
ALTER TABLE secret_tags RENAME COLUMN user_id TO old_user_id;
ALTER TABLE secret_tags ALTER COLUMN legacy_id DROP IDENTITY, ALTER COLUMN legacy_id DROP NOT NULL, ADD COLUMN id UUID, ADD COLUMN user_id UUID;

-- An id that leads nowhere would become null: the set asks before the move that there is none.

UPDATE users o SET id = (SELECT new FROM id_map WHERE tab = 'users' AND old = o.legacy_id);

UPDATE journals o SET
    id = (SELECT new FROM id_map WHERE tab = 'journals' AND old = o.legacy_id),
    user_id = (SELECT new FROM id_map WHERE tab = 'users' AND old = o.old_user_id),
    tag_ids = CASE jsonb_typeof(o.tag_ids) WHEN 'array' THEN
        (SELECT coalesce(jsonb_agg((SELECT new FROM id_map WHERE tab = 'tags' AND old = e.id::integer) ORDER BY e.n), '[]')
            FROM jsonb_array_elements_text(o.tag_ids) WITH ORDINALITY e (id, n))
    ELSE o.tag_ids END;

UPDATE tags o SET
    id = (SELECT new FROM id_map WHERE tab = 'tags' AND old = o.legacy_id),
    user_id = (SELECT new FROM id_map WHERE tab = 'users' AND old = o.old_user_id),
    journal_ids = CASE jsonb_typeof(o.journal_ids) WHEN 'array' THEN
        (SELECT coalesce(jsonb_agg((SELECT new FROM id_map WHERE tab = 'journals' AND old = e.id::integer) ORDER BY e.n), '[]')
            FROM jsonb_array_elements_text(o.journal_ids) WITH ORDINALITY e (id, n))
    ELSE o.journal_ids END;

UPDATE reminders o SET
    id = (SELECT new FROM id_map WHERE tab = 'reminders' AND old = o.legacy_id),
    user_id = (SELECT new FROM id_map WHERE tab = 'users' AND old = o.old_user_id),
    journal_id = (SELECT new FROM id_map WHERE tab = 'journals' AND old = o.old_journal_id);

-- Everything else in a payload stays as it is.
UPDATE reminders
SET payload = jsonb_set(payload, '{tag_id}',
    coalesce((SELECT to_jsonb(new) FROM id_map WHERE tab = 'tags' AND old = (payload ->> 'tag_id')::integer), 'null'))
WHERE payload ->> 'tag_id' IS NOT NULL;
UPDATE reminders
SET payload = jsonb_set(payload, '{journal_ids}',
    (SELECT coalesce(jsonb_agg((SELECT new FROM id_map WHERE tab = 'journals' AND old = e.id::integer) ORDER BY e.n), '[]')
        FROM jsonb_array_elements_text(payload -> 'journal_ids') WITH ORDINALITY e (id, n)))
WHERE jsonb_typeof(payload -> 'journal_ids') = 'array';

UPDATE secret_tags o SET
    id = (SELECT new FROM id_map WHERE tab = 'secret_tags' AND old = o.legacy_id),
    user_id = (SELECT new FROM id_map WHERE tab = 'users' AND old = o.old_user_id);

DROP TABLE id_map;

ALTER TABLE users
    ADD PRIMARY KEY (id),
    ALTER COLUMN id SET DEFAULT gen_random_uuid(),
    ADD UNIQUE (legacy_id);
ALTER TABLE journals
    ADD PRIMARY KEY (id),
    ALTER COLUMN id SET DEFAULT gen_random_uuid(),
    ADD UNIQUE (legacy_id),
    DROP COLUMN old_user_id,
    ALTER COLUMN user_id SET NOT NULL,
    ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE tags
    ADD PRIMARY KEY (id),
    ALTER COLUMN id SET DEFAULT gen_random_uuid(),
    ADD UNIQUE (legacy_id),
    DROP COLUMN old_user_id,
    ALTER COLUMN user_id SET NOT NULL,
    ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    ADD UNIQUE (user_id, name);
ALTER TABLE reminders
    ADD PRIMARY KEY (id),
    ALTER COLUMN id SET DEFAULT gen_random_uuid(),
    ADD UNIQUE (legacy_id),
    DROP COLUMN old_user_id,
    ALTER COLUMN user_id SET NOT NULL,
    ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    DROP COLUMN old_journal_id,
    ADD FOREIGN KEY (journal_id) REFERENCES journals (id) ON DELETE SET NULL;
ALTER TABLE secret_tags
    ADD PRIMARY KEY (id),
    ALTER COLUMN id SET DEFAULT gen_random_uuid(),
    ADD UNIQUE (legacy_id),
    DROP COLUMN old_user_id,
    ALTER COLUMN user_id SET NOT NULL,
    ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;

CREATE INDEX idx_journals_user ON journals (user_id, created_at);
CREATE INDEX idx_reminders_user ON reminders (user_id);
CREATE INDEX idx_reminders_journal ON reminders (journal_id);
CREATE INDEX idx_secret_tags_user ON secret_tags (user_id);
