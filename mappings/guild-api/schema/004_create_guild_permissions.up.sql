-- description: Create the guild_permissions table
-- depends: 001_create_users, 002_create_guilds, 003_create_guild_members

CREATE TABLE guild_permissions (
    id INTEGER NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    permission VARCHAR(50) NOT NULL,
    granted_by INTEGER REFERENCES users (id) ON DELETE SET NULL,
    granted_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (guild_id, user_id, permission)
);

CREATE INDEX idx_guild_permissions_user_id ON guild_permissions (user_id);
