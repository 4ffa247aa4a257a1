CREATE TABLE chats (id INTEGER PRIMARY KEY NOT NULL, name TEXT);
CREATE TABLE messages (
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    number INTEGER NOT NULL,
    sender TEXT NOT NULL,
    sent_at TIMESTAMP NOT NULL,
    body TEXT,
    entities JSON,
    reply_to INTEGER,
    edited_at TIMESTAMP,
    PRIMARY KEY (chat_id, number),
    FOREIGN KEY (chat_id, reply_to) REFERENCES messages (chat_id, number)
);
