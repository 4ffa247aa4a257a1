CREATE TABLE users (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, joined_at TIMESTAMP NOT NULL, password TEXT, token TEXT);
CREATE TABLE friends (
    user_id TEXT NOT NULL REFERENCES users (id),
    friend_id TEXT NOT NULL REFERENCES users (id),
    PRIMARY KEY (user_id, friend_id)
);
CREATE TABLE recipes (
    id TEXT PRIMARY KEY NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    title TEXT NOT NULL,
    fetched TIMESTAMP
);
CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE recipe_tags (
    recipe_id TEXT NOT NULL REFERENCES recipes (id),
    tag_id INTEGER NOT NULL REFERENCES tags (id),
    PRIMARY KEY (recipe_id, tag_id)
);
CREATE TABLE steps (
    recipe_id TEXT NOT NULL REFERENCES recipes (id),
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    minutes INTEGER,
    PRIMARY KEY (recipe_id, position)
);
