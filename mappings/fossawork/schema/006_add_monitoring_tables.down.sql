-- version: v006_add_monitoring_tables
-- description: Monitoring: metrics, health, errors, performance, jobs

-- In the reverse order, so that no table goes before one that refers to it; indexes go with their tables.

DROP TABLE api_endpoint_stats;
DROP TABLE database_stats;
DROP TABLE background_jobs;
DROP TABLE alert_history;
DROP TABLE resource_usage;
DROP TABLE uptime_monitoring;
DROP TABLE performance_logs;
DROP TABLE error_tracking;
DROP TABLE health_checks;
DROP TABLE system_metrics;
