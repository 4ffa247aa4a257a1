-- Refused where two guilds have the same log or player: version 1 can hold only one of them.
DROP INDEX uq_characters_guild_guid;
CREATE UNIQUE INDEX uq_characters_guid ON characters (character_guid);
DROP INDEX uq_log_files_guild_hash;
CREATE UNIQUE INDEX uq_log_files_hash ON log_files (file_hash);

ALTER TABLE log_files
    DROP CONSTRAINT log_files_guild_id_fkey,
    ALTER COLUMN guild_id DROP NOT NULL;
ALTER TABLE encounters
    DROP CONSTRAINT encounters_guild_id_fkey,
    ALTER COLUMN guild_id DROP NOT NULL;
ALTER TABLE characters
    DROP CONSTRAINT characters_guild_id_fkey,
    ALTER COLUMN guild_id DROP NOT NULL;
ALTER TABLE character_metrics
    DROP CONSTRAINT character_metrics_guild_id_fkey,
    ALTER COLUMN guild_id DROP NOT NULL;
