-- description: version 2: the guild of an encounter; what is there belongs to the default guild, 1

ALTER TABLE encounters ADD COLUMN guild_id INTEGER DEFAULT 1;
