CREATE TABLE folders (
    guid TEXT PRIMARY KEY NOT NULL,
    parent TEXT REFERENCES folders (guid),
    position INTEGER,
    title TEXT NOT NULL,
    added_at TIMESTAMP,
    seen_on DATE
);
CREATE TABLE bookmarks (
    guid TEXT PRIMARY KEY NOT NULL,
    folder TEXT NOT NULL REFERENCES folders (guid),
    position INTEGER NOT NULL,
    title TEXT,
    url TEXT NOT NULL,
    tags JSON,
    added_at TIMESTAMP NOT NULL
);
