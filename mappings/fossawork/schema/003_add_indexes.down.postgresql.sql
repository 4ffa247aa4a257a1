-- version: v003_add_indexes
-- description: Indexes, and full-text search over work orders

DROP INDEX work_orders_full_text;
DROP INDEX idx_user_activities_user_type_created;
DROP INDEX idx_dispensers_work_order_status_automation;
DROP INDEX idx_work_orders_user_scheduled_status;
DROP INDEX idx_scraping_schedules_type;
DROP INDEX idx_scraping_schedules_next_run;
DROP INDEX idx_automation_jobs_type;
DROP INDEX idx_automation_jobs_created;
DROP INDEX idx_automation_jobs_user_status;
DROP INDEX idx_dispensers_automation;
DROP INDEX idx_dispensers_status;
DROP INDEX idx_dispensers_work_order_number;
DROP INDEX idx_work_orders_visit;
DROP INDEX idx_work_orders_service;
DROP INDEX idx_work_orders_store;
DROP INDEX idx_work_orders_external;
DROP INDEX idx_work_orders_scheduled;
DROP INDEX idx_work_orders_user_status;
DROP INDEX idx_user_activities_created_desc;
DROP INDEX idx_user_preferences_updated;
DROP INDEX idx_users_last_used;
DROP INDEX idx_users_email_lower;
