DROP TABLE characters;
DROP TABLE encounters;
