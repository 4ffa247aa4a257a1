-- Refused where two guilds have the same log or player: version 1 can hold only one of them.
DROP INDEX uq_characters_guild_guid;
CREATE UNIQUE INDEX uq_characters_guid ON characters (character_guid);
DROP INDEX uq_log_files_guild_hash;
CREATE UNIQUE INDEX uq_log_files_hash ON log_files (file_hash);

ALTER TABLE log_files RENAME COLUMN guild_id TO old_guild_id;
ALTER TABLE log_files ADD COLUMN guild_id INTEGER DEFAULT 1;
UPDATE log_files SET guild_id = old_guild_id WHERE old_guild_id <> 1;
ALTER TABLE log_files DROP COLUMN old_guild_id;
ALTER TABLE encounters RENAME COLUMN guild_id TO old_guild_id;
ALTER TABLE encounters ADD COLUMN guild_id INTEGER DEFAULT 1;
UPDATE encounters SET guild_id = old_guild_id WHERE old_guild_id <> 1;
ALTER TABLE encounters DROP COLUMN old_guild_id;
ALTER TABLE characters RENAME COLUMN guild_id TO old_guild_id;
ALTER TABLE characters ADD COLUMN guild_id INTEGER DEFAULT 1;
UPDATE characters SET guild_id = old_guild_id WHERE old_guild_id <> 1;
ALTER TABLE characters DROP COLUMN old_guild_id;
ALTER TABLE character_metrics RENAME COLUMN guild_id TO old_guild_id;
ALTER TABLE character_metrics ADD COLUMN guild_id INTEGER DEFAULT 1;
UPDATE character_metrics SET guild_id = old_guild_id WHERE old_guild_id <> 1;
ALTER TABLE character_metrics DROP COLUMN old_guild_id;
