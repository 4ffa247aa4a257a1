-- description: version 2: the guild of a metric; what is there belongs to the default guild, 1

ALTER TABLE character_metrics ADD COLUMN guild_id INTEGER DEFAULT 1;
