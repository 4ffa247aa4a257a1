ALTER TABLE log_files DROP COLUMN guild_id;
