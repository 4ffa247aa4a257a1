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

-- SQLite cannot change a column, so each is made anew. A row without a guild belongs to the default guild.
ALTER TABLE log_files RENAME COLUMN guild_id TO old_guild_id;
ALTER TABLE log_files ADD COLUMN guild_id INTEGER NOT NULL DEFAULT 1 REFERENCES guilds (guild_id);
UPDATE log_files SET guild_id = old_guild_id WHERE old_guild_id <> 1;
ALTER TABLE log_files DROP COLUMN old_guild_id;
ALTER TABLE encounters RENAME COLUMN guild_id TO old_guild_id;
ALTER TABLE encounters ADD COLUMN guild_id INTEGER NOT NULL DEFAULT 1 REFERENCES guilds (guild_id);
UPDATE encounters SET guild_id = old_guild_id WHERE old_guild_id <> 1;
ALTER TABLE encounters DROP COLUMN old_guild_id;
ALTER TABLE characters RENAME COLUMN guild_id TO old_guild_id;
ALTER TABLE characters ADD COLUMN guild_id INTEGER NOT NULL DEFAULT 1 REFERENCES guilds (guild_id);
UPDATE characters SET guild_id = old_guild_id WHERE old_guild_id <> 1;
ALTER TABLE characters DROP COLUMN old_guild_id;
ALTER TABLE character_metrics RENAME COLUMN guild_id TO old_guild_id;
ALTER TABLE character_metrics ADD COLUMN guild_id INTEGER NOT NULL DEFAULT 1 REFERENCES guilds (guild_id);
UPDATE character_metrics SET guild_id = old_guild_id WHERE old_guild_id <> 1;
ALTER TABLE character_metrics DROP COLUMN old_guild_id;

-- Two guilds may read the same log, and meet the same player.
DROP INDEX uq_log_files_hash;
CREATE UNIQUE INDEX uq_log_files_guild_hash ON log_files (guild_id, file_hash);
DROP INDEX uq_characters_guid;
CREATE UNIQUE INDEX uq_characters_guild_guid ON characters (guild_id, character_guid);
