ALTER TABLE characters DROP COLUMN guild_id;
