-- description: Create the guilds table
-- depends: 001_create_users

CREATE TABLE guilds (
    id INTEGER NOT NULL PRIMARY KEY,
    discord_id VARCHAR(20) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    description VARCHAR(300),
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    settings JSON NOT NULL DEFAULT '{}',
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX idx_guilds_owner_id ON guilds (owner_id);
