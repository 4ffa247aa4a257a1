-- description: people, their notebooks and notes, tags and attachments

CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT,
    joined_at TIMESTAMP NOT NULL,
    settings JSON
);

CREATE TABLE sync_accounts (
    person_id TEXT NOT NULL PRIMARY KEY REFERENCES people (id),
    token TEXT NOT NULL
);

CREATE TABLE notebooks (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    person_id TEXT NOT NULL REFERENCES people (id),
    number INTEGER NOT NULL,
    title TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    archived BOOLEAN NOT NULL,
    UNIQUE (person_id, number)
);

CREATE TABLE notes (
    id VARCHAR(36) NOT NULL PRIMARY KEY,
    notebook_id VARCHAR(36) NOT NULL REFERENCES notebooks (id),
    person_id TEXT NOT NULL REFERENCES people (id),
    label TEXT NOT NULL,
    position INTEGER NOT NULL,
    title TEXT,
    body TEXT NOT NULL,
    edited_at TIMESTAMP NOT NULL,
    tags JSON NOT NULL,
    attachments JSON,
    UNIQUE (person_id, label)
);

CREATE TABLE tags (
    person_id TEXT NOT NULL REFERENCES people (id),
    name TEXT NOT NULL,
    colour VARCHAR(7) NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (person_id, name)
);

CREATE TABLE attachments (
    person_id TEXT NOT NULL REFERENCES people (id),
    label TEXT NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 VARCHAR(64) NOT NULL,
    added_at TIMESTAMP NOT NULL,
    PRIMARY KEY (person_id, label)
);
