//! Tests on a server of their own, which `tests/postgres/start` starts.

mod load;
mod words;

use postgres::{Client, NoTls};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The URL of the server.
fn server() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        let start = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/postgres/start");
        let output = Command::new(start).output().expect("the script is there");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "no PostgreSQL server for the tests: {said}");
        String::from_utf8(output.stdout).expect("a URL").trim().to_owned()
    })
}

/// The same server's database of another name.
fn url_of(database: &str) -> String {
    let (before, options) = server().split_once('?').unwrap_or((server(), ""));
    let (before, _) = before.rsplit_once('/').expect("a URL with a database");
    format!("{before}/{database}?{options}")
}

/// A connection to a database of the server.
pub(in crate::database) fn connect(url: &str) -> Client {
    Client::connect(url, NoTls).expect("the server takes connections")
}

/// The URL of a new database, which is empty.
pub(in crate::database) fn new_database() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut client = connect(server());
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {name}")).expect("an old one goes");
    client.batch_execute(&format!("CREATE DATABASE {name}")).expect("a new one is made");
    url_of(&name)
}
