-- description: Create the guild_members table
-- depends: 001_create_users, 002_create_guilds

CREATE TABLE guild_members (
    id INTEGER NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (id) ON DELETE CASCADE,
    user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    nickname VARCHAR(32),
    permission_bits BIGINT NOT NULL DEFAULT 0,
    joined_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    UNIQUE (guild_id, user_id)
);

CREATE INDEX idx_guild_members_user_id ON guild_members (user_id);
