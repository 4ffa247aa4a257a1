"""What both scripts need: a JSON module, and a database with a schema."""

import os
import sqlite3

try:
    import orjson

    JSON = "orjson"
    loads = orjson.loads

    def dumps(value):
        return orjson.dumps(value).decode()

except ImportError:
    import json

    JSON = "json"
    loads = json.loads

    def dumps(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def read(path):
    # A file object would cost half as much again for a small file.
    file = os.open(path, os.O_RDONLY)
    try:
        return loads(os.read(file, os.fstat(file).st_size))
    finally:
        os.close(file)


def instant(text):
    """`2025-05-01T09:15:00.120Z` as the database keeps it. The trees have no other form."""
    return f"{text[:10]} {text[11:23]}000" if text else None


def new_database(path, schema):
    """A new database in an open transaction, with what the migrations make before the rows.

    The settings are the ones that treelift uses for a new file."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.executescript(
        "PRAGMA page_size = 16384; PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;"
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = FILE; PRAGMA cache_size = -16384;"
        "PRAGMA foreign_keys = OFF; BEGIN"
    )
    migrate(conn, schema, after_rows=False)
    return conn


def finish(conn, schema):
    """Makes what comes after the rows, and commits."""
    migrate(conn, schema, after_rows=True)
    conn.execute("COMMIT")
    conn.close()


def migrate(conn, schema, after_rows):
    for name in sorted(os.listdir(schema)):
        if name.endswith(".up.sql"):
            with open(os.path.join(schema, name), encoding="utf-8") as file:
                sql = file.read()
            if ("-- after: rows\n" in sql) == after_rows:
                run(conn, sql)


def run(conn, sql):
    """Runs several statements; `executescript` would commit first."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if line.rstrip().endswith(";") and sqlite3.complete_statement(statement):
            conn.execute(statement)
            statement = ""


class Rows:
    """Collects the rows of one table and inserts them many at a time."""

    MOST = 500

    def __init__(self, conn, table, columns):
        names = columns.split()
        self.conn = conn
        self.sql = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        self.rows = []

    def add(self, *row):
        self.rows.append(row)
        if len(self.rows) >= self.MOST:
            self.flush()

    def flush(self):
        self.conn.executemany(self.sql, self.rows)
        self.rows.clear()
