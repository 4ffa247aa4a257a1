-- version: v001_initial_schema
-- description: The twenty tables that the V2 application makes of its models on an empty database

-- In the reverse order, so that no table goes before one that refers to it.

DROP TABLE scraping_statistics;
DROP TABLE scraping_history;
DROP TABLE scraping_schedules;
DROP TABLE automation_jobs;
DROP TABLE dispensers;
DROP TABLE work_orders;
DROP TABLE user_change_history;
DROP TABLE user_batch_history;
DROP TABLE user_schedule_changes;
DROP TABLE user_completed_jobs;
DROP TABLE prover_settings;
DROP TABLE user_scraped_content;
DROP TABLE user_dispenser_data;
DROP TABLE user_activities;
DROP TABLE tutorial_data;
DROP TABLE global_settings;
DROP TABLE user_preferences;
DROP TABLE user_credentials;
DROP TABLE user_sessions;
DROP TABLE users;
