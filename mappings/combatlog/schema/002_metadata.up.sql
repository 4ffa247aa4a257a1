-- description: version 1: what the application notes about itself

CREATE TABLE metadata (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL,
    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO metadata (key, value) VALUES ('schema_version', '1');
