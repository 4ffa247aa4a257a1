-- version: v001_initial_schema
-- description: The twenty tables that the V2 application makes of its models on an empty database

-- Column for column what the application's own `create_all` makes on PostgreSQL, so that the application
-- takes a database that was made here for one of its own. Defaults that exist only in its Python
-- code are not defaults of the database either; the mappings write them out.
-- The six `filter_*` tables are left out: nothing in V1 feeds them.

-- People. `id` is the MD5 of the address, made by the application; nothing here checks it.
CREATE TABLE users (
    id                    VARCHAR(32) NOT NULL,
    email                 VARCHAR(255) NOT NULL,
    password_hash         TEXT,
    label                 VARCHAR(255),
    friendly_name         VARCHAR(100),
    configured_email      VARCHAR(255),
    last_used             TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    created_at            TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at            TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    notification_settings JSON,
    preferences_json      JSON,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_email ON users (email);

-- Who is active.
CREATE TABLE user_sessions (
    id           SERIAL NOT NULL,
    user_id      VARCHAR(32) NOT NULL,
    is_active    BOOLEAN NOT NULL,
    session_data JSON,
    created_at   TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at   TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    UNIQUE (user_id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_sessions_active ON user_sessions (is_active);

-- Sealed logins, one per person and service.
CREATE TABLE user_credentials (
    id                 SERIAL NOT NULL,
    user_id            VARCHAR(32) NOT NULL,
    service_name       VARCHAR(50) NOT NULL,
    encrypted_username TEXT NOT NULL,
    encrypted_password TEXT NOT NULL,
    is_active          BOOLEAN,
    is_verified        BOOLEAN,
    last_verified      TIMESTAMPTZ,
    created_at         TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at         TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT unique_user_service UNIQUE (user_id, service_name),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_credentials_service ON user_credentials (user_id, service_name);
CREATE INDEX ix_user_credentials_user_id ON user_credentials (user_id);

-- Settings of one person, one row per category.
CREATE TABLE user_preferences (
    id         SERIAL NOT NULL,
    user_id    VARCHAR(32) NOT NULL,
    category   VARCHAR(50) NOT NULL,
    settings   JSON NOT NULL,
    created_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT unique_user_category UNIQUE (user_id, category),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_preferences_category ON user_preferences (user_id, category);
CREATE INDEX ix_user_preferences_user_id ON user_preferences (user_id);

-- Settings of the whole installation. A bare number is never stored in `setting_value`: see settings.toml.
CREATE TABLE global_settings (
    id            SERIAL NOT NULL,
    setting_key   VARCHAR(100) NOT NULL,
    setting_value JSON,
    description   VARCHAR(255),
    created_at    TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at    TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_global_settings_setting_key ON global_settings (setting_key);

-- Demonstration data that belongs to nobody.
CREATE TABLE tutorial_data (
    id          SERIAL NOT NULL,
    data_type   VARCHAR(100) NOT NULL,
    data        JSON NOT NULL,
    description VARCHAR(255),
    created_at  TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at  TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id)
);
CREATE INDEX ix_tutorial_data_data_type ON tutorial_data (data_type);

-- What people did.
CREATE TABLE user_activities (
    id            SERIAL NOT NULL,
    user_id       VARCHAR(32) NOT NULL,
    username      VARCHAR(255) NOT NULL,
    activity_type VARCHAR(100) NOT NULL,
    details       JSON,
    created_at    TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_activities_type_time ON user_activities (user_id, activity_type, created_at);
CREATE INDEX ix_user_activities_activity_type ON user_activities (activity_type);
CREATE INDEX ix_user_activities_created_at ON user_activities (created_at);
CREATE INDEX ix_user_activities_user_id ON user_activities (user_id);

-- Dispensers as scraped, one row per work order (with its `W-`).
CREATE TABLE user_dispenser_data (
    id             SERIAL NOT NULL,
    user_id        VARCHAR(32) NOT NULL,
    work_order_id  VARCHAR(100) NOT NULL,
    visit_id       VARCHAR(100),
    dispenser_data JSON NOT NULL,
    meta_data      JSON,
    created_at     TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at     TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT unique_user_work_order UNIQUE (user_id, work_order_id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_dispenser_work_order ON user_dispenser_data (user_id, work_order_id);
CREATE INDEX ix_user_dispenser_data_user_id ON user_dispenser_data (user_id);
CREATE INDEX ix_user_dispenser_data_work_order_id ON user_dispenser_data (work_order_id);

-- Snapshots of whole scrapes.
CREATE TABLE user_scraped_content (
    id           SERIAL NOT NULL,
    user_id      VARCHAR(32) NOT NULL,
    content_type VARCHAR(100) NOT NULL,
    content      JSON NOT NULL,
    source_url   TEXT,
    checksum     VARCHAR(64),
    created_at   TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_scraped_content_type ON user_scraped_content (user_id, content_type, created_at);
CREATE INDEX ix_user_scraped_content_created_at ON user_scraped_content (created_at);
CREATE INDEX ix_user_scraped_content_user_id ON user_scraped_content (user_id);

-- Provers of one person.
CREATE TABLE prover_settings (
    id                   SERIAL NOT NULL,
    user_id              VARCHAR(32) NOT NULL,
    prover_id            VARCHAR(100) NOT NULL,
    serial               VARCHAR(100),
    make                 VARCHAR(255),
    preferred_fuel_type  VARCHAR(255),
    preferred_fuel_types JSON,
    priority             INTEGER,
    full_text            TEXT,
    work_week_preference JSON,
    created_at           TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    updated_at           TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT unique_user_prover UNIQUE (user_id, prover_id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_prover_settings_priority ON prover_settings (user_id, priority);
CREATE INDEX ix_prover_settings_user_id ON prover_settings (user_id);

-- Jobs that left the list because they were done.
CREATE TABLE user_completed_jobs (
    id              SERIAL NOT NULL,
    user_id         VARCHAR(32) NOT NULL,
    job_id          VARCHAR(100) NOT NULL,
    work_order_id   VARCHAR(100),
    completion_date TIMESTAMPTZ,
    job_data        JSON,
    removal_reason  VARCHAR(255),
    created_at      TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    CONSTRAINT unique_user_job UNIQUE (user_id, job_id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_completed_jobs_date ON user_completed_jobs (user_id, completion_date);
CREATE INDEX ix_user_completed_jobs_job_id ON user_completed_jobs (job_id);
CREATE INDEX ix_user_completed_jobs_user_id ON user_completed_jobs (user_id);

-- Changes of the schedule that were found.
CREATE TABLE user_schedule_changes (
    id          SERIAL NOT NULL,
    user_id     VARCHAR(32) NOT NULL,
    change_type VARCHAR(100) NOT NULL,
    change_data JSON NOT NULL,
    change_text TEXT,
    detected_at TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    notified    BOOLEAN,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_schedule_changes_notified ON user_schedule_changes (user_id, notified);
CREATE INDEX idx_user_schedule_changes_type ON user_schedule_changes (user_id, change_type, detected_at);
CREATE INDEX ix_user_schedule_changes_user_id ON user_schedule_changes (user_id);

-- Runs of the form automation.
CREATE TABLE user_batch_history (
    id           SERIAL NOT NULL,
    user_id      VARCHAR(32) NOT NULL,
    batch_id     VARCHAR(100) NOT NULL,
    batch_type   VARCHAR(100) NOT NULL,
    work_orders  JSON,
    results      JSON,
    started_at   TIMESTAMPTZ,
    completed_at TIMESTAMPTZ,
    status       VARCHAR(50),
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_batch_history_status ON user_batch_history (user_id, status, started_at);
CREATE INDEX ix_user_batch_history_batch_id ON user_batch_history (batch_id);
CREATE INDEX ix_user_batch_history_user_id ON user_batch_history (user_id);

-- Changes of anything else.
CREATE TABLE user_change_history (
    id            SERIAL NOT NULL,
    user_id       VARCHAR(32) NOT NULL,
    change_id     VARCHAR(100) NOT NULL,
    entity_type   VARCHAR(100) NOT NULL,
    entity_id     VARCHAR(100),
    before_data   JSON,
    after_data    JSON,
    change_reason VARCHAR(255),
    changed_by    VARCHAR(255),
    created_at    TIMESTAMPTZ DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);
CREATE INDEX idx_user_change_history_entity ON user_change_history (user_id, entity_type, created_at);
CREATE INDEX ix_user_change_history_change_id ON user_change_history (change_id);
CREATE INDEX ix_user_change_history_user_id ON user_change_history (user_id);

-- Work orders; `external_id` is the number without `W-`.
CREATE TABLE work_orders (
    id                  VARCHAR NOT NULL,
    user_id             VARCHAR NOT NULL,
    external_id         VARCHAR(100),
    site_name           VARCHAR(200) NOT NULL,
    address             TEXT,
    scheduled_date      TIMESTAMP,
    status              VARCHAR(50),
    work_type           VARCHAR(100),
    notes               TEXT,
    scraped_data        JSON,
    store_number        VARCHAR(50),
    service_code        VARCHAR(20),
    service_description TEXT,
    visit_id            VARCHAR(100),
    visit_url           TEXT,
    visit_number        VARCHAR(50),
    instructions        TEXT,
    service_name        VARCHAR(200),
    service_items       JSON,
    street              VARCHAR(500),
    city_state          VARCHAR(200),
    county              VARCHAR(100),
    created_date        TIMESTAMP,
    created_by          VARCHAR(200),
    customer_url        TEXT,
    last_synced_at      TIMESTAMP,
    sync_status         VARCHAR(50),
    sync_error_message  TEXT,
    sync_retry_count    INTEGER,
    sync_session_id     VARCHAR,
    created_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at          TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id)
);

-- Dispensers of a work order, as the application shows them.
CREATE TABLE dispensers (
    id                   VARCHAR NOT NULL,
    work_order_id        VARCHAR NOT NULL,
    dispenser_number     VARCHAR(20) NOT NULL,
    dispenser_type       VARCHAR(100),
    fuel_grades          JSON,
    status               VARCHAR(50),
    progress_percentage  FLOAT,
    form_data            JSON,
    automation_completed BOOLEAN,
    testing_requirements JSON,
    make                 VARCHAR(100),
    model                VARCHAR(100),
    serial_number        VARCHAR(100),
    meter_type           VARCHAR(100),
    number_of_nozzles    VARCHAR(20),
    created_at           TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    updated_at           TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    FOREIGN KEY (work_order_id) REFERENCES work_orders (id)
);

-- Jobs of the form automation.
CREATE TABLE automation_jobs (
    id            VARCHAR NOT NULL,
    user_id       VARCHAR NOT NULL,
    work_order_id VARCHAR,
    job_type      VARCHAR(50) NOT NULL,
    status        VARCHAR(20),
    progress      INTEGER,
    total_items   INTEGER,
    current_item  INTEGER,
    error_message TEXT,
    job_config    JSON,
    started_at    TIMESTAMP,
    completed_at  TIMESTAMP,
    created_at    TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (id),
    FOREIGN KEY (user_id) REFERENCES users (id),
    FOREIGN KEY (work_order_id) REFERENCES work_orders (id)
);

-- When to scrape. `user_id` is no foreign key in the application either.
CREATE TABLE scraping_schedules (
    id                   SERIAL NOT NULL,
    user_id              VARCHAR NOT NULL,
    schedule_type        VARCHAR NOT NULL,
    interval_hours       FLOAT,
    active_hours         JSON,
    enabled              BOOLEAN,
    last_run             TIMESTAMP,
    next_run             TIMESTAMP,
    consecutive_failures INTEGER,
    config               JSON,
    created_at           TIMESTAMP,
    updated_at           TIMESTAMP,
    PRIMARY KEY (id)
);
CREATE INDEX ix_scraping_schedules_id ON scraping_schedules (id);
CREATE INDEX ix_scraping_schedules_user_id ON scraping_schedules (user_id);

-- When was scraped.
CREATE TABLE scraping_history (
    id               SERIAL NOT NULL,
    user_id          VARCHAR NOT NULL,
    schedule_type    VARCHAR NOT NULL,
    started_at       TIMESTAMP NOT NULL,
    completed_at     TIMESTAMP,
    success          BOOLEAN,
    items_processed  INTEGER,
    items_added      INTEGER,
    items_updated    INTEGER,
    items_failed     INTEGER,
    error_message    TEXT,
    error_details    JSON,
    duration_seconds FLOAT,
    memory_usage_mb  FLOAT,
    run_metadata     JSON,
    trigger_type     VARCHAR,
    PRIMARY KEY (id)
);
CREATE INDEX ix_scraping_history_id ON scraping_history (id);
CREATE INDEX ix_scraping_history_user_id ON scraping_history (user_id);

-- How scraping went.
CREATE TABLE scraping_statistics (
    id                    SERIAL NOT NULL,
    user_id               VARCHAR NOT NULL,
    schedule_type         VARCHAR NOT NULL,
    total_runs            INTEGER,
    successful_runs       INTEGER,
    failed_runs           INTEGER,
    total_items_processed INTEGER,
    total_items_added     INTEGER,
    total_items_updated   INTEGER,
    avg_duration_seconds  FLOAT,
    avg_items_per_run     FLOAT,
    first_run             TIMESTAMP,
    last_successful_run   TIMESTAMP,
    last_failed_run       TIMESTAMP,
    updated_at            TIMESTAMP,
    PRIMARY KEY (id)
);
CREATE INDEX ix_scraping_statistics_id ON scraping_statistics (id);
CREATE INDEX ix_scraping_statistics_user_id ON scraping_statistics (user_id);
