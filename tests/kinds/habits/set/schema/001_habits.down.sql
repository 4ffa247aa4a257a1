DROP TABLE settings;
DROP TABLE notes;
DROP TABLE days;
DROP TABLE habits;
