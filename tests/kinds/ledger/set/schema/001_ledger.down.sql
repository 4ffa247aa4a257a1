DROP TABLE splits;
DROP TABLE transactions;
DROP TABLE accounts;
