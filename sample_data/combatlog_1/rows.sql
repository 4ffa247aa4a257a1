-- The rows of guild 1 of ../combatlog as a database of version 1 keeps them, for SQLite and PostgreSQL. Times are UTC.

INSERT INTO encounters (encounter_id, encounter_type, boss_name, instance_name, difficulty, pull_number, start_time, end_time, duration_ms, success, wipe_percentage, damage_done, healing_done, created_at) VALUES
    (1, 'raid', 'Plexus Sentinel', 'Manaforge Omega', 'Normal', 1, '2025-09-15 23:06:38.412', '2025-09-15 23:11:02.912', 264500, TRUE, NULL, 812345678, 401200345, '2025-09-15 23:11:02.912'),
    (2, 'mythic_plus', 'Tazavesh: So''leah''s Gambit', 'Tazavesh', '+12', 1, '2025-09-19 02:30:00', NULL, NULL, FALSE, NULL, 5123456789, 0, '2025-09-19 03:00:00');

INSERT INTO characters (character_id, character_guid, name, realm, class, spec, first_seen, last_seen) VALUES
    (1, 'Player-60-0A1B2C3D', 'Testpala', 'Stormrage', 'Paladin', 'Protection', '2025-09-15 23:06:38', '2025-09-19 02:41:10'),
    (2, 'Player-60-0B00F1E2', 'Mirelle', 'Stormrage', 'Priest', 'Holy', '2025-09-15 23:06:38', '2025-09-19 02:41:10'),
    (3, 'Player-3676-0C44D0AA', 'Mirelle', 'Area 52', 'Mage', NULL, '2025-09-19 02:30:00', NULL);

INSERT INTO character_metrics (metric_id, encounter_id, character_id, damage_done, healing_done, damage_taken, death_count, activity_percentage, dps, hps) VALUES
    (1, 1, 1, 91234567, 1200345, 88001234, 0, 98.4, 344932.2, 4538.1),
    (2, 1, 2, 1045000, 400000000, 9120034, 1, 91, 3950.85, 1512287.33),
    (3, 2, 3, 5123456789, 0, 0, 3, NULL, NULL, NULL);

INSERT INTO log_files (file_id, file_path, file_hash, file_size, processed_at, event_count, encounter_count) VALUES
    (1, 'logs/WoWCombatLog-091525_190012.txt', 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb', 48211934, '2025-09-15 23:20:00', 412009, 1),
    (2, 'logs/WoWCombatLog-091825_222000.txt', '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d', 0, '2025-09-19 03:00:00', 0, 1);
