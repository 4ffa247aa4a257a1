DROP TABLE secret_tags;
DROP TABLE reminders;
DROP TABLE tags;
DROP TABLE journals;
DROP TABLE users;
