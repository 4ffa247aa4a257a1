ALTER TABLE character_metrics DROP COLUMN guild_id;
