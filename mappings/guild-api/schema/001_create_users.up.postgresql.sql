-- description: Create the users table

CREATE TABLE users (
    id SERIAL PRIMARY KEY,
    discord_id VARCHAR(20) NOT NULL UNIQUE,
    username VARCHAR(32) NOT NULL,
    display_name VARCHAR(64),
    email VARCHAR(255) UNIQUE,
    is_bot BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_users_username ON users (username);
