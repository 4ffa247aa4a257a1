-- description: version 1: what each character did in an encounter

CREATE TABLE character_metrics (
    metric_id INTEGER PRIMARY KEY AUTOINCREMENT,
    encounter_id INTEGER NOT NULL REFERENCES encounters (encounter_id),
    character_id INTEGER NOT NULL REFERENCES characters (character_id),
    damage_done INTEGER NOT NULL DEFAULT 0,
    healing_done INTEGER NOT NULL DEFAULT 0,
    damage_taken INTEGER NOT NULL DEFAULT 0,
    death_count INTEGER NOT NULL DEFAULT 0,
    activity_percentage REAL,
    dps REAL,
    hps REAL,
    UNIQUE (encounter_id, character_id)
);
CREATE INDEX idx_metrics_character ON character_metrics (character_id);
