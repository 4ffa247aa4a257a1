-- The rows of ../vibes as Vibes 1 keeps them, with integer keys and phrases that anyone can read, for SQLite and PostgreSQL.
-- Times are UTC: PostgreSQL is told so by PGTZ=UTC.

INSERT INTO users (id, username, email, hashed_password, settings, created_at) VALUES
    (1, 'zoë', 'zoe@example.com', '$2b$12$inventedinventedinventOnotarealhashnotarealhashnotare', '{"theme": "dusk", "locale": "fr-CH", "fontScale": 1.10}', '2022-03-27 00:30:00.000000'),
    (2, 'hiroshi_本', NULL, '$2b$12$anotherinventedoneanothOinventedoneanotherinventedone', '{}', '2023-11-04 23:00:00.250000'),
    (7, 'amara', 'amara@example.com', '$2b$12$inventedthreeinventedthrOinventedthreeinventedthreein', NULL, '2025-01-12 20:58:01.000000');

INSERT INTO journals (id, user_id, title, content, mood, tag_ids, created_at, updated_at) VALUES
    (11, 1, 'Première neige', 'Snow on the lake.
We walked to the pier and back ❄️', 'calm', '[3, 5]', '2022-12-10 17:22:41.000000', '2022-12-10 17:40:02.000000'),
    (12, 1, '', 'Could not sleep. 11 things to do, 3 of them mine.', NULL, '[]', '2022-12-11 01:03:00.000000', NULL),
    (13, 1, 'Rehearsal', 'The second movement is still too fast.', 'proud', '[5]', '2024-03-31 01:15:00.000000', '2024-04-01 05:00:00.000000'),
    (1048577, 1, NULL, 'Imported from the phone.', 'calm', '[5, 4, 3]', '2024-08-19 06:12:09.481516', NULL),
    (21, 2, '山', '雨のち晴れ。頂上で握り飯。', 'happy', '[9]', '2023-11-05 08:31:00.000000', NULL),
    (22, 2, '11', 'Lap times: 11, 12, 13.', 'tired', '[]', '2023-11-07 11:00:00.000000', '2023-11-07 11:00:00.000000'),
    (23, 2, 'Plan', '', '', '[9, 10]', '2024-02-29 14:59:59.000000', NULL);

INSERT INTO tags (id, user_id, name, color, journal_ids, usage_count) VALUES
    (3, 1, 'walks', '#3d7a5f', '[11, 1048577]', 2),
    (4, 1, 'café', NULL, '[1048577]', 1),
    (5, 1, '🎻', '#aa3311', '[11, 13, 1048577]', 3),
    (6, 1, 'never used', '#cccccc', '[]', 0),
    (9, 2, 'outside', '#2255ee', '[21, 23]', 2),
    (10, 2, 'walks', '#000000', '[23]', 1);

INSERT INTO reminders (id, user_id, journal_id, title, at_time, weekdays, active, payload, next_at) VALUES
    (1, 1, NULL, 'Write something', '21:30', '[1, 2, 3, 4, 5]', TRUE, '{"kind": "prompt", "prompt": "What went well today?", "tag_id": 3}', '2025-01-13 20:30:00.000000'),
    (2, 1, 13, 'Listen to the recording', '18:00', '[]', FALSE, NULL, NULL),
    (5, 1, 11, 'A year ago', '09:05:30', '[7]', TRUE, '{"kind": "look_back", "journal_ids": [11, 12], "tag_id": null}', '2025-01-19 08:05:30.000000'),
    (3, 2, 23, '計画', '06:00', '[6, 7]', TRUE, '{"kind": "look_back", "journal_ids": []}', '2025-01-17 21:00:00.000000'),
    (4, 2, NULL, 'Stretch', '12:00', '[1, 3, 5]', TRUE, '{"kind": "prompt", "prompt": ""}', NULL);

INSERT INTO secret_tags (id, user_id, name, phrase, created_at) VALUES
    (1, 1, 'private', 'the lighthouse keeper never blinks', '2023-01-02 09:00:00.000000'),
    (2, 1, 'dreams', 'à l’envers, tout est bleu', '2023-01-02 09:04:00.000000'),
    (3, 2, '秘密', 'seven herons on a wire', '2023-12-31 15:00:00.000000');
