-- description: which UUID each number becomes, while the keys are changed

CREATE TABLE id_map (
    tab TEXT NOT NULL,
    old INTEGER NOT NULL,
    new UUID NOT NULL,
    PRIMARY KEY (tab, old),
    UNIQUE (tab, new)
);
