-- version: v003_add_indexes
-- description: Indexes, and full-text search over work orders
-- depends: v001_initial_schema
-- after: rows

-- Those that the application's own migration makes on columns and tables that exist; four that it
-- names do not (among them `scraping_schedules.is_active`), which is why that migration cannot finish.

CREATE INDEX idx_users_email_lower ON users (lower(email));
CREATE INDEX idx_users_last_used ON users (last_used);
CREATE INDEX idx_user_preferences_updated ON user_preferences (updated_at);
CREATE INDEX idx_user_activities_created_desc ON user_activities (created_at DESC);
CREATE INDEX idx_work_orders_user_status ON work_orders (user_id, status);
CREATE INDEX idx_work_orders_scheduled ON work_orders (scheduled_date);
CREATE INDEX idx_work_orders_external ON work_orders (external_id);
CREATE INDEX idx_work_orders_store ON work_orders (store_number);
CREATE INDEX idx_work_orders_service ON work_orders (service_code);
CREATE INDEX idx_work_orders_visit ON work_orders (visit_number);
CREATE INDEX idx_dispensers_work_order_number ON dispensers (work_order_id, dispenser_number);
CREATE INDEX idx_dispensers_status ON dispensers (status);
CREATE INDEX idx_dispensers_automation ON dispensers (automation_completed);
CREATE INDEX idx_automation_jobs_user_status ON automation_jobs (user_id, status);
CREATE INDEX idx_automation_jobs_created ON automation_jobs (created_at DESC);
CREATE INDEX idx_automation_jobs_type ON automation_jobs (job_type);
CREATE INDEX idx_scraping_schedules_next_run ON scraping_schedules (next_run);
CREATE INDEX idx_scraping_schedules_type ON scraping_schedules (schedule_type);
CREATE INDEX idx_work_orders_user_scheduled_status ON work_orders (user_id, scheduled_date, status);
CREATE INDEX idx_dispensers_work_order_status_automation ON dispensers (work_order_id, status, automation_completed);
CREATE INDEX idx_user_activities_user_type_created ON user_activities (user_id, activity_type, created_at DESC);

-- Full-text search. `work_orders_fts` keeps no text of its own: it is an index over the rows of
-- `work_orders` (SQLite, "FTS5", 4.4.3, external content). What leaves a row is told to it by a
-- 'delete' command with the old values; writing its shadow tables directly would ruin it.
CREATE VIRTUAL TABLE work_orders_fts USING fts5 (
    site_name, address, notes, instructions,
    content = 'work_orders'
);

CREATE TRIGGER work_orders_fts_insert AFTER INSERT ON work_orders BEGIN
    INSERT INTO work_orders_fts (rowid, site_name, address, notes, instructions)
    VALUES (new.rowid, new.site_name, new.address, new.notes, new.instructions);
END;

CREATE TRIGGER work_orders_fts_delete AFTER DELETE ON work_orders BEGIN
    INSERT INTO work_orders_fts (work_orders_fts, rowid, site_name, address, notes, instructions)
    VALUES ('delete', old.rowid, old.site_name, old.address, old.notes, old.instructions);
END;

CREATE TRIGGER work_orders_fts_update AFTER UPDATE ON work_orders BEGIN
    INSERT INTO work_orders_fts (work_orders_fts, rowid, site_name, address, notes, instructions)
    VALUES ('delete', old.rowid, old.site_name, old.address, old.notes, old.instructions);
    INSERT INTO work_orders_fts (rowid, site_name, address, notes, instructions)
    VALUES (new.rowid, new.site_name, new.address, new.notes, new.instructions);
END;

-- The work orders that were there before.
INSERT INTO work_orders_fts (work_orders_fts) VALUES ('rebuild');
