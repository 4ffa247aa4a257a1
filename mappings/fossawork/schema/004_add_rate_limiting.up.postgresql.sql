-- version: v004_add_rate_limiting
-- description: Rate limits with their ten rules
-- depends: v001_initial_schema

-- Column for column what the application's own migration makes, on PostgreSQL.

-- How many requests are allowed, of whom, in how many seconds.
CREATE TABLE rate_limit_rules (
    id               SERIAL PRIMARY KEY,
    name             VARCHAR(100) NOT NULL UNIQUE,
    endpoint_pattern VARCHAR(255),
    method           VARCHAR(10),
    max_requests     INTEGER NOT NULL,
    window_seconds   INTEGER NOT NULL,
    burst_size       INTEGER,
    applies_to       VARCHAR(50) DEFAULT 'all',
    user_tier        VARCHAR(50),
    is_active        BOOLEAN DEFAULT TRUE,
    description      TEXT,
    created_at       TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at       TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- Token buckets, one per rule and caller.
CREATE TABLE rate_limit_buckets (
    id             SERIAL PRIMARY KEY,
    bucket_key     VARCHAR(255) NOT NULL UNIQUE,
    rule_id        INTEGER NOT NULL,
    tokens         FLOAT NOT NULL,
    last_refill    TIMESTAMP NOT NULL,
    total_requests INTEGER DEFAULT 0,
    total_rejected INTEGER DEFAULT 0,
    created_at     TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at     TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (rule_id) REFERENCES rate_limit_rules (id)
);

-- Who asked too often.
CREATE TABLE rate_limit_violations (
    id                SERIAL PRIMARY KEY,
    user_id           VARCHAR(32),
    ip_address        VARCHAR(45) NOT NULL,
    endpoint          VARCHAR(255) NOT NULL,
    method            VARCHAR(10),
    rule_id           INTEGER,
    requests_made     INTEGER,
    limit_exceeded_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    blocked_until     TIMESTAMP,
    violation_count   INTEGER DEFAULT 1,
    metadata_json     TEXT,
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (rule_id) REFERENCES rate_limit_rules (id)
);

-- Limits per day and month.
CREATE TABLE api_quotas (
    id               SERIAL PRIMARY KEY,
    user_id          VARCHAR(32),
    tier             VARCHAR(50) DEFAULT 'free',
    endpoint_group   VARCHAR(100),
    daily_limit      INTEGER,
    monthly_limit    INTEGER,
    daily_used       INTEGER DEFAULT 0,
    monthly_used     INTEGER DEFAULT 0,
    reset_daily_at   TIMESTAMP,
    reset_monthly_at TIMESTAMP,
    overage_allowed  BOOLEAN DEFAULT FALSE,
    overage_rate     FLOAT,
    created_at       TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at       TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

-- When requests were slowed down or dropped.
CREATE TABLE throttle_events (
    id               SERIAL PRIMARY KEY,
    event_type       VARCHAR(50) NOT NULL,
    user_id          VARCHAR(32),
    ip_address       VARCHAR(45),
    endpoint         VARCHAR(255),
    reason           VARCHAR(255),
    duration_seconds INTEGER,
    requests_dropped INTEGER,
    created_at       TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    metadata_json    TEXT,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

CREATE INDEX idx_rate_limit_buckets_key ON rate_limit_buckets (bucket_key);
CREATE INDEX idx_rate_limit_violations_user ON rate_limit_violations (user_id);
CREATE INDEX idx_rate_limit_violations_ip ON rate_limit_violations (ip_address);
CREATE INDEX idx_rate_limit_violations_time ON rate_limit_violations (limit_exceeded_at);
CREATE INDEX idx_api_quotas_user ON api_quotas (user_id);
CREATE INDEX idx_throttle_events_user ON throttle_events (user_id);
CREATE INDEX idx_throttle_events_created ON throttle_events (created_at);

-- The ten rules that the application starts with.
INSERT INTO rate_limit_rules (name, max_requests, window_seconds, applies_to, user_tier, is_active, description) VALUES
    ('login_attempt', 5, 300, 'ip', NULL, TRUE, 'Attempts to log in'),
    ('password_reset', 3, 3600, 'ip', NULL, TRUE, 'Requests to reset a password'),
    ('register', 3, 3600, 'ip', NULL, TRUE, 'New accounts'),
    ('api_general', 100, 60, 'user', NULL, TRUE, 'Requests of the API'),
    ('api_premium', 1000, 60, 'user', 'premium', TRUE, 'Requests of the API, premium tier'),
    ('api_enterprise', 10000, 60, 'user', 'enterprise', TRUE, 'Requests of the API, enterprise tier'),
    ('scraping', 10, 300, 'user', NULL, TRUE, 'Scraping'),
    ('automation', 20, 300, 'user', NULL, TRUE, 'Form automation'),
    ('bulk_operations', 5, 600, 'user', NULL, TRUE, 'Operations on many records'),
    ('public_api', 10, 3600, 'ip', NULL, TRUE, 'Requests without an account');
