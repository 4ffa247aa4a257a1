-- description: version 1, a database for one guild: encounters, characters, their metrics, the logs read

CREATE TABLE metadata (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO metadata (key, value) VALUES ('schema_version', '1');

CREATE TABLE log_files (
    file_id INTEGER PRIMARY KEY AUTOINCREMENT,
    file_path TEXT NOT NULL,
    file_hash TEXT NOT NULL,
    file_size INTEGER NOT NULL,
    processed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    event_count INTEGER NOT NULL DEFAULT 0,
    encounter_count INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX uq_log_files_hash ON log_files (file_hash);

CREATE TABLE encounters (
    encounter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    encounter_type TEXT NOT NULL CHECK (encounter_type IN ('raid', 'mythic_plus')),
    boss_name TEXT NOT NULL,
    instance_name TEXT,
    difficulty TEXT,
    pull_number INTEGER NOT NULL DEFAULT 1,
    start_time TIMESTAMP NOT NULL,
    end_time TIMESTAMP,
    duration_ms INTEGER,
    success BOOLEAN NOT NULL DEFAULT FALSE,
    wipe_percentage REAL,
    damage_done INTEGER NOT NULL DEFAULT 0,
    healing_done INTEGER NOT NULL DEFAULT 0,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_encounters_start_time ON encounters (start_time);
CREATE INDEX idx_encounters_boss ON encounters (boss_name, difficulty);

CREATE TABLE characters (
    character_id INTEGER PRIMARY KEY AUTOINCREMENT,
    character_guid TEXT NOT NULL,
    name TEXT NOT NULL,
    realm TEXT,
    class TEXT,
    spec TEXT,
    first_seen TIMESTAMP,
    last_seen TIMESTAMP
);
CREATE UNIQUE INDEX uq_characters_guid ON characters (character_guid);

CREATE TABLE character_metrics (
    metric_id INTEGER PRIMARY KEY AUTOINCREMENT,
    encounter_id INTEGER NOT NULL REFERENCES encounters (encounter_id),
    character_id INTEGER NOT NULL REFERENCES characters (character_id),
    damage_done INTEGER NOT NULL DEFAULT 0,
    healing_done INTEGER NOT NULL DEFAULT 0,
    damage_taken INTEGER NOT NULL DEFAULT 0,
    death_count INTEGER NOT NULL DEFAULT 0,
    activity_percentage REAL,
    dps REAL,
    hps REAL,
    UNIQUE (encounter_id, character_id)
);
CREATE INDEX idx_metrics_character ON character_metrics (character_id);
