-- description: version 2: the guild of a log; what is there belongs to the default guild, 1

ALTER TABLE log_files ADD COLUMN guild_id INTEGER DEFAULT 1;
