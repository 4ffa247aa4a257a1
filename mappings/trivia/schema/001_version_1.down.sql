DROP TABLE achievements;
DROP TABLE user_answers;
DROP TABLE game_sessions;
DROP TABLE questions;
DROP TABLE users;
DROP TABLE schema_version;
