//! What the server reports, in our words: true to it, and without a value of a row.

use super::{connect, new_database};
use crate::database::postgres::words::fault;

const TABLES: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, CONSTRAINT name_is_short CHECK (length(name) < 9));
    CREATE TABLE notes (id INTEGER PRIMARY KEY, owner INTEGER CONSTRAINT has_owner REFERENCES people (id));
    INSERT INTO people VALUES (1, 'canary');";

/// A block that raises what a trigger of the application could raise.
fn raise(code: &str) -> String {
    format!("DO $$ BEGIN RAISE EXCEPTION 'canary' USING ERRCODE = '{code}'; END $$")
}

#[test]
fn a_fault_of_the_server_names_what_it_is_about_and_no_value() {
    let mut client = connect(&new_database());
    client.batch_execute(TABLES).unwrap();
    for (sql, words) in [
        ("INSERT INTO people VALUES (1, 'canary')", "the UNIQUE constraint `people_pkey` rejected a row"),
        ("INSERT INTO people VALUES (2, 'canary canary')", "the CHECK constraint `name_is_short` rejected a row"),
        ("INSERT INTO people VALUES (2, NULL)", "the NOT NULL constraint on `people.name` rejected a row"),
        ("INSERT INTO notes VALUES (1, 77)", "the foreign key `has_owner` rejected a row"),
        ("SELECT 'canary'::int", "the server could not carry out a statement (SQLSTATE 22P02)"),
        ("SELECT canary FROM people", "the database's schema is not as expected: column \"canary\" does not exist"),
        ("SET statement_timeout = 20; SELECT pg_sleep(9)", "somebody ended a statement at the server"),
        ("BEGIN; SET TRANSACTION READ ONLY; DELETE FROM notes", "the database is read-only"),
        (&raise("P0001"), "a trigger of the database rejected a row"),
        (&raise("42501"), "the server could not carry out a statement (SQLSTATE 42501)"),
        (&raise("42703"), "the server could not carry out a statement (SQLSTATE 42703)"),
        (&raise("53100"), "the server's disk is full"),
        (&raise("53200"), "the server found no memory left"),
        (&raise("55P03"), "the database is locked by another program"),
    ] {
        let error = client.batch_execute(sql).unwrap_err();
        let told = fault(&error, "the place");
        assert_eq!((told.message.as_str(), told.status(), told.is_passing), (words, 3, false), "{sql}");
        let shown = format!("{told:?} {told}");
        assert!(!shown.contains("canary") || sql.starts_with("SELECT canary"), "{shown}");
        client.batch_execute("ROLLBACK; RESET ALL").unwrap();
    }
    for code in ["40001", "40P01"] {
        let told = fault(&client.batch_execute(&raise(code)).unwrap_err(), "the place");
        assert!(
            told.is_passing && told.message.starts_with("another program wrote at the same time"),
            "{}",
            told.message
        );
    }
}

#[test]
fn a_connection_that_the_server_ends_is_one_that_is_lost() {
    let mut client = connect(&new_database());
    let error = client.batch_execute("SELECT pg_terminate_backend(pg_backend_pid())").unwrap_err();
    let lost = "the connection to the server was lost; nothing was written";
    assert_eq!(fault(&error, "the place").message, lost);
    let error = client.batch_execute("SELECT 1").unwrap_err();
    assert_eq!(fault(&error, "the place").message, lost);
}
