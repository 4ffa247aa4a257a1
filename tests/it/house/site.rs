//! A house with a database of any engine.

#[cfg(feature = "postgres")]
use crate::house::server::Server;
use crate::house::{DATABASE, House, Ran, application_dump, listing, open, rows};
use std::collections::BTreeMap;

/// Where a house's database is.
enum Engine {
    File,
    #[cfg(feature = "postgres")]
    Server(Server),
}

/// A house with a database that nothing is in yet.
pub(crate) struct Site {
    pub(crate) house: House,
    engine: Engine,
}

/// The rows of tables, by their names.
pub(crate) type Content = BTreeMap<String, Vec<Vec<String>>>;

/// One of each engine, with an empty house.
pub(crate) fn every() -> Vec<Site> {
    vec![
        Site::on_file(),
        #[cfg(feature = "postgres")]
        Site::on_server(),
    ]
}

/// Runs a test with a house and an empty database of every engine.
pub(crate) fn on_every_engine(house: impl Fn() -> House, test: impl Fn(&Site)) {
    test(&Site { house: house(), engine: Engine::File });
    #[cfg(feature = "postgres")]
    test(&Site::on_server_with(house()));
}

impl Site {
    pub(crate) fn on_file() -> Self {
        Self { house: House::new(), engine: Engine::File }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn on_server() -> Self {
        Self::on_server_with(House::new())
    }

    /// A house, with what its tables are on a server, and an empty database there.
    #[cfg(feature = "postgres")]
    pub(crate) fn on_server_with(house: House) -> Self {
        let path = house.path("set/schema/001_test.up.sql");
        let other = house.path("set/schema/001_test.up.postgresql.sql");
        if let Ok(sql) = std::fs::read_to_string(path)
            && !other.exists()
        {
            let sql = sql.replace("notes (id INTEGER PRIMARY KEY", "notes (id SERIAL PRIMARY KEY");
            let sql = sql.replace("DATETIME", "TIMESTAMP").replace("hex(randomblob(4))", "md5(random()::text)");
            std::fs::write(other, sql).unwrap();
        }
        Self { house, engine: Engine::Server(Server::new()) }
    }

    /// The server that it is on.
    #[cfg(feature = "postgres")]
    pub(crate) fn server(&self) -> &Server {
        match &self.engine {
            Engine::Server(server) => server,
            Engine::File => panic!("it is a file"),
        }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self.engine, Engine::File)
    }

    /// One text for a file, another for a server.
    pub(crate) fn either<'t>(&self, file: &'t str, server: &'t str) -> &'t str {
        if self.is_file() { file } else { server }
    }

    /// As it is named on the command line, in the working directory.
    pub(crate) fn name(&self) -> &str {
        match &self.engine {
            Engine::File => DATABASE,
            #[cfg(feature = "postgres")]
            Engine::Server(server) => &server.url,
        }
    }

    /// As it is named from anywhere.
    pub(crate) fn url(&self) -> String {
        match &self.engine {
            Engine::File => self.house.path(DATABASE).to_str().unwrap().to_owned(),
            #[cfg(feature = "postgres")]
            Engine::Server(server) => server.url.clone(),
        }
    }

    /// Runs statements, as the application or an administrator would.
    pub(crate) fn sql(&self, text: &str) {
        match &self.engine {
            Engine::File => {
                let database = rusqlite::Connection::open(self.house.path(DATABASE)).unwrap();
                database.execute_batch(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            }
            #[cfg(feature = "postgres")]
            Engine::Server(server) => server.run(text),
        }
    }

    /// The rows a query gives, each cell as text.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        match &self.engine {
            Engine::File => rows(&open(&self.house.path(DATABASE)), sql),
            #[cfg(feature = "postgres")]
            Engine::Server(server) => server.texts(sql),
        }
    }

    /// The one value a query gives, as text.
    pub(crate) fn one(&self, sql: &str) -> String {
        let rows = self.rows(sql);
        assert!(rows.len() == 1 && rows[0].len() == 1, "`{sql}` gives {rows:?}");
        rows[0][0].clone()
    }

    /// Everything there is: the files of the working directory, and what a server has.
    pub(crate) fn state(&self) -> (BTreeMap<std::path::PathBuf, String>, Vec<Vec<String>>) {
        let files = listing(&self.house.work());
        match &self.engine {
            Engine::File => (files, Vec::new()),
            #[cfg(feature = "postgres")]
            Engine::Server(server) => (files, server.everything()),
        }
    }

    /// How many rows a table has.
    pub(crate) fn count(&self, table: &str) -> u64 {
        self.one(&format!("SELECT count(*) FROM {table}")).parse().unwrap()
    }

    /// The application's tables, without the audit trail: it tells of the undo itself.
    pub(crate) fn content(&self) -> Content {
        let mut tables = match &self.engine {
            Engine::File => application_dump(&open(&self.house.path(DATABASE))),
            #[cfg(feature = "postgres")]
            Engine::Server(server) => server.tables(),
        };
        tables.remove("audit_trail");
        tables
    }

    /// Imports the house's tree as it is, and gives the run's id.
    pub(crate) fn imported(&self) -> String {
        let lifted = self.house.lift(&["--database", self.name(), "--no-backup"]).ends(0, "committed");
        lifted.report()["run_id"].as_str().unwrap().to_owned()
    }

    /// `treelift schema COMMAND` on the database by the house's set, every question answered yes.
    pub(crate) fn schema(&self, command: &str, more: &[&str]) -> Ran {
        let url = self.url();
        let mut line = vec!["schema", command, "--mappings", "set", "--database", &url];
        if ["migrate", "rollback", "stamp"].contains(&command) {
            line.extend(["--yes", "--no-backup"]);
        }
        line.extend(more);
        self.house.run(line)
    }

    pub(crate) fn undo(&self, run: &str, more: &[&str]) -> Ran {
        let backups = self.house.backups();
        let mut arguments =
            vec!["undo", run, "--database", self.name(), "--yes", "--backup-dir", backups.to_str().unwrap()];
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
