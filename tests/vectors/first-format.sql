-- A database as the first version left it: values of the format tl1, no treelift_state.
-- Made once by tests/vectors/independent.py's functions. Invented values, no working secret; the key file is:
-- treelift-key-1.XC-qSFqHTmZe0rJl6VvSh7OMIWTmw0C8LI5OlsM4FaI

CREATE TABLE treelift_keys (
    id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, kdf TEXT NOT NULL, key_check TEXT NOT NULL,
    wrapped_key TEXT NOT NULL, seal_count INTEGER NOT NULL, created_at DATETIME NOT NULL, retired_at DATETIME
);
CREATE TABLE treelift_sealed_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, key_columns TEXT NOT NULL, format TEXT NOT NULL,
    row_filter TEXT
);
CREATE TABLE logins (person TEXT NOT NULL, service TEXT NOT NULL, password TEXT, PRIMARY KEY (person, service));

INSERT INTO treelift_keys VALUES ('417cce642dbe8f19', 'active', 'hkdf-sha256', 'ac3c115b8a8cfbe82c85013ec0078d1f38aa60c8262971ca14a943e843ad8303', 'k_r5P3qp37wYhHm4K7JXuYlMEBWhU3ZexPKBeGAh1E21R_83d91bfu_SWZgMho5aSMhKBUlAh4EoUNhR', 3, '2024-02-29 12:00:00.000000', NULL);
INSERT INTO treelift_sealed_columns VALUES ('logins', 'password', '["person","service"]', 'tl1', NULL);
INSERT INTO logins VALUES ('ann', 'mail', 'tl1.417cce642dbe8f19.t1z9hqAvqrXQhrTsTIHfZiZQwzcRdqUXdSXS_qady4cU4AoBGuiBCQO2nhRW82XpV0BH');
INSERT INTO logins VALUES ('ann', 'shop', 'tl1.417cce642dbe8f19.zYi8M7YvI5ZtwySilZruQtUFDmgVvd5zflX-tDP3BnymmHcSHWj1');
INSERT INTO logins VALUES ('zoë', 'mail', 'tl1.417cce642dbe8f19.YVUJC-aSWKfCGTs_oLZXD2SvpuiaTE0zBRdO7vEuEtIOXFO9DgUPahVDkT4');
