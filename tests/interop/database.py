"""Opens what treelift sealed in a database, and makes a database that treelift opens.

Written from docs/credentials.md alone; it shares `tests/vectors/independent.py` for the formats.

    python3 database.py open x.db passphrase PATH    # or: key_file PATH; prints every value as JSON
    python3 database.py make x.db passphrase PATH    # makes a database with sealed values, prints them as JSON

In place of a file, the URL of a PostgreSQL server may be named.
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "vectors"))
import independent

from engines import open_engine


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


def open_database(place, secret):
    database = open_engine(place)
    rows = database.rows("SELECT * FROM treelift_keys")
    keys = {row["id"]: independent.unlock(row, secret) for row in rows}
    assert [row["state"] for row in rows].count("active") == 1
    active = next(row["id"] for row in rows if row["state"] == "active")
    check_registry(database, active, keys[active], rows)
    opened = []
    for column in database.rows("SELECT * FROM treelift_sealed_columns ORDER BY table_name, column_name"):
        assert column["format"] in ("tl1", "tl2"), column["format"]
        table, name, key_columns = column["table_name"], column["column_name"], json.loads(column["key_columns"])
        only = json.loads(column["row_filter"] or "{}")
        where = "".join(f" AND CAST({quoted(part)} AS TEXT) = ?" for part in only)
        wanted = ", ".join(f"{quoted(part)} AS c{at}" for at, part in enumerate([name, *key_columns]))
        for row in database.rows(f"SELECT {wanted} FROM {quoted(table)} WHERE 1 = 1{where}", only.values()):
            token, *key = row.values()
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
    if not database.has_table("treelift_state"):
        return
    state = {row["name"]: row["value"] for row in database.rows("SELECT name, value FROM treelift_state")}
    assert state["format"] == "3" and len(state["database_id"]) == 32
    if "registry_hmac" in state:
        assert state["registry_hmac"] == proof(database, active, data_key, rows, state["sealed_counts"])


def proof(database, active, data_key, rows, counts):
    columns = database.rows("SELECT * FROM treelift_sealed_columns")
    return independent.registry_hmac(active, data_key, [(row["id"], row["state"]) for row in rows], columns, counts)


def make_database(place, secret):
    database = open_engine(place, is_new=True)
    for statement in f"""
        CREATE TABLE logins (person TEXT NOT NULL, number INTEGER NOT NULL, mark {database.blob} NOT NULL, name TEXT,
                             password TEXT, extra {database.json}, PRIMARY KEY (person, number, mark));
        CREATE TABLE treelift_keys (
            id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, kdf TEXT NOT NULL, key_check TEXT NOT NULL,
            wrapped_key TEXT NOT NULL, seal_count INTEGER NOT NULL, created_at {database.moment} NOT NULL,
            retired_at {database.moment}
        );
        CREATE TABLE treelift_sealed_columns (
            table_name TEXT NOT NULL, column_name TEXT NOT NULL, key_columns TEXT NOT NULL, format TEXT NOT NULL,
            row_filter TEXT
        );
        CREATE TABLE treelift_state (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL){database.whole}
    """.split(";"):
        database.run(statement)
    key_id, data_key = os.urandom(8).hex(), os.urandom(32)
    kdf = "hkdf-sha256"
    if "passphrase" in secret:
        kdf = "$argon2id$v=19$m=8192,t=1,p=1$" + independent.encode(os.urandom(16), b"+/")
    derived = independent.derive(kdf, secret)
    wrapped = independent.gcm_seal(derived[:32], data_key, independent.lp("tl1-wrap", key_id, kdf))
    database.run(
        "INSERT INTO treelift_keys VALUES (?, 'active', ?, ?, ?, 7, '2024-02-29 12:00:00.000000', NULL)",
        [key_id, kdf, derived[32:].hex(), independent.encode(wrapped)],
    )
    for column in ["name", "password", "extra"]:
        database.run(
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
        database.run(
            "INSERT INTO logins VALUES (?, ?, ?, ?, ?, ?)",
            [person, number, mark, seal("name", name), seal("password", password), extra])
    counts = '{"logins":8}'
    hmac = proof(database, key_id, data_key, [{"id": key_id, "state": "active"}], counts)
    state = {"format": "3", "database_id": os.urandom(16).hex(), "sealed_counts": counts, "registry_hmac": hmac}
    for item in state.items():
        database.run("INSERT INTO treelift_state VALUES (?, ?)", item)
    database.commit()


if __name__ == "__main__":
    action, path, kind, secret_path = sys.argv[1:]
    secret = read_secret(kind, secret_path)
    if action == "make":
        make_database(path, secret)
    json.dump(open_database(path, secret), sys.stdout)
