ALTER TABLE encounters DROP COLUMN guild_id;
