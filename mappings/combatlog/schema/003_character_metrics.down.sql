DROP TABLE character_metrics;
