-- description: version 2, many guilds in one database; what is there belongs to the default guild, 1

CREATE TABLE guilds (
    guild_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_name TEXT NOT NULL,
    server TEXT NOT NULL,
    region TEXT NOT NULL,
    faction TEXT CHECK (faction IN ('Alliance', 'Horde')),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    is_active BOOLEAN DEFAULT TRUE,
    settings_json TEXT DEFAULT '{}',
    contact_info TEXT,
    timezone TEXT DEFAULT 'UTC',
    UNIQUE (guild_name, server, region)
);
INSERT INTO guilds (guild_id, guild_name, server, region, faction) VALUES (1, 'Default Guild', 'Unknown', 'US', 'Alliance');

-- Who may call the API, and for which guild. A key is found by its id and compared with the hash.
CREATE TABLE api_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (guild_id),
    key_hash TEXT NOT NULL,
    client_id TEXT NOT NULL,
    description TEXT,
    permissions JSON NOT NULL,
    events_per_minute INTEGER NOT NULL DEFAULT 10000,
    max_connections INTEGER NOT NULL DEFAULT 5,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    last_used TIMESTAMP
);

ALTER TABLE log_files ADD COLUMN guild_id INTEGER NOT NULL DEFAULT 1 REFERENCES guilds (guild_id);
ALTER TABLE encounters ADD COLUMN guild_id INTEGER NOT NULL DEFAULT 1 REFERENCES guilds (guild_id);
ALTER TABLE characters ADD COLUMN guild_id INTEGER NOT NULL DEFAULT 1 REFERENCES guilds (guild_id);
ALTER TABLE character_metrics ADD COLUMN guild_id INTEGER NOT NULL DEFAULT 1 REFERENCES guilds (guild_id);

-- Two guilds may read the same log, and meet the same player.
DROP INDEX uq_log_files_hash;
CREATE UNIQUE INDEX uq_log_files_guild_hash ON log_files (guild_id, file_hash);
DROP INDEX uq_characters_guid;
CREATE UNIQUE INDEX uq_characters_guild_guid ON characters (guild_id, character_guid);

CREATE INDEX idx_encounters_guild_start ON encounters (guild_id, start_time DESC);
CREATE INDEX idx_encounters_guild_boss ON encounters (guild_id, boss_name);
CREATE INDEX idx_encounters_guild_instance ON encounters (guild_id, instance_name);
CREATE INDEX idx_encounters_guild_type_difficulty ON encounters (guild_id, encounter_type, difficulty);
CREATE INDEX idx_characters_guild_name ON characters (guild_id, name);
CREATE INDEX idx_characters_guild_class ON characters (guild_id, class);
CREATE INDEX idx_characters_guild_class_spec ON characters (guild_id, class, spec);
CREATE INDEX idx_metrics_guild_encounter ON character_metrics (guild_id, encounter_id);
CREATE INDEX idx_metrics_guild_character ON character_metrics (guild_id, character_id);

-- A version 1 that never wrote its version is version 1.
INSERT INTO metadata (key, value) VALUES ('schema_version', '2')
ON CONFLICT (key) DO UPDATE SET value = '2', updated_at = CURRENT_TIMESTAMP;
