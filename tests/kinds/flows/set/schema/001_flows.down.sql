DROP TABLE node_credentials;
DROP TABLE nodes;
DROP TABLE flows;
DROP TABLE credentials;
