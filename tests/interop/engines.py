"""Opens a database of either engine for the other programs here: a file of SQLite, or the URL of a PostgreSQL server."""

import sqlite3


class File:
    """What SQLite has."""

    def __init__(self, path, is_new=False):
        self.connection = sqlite3.connect(path) if is_new else sqlite3.connect(f"file:{path}?mode=rw", uri=True)
        self.moment, self.blob, self.json, self.whole = "DATETIME", "BLOB", "JSON", " WITHOUT ROWID"

    def rows(self, text, values=()):
        """The rows of a query with `?` for each value, as dictionaries."""
        cursor = self.connection.execute(text, list(values))
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row)) for row in cursor]

    def run(self, text, values=()):
        self.connection.execute(text, list(values))

    def has_table(self, name):
        return bool(self.rows("SELECT 1 FROM sqlite_schema WHERE name = ?", [name]))

    def commit(self):
        self.connection.commit()


class Server:
    """What PostgreSQL has."""

    def __init__(self, url):
        import psycopg

        self.connection = psycopg.connect(url)
        self.moment, self.blob, self.json, self.whole = "text", "bytea", "json", ""

    def rows(self, text, values=()):
        cursor = self.run(text, values)
        return [dict(zip([column.name for column in cursor.description], row)) for row in cursor]

    def run(self, text, values=()):
        return self.connection.execute(text.replace("%", "%%").replace("?", "%s"), list(values))

    def has_table(self, name):
        return self.rows("SELECT to_regclass(?)::text AS name", [name])[0]["name"] is not None

    def commit(self):
        self.connection.commit()


def open_engine(place, is_new=False):
    return Server(place) if "://" in place else File(place, is_new)
