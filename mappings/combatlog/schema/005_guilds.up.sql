-- description: version 2, many guilds in one database: the guilds

CREATE TABLE guilds (
    guild_id INTEGER PRIMARY KEY AUTOINCREMENT,
    guild_name TEXT NOT NULL,
    server TEXT NOT NULL,
    region TEXT NOT NULL,
    faction TEXT CHECK (faction IN ('Alliance', 'Horde')),
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    is_active BOOLEAN DEFAULT TRUE,
    settings_json TEXT DEFAULT '{}',
    contact_info TEXT,
    timezone TEXT DEFAULT 'UTC',
    UNIQUE (guild_name, server, region)
);
