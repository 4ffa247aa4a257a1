-- description: version 2: nine indexes that begin with the guild

CREATE INDEX idx_encounters_guild_start ON encounters (guild_id, start_time DESC);
CREATE INDEX idx_encounters_guild_boss ON encounters (guild_id, boss_name);
CREATE INDEX idx_encounters_guild_instance ON encounters (guild_id, instance_name);
CREATE INDEX idx_encounters_guild_type_difficulty ON encounters (guild_id, encounter_type, difficulty);
CREATE INDEX idx_characters_guild_name ON characters (guild_id, name);
CREATE INDEX idx_characters_guild_class ON characters (guild_id, class);
CREATE INDEX idx_characters_guild_class_spec ON characters (guild_id, class, spec);
CREATE INDEX idx_metrics_guild_encounter ON character_metrics (guild_id, encounter_id);
CREATE INDEX idx_metrics_guild_character ON character_metrics (guild_id, character_id);
