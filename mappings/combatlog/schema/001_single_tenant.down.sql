DROP TABLE character_metrics;
DROP TABLE characters;
DROP TABLE encounters;
DROP TABLE log_files;
DROP TABLE metadata;
