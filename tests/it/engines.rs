//! The same test on every engine: a house, and the database that its tree is imported into.

use crate::house::{DATABASE, House, Ran, application_dump, listing, open};
use crate::keeping;
#[cfg(feature = "postgres")]
use crate::postgres::Server;
use std::collections::BTreeMap;

/// Where a house's database is.
enum Target {
    File,
    #[cfg(feature = "postgres")]
    Server(Server),
}

/// A house with a database of an engine.
pub(crate) struct Lab {
    pub(crate) house: House,
    target: Target,
}

/// The rows of tables, by their names.
pub(crate) type Content = BTreeMap<String, Vec<Vec<String>>>;

/// Runs a test with a house and an empty database of every engine.
pub(crate) fn on_every_engine(house: impl Fn() -> House, test: impl Fn(&Lab)) {
    test(&Lab { house: house(), target: Target::File });
    #[cfg(feature = "postgres")]
    test(&server(house()));
}

/// A house, with what its tables are on a server, and an empty database there.
#[cfg(feature = "postgres")]
pub(crate) fn server(house: House) -> Lab {
    let path = house.path("set/schema/001_test.up.sql");
    let other = house.path("set/schema/001_test.up.postgresql.sql");
    if let Ok(sql) = std::fs::read_to_string(path)
        && !other.exists()
    {
        let sql = sql.replace("notes (id INTEGER PRIMARY KEY", "notes (id SERIAL PRIMARY KEY");
        let sql = sql.replace("DATETIME", "TIMESTAMP").replace("hex(randomblob(4))", "md5(random()::text)");
        std::fs::write(other, sql).unwrap();
    }
    Lab { house, target: Target::Server(Server::new()) }
}

impl Lab {
    pub(crate) fn url(&self) -> &str {
        match &self.target {
            Target::File => keeping::URL,
            #[cfg(feature = "postgres")]
            Target::Server(server) => &server.url,
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self.target, Target::File)
    }

    /// One text for a file, another for a server.
    pub(crate) fn either<'t>(&self, file: &'t str, server: &'t str) -> &'t str {
        if self.is_file() { file } else { server }
    }

    /// Runs SQL behind treelift's back.
    pub(crate) fn change(&self, sql: &str) {
        match &self.target {
            Target::File => keeping::change(&self.house, sql),
            #[cfg(feature = "postgres")]
            Target::Server(server) => server.run(sql),
        }
    }

    /// The rows of a query, whose columns must be texts on a server.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match &self.target {
            Target::File => self.house.rows(sql),
            #[cfg(feature = "postgres")]
            Target::Server(server) => server.rows(sql),
        }
    }

    /// How many rows a table has.
    pub(crate) fn count(&self, table: &str) -> u64 {
        self.rows(&format!("SELECT CAST(count(*) AS TEXT) FROM {table}"))[0][0].parse().unwrap()
    }

    /// The application's tables, without the audit trail: it tells of the undo itself.
    pub(crate) fn content(&self) -> Content {
        let mut tables = match &self.target {
            Target::File => application_dump(&open(&self.house.path(DATABASE))),
            #[cfg(feature = "postgres")]
            Target::Server(server) => server.tables(),
        };
        tables.remove("audit_trail");
        tables
    }

    /// Imports the house's tree as it is, and gives the run's id.
    pub(crate) fn imported(&self) -> String {
        let lifted = self.house.lift(&["--database", self.url(), "--no-backup"]).ends(0, "committed");
        lifted.report()["run_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn undo(&self, run: &str, more: &[&str]) -> Ran {
        let backups = self.house.backups();
        let mut arguments =
            vec!["undo", run, "--database", self.url(), "--yes", "--backup-dir", backups.to_str().unwrap()];
        if self.house.path("set").exists() {
            arguments.extend(["--mappings", "set"]);
        }
        if !self.is_file() && !more.contains(&"--no-backup") {
            arguments.push("--no-backup");
        }
        arguments.extend(more);
        self.house.run(arguments)
    }

    /// The undo is refused in these words, and nothing is changed, nor left behind.
    #[track_caller]
    pub(crate) fn refuses(&self, run: &str, words: &[&str]) {
        let before = (listing(&self.house.work()), self.content());
        let ran = self.undo(run, &[]).status(1);
        for word in words {
            assert!(ran.stdout.contains(word), "{}", ran.stdout);
        }
        assert!(ran.stdout.contains("refused: run "), "{}", ran.stdout);
        assert_eq!((listing(&self.house.work()), self.content()), before);
        assert!(!self.house.backups().exists());
    }
}
