-- description: version 2: the guild of a character; what is there belongs to the default guild, 1

ALTER TABLE characters ADD COLUMN guild_id INTEGER DEFAULT 1;
