-- description: version 2: who may call the API, and for which guild

-- A key is found by its id and compared with the hash.
CREATE TABLE api_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    guild_id INTEGER NOT NULL REFERENCES guilds (guild_id),
    key_hash TEXT NOT NULL,
    client_id TEXT NOT NULL,
    description TEXT,
    permissions JSON NOT NULL,
    events_per_minute INTEGER NOT NULL DEFAULT 10000,
    max_connections INTEGER NOT NULL DEFAULT 5,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    last_used TIMESTAMP
);
