-- version: v002_add_security_tables
-- description: Security: events, failed logins, access logs, session tokens

-- In the reverse order, so that no table goes before one that refers to it; indexes go with their tables.

DROP TABLE session_tokens;
DROP TABLE data_access_audit;
DROP TABLE suspicious_activities;
DROP TABLE api_access_logs;
DROP TABLE failed_login_attempts;
DROP TABLE security_events;
