-- description: version 1, a database for one guild: encounters, and the characters in them

CREATE TABLE encounters (
    encounter_id SERIAL PRIMARY KEY,
    encounter_type TEXT NOT NULL CHECK (encounter_type IN ('raid', 'mythic_plus')),
    boss_name TEXT NOT NULL,
    instance_name TEXT,
    difficulty TEXT,
    pull_number INTEGER NOT NULL DEFAULT 1,
    start_time TIMESTAMP NOT NULL,
    end_time TIMESTAMP,
    duration_ms BIGINT,
    success BOOLEAN NOT NULL DEFAULT FALSE,
    wipe_percentage DOUBLE PRECISION,
    damage_done BIGINT NOT NULL DEFAULT 0,
    healing_done BIGINT NOT NULL DEFAULT 0,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
CREATE INDEX idx_encounters_start_time ON encounters (start_time);
CREATE INDEX idx_encounters_boss ON encounters (boss_name, difficulty);

CREATE TABLE characters (
    character_id SERIAL PRIMARY KEY,
    character_guid TEXT NOT NULL,
    name TEXT NOT NULL,
    realm TEXT,
    class TEXT,
    spec TEXT,
    first_seen TIMESTAMP,
    last_seen TIMESTAMP
);
CREATE UNIQUE INDEX uq_characters_guid ON characters (character_guid);
