DROP TABLE parts;
DROP TABLE messages;
DROP TABLE sessions;
