-- version: v005_add_audit_tables
-- description: Audit trail, compliance, and eight retention policies
-- depends: v001_initial_schema

-- Column for column what the application's own migration makes, on PostgreSQL.

-- What was changed, by whom and why.
CREATE TABLE audit_trail (
    id           SERIAL PRIMARY KEY,
    audit_id     VARCHAR(100) NOT NULL UNIQUE,
    table_name   VARCHAR(100) NOT NULL,
    record_id    VARCHAR(100),
    action       VARCHAR(20) NOT NULL,
    user_id      VARCHAR(32),
    ip_address   VARCHAR(45),
    user_agent   TEXT,
    changes_json TEXT,
    before_json  TEXT,
    after_json   TEXT,
    reason       TEXT,
    tags         TEXT,
    session_id   VARCHAR(100),
    request_id   VARCHAR(100),
    created_at   TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

-- What regulations ask to be written down.
CREATE TABLE compliance_logs (
    id                    SERIAL PRIMARY KEY,
    compliance_type       VARCHAR(100) NOT NULL,
    regulation            VARCHAR(100),
    user_id               VARCHAR(32),
    action                VARCHAR(100) NOT NULL,
    resource_type         VARCHAR(100),
    resource_id           VARCHAR(100),
    data_classification   VARCHAR(50),
    retention_period_days INTEGER,
    deletion_scheduled_at TIMESTAMP,
    deleted_at            TIMESTAMP,
    audit_notes           TEXT,
    metadata_json         TEXT,
    created_at            TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

-- How long each kind of data is kept, and what then becomes of it.
CREATE TABLE data_retention_policies (
    id                SERIAL PRIMARY KEY,
    policy_name       VARCHAR(100) NOT NULL UNIQUE,
    data_type         VARCHAR(100) NOT NULL,
    retention_days    INTEGER NOT NULL,
    deletion_strategy VARCHAR(50),
    is_active         BOOLEAN DEFAULT TRUE,
    legal_basis       TEXT,
    created_at        TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at        TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);

-- What people asked about their own data.
CREATE TABLE privacy_requests (
    id                 SERIAL PRIMARY KEY,
    request_id         VARCHAR(100) NOT NULL UNIQUE,
    user_id            VARCHAR(32) NOT NULL,
    request_type       VARCHAR(50) NOT NULL,
    status             VARCHAR(50) DEFAULT 'pending',
    requested_at       TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    processed_at       TIMESTAMP,
    processed_by       VARCHAR(255),
    data_exported      TEXT,
    deletion_confirmed BOOLEAN DEFAULT FALSE,
    notes              TEXT,
    metadata_json      TEXT,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

-- Changes of settings.
CREATE TABLE configuration_audit (
    id             SERIAL PRIMARY KEY,
    config_key     VARCHAR(255) NOT NULL,
    old_value      TEXT,
    new_value      TEXT,
    changed_by     VARCHAR(32),
    change_reason  TEXT,
    environment    VARCHAR(50),
    service_name   VARCHAR(100),
    rollback_value TEXT,
    rolled_back    BOOLEAN DEFAULT FALSE,
    rolled_back_at TIMESTAMP,
    created_at     TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (changed_by) REFERENCES users (id)
);

-- Permissions that were given and taken away.
CREATE TABLE access_control_audit (
    id            SERIAL PRIMARY KEY,
    user_id       VARCHAR(32) NOT NULL,
    resource_type VARCHAR(100) NOT NULL,
    resource_id   VARCHAR(100),
    permission    VARCHAR(100) NOT NULL,
    granted       BOOLEAN NOT NULL,
    grant_reason  TEXT,
    granted_by    VARCHAR(32),
    expires_at    TIMESTAMP,
    revoked       BOOLEAN DEFAULT FALSE,
    revoked_at    TIMESTAMP,
    revoked_by    VARCHAR(32),
    revoke_reason TEXT,
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (granted_by) REFERENCES users (id),
    FOREIGN KEY (revoked_by) REFERENCES users (id)
);

-- Files that were read or written.
CREATE TABLE file_access_audit (
    id            SERIAL PRIMARY KEY,
    user_id       VARCHAR(32),
    file_path     TEXT NOT NULL,
    file_type     VARCHAR(50),
    action        VARCHAR(50) NOT NULL,
    success       BOOLEAN NOT NULL,
    error_message TEXT,
    file_size     INTEGER,
    checksum      VARCHAR(64),
    ip_address    VARCHAR(45),
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

-- Data that left the system.
CREATE TABLE export_audit (
    id              SERIAL PRIMARY KEY,
    user_id         VARCHAR(32) NOT NULL,
    export_type     VARCHAR(100) NOT NULL,
    format          VARCHAR(50),
    filters_applied TEXT,
    record_count    INTEGER,
    file_size       INTEGER,
    destination     VARCHAR(255),
    purpose         TEXT,
    expires_at      TIMESTAMP,
    deleted         BOOLEAN DEFAULT FALSE,
    created_at      TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    FOREIGN KEY (user_id) REFERENCES users (id)
);

CREATE INDEX idx_audit_trail_table ON audit_trail (table_name);
CREATE INDEX idx_audit_trail_user ON audit_trail (user_id);
CREATE INDEX idx_audit_trail_created ON audit_trail (created_at);
CREATE INDEX idx_audit_trail_action ON audit_trail (action);
CREATE INDEX idx_compliance_logs_type ON compliance_logs (compliance_type);
CREATE INDEX idx_compliance_logs_user ON compliance_logs (user_id);
CREATE INDEX idx_privacy_requests_user ON privacy_requests (user_id);
CREATE INDEX idx_privacy_requests_status ON privacy_requests (status);
CREATE INDEX idx_config_audit_key ON configuration_audit (config_key);
CREATE INDEX idx_access_control_user ON access_control_audit (user_id);
CREATE INDEX idx_access_control_resource ON access_control_audit (resource_type, resource_id);
CREATE INDEX idx_file_access_user ON file_access_audit (user_id);
CREATE INDEX idx_export_audit_user ON export_audit (user_id);

-- The eight policies that the application starts with.
INSERT INTO data_retention_policies (policy_name, data_type, retention_days, deletion_strategy, is_active) VALUES
    ('user_activities_retention', 'user_activities', 365, 'archive', TRUE),
    ('security_events_retention', 'security_events', 730, 'archive', TRUE),
    ('api_access_logs_retention', 'api_access_logs', 90, 'delete', TRUE),
    ('failed_login_attempts_retention', 'failed_login_attempts', 180, 'delete', TRUE),
    ('audit_trail_retention', 'audit_trail', 2555, 'archive', TRUE),
    ('compliance_logs_retention', 'compliance_logs', 2555, 'archive', TRUE),
    ('session_tokens_retention', 'session_tokens', 30, 'delete', TRUE),
    ('temporary_files_retention', 'temporary_files', 7, 'delete', TRUE);
