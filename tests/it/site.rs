//! A database of any engine that the tests of credentials work on, and its house.

use crate::house::{DATABASE, House, Ran, listing, open, rows};
#[cfg(feature = "postgres")]
use crate::postgres::Server;
use crate::safe;
use std::collections::BTreeMap;
use std::process::Command;

/// A house with a database that nothing is in yet.
pub(crate) struct Site {
    pub(crate) house: House,
    engine: Engine,
}

enum Engine {
    File,
    #[cfg(feature = "postgres")]
    Server(Server),
}

/// One of each engine.
pub(crate) fn every() -> Vec<Site> {
    vec![
        Site::on_file(),
        #[cfg(feature = "postgres")]
        Site::on_server(),
    ]
}

impl Site {
    pub(crate) fn on_file() -> Self {
        Self { house: House::new(), engine: Engine::File }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn on_server() -> Self {
        Self { house: House::new(), engine: Engine::Server(Server::new()) }
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

    /// As it is named on the command line, in the working directory.
    pub(crate) fn name(&self) -> String {
        match &self.engine {
            Engine::File => DATABASE.to_owned(),
            #[cfg(feature = "postgres")]
            Engine::Server(server) => server.url.clone(),
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

    /// `treelift credentials COMMAND` on the database, answering yes.
    pub(crate) fn command(&self, command: &str, more: &[&str]) -> Command {
        let name = self.name();
        let mut arguments = vec!["credentials", command, "--database", &name];
        if !["status", "verify"].contains(&command) {
            arguments.push("--yes");
        }
        if ["encrypt", "rotate", "hand-over"].contains(&command) && !more.contains(&"--no-backup") {
            if self.is_file() {
                arguments.extend(["--backup-dir", "../backups"]);
            } else if !more.contains(&"--backup-dir") {
                arguments.push("--no-backup");
            }
        }
        arguments.extend(more);
        self.house.command(arguments)
    }

    pub(crate) fn credentials(&self, command: &str, more: &[&str]) -> Ran {
        Ran::of(&mut self.command(command, more))
    }

    /// What the database's own Python reader says: `tests/interop/database.py ACTION DATABASE …`.
    pub(crate) fn python(&self, program: &str, action: &str, more: &[&str]) -> Command {
        let mut command = safe::python(program);
        command.arg(action).arg(self.name()).args(more).current_dir(self.house.work());
        command
    }

    /// Fills it with so many sealed logins ([`safe::make`]).
    pub(crate) fn make(&self, given: &safe::Given, rows: usize) {
        safe::make_at(&self.url(), self.is_file(), &|sql| self.sql(sql), given, rows);
    }

    /// `credentials verify`, in this process.
    pub(crate) fn verified(
        &self,
        given: &safe::Given,
    ) -> treelift::error::Result<treelift::credentials::verify::Verified> {
        safe::verified_at(&self.url(), given)
    }
}
