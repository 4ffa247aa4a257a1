DELETE FROM schema_version WHERE version = 2;
DROP TABLE user_preferences;
ALTER TABLE users DROP COLUMN timezone;
