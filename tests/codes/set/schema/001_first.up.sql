-- description: people and their notes

CREATE TABLE people (
    id INTEGER NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    email TEXT UNIQUE
);

CREATE TABLE notes (
    person_id INTEGER NOT NULL REFERENCES people (id),
    number INTEGER NOT NULL,
    title VARCHAR(20) NOT NULL,
    written TIMESTAMP NOT NULL,
    PRIMARY KEY (person_id, number)
);
