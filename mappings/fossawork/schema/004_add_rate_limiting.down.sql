-- version: v004_add_rate_limiting
-- description: Rate limits with their ten rules

-- In the reverse order, so that no table goes before one that refers to it; indexes go with their tables.

DROP TABLE throttle_events;
DROP TABLE api_quotas;
DROP TABLE rate_limit_violations;
DROP TABLE rate_limit_buckets;
DROP TABLE rate_limit_rules;
