DROP TABLE device_identifiers;
DROP TABLE devices;
DROP TABLE areas;
