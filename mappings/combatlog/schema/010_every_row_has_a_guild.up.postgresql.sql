-- description: version 2: every row has a guild that exists, and two guilds may share logs and players

INSERT INTO guilds (guild_id, guild_name, server, region, faction) VALUES (1, 'Default Guild', 'Unknown', 'US', 'Alliance')
ON CONFLICT (guild_id) DO NOTHING;

-- An earlier script may have made some of them, or another index of the name; the next migration makes all.
DROP INDEX IF EXISTS idx_encounters_guild_start;
DROP INDEX IF EXISTS idx_encounters_guild_boss;
DROP INDEX IF EXISTS idx_encounters_guild_instance;
DROP INDEX IF EXISTS idx_encounters_guild_type_difficulty;
DROP INDEX IF EXISTS idx_characters_guild_name;
DROP INDEX IF EXISTS idx_characters_guild_class;
DROP INDEX IF EXISTS idx_characters_guild_class_spec;
DROP INDEX IF EXISTS idx_metrics_guild_encounter;
DROP INDEX IF EXISTS idx_metrics_guild_character;

-- A row without a guild belongs to the default guild. The rows are written anew: behind an UPDATE a server would not
-- use an index that the same transaction makes.
ALTER TABLE log_files
    ALTER COLUMN guild_id TYPE INTEGER USING COALESCE(guild_id, 1),
    ALTER COLUMN guild_id SET NOT NULL,
    ADD FOREIGN KEY (guild_id) REFERENCES guilds (guild_id);
ALTER TABLE encounters
    ALTER COLUMN guild_id TYPE INTEGER USING COALESCE(guild_id, 1),
    ALTER COLUMN guild_id SET NOT NULL,
    ADD FOREIGN KEY (guild_id) REFERENCES guilds (guild_id);
ALTER TABLE characters
    ALTER COLUMN guild_id TYPE INTEGER USING COALESCE(guild_id, 1),
    ALTER COLUMN guild_id SET NOT NULL,
    ADD FOREIGN KEY (guild_id) REFERENCES guilds (guild_id);
ALTER TABLE character_metrics
    ALTER COLUMN guild_id TYPE INTEGER USING COALESCE(guild_id, 1),
    ALTER COLUMN guild_id SET NOT NULL,
    ADD FOREIGN KEY (guild_id) REFERENCES guilds (guild_id);

-- Two guilds may read the same log, and meet the same player.
DROP INDEX uq_log_files_hash;
CREATE UNIQUE INDEX uq_log_files_guild_hash ON log_files (guild_id, file_hash);
DROP INDEX uq_characters_guid;
CREATE UNIQUE INDEX uq_characters_guild_guid ON characters (guild_id, character_guid);
