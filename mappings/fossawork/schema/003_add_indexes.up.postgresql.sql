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

-- Full-text search: an index over an expression, so that no column is there that SQLite's table has not.
CREATE INDEX work_orders_full_text ON work_orders USING gin (
    to_tsvector('simple', coalesce(site_name, '') || ' ' || coalesce(address, '') || ' ' || coalesce(notes, '')
        || ' ' || coalesce(instructions, ''))
);
