-- version: 001
-- description: The tables of the invented chat program

CREATE TABLE desks (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    folder     TEXT NOT NULL,
    colour     TEXT,
    icon       TEXT,
    created_at DATETIME NOT NULL,
    updated_at DATETIME
);

CREATE TABLE talks (
    id         TEXT NOT NULL PRIMARY KEY,
    desk_id    TEXT NOT NULL REFERENCES desks (id),
    parent_id  TEXT,
    title      TEXT NOT NULL,
    maker      TEXT,
    model      TEXT,
    added      INTEGER,
    removed    INTEGER,
    files      INTEGER,
    created_at DATETIME NOT NULL,
    updated_at DATETIME
);

CREATE TABLE turns (
    id          TEXT NOT NULL PRIMARY KEY,
    talk_id     TEXT NOT NULL REFERENCES talks (id),
    role        TEXT NOT NULL,
    maker       TEXT,
    model       TEXT,
    folder      TEXT,
    root        TEXT,
    amounts     JSON,
    cache_key   TEXT,
    finish      TEXT,
    created_at  DATETIME NOT NULL,
    finished_at DATETIME
);

CREATE TABLE pieces (
    id         TEXT NOT NULL PRIMARY KEY,
    turn_id    TEXT NOT NULL REFERENCES turns (id),
    talk_id    TEXT NOT NULL,
    kind       TEXT NOT NULL,
    body       TEXT,
    tool       TEXT,
    call       TEXT,
    status     TEXT,
    title      TEXT,
    input      JSON,
    amounts    JSON,
    price      NUMERIC,
    mark       TEXT,
    started_at DATETIME,
    ended_at   DATETIME
);

CREATE TABLE plans (
    talk_id TEXT NOT NULL,
    number  INTEGER NOT NULL,
    text    TEXT NOT NULL,
    state   TEXT NOT NULL,
    rank    TEXT,
    PRIMARY KEY (talk_id, number)
);

CREATE TABLE changes (
    talk_id TEXT NOT NULL,
    path    TEXT NOT NULL,
    before  TEXT,
    after   TEXT,
    added   INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    PRIMARY KEY (talk_id, path)
);

CREATE TABLE grants (
    id          TEXT NOT NULL PRIMARY KEY,
    desk_id     TEXT NOT NULL,
    tool        TEXT NOT NULL,
    pattern     TEXT NOT NULL,
    answer      TEXT NOT NULL,
    asked_at    DATETIME NOT NULL,
    answered_at DATETIME
);

CREATE TABLE bills (
    turn_id   TEXT NOT NULL PRIMARY KEY,
    talk_id   TEXT NOT NULL,
    maker     TEXT,
    price     NUMERIC NOT NULL,
    amounts   JSON,
    billed_at DATETIME NOT NULL
);

CREATE INDEX talks_desk ON talks (desk_id, updated_at);
CREATE INDEX turns_talk ON turns (talk_id, created_at);
CREATE INDEX pieces_turn ON pieces (turn_id);
CREATE INDEX pieces_talk ON pieces (talk_id);
CREATE INDEX grants_desk ON grants (desk_id);
CREATE INDEX bills_talk ON bills (talk_id);
