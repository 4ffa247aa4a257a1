DROP TABLE export_counts;
