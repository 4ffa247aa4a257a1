-- version: v005_add_audit_tables
-- description: Audit trail, compliance, and eight retention policies

-- In the reverse order, so that no table goes before one that refers to it; indexes go with their tables.

DROP TABLE export_audit;
DROP TABLE file_access_audit;
DROP TABLE access_control_audit;
DROP TABLE configuration_audit;
DROP TABLE privacy_requests;
DROP TABLE data_retention_policies;
DROP TABLE compliance_logs;
DROP TABLE audit_trail;
