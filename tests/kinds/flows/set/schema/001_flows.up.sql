CREATE TABLE credentials (
    id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL, username TEXT, password TEXT NOT NULL, settings TEXT NOT NULL
);
CREATE TABLE flows (
    id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, active BOOLEAN NOT NULL, connections JSON NOT NULL, settings TEXT
);
CREATE TABLE nodes (
    flow_id TEXT NOT NULL REFERENCES flows (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    x INTEGER NOT NULL,
    y INTEGER NOT NULL,
    parameters JSON NOT NULL,
    PRIMARY KEY (flow_id, id)
);
CREATE TABLE node_credentials (
    flow_id TEXT NOT NULL,
    node_id TEXT NOT NULL,
    slot TEXT NOT NULL,
    credential_id TEXT NOT NULL REFERENCES credentials (id),
    PRIMARY KEY (flow_id, node_id, slot),
    FOREIGN KEY (flow_id, node_id) REFERENCES nodes (flow_id, id)
);
