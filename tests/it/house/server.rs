//! A database of its own on the PostgreSQL server of the tests.

use crate::house::project;
use postgres::{Client, NoTls};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;

/// The URL of the server that the tests have.
fn server() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        let output = Command::new(project("tests/postgres/start")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no PostgreSQL server for the tests: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    })
}

/// A new database of the server, which is dropped with this.
pub(crate) struct Server {
    pub(crate) url: String,
    name: String,
    /// The server's own URL.
    at: String,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::of(server())
    }

    /// One whose address has a schema of its own for treelift's tables.
    pub(crate) fn apart() -> Self {
        let mut server = Self::new();
        if !server.url.contains(APART) {
            server.url.push_str(&format!("{APART}kept"));
        }
        server
    }

    /// A new database of the server with this URL. Where `TREELIFT_TEST_LEDGER_SCHEMA` names a schema, treelift's own tables
    /// come into that.
    pub(crate) fn of(at: &str) -> Self {
        let name = format!("it_{}", uuid::Uuid::from_bytes(random()).simple());
        connect(at).batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        let (before, options) = at.split_once('?').unwrap_or((at, ""));
        let url = format!("{}/{name}?{options}", before.rsplit_once('/').unwrap().0);
        let own =
            std::env::var("TREELIFT_TEST_LEDGER_SCHEMA").map_or_else(|_| String::new(), |own| format!("{APART}{own}"));
        Self { url: url + &own, name, at: at.to_owned() }
    }

    /// The name of the database, for what is named after it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The same database for another user.
    pub(crate) fn url_as(&self, user: &str) -> String {
        let (_, behind) = self.url.split_once('@').unwrap();
        format!("postgresql://{user}@{behind}")
    }

    pub(crate) fn client(&self) -> Client {
        connect(&self.url)
    }

    /// Runs statements, as an application or an administrator would.
    pub(crate) fn run(&self, sql: &str) {
        self.client().batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
    }

    /// The rows of a query whose columns are texts, NULL in a word.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let rows = self.client().query(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
        let cell = |row: &postgres::Row, at| row.get::<_, Option<String>>(at).unwrap_or_else(|| "NULL".to_owned());
        rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect()).collect()
    }

    /// The rows of a query whose columns are of any type.
    pub(crate) fn texts(&self, sql: &str) -> Vec<Vec<String>> {
        let answer = self.client().simple_query(sql);
        let answer = answer.unwrap_or_else(|error| panic!("{sql}: {:?}", error.as_db_error()));
        let cell = |row: &postgres::SimpleQueryRow, at| row.get(at).unwrap_or("NULL").to_owned();
        let rows = answer.iter().filter_map(|one| match one {
            postgres::SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|at| cell(row, at)).collect()),
            _ => None,
        });
        rows.collect()
    }

    /// How many tables, indexes and sequences there are, and the rows of every table: what no refused command may change.
    pub(crate) fn everything(&self) -> Vec<Vec<String>> {
        let tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
        let of = |table: &Vec<String>| {
            let name = &table[0];
            let rows = format!("SELECT '{name}', string_agg(t::text, ' ' ORDER BY t::text) FROM \"{name}\" t");
            self.rows(&rows).remove(0)
        };
        let tables = self.rows(&format!("{tables} ORDER BY 1"));
        std::iter::once(vec![self.things()]).chain(tables.iter().map(of)).collect()
    }

    /// The rows of the application's tables, as the server writes them.
    pub(crate) fn tables(&self) -> BTreeMap<String, Vec<Vec<String>>> {
        let names = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                     AND relname NOT LIKE 'treelift\\_%' AND relname <> 'schema_migrations' ORDER BY 1";
        let of = |name: String| {
            let rows = self.rows(&format!("SELECT t::text FROM \"{name}\" t ORDER BY 1"));
            (name, rows)
        };
        self.rows(names).into_iter().flatten().map(of).collect()
    }

    /// How many tables, views, indexes and sequences the schema has.
    pub(crate) fn things(&self) -> String {
        self.rows("SELECT count(*)::text FROM pg_class WHERE relnamespace = 'public'::regnamespace")[0][0].clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        _ = Client::connect(&self.at, NoTls).map(|mut client| client.batch_execute(&drop));
    }
}

fn random() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).unwrap();
    bytes
}

/// What names the schema of treelift's own tables at the end of a URL.
const APART: &str = "&ledger_schema=";

/// A URL as other programs take it, and the schema of treelift's own tables where it names one.
pub(crate) fn apart(url: &str) -> (&str, Option<&str>) {
    url.split_once(APART).map_or((url, None), |(plain, own)| (plain, Some(own)))
}

/// A connection as an application has it, but that it finds treelift's tables by their names alone, too.
fn connect(url: &str) -> Client {
    let (plain, own) = apart(url);
    let mut client = Client::connect(plain, NoTls).unwrap();
    own.into_iter().for_each(|own| client.batch_execute(&format!("SET search_path = public, {own}")).unwrap());
    client
}
