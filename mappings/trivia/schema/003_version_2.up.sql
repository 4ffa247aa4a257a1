-- description: Version 2: a time zone and preferences for each user
-- depends: 001_version_1

ALTER TABLE users ADD COLUMN timezone TEXT NOT NULL DEFAULT 'UTC';

CREATE TABLE user_preferences (
    user_id INTEGER PRIMARY KEY REFERENCES users (user_id) ON DELETE CASCADE,
    difficulty TEXT CHECK (difficulty IN ('easy', 'medium', 'hard')),
    categories JSON NOT NULL DEFAULT '[]',
    dm_reminders BOOLEAN NOT NULL DEFAULT 1,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

INSERT INTO schema_version (version, description) VALUES (2, 'Time zones and preferences');
