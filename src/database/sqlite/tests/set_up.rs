//! Migrations: applied, adopted, refused.

use super::*;
use crate::database::state::State;
use std::collections::BTreeSet;

const RECORDED: &str =
    "SELECT version, status, checksum, applied_at, rollback_applied, metadata_json FROM schema_migrations";

fn recorded(version: &str) -> String {
    recorded_as(version, "")
}

fn found(version: &str) -> String {
    recorded_as(version, r#","origin":"found""#)
}

fn recorded_as(version: &str, origin: &str) -> String {
    let metadata = format!(
        r#"{{"by":"treelift {}","dependencies":[],"path":"schema/{version}.up.sql"{origin}}}"#,
        env!("CARGO_PKG_VERSION")
    );
    format!(
        "Text({version:?}) Text(\"applied\") Text(\"checksum of {version}\") Text(\"2025-05-07 15:09:12.000000\") Integer(0) Text({metadata:?})"
    )
}

#[test]
fn a_new_database_records_its_migrations() {
    let bench = Bench::new();
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    assert_eq!(bench.ask(RECORDED), [recorded("001_notes")]);
    // The second time nothing is left to do.
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    assert_eq!(bench.ask(RECORDED), [recorded("001_notes")]);
}

#[test]
fn a_set_without_migrations_makes_no_table_in_a_new_database() {
    let bench = Bench::of(Vec::new());
    bench.begin(Mode::Dry).unwrap().rollback().unwrap();
    let transaction = bench.begin(Mode::Real).unwrap();
    assert_eq!(*transaction.schema(), bench.schema);
    transaction.commit().unwrap();
    assert_eq!(bench.ask(RECORDED), [""; 0]);
}

#[test]
fn a_database_that_its_application_made_is_used_and_recorded() {
    let bench = Bench::new();
    drop(bench.make(&format!("{SQL} CREATE TABLE more (shape GEOMETRY); INSERT INTO people VALUES ('bob', 'b');")));
    let transaction = bench.begin(Mode::Real).unwrap();
    assert_eq!(*transaction.schema(), bench.schema);
    transaction.commit().unwrap();
    assert_eq!(bench.ask(RECORDED), [found("001_notes")]);
    assert_eq!(bench.ask("SELECT id FROM people"), [r#"Text("bob")"#]);
}

#[test]
fn one_other_column_is_refused_with_the_difference() {
    let bench = Bench::new();
    drop(bench.make(&SQL.replace("title VARCHAR(80)", "title VARCHAR(90)")));
    let before = bench.state();
    assert_eq!(
        bench.refused(Mode::Dry),
        (
            "the database's tables do not match the migrations: column `notes.title` is declared `VARCHAR(90)`, expected `VARCHAR(80)`\n  at DIR/x.db\nhint: import into a new file, or bring the database to the expected schema first".to_owned(),
            3
        )
    );
    assert_eq!(bench.state(), before);
    assert_eq!(bench.refused(Mode::Real), bench.refused(Mode::Dry));
    assert_eq!(bench.ask("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'treelift%'"), ["Integer(0)"]);
}

#[test]
fn half_of_the_tables_is_refused() {
    let bench = Bench::new();
    drop(bench.make(
        "CREATE TABLE people (id VARCHAR(32) NOT NULL, email VARCHAR(80) NOT NULL, PRIMARY KEY (id), UNIQUE (email))",
    ));
    let (words, _) = bench.refused(Mode::Real);
    assert!(words.starts_with("the database's tables do not match the migrations: table `notes` is missing\n"));
}

fn colour() -> Vec<Migration> {
    let grown =
        migration("002_colour", "ALTER TABLE notes ADD COLUMN colour TEXT; CREATE INDEX notes_owner ON notes (owner);");
    vec![migration("001_notes", SQL), grown]
}

#[test]
fn later_migrations_are_applied_where_treelift_keeps_the_schema() {
    let mut bench = Bench::of(colour()[..1].to_vec());
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    bench = Bench { folder: bench.folder, ..Bench::of(colour()) };
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    assert_eq!(bench.ask(RECORDED), [recorded("001_notes"), recorded("002_colour")]);
    assert_eq!(bench.ask("SELECT count(*) FROM pragma_table_info('notes') WHERE name = 'colour'"), ["Integer(1)"]);
}

#[test]
fn what_an_application_made_is_left_at_its_version_if_that_is_enough() {
    let more = migration("002_more", "CREATE TABLE more (id INTEGER PRIMARY KEY)");
    let mut bench = Bench::of(vec![migration("001_notes", SQL), more]);
    bench.written = BTreeSet::from(["notes".to_owned()]);
    drop(bench.make(SQL));
    let transaction = bench.begin(Mode::Real).unwrap();
    assert_eq!(transaction.pending(), ["002_more"]);
    transaction.commit().unwrap();
    assert_eq!(bench.ask(RECORDED), [found("001_notes")]);
    // The second import finds its own record, and still keeps its hands off.
    assert_eq!(bench.begin(Mode::Real).unwrap().pending(), ["002_more"]);
}

#[test]
fn what_an_application_made_is_refused_if_a_mapping_needs_more() {
    let bench = Bench::of(colour());
    drop(bench.make(SQL));
    assert_eq!(
        bench.refused(Mode::Real).0,
        "the database's tables do not match the migrations: column `notes.colour` is missing\n  at DIR/x.db\nhint: bring the database to the expected schema with `schema migrate`, or import into a new file"
    );

    fs::remove_file(bench.path()).unwrap();
    let colour = "ALTER TABLE notes ADD COLUMN colour TEXT;";
    drop(bench.make(&format!("{SQL} {colour} CREATE INDEX notes_owner ON notes (owner);")));
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    assert_eq!(bench.ask(RECORDED), [found("001_notes"), found("002_colour")]);

    // A part is enough for the mapping, and no more than a part.
    fs::remove_file(bench.path()).unwrap();
    drop(bench.make(&format!("{SQL} {colour}")));
    assert_eq!(bench.begin(Mode::Real).unwrap().pending(), ["002_colour"]);
}

#[test]
fn records_of_another_program_are_believed_and_kept() {
    let bench = Bench::new();
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    let change = |sql: &str| Connection::open(bench.path()).unwrap().execute_batch(sql).unwrap();
    change(
        r#"UPDATE schema_migrations SET checksum = 'theirs', metadata_json = '{"dependencies": []}'; INSERT INTO schema_migrations (version, applied_at, status) VALUES ('v009', '2025-01-01', 'applied')"#,
    );
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    assert_eq!(
        bench.ask("SELECT version, checksum FROM schema_migrations"),
        [r#"Text("001_notes") Text("theirs")"#, r#"Text("v009") Null"#]
    );
    // One that failed there is recorded again.
    change("UPDATE schema_migrations SET status = 'failed', error_message = 'no' WHERE version = '001_notes'");
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    assert_eq!(bench.ask(RECORDED)[0], found("001_notes"));
}

#[test]
fn a_changed_or_unknown_migration_of_ours_is_refused() {
    let mut bench = Bench::new();
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    bench.migrations[0].checksum = "other".into();
    assert_eq!(
        bench.refused(Mode::Real).0,
        "migration `001_notes` was changed after it had been applied to this database\n  at DIR/x.db\nhint: revert the change, and write a new migration instead"
    );
    bench.migrations[0].version = "000_before".into();
    assert_eq!(
        bench.refused(Mode::Real).0,
        "the database is newer than the mapping set, or belongs to another set: it has the migration `001_notes`, which the set does not\n  at DIR/x.db\nhint: use the mapping set that made it, or a newer one"
    );
}

#[test]
fn a_ledger_with_other_columns_is_refused() {
    let bench = Bench::new();
    drop(bench.make("CREATE TABLE treelift_runs (id TEXT)"));
    assert_eq!(
        bench.refused(Mode::Real).0,
        "the database was written by another version of treelift: its table `treelift_runs` has other columns\n  at DIR/x.db\nhint: use the version that `treelift_runs` names in `program`, or a newer one"
    );
}

#[test]
fn a_ledger_that_lacks_more_than_columns_at_the_end_is_refused() {
    let bench = Bench::new();
    drop(bench.make("CREATE TABLE treelift_files (id INTEGER PRIMARY KEY, run INTEGER NOT NULL)"));
    let (words, _) = bench.refused(Mode::Real);
    assert!(words.contains("its table `treelift_files` has other columns"), "{words}");
}

#[test]
fn a_migration_that_cannot_be_applied_changes_nothing() {
    let bench = Bench::new();
    drop(bench.make("CREATE TABLE other (a TEXT); CREATE INDEX people_email ON other (a);"));
    let before = fs::read(bench.path()).unwrap();
    assert_eq!(
        bench.refused(Mode::Real),
        (
            "migration `001_notes` is not recorded, but part of what it creates already exists: index `people_email` differs\n  at DIR/x.db\nhint: bring the database to the expected schema, then `schema stamp` it; or drop that part".to_owned(),
            3
        )
    );
    assert_eq!(fs::read(bench.path()).unwrap(), before);
}

#[test]
fn a_full_text_table_and_its_triggers_stay_out_of_the_way() {
    let bench = Bench::of(vec![
        migration("001_notes", SQL),
        migration(
            "002_search",
            "CREATE VIRTUAL TABLE search USING fts5(title, content='notes', content_rowid='id');
             CREATE TRIGGER notes_found AFTER INSERT ON notes BEGIN
                 INSERT INTO search (rowid, title) VALUES (new.id, new.title);
             END;",
        ),
    ]);
    assert_eq!(bench.schema.tables.keys().collect::<Vec<_>>(), ["notes", "people", "tags"]);
    let mut transaction = bench.begin(Mode::Real).unwrap();
    transaction.insert(&person("ann")).unwrap();
    let row = vec![Value::Integer(1), text("ann"), text("red wheel")];
    transaction.insert(&batch("notes", &["id", "owner", "title"], vec![row])).unwrap();
    assert_eq!(transaction.health().unwrap(), Health::default());
    transaction.commit().unwrap();
    assert_eq!(bench.ask("SELECT rowid FROM search WHERE search MATCH 'wheel'"), ["Integer(1)"]);
    bench.begin(Mode::Real).unwrap().commit().unwrap();
}

const STATE: &str = "SELECT name, CASE name WHEN 'format' THEN value ELSE length(value) END FROM treelift_state";

#[test]
fn a_database_of_the_first_format_is_upgraded_by_what_writes_and_by_nothing_that_reads() {
    let bench = Bench::new();
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    bench.make("DROP TABLE treelift_state").close().unwrap();
    let before = bench.state();
    assert_eq!(bench.database().state().unwrap(), Some(State { format: 1, id: None }));
    bench.database().runs().unwrap();
    bench.begin(Mode::Dry).unwrap().rollback().unwrap();
    drop(bench.database().read().unwrap());
    drop(bench.database().change(Mode::Dry, &BTreeSet::new()).unwrap());
    assert_eq!(bench.state(), before);

    let writers: [(&str, &dyn Fn()); 3] = [
        ("import", &|| drop(bench.begin(Mode::Real).unwrap().commit().unwrap())),
        ("credentials", &|| {
            drop(bench.database().change(Mode::Real, &BTreeSet::new()).unwrap().unwrap().commit().unwrap());
        }),
        ("upgrade", &|| bench.database().upgrade(None).unwrap()),
    ];
    for (name, write) in writers {
        bench.make("DROP TABLE IF EXISTS treelift_state").close().unwrap();
        write();
        assert_eq!(bench.ask(STATE), [r#"Text("database_id") Integer(32)"#, r#"Text("format") Text("3")"#], "{name}");
        let state = bench.database().state().unwrap();
        write();
        assert_eq!(bench.database().state().unwrap(), state, "{name}");
    }
}

#[test]
fn an_id_is_kept_and_never_given_twice() {
    let bench = Bench::new();
    let id = || {
        bench.begin(Mode::Real).unwrap().commit().unwrap();
        let id = bench.database().state().unwrap().unwrap().id.unwrap();
        fs::remove_file(bench.path()).unwrap();
        id
    };
    assert_ne!(id(), id());
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    let own = bench.database().state().unwrap();
    bench.database().upgrade(Some("another")).unwrap();
    assert_eq!(bench.database().state().unwrap(), own);
    bench.make("DELETE FROM treelift_state").close().unwrap();
    bench.database().upgrade(Some("another")).unwrap();
    assert_eq!(bench.database().state().unwrap(), Some(State { format: 3, id: Some("another".to_owned()) }));
}

#[test]
fn a_newer_format_and_a_damaged_one_are_refused_by_everything() {
    let bench = Bench::new();
    bench.begin(Mode::Real).unwrap().commit().unwrap();
    let newer = "the database has format 4, and this version of treelift knows formats up to 3\n  at DIR/x.db\nhint: use the version of treelift that wrote it last, or a newer one";
    let damaged = "`treelift_state` is damaged: `format` is not a number\n  at DIR/x.db\nhint: restore the database from a backup";
    for (format, words) in [("4", newer), ("two", damaged)] {
        bench.make(&format!("UPDATE treelift_state SET value = '{format}' WHERE name = 'format'")).close().unwrap();
        let before = bench.state();
        for mode in [Mode::Dry, Mode::Real] {
            assert_eq!(bench.refused(mode), (words.to_owned(), 3));
        }
        let mut database = bench.database();
        let changes = [Mode::Real, Mode::Dry].map(|mode| database.change(mode, &BTreeSet::new()).map(drop));
        let all = changes.into_iter().chain([
            database.keys().map(drop),
            database.runs().map(drop),
            database.recorded().map(drop),
            database.read().map(drop),
            database.upgrade(None),
        ]);
        for outcome in all {
            let error = outcome.unwrap_err().to_string();
            assert_eq!(error.replace(bench.folder.path().to_str().unwrap(), "DIR"), words);
        }
        assert_eq!(bench.state(), before);
    }
}

#[test]
fn a_migration_that_is_wrong_is_named() {
    let refused = |sql: &str| schema::expected(&Dialect::default(), &[migration("001", sql)]).unwrap_err().to_string();
    assert_eq!(
        refused("CREATE TABEL notes (a)"),
        "migration `001` is not valid SQL: near \"TABEL\": syntax error\n  at schema/001.up.sql:1"
    );
    for forbidden in ["COMMIT;", "PRAGMA journal_mode = OFF;", "ATTACH 'x.db' AS x;", "SAVEPOINT x;"] {
        assert_eq!(
            refused(forbidden),
            "migration `001` does more than create and fill tables: a migration must not use PRAGMA, ATTACH, BEGIN or COMMIT, nor make or change the record of migrations or a `treelift_…` table\n  at schema/001.up.sql:1"
        );
    }
}
