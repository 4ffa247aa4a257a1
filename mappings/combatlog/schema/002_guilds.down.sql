DROP INDEX idx_metrics_guild_character;
DROP INDEX idx_metrics_guild_encounter;
DROP INDEX idx_characters_guild_class_spec;
DROP INDEX idx_characters_guild_class;
DROP INDEX idx_characters_guild_name;
DROP INDEX idx_encounters_guild_type_difficulty;
DROP INDEX idx_encounters_guild_instance;
DROP INDEX idx_encounters_guild_boss;
DROP INDEX idx_encounters_guild_start;

-- Refused where two guilds have the same log or player: version 1 can hold only one of them.
DROP INDEX uq_characters_guild_guid;
CREATE UNIQUE INDEX uq_characters_guid ON characters (character_guid);
DROP INDEX uq_log_files_guild_hash;
CREATE UNIQUE INDEX uq_log_files_hash ON log_files (file_hash);

ALTER TABLE character_metrics DROP COLUMN guild_id;
ALTER TABLE characters DROP COLUMN guild_id;
ALTER TABLE encounters DROP COLUMN guild_id;
ALTER TABLE log_files DROP COLUMN guild_id;

DROP TABLE api_keys;
DROP TABLE guilds;

UPDATE metadata SET value = '1', updated_at = CURRENT_TIMESTAMP WHERE key = 'schema_version';
