-- description: How many entries the export says it has, to be checked by the import; the bot does not read it

CREATE TABLE export_counts (
    name TEXT NOT NULL PRIMARY KEY CHECK (name IN ('users', 'questions', 'sessions', 'answers')),
    entries INTEGER NOT NULL,
    exported_at TIMESTAMP NOT NULL
);
