//! Before, after, and nothing between.

use super::*;

#[test]
fn a_new_file_appears_whole_with_the_commit() {
    let bench = Bench::new();
    assert!(!bench.database().exists().unwrap());
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.insert(&person("ann")).unwrap();
    assert!(!bench.path().exists());
    transaction.commit().unwrap();
    assert_eq!(bench.names(), ["x.db"]);
    assert!(bench.database().exists().unwrap());
    assert_eq!(fs::metadata(bench.path()).unwrap().mode() & 0o777, 0o600);
    assert_eq!(bench.ask("SELECT * FROM people"), [r#"Text("ann") Text("ann@example.org")"#]);
    assert_eq!(bench.ask("PRAGMA page_size"), ["Integer(16384)"]);
    assert_eq!(bench.ask("PRAGMA journal_mode"), [r#"Text("delete")"#]);
    assert_eq!(bench.names(), ["x.db"]);
}

#[test]
fn a_connection_that_does_not_close_after_the_commit_is_a_warning() {
    use crate::database::sqlite::location::Location;
    use crate::database::sqlite::open::{self, Start};
    for is_new in [false, true] {
        let bench = Bench::new();
        if !is_new {
            drop(bench.make("CREATE TABLE b (n INT)"));
        }
        let location = Location::of(bench.path(), "x.db");
        let (store, conn) = open::begin(&location, &Start { mode: Mode::Real, run_id: "run-1", bytes: 0 }).unwrap();
        conn.execute_batch("CREATE TABLE a (n INT); INSERT INTO a VALUES (1)").unwrap();
        // A statement that nobody ends keeps SQLite from closing.
        std::mem::forget(conn.prepare("SELECT 1").unwrap());
        let warning = open::commit(&location, store, conn).unwrap();
        assert_eq!(warning.map(|error| error.status()), Some(3));
        // A new file stays locked by the connection that was not closed: its bytes are looked at.
        let copy = bench.folder.path().join("copy.db");
        fs::copy(bench.path(), &copy).unwrap();
        let rows: i64 = Connection::open(copy).unwrap().query_row("SELECT n FROM a", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 1);
    }
}

#[test]
fn nothing_is_left_of_a_new_file_that_is_not_committed() {
    let bench = Bench::new();
    let before = bench.state();
    for dropped in [true, false] {
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.insert(&person("ann")).unwrap();
        assert!(bench.names().contains(&".x.db.treelift-run-1".to_owned()));
        if dropped {
            drop(transaction);
        } else {
            transaction.rollback().unwrap();
        }
        assert_eq!(bench.state(), before);
    }
}

#[test]
fn a_file_that_appeared_meanwhile_is_not_replaced() {
    let bench = Bench::new();
    let transaction = bench.begin(Mode::Real).unwrap();
    fs::write(bench.path(), "somebody's").unwrap();
    let error = transaction.commit().unwrap_err();
    assert_eq!(error.message, "another program created this file during the import");
    assert_eq!(error.status(), 3);
    assert_eq!(bench.names(), ["x.db"]);
    assert_eq!(fs::read_to_string(bench.path()).unwrap(), "somebody's");
}

#[test]
fn an_existing_file_is_as_before_or_as_after() {
    for journal in ["DELETE", "WAL"] {
        let bench = Bench::new();
        drop(bench.make(&format!("PRAGMA journal_mode = {journal}; {SQL}; INSERT INTO people VALUES ('bob', 'b');")));
        let content = || fs::read(bench.path()).unwrap();
        let before = content();
        for dropped in [true, false] {
            let mut transaction = bench.begin(Mode::Real).unwrap();
            transaction.insert(&person("ann")).unwrap();
            assert_eq!(transaction.rows_before("people"), 1);
            if dropped {
                drop(transaction);
            } else {
                transaction.rollback().unwrap();
            }
            assert_eq!((bench.names(), content() == before), (vec!["x.db".to_owned()], true), "{journal}");
        }
        let mut transaction = bench.begin(Mode::Real).unwrap();
        transaction.insert(&person("ann")).unwrap();
        transaction.commit().unwrap();
        assert_eq!(bench.names(), ["x.db"]);
        assert_eq!(bench.ask("SELECT id FROM people"), [r#"Text("ann")"#, r#"Text("bob")"#]);
        assert_eq!(bench.ask("PRAGMA journal_mode"), [format!("Text({:?})", journal.to_lowercase())]);
    }
}

/// Dry run, views of keys and runs, leftovers: none of them leaves a trace.
fn leaves_no_trace(bench: &Bench, people: u64) {
    let before = bench.state();
    let mut database = bench.database();
    assert_eq!((database.keys().unwrap(), database.runs().unwrap()), (vec![], vec![]));
    assert_eq!(database.leftovers().unwrap(), [] as [PathBuf; 0]);
    assert_eq!(bench.state(), before);
    for dropped in [true, false] {
        let opening = Opening {
            mode: Mode::Dry,
            run_id: "run-1",
            migrations: &bench.migrations,
            schema: &bench.schema,
            written: &bench.written,
            bytes: 1_000,
            started: "2025-05-07T15:09:12Z".parse().unwrap(),
            audit: None,
            version: None,
        };
        let mut transaction = database.begin(&opening).unwrap();
        assert_eq!(transaction.rows_before("people"), people);
        transaction.insert(&person("ann")).unwrap();
        assert_eq!(bench.state(), before);
        if dropped {
            drop(transaction);
        } else {
            transaction.rollback().unwrap();
        }
        assert_eq!(bench.state(), before);
    }
}

#[test]
fn a_dry_run_leaves_no_trace_where_there_is_nothing() {
    let bench = Bench::new();
    leaves_no_trace(&bench, 0);
    fs::write(bench.path(), "").unwrap();
    leaves_no_trace(&bench, 0);
}

#[test]
fn a_dry_run_leaves_no_trace_beside_a_rollback_journal_database() {
    let bench = Bench::new();
    drop(bench.make(&format!("{SQL}; INSERT INTO people VALUES ('bob', 'b');")));
    leaves_no_trace(&bench, 1);
}

#[test]
fn a_dry_run_leaves_no_trace_beside_a_wal_database() {
    let bench = Bench::new();
    let conn = bench.make(&format!("PRAGMA journal_mode = WAL; {SQL}; INSERT INTO people VALUES ('bob', 'b');"));
    // Its application is running: the rows are in the WAL.
    assert_eq!(bench.names(), ["x.db", "x.db-shm", "x.db-wal"]);
    leaves_no_trace(&bench, 1);
    drop(conn);
    assert_eq!(bench.names(), ["x.db"]);
    leaves_no_trace(&bench, 1);
}

#[test]
fn a_dry_run_reads_what_an_interrupted_write_left_and_leaves_it_there() {
    let bench = Bench::new();
    let conn = bench.make(&format!("{SQL}; INSERT INTO people VALUES ('bob', 'b'); PRAGMA cache_size = 1; BEGIN;"));
    // Pages are spilled into the file, and the journal can roll them back.
    let long = "x".repeat(20_000);
    for i in 0..20 {
        conn.execute("INSERT INTO people VALUES (?1, ?1 || ?2)", (i.to_string(), &long)).unwrap();
    }
    let copy = Bench::new();
    fs::copy(bench.path(), copy.path()).unwrap();
    fs::copy(bench.folder.path().join("x.db-journal"), copy.folder.path().join("x.db-journal")).unwrap();
    assert!(fs::metadata(copy.path()).unwrap().len() > 100_000);
    leaves_no_trace(&copy, 1);
}

#[test]
fn a_dry_run_cannot_be_committed() {
    let bench = Bench::new();
    let error = bench.begin(Mode::Dry).unwrap().commit().unwrap_err();
    assert_eq!((error.message.as_str(), error.status()), ("a dry run was asked to commit", 70));
    assert_eq!(bench.names(), [] as [&str; 0]);
}

#[test]
fn an_empty_file_is_an_empty_database() {
    let bench = Bench::new();
    fs::write(bench.path(), "").unwrap();
    drop(bench.begin(Mode::Real).unwrap());
    assert_eq!(fs::read(bench.path()).unwrap(), b"");
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    assert_eq!(bench.ask("PRAGMA page_size"), ["Integer(16384)"]);
}

/// Words without the name of this process, which holds the lock. Where the system lists locks by
/// another device number, no program is named.
fn nameless(words: &str) -> String {
    let comm = fs::read_to_string("/proc/self/comm").unwrap_or_default();
    words.replace(&format!(": process {}, `{}`", std::process::id(), comm.trim()), "")
}

#[test]
fn the_second_of_two_writers_learns_who_holds_the_lock() {
    let bench = Bench::new();
    drop(bench.make(SQL));
    let first = bench.begin(Mode::Real).unwrap();
    let (words, status) = bench.refused(Mode::Real);
    assert_eq!(
        nameless(&words),
        "the database is locked by another program\n  at DIR/x.db\nhint: stop that program, then run again"
    );
    assert_eq!(status, 3);
    first.commit().unwrap();
}

#[test]
fn of_two_imports_into_a_new_file_one_goes_on() {
    let bench = Bench::new();
    let first = bench.begin_as(Mode::Real, "run-1", 0).unwrap();
    assert_eq!(bench.database().leftovers().unwrap(), [] as [PathBuf; 0]);
    for mode in [Mode::Real, Mode::Dry] {
        let (words, status) = bench.refused(mode);
        assert_eq!(
            nameless(&words),
            "another program is creating this database\n  at DIR/x.db\nhint: wait for it to finish, then look at the result"
        );
        assert_eq!(status, 3);
    }
    first.commit().unwrap();
    assert_eq!(bench.names(), ["x.db"]);
}

#[test]
fn what_a_killed_run_left_is_found() {
    let bench = Bench::new();
    for name in [".x.db.treelift-old", ".x.db.treelift-old-journal", ".y.db.treelift-old", ".x.db"] {
        fs::write(bench.folder.path().join(name), "half").unwrap();
    }
    let found = bench.database().leftovers().unwrap();
    assert_eq!(found, [".x.db.treelift-old", ".x.db.treelift-old-journal"].map(|name| bench.folder.path().join(name)));
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    assert!(bench.path().exists());
}

#[test]
fn what_cannot_be_a_target_is_refused_and_untouched() {
    let said = |text: &str| (text.to_owned(), 3);
    let not_ours = "the file is not an SQLite database\n  at DIR/x.db\nhint: name another file; treelift never overwrites a file of another program";
    type Prepare = fn(&Bench);
    let cases: [(Prepare, &str); 8] = [
        (
            |bench| fs::create_dir(bench.path()).unwrap(),
            "the database is a directory\n  at DIR/x.db\nhint: name a file in it",
        ),
        (|bench| fs::write(bench.path(), "nonsense".repeat(1_000)).unwrap(), not_ours),
        (|bench| fs::write(bench.path(), "x").unwrap(), not_ours),
        (|bench| fs::write(bench.path(), [b'x'; 600]).unwrap(), not_ours),
        (
            |bench| {
                drop(bench.make(SQL));
                set_mode(&bench.path(), 0o444);
            },
            "the database is read-only\n  at DIR/x.db\nhint: check the permissions of the file, its directory and the file system",
        ),
        (
            |bench| std::os::unix::fs::symlink("nowhere", bench.path()).unwrap(),
            "the database is a dangling symbolic link\n  at DIR/x.db",
        ),
        (
            |bench| drop(std::os::unix::net::UnixListener::bind(bench.path()).unwrap()),
            "the database is not a regular file\n  at DIR/x.db",
        ),
        (
            |bench| {
                drop(bench.make(&format!("PRAGMA page_size = 512; {SQL}; INSERT INTO people VALUES ('bob', 'b');")));
                let mut bytes = fs::read(bench.path()).unwrap();
                bytes[1_024..].fill(0xff);
                fs::write(bench.path(), bytes).unwrap();
            },
            "the database is damaged\n  at DIR/x.db\nhint: restore a backup of it, or import into a new file",
        ),
    ];
    for (prepare, words) in cases {
        let bench = Bench::new();
        prepare(&bench);
        let before = bench.state();
        for mode in [Mode::Dry, Mode::Real] {
            assert_eq!(bench.refused(mode), said(words));
            assert_eq!(bench.state(), before, "{words}");
        }
    }
}

#[test]
fn a_missing_directory_and_a_full_disk_are_reported_before_the_work() {
    let bench = Bench::new();
    for mode in [Mode::Dry, Mode::Real] {
        let error = bench.begin_as(mode, "run-1", u64::MAX).map(drop).unwrap_err();
        assert!(error.message.starts_with("about 17592186044415 MB of free space are needed, "), "{error}");
        assert_eq!(bench.names(), [] as [&str; 0]);
    }
    let gone = bench.folder.path().join("gone");
    let mut bench = Bench::new();
    bench.folder = TempDir::new_in(bench.folder.path()).unwrap();
    let mut database = crate::database::open(gone.join("x.db").to_str().unwrap()).unwrap();
    let opening = Opening {
        mode: Mode::Dry,
        run_id: "run-1",
        migrations: &bench.migrations,
        schema: &bench.schema,
        written: &bench.written,
        bytes: 0,
        started: "2025-05-07T15:09:12Z".parse().unwrap(),
        audit: None,
        version: None,
    };
    assert_eq!(
        database.begin(&opening).map(drop).unwrap_err().to_string(),
        format!(
            "the database's directory does not exist\n  at {}\nhint: create it first, or name another path",
            gone.display()
        )
    );
}
