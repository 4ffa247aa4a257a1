-- version: v006_add_monitoring_tables
-- description: Monitoring: metrics, health, errors, performance, jobs
-- depends: v001_initial_schema

-- Column for column what the application's own migration makes, on PostgreSQL.

-- Measurements.
CREATE TABLE system_metrics (
    id            SERIAL PRIMARY KEY,
    metric_name   VARCHAR(100) NOT NULL,
    metric_type   VARCHAR(50) NOT NULL,
    value         FLOAT NOT NULL,
    unit          VARCHAR(20),
    tags          TEXT,
    source        VARCHAR(100),
    environment   VARCHAR(50),
    timestamp     TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    metadata_json TEXT
);

-- Whether each service answered.
CREATE TABLE health_checks (
    id                   SERIAL PRIMARY KEY,
    service_name         VARCHAR(100) NOT NULL,
    check_type           VARCHAR(50) NOT NULL,
    status               VARCHAR(20) NOT NULL,
    response_time_ms     INTEGER,
    details              TEXT,
    last_healthy_at      TIMESTAMP,
    consecutive_failures INTEGER DEFAULT 0,
    checked_at           TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- Errors, one row per kind, with how often.
CREATE TABLE error_tracking (
    id               SERIAL PRIMARY KEY,
    error_id         VARCHAR(100) NOT NULL,
    error_type       VARCHAR(100) NOT NULL,
    error_message    TEXT NOT NULL,
    stack_trace      TEXT,
    user_id          VARCHAR(32),
    session_id       VARCHAR(100),
    request_id       VARCHAR(100),
    endpoint         VARCHAR(255),
    user_agent       TEXT,
    ip_address       VARCHAR(45),
    severity         VARCHAR(20),
    frequency        INTEGER DEFAULT 1,
    first_seen       TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    last_seen        TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    resolved         BOOLEAN DEFAULT FALSE,
    resolved_at      TIMESTAMP,
    resolution_notes TEXT,
    metadata_json    TEXT,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

-- How long operations took.
CREATE TABLE performance_logs (
    id                   SERIAL PRIMARY KEY,
    operation_type       VARCHAR(100) NOT NULL,
    operation_name       VARCHAR(255) NOT NULL,
    duration_ms          INTEGER NOT NULL,
    success              BOOLEAN NOT NULL,
    user_id              VARCHAR(32),
    endpoint             VARCHAR(255),
    method               VARCHAR(10),
    status_code          INTEGER,
    request_size         INTEGER,
    response_size        INTEGER,
    database_queries     INTEGER,
    database_time_ms     INTEGER,
    external_api_calls   INTEGER,
    external_api_time_ms INTEGER,
    memory_used_mb       FLOAT,
    cpu_percent          FLOAT,
    created_at           TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    metadata_json        TEXT,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

-- How long each service was up.
CREATE TABLE uptime_monitoring (
    id                   SERIAL PRIMARY KEY,
    service_name         VARCHAR(100) NOT NULL,
    status               VARCHAR(20) NOT NULL,
    uptime_seconds       INTEGER,
    downtime_seconds     INTEGER,
    availability_percent FLOAT,
    last_downtime        TIMESTAMP,
    downtime_reason      TEXT,
    checked_at           TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- Use of disk, memory and the like against its limits.
CREATE TABLE resource_usage (
    id                 SERIAL PRIMARY KEY,
    resource_type      VARCHAR(50) NOT NULL,
    resource_name      VARCHAR(100),
    usage_value        FLOAT NOT NULL,
    usage_percent      FLOAT,
    limit_value        FLOAT,
    unit               VARCHAR(20),
    warning_threshold  FLOAT,
    critical_threshold FLOAT,
    alert_sent         BOOLEAN DEFAULT FALSE,
    measured_at        TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- Alerts that were raised, acknowledged, resolved.
CREATE TABLE alert_history (
    id              SERIAL PRIMARY KEY,
    alert_type      VARCHAR(100) NOT NULL,
    severity        VARCHAR(20) NOT NULL,
    title           VARCHAR(255) NOT NULL,
    message         TEXT,
    source          VARCHAR(100),
    metric_value    FLOAT,
    threshold_value FLOAT,
    recipients      TEXT,
    sent_via        TEXT,
    acknowledged    BOOLEAN DEFAULT FALSE,
    acknowledged_by VARCHAR(255),
    acknowledged_at TIMESTAMP,
    resolved        BOOLEAN DEFAULT FALSE,
    resolved_at     TIMESTAMP,
    created_at      TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    metadata_json   TEXT
);

-- Jobs and how far they are.
CREATE TABLE background_jobs (
    id            SERIAL PRIMARY KEY,
    job_id        VARCHAR(100) NOT NULL UNIQUE,
    job_type      VARCHAR(100) NOT NULL,
    status        VARCHAR(50) NOT NULL,
    progress      INTEGER,
    total_items   INTEGER,
    started_at    TIMESTAMP,
    completed_at  TIMESTAMP,
    next_retry_at TIMESTAMP,
    retry_count   INTEGER DEFAULT 0,
    max_retries   INTEGER DEFAULT 3,
    error_message TEXT,
    result_data   TEXT,
    created_by    VARCHAR(32),
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    metadata_json TEXT
);

-- Sizes of tables.
CREATE TABLE database_stats (
    id                    SERIAL PRIMARY KEY,
    table_name            VARCHAR(100) NOT NULL,
    row_count             INTEGER,
    size_bytes            INTEGER,
    index_count           INTEGER,
    last_vacuum           TIMESTAMP,
    last_analyze          TIMESTAMP,
    fragmentation_percent FLOAT,
    collected_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- Calls per endpoint and period.
CREATE TABLE api_endpoint_stats (
    id                   SERIAL PRIMARY KEY,
    endpoint             VARCHAR(255) NOT NULL,
    method               VARCHAR(10) NOT NULL,
    total_calls          INTEGER DEFAULT 0,
    successful_calls     INTEGER DEFAULT 0,
    failed_calls         INTEGER DEFAULT 0,
    avg_response_time_ms FLOAT,
    p95_response_time_ms FLOAT,
    p99_response_time_ms FLOAT,
    last_called          TIMESTAMP,
    period_start         TIMESTAMP,
    period_end           TIMESTAMP
);

CREATE INDEX idx_system_metrics_name ON system_metrics (metric_name);
CREATE INDEX idx_system_metrics_timestamp ON system_metrics (timestamp);
CREATE INDEX idx_health_checks_service ON health_checks (service_name);
CREATE INDEX idx_health_checks_status ON health_checks (status);
CREATE INDEX idx_error_tracking_type ON error_tracking (error_type);
CREATE INDEX idx_error_tracking_user ON error_tracking (user_id);
CREATE INDEX idx_error_tracking_unresolved ON error_tracking (resolved, last_seen);
CREATE INDEX idx_performance_logs_operation ON performance_logs (operation_type);
CREATE INDEX idx_performance_logs_duration ON performance_logs (duration_ms);
CREATE INDEX idx_performance_logs_created ON performance_logs (created_at);
CREATE INDEX idx_resource_usage_type ON resource_usage (resource_type);
CREATE INDEX idx_alert_history_type ON alert_history (alert_type);
CREATE INDEX idx_alert_history_severity ON alert_history (severity);
CREATE INDEX idx_alert_history_unresolved ON alert_history (resolved, created_at);
CREATE INDEX idx_background_jobs_status ON background_jobs (status);
CREATE INDEX idx_background_jobs_type ON background_jobs (job_type);
CREATE INDEX idx_api_endpoint_stats_endpoint ON api_endpoint_stats (endpoint, method);
CREATE INDEX idx_system_metrics_name_time ON system_metrics (metric_name, timestamp DESC);
CREATE INDEX idx_performance_logs_user_time ON performance_logs (user_id, created_at DESC);
