-- description: Create the guilds table
-- depends: 001_create_users

CREATE TABLE guilds (
    id SERIAL PRIMARY KEY,
    discord_id VARCHAR(20) NOT NULL UNIQUE,
    name VARCHAR(100) NOT NULL,
    description VARCHAR(300),
    owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    settings JSONB NOT NULL DEFAULT '{}',
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW(),
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT NOW()
);

CREATE INDEX idx_guilds_owner_id ON guilds (owner_id);
