CREATE TABLE areas (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL);
CREATE TABLE devices (
    id TEXT PRIMARY KEY NOT NULL,
    area_id TEXT REFERENCES areas (id),
    name TEXT NOT NULL,
    model TEXT,
    disabled BOOLEAN NOT NULL,
    labels TEXT,
    created_at TIMESTAMP NOT NULL,
    changed_at TIMESTAMP DEFAULT '1970-01-01 00:00:00.000000'
);
CREATE TABLE device_identifiers (
    device_id TEXT NOT NULL REFERENCES devices (id),
    domain TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (device_id, domain, value)
);
