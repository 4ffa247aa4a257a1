CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL);
CREATE TABLE transactions (
    id TEXT PRIMARY KEY NOT NULL,
    month TEXT NOT NULL,
    number INTEGER NOT NULL,
    booked DATE NOT NULL,
    payee TEXT,
    currency TEXT NOT NULL,
    UNIQUE (month, number)
);
CREATE TABLE splits (
    transaction_id TEXT NOT NULL REFERENCES transactions (id),
    position INTEGER NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    amount DECIMAL(12,2) NOT NULL,
    memo TEXT,
    PRIMARY KEY (transaction_id, position)
);
