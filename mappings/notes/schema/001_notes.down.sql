DROP TABLE attachments;
DROP TABLE tags;
DROP TABLE notes;
DROP TABLE notebooks;
DROP TABLE sync_accounts;
DROP TABLE people;
