//! The fixture for a database's life: the commands that manage it, and small changes to it.

use crate::house::{DATABASE, House, Ran, sample};
use rusqlite::Connection;
use std::collections::BTreeSet;

/// The house's database as it is named in requests.
pub(crate) const URL: &str = "sqlite:///./target.db";

/// `treelift schema …` on the house's database, every question answered yes.
pub(crate) fn schema(house: &House, line: &str) -> Ran {
    let command = line.split(' ').next().unwrap();
    let mut arguments: Vec<&str> = vec!["schema"];
    arguments.extend(line.split(' '));
    arguments.extend(["--database", URL]);
    if !line.contains("--mappings") {
        arguments.extend(["--mappings", "fossawork"]);
    }
    if ["migrate", "rollback", "stamp"].contains(&command) || line.contains("--fix-orphans") {
        arguments.push("--yes");
    }
    house.run(arguments)
}

/// A house whose database has the sample.
pub(crate) fn imported() -> House {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    house
}

/// Runs SQL behind treelift's back.
pub(crate) fn change(house: &House, sql: &str) {
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(sql).unwrap();
}

/// The names of everything that a database has but SQLite's own things.
pub(crate) fn objects(house: &House) -> BTreeSet<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    house.rows(sql).into_iter().flatten().collect()
}

/// A set of two migrations that lies in the house, without mappings.
pub(crate) fn small_set(house: &House) -> String {
    house.file("set/set.toml", "name = \"notes\"\n");
    house.file("set/schema/001_notes.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT);\n");
    house.file("set/schema/001_notes.down.sql", "DROP TABLE notes;\n");
    house.file(
        "set/schema/002_more.up.sql",
        "CREATE TABLE more (id INTEGER);\nCREATE INDEX more_id ON more (id);\nCREATE INDEX oops ON absent (id);\n",
    );
    house.file("set/schema/002_more.down.sql", "DROP TABLE more;\n");
    "--mappings set".to_owned()
}

/// `treelift backup …` on the house's database, with the house's folder.
pub(crate) fn backup(house: &House, line: &str) -> Ran {
    let folder = house.backups();
    let mut arguments: Vec<&str> = vec!["backup"];
    arguments.extend(line.split(' '));
    arguments.extend(["--database", URL, "--backup-dir", folder.to_str().unwrap()]);
    if !line.contains("--mappings") {
        arguments.extend(["--mappings", "fossawork"]);
    }
    house.run(arguments)
}
