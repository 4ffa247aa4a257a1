-- description: Create the users table

CREATE TABLE users (
    id INTEGER NOT NULL PRIMARY KEY,
    discord_id VARCHAR(20) NOT NULL UNIQUE,
    username VARCHAR(32) NOT NULL,
    display_name VARCHAR(64),
    email VARCHAR(255) UNIQUE,
    is_bot BOOLEAN NOT NULL DEFAULT 0,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_users_username ON users (username);
