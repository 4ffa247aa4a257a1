"""Opens what treelift sealed in a database, and makes a database that treelift opens.

Written from docs/credentials.md alone; it shares `tests/vectors/independent.py` for the formats.

    python3 database.py open x.db passphrase PATH    # or: key_file PATH; prints every value as JSON
    python3 database.py make x.db passphrase PATH    # makes a database with sealed values, prints them as JSON
"""

import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "vectors"))
import independent


def read_secret(kind, path):
    with open(path, encoding="utf-8", newline="") as file:
        text = file.read()
    text = text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")
    return {kind: text}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def key_text(value):
    if isinstance(value, bytes):
        return value.hex()
    return value if isinstance(value, str) else str(value)


def open_database(path, secret):
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    database.row_factory = sqlite3.Row
    rows = [dict(row) for row in database.execute("SELECT * FROM treelift_keys")]
    keys = {row["id"]: independent.unlock(row, secret) for row in rows}
    assert [row["state"] for row in rows].count("active") == 1
    active = next(row["id"] for row in rows if row["state"] == "active")
    check_registry(database, active, keys[active], rows)
    opened = []
    for column in database.execute("SELECT * FROM treelift_sealed_columns ORDER BY table_name, column_name"):
        assert column["format"] in ("tl1", "tl2"), column["format"]
        table, name, key_columns = column["table_name"], column["column_name"], json.loads(column["key_columns"])
        only = json.loads(column["row_filter"] or "{}")
        where = "".join(f" AND CAST({quoted(part)} AS TEXT) = ?" for part in only)
        wanted = ", ".join(map(quoted, [name, *key_columns]))
        for token, *key in database.execute(f"SELECT {wanted} FROM {quoted(table)} WHERE 1{where}", list(only.values())):
            if token is None or token == "":
                continue
            token = json.loads(token) if token.startswith('"') else token
            value = {"sealed": token, "table": table, "column": name, "key_columns": key_columns,
                     "key": [key_text(part) for part in key]}
            key_id = token.split(".")[1]
            assert key_id == active, key_id
            opened.append([table, name, value["key"], key_id, independent.open_value(key_id, keys[key_id], value)])
    return sorted(opened)


def check_registry(database, active, data_key, rows):
    """A database of format 1 has no proof."""
    if not database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'treelift_state'").fetchone():
        return
    state = dict(database.execute("SELECT name, value FROM treelift_state"))
    assert state["format"] == "2" and len(state["database_id"]) == 32
    if "registry_hmac" in state:
        assert state["registry_hmac"] == proof(database, active, data_key, rows, state["sealed_counts"])


def proof(database, active, data_key, rows, counts):
    columns = [dict(row) for row in database.execute("SELECT * FROM treelift_sealed_columns")]
    return independent.registry_hmac(active, data_key, [(row["id"], row["state"]) for row in rows], columns, counts)


def make_database(path, secret):
    database = sqlite3.connect(path)
    database.row_factory = sqlite3.Row
    database.executescript("""
        CREATE TABLE logins (person TEXT NOT NULL, number INTEGER NOT NULL, mark BLOB NOT NULL, name TEXT, password TEXT,
                             extra JSON, PRIMARY KEY (person, number, mark));
        CREATE TABLE treelift_keys (
            id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, kdf TEXT NOT NULL, key_check TEXT NOT NULL,
            wrapped_key TEXT NOT NULL, seal_count INTEGER NOT NULL, created_at DATETIME NOT NULL, retired_at DATETIME
        );
        CREATE TABLE treelift_sealed_columns (
            table_name TEXT NOT NULL, column_name TEXT NOT NULL, key_columns TEXT NOT NULL, format TEXT NOT NULL,
            row_filter TEXT
        );
        CREATE TABLE treelift_state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    """)
    key_id, data_key = os.urandom(8).hex(), os.urandom(32)
    kdf = "hkdf-sha256"
    if "passphrase" in secret:
        kdf = "$argon2id$v=19$m=8192,t=1,p=1$" + independent.encode(os.urandom(16), b"+/")
    derived = independent.derive(kdf, secret)
    wrapped = independent.gcm_seal(derived[:32], data_key, independent.lp("tl1-wrap", key_id, kdf))
    database.execute(
        "INSERT INTO treelift_keys VALUES (?, 'active', ?, ?, ?, 7, '2024-02-29 12:00:00.000000', NULL)",
        [key_id, kdf, derived[32:].hex(), independent.encode(wrapped)],
    )
    for column in ["name", "password", "extra"]:
        database.execute(
            "INSERT INTO treelift_sealed_columns VALUES ('logins', ?, '[\"person\",\"number\",\"mark\"]', 'tl2', NULL)", [column])
    for person, number, mark, name, password in [
        ("ann", 1, b"\x00\xff", "ann@example.org", "a secret of Ann's"),
        ("zoë", -7, b"", "", "zwölf \U0001f511"),
        ("", 0, b"x", "nobody", None),
    ]:
        key = [person, str(number), mark.hex()]

        def seal(column, text):
            if text is None:
                return None
            about = independent.associated("tl2", key_id, "logins", column, ["person", "number", "mark"], key)
            return f"tl2.{key_id}." + independent.encode(independent.gcm_seal(data_key, text.encode(), about))

        extra = json.dumps(seal("extra", "in JSON"))
        database.execute(
            "INSERT INTO logins VALUES (?, ?, ?, ?, ?, ?)",
            [person, number, mark, seal("name", name), seal("password", password), extra])
    counts = '{"logins":8}'
    hmac = proof(database, key_id, data_key, [{"id": key_id, "state": "active"}], counts)
    state = {"format": "2", "database_id": os.urandom(16).hex(), "sealed_counts": counts, "registry_hmac": hmac}
    database.executemany("INSERT INTO treelift_state VALUES (?, ?)", state.items())
    database.commit()
    database.close()


if __name__ == "__main__":
    action, path, kind, secret_path = sys.argv[1:]
    secret = read_secret(kind, secret_path)
    if action == "make":
        make_database(path, secret)
    json.dump(open_database(path, secret), sys.stdout)
