//! What an application reads its own version from is kept up to date beside treelift's record, on every engine.

use crate::house::site::{Site, every};

/// A set of three migrations, the last of which the application has no name for.
fn site_with(site: Site, version: &str) -> Site {
    let files = [
        ("set.toml", format!("name = \"notes\"\n{version}")),
        ("schema/001_notes.up.sql", "CREATE TABLE notes (id TEXT PRIMARY KEY);".into()),
        ("schema/001_notes.down.sql", "DROP TABLE notes;".into()),
        ("schema/002_tags.up.sql", "-- depends: 001_notes\nCREATE TABLE tags (id TEXT PRIMARY KEY);".into()),
        ("schema/002_tags.down.sql", "DROP TABLE tags;".into()),
        ("schema/003_by_tag.up.sql", "CREATE INDEX by_tag ON tags (id);".into()),
        ("schema/003_by_tag.down.sql", "DROP INDEX by_tag;".into()),
    ];
    files.into_iter().for_each(|(name, text)| drop(site.house.file(&format!("set/{name}"), text)));
    site
}

const REVISIONS: &str = r#"
[version]
table = "alembic_version"
column = "version_num"
names = { 001_notes = "ae1027a6acf", 002_tags = "b7f2" }
[other_tables]
"alembic_version" = "Alembic's own record"
"#;

const METADATA: &str = r#"
[version]
table = "metadata"
column = "value"
row = { key = "schema" }
names = { 001_notes = "1", 002_tags = "2" }
[other_tables]
"metadata" = "what the application knows of itself"
"#;

#[test]
fn each_change_writes_what_the_application_calls_the_version() {
    for site in every() {
        let site = site_with(site, REVISIONS);
        // Where the application has made no table yet, none is made for it.
        site.schema("migrate", &["--to", "001"]).status(0);
        site.sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)");
        let version = || site.rows("SELECT version_num FROM alembic_version");
        let status = site.schema("status", &[]).status(0).stdout;
        assert!(
            status.contains(
                "`alembic_version.version_num` says nothing, and by the applied migrations it is `ae1027a6acf`"
            ),
            "{status}"
        );
        site.schema("migrate", &["--dry-run"]).status(0);
        assert!(version().is_empty());
        site.schema("migrate", &["--to", "002"]).status(0);
        assert_eq!(version(), [["b7f2"]]);
        // The application has no name for what comes behind it.
        site.schema("migrate", &[]).status(0);
        assert_eq!(version(), [["b7f2"]]);
        assert!(!site.schema("status", &[]).status(0).stdout.contains("\nnote "));
        site.schema("rollback", &["--to", "001"]).status(0);
        assert_eq!(version(), [["ae1027a6acf"]]);
        site.schema("stamp", &["002"]).status(0);
        assert_eq!(version(), [["b7f2"]]);
        site.schema("stamp", &["001"]).status(0);
        site.sql("UPDATE alembic_version SET version_num = 'other'");
        let status = site.schema("status", &["--json"]).status(0).json();
        let says = "`alembic_version.version_num` says `other`, and by the applied migrations it is `ae1027a6acf`: the tables decide, and the next change writes it";
        assert_eq!(status["version_note"], says);
        site.schema("rollback", &["--to", "base"]).status(0);
        assert!(version().is_empty());
    }
}

#[test]
fn a_row_of_a_table_of_others_is_written_alone() {
    for site in every() {
        let site = site_with(site, METADATA);
        site.sql(
            "CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT); INSERT INTO metadata VALUES ('name', 'mine')",
        );
        site.schema("migrate", &[]).status(0);
        let rows = || site.rows("SELECT key, value FROM metadata ORDER BY key");
        assert_eq!(rows(), [["name", "mine"], ["schema", "2"]]);
        site.schema("rollback", &["--to", "001"]).status(0);
        assert_eq!(rows(), [["name", "mine"], ["schema", "1"]]);
        site.schema("rollback", &["--all"]).status(0);
        assert_eq!(rows(), [["name", "mine"]]);
    }
}

#[test]
fn several_rows_for_one_version_are_refused_and_a_name_of_no_migration_too() {
    for site in every() {
        let site = site_with(site, REVISIONS);
        site.sql("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('a'), ('b')");
        // Before a change nobody may rely on a key to refuse it.
        site.sql("CREATE TABLE copied AS SELECT * FROM alembic_version; DROP TABLE alembic_version; ALTER TABLE copied RENAME TO alembic_version");
        let before = site.state();
        let refused = site.schema("migrate", &[]).status(3);
        assert!(
            refused.stderr.contains(
                "`alembic_version` has several rows where the version of the schema should stand; nothing was changed"
            ),
            "{}",
            refused.stderr
        );
        assert_eq!(site.state(), before);
    }
    let site = site_with(Site::on_file(), &REVISIONS.replace("002_tags", "002_tag"));
    let checked = site.house.run(["check", "set"]).status(2);
    assert!(checked.stderr.contains("M134") || checked.stdout.contains("M134"), "{}{}", checked.stdout, checked.stderr);
}

#[test]
fn the_history_of_events_tells_what_was_done_each_time() {
    for site in every() {
        let site = site_with(site, "");
        site.schema("migrate", &["--to", "002"]).status(0);
        site.schema("rollback", &["--to", "001"]).status(0);
        site.schema("migrate", &["--to", "002"]).status(0);
        let events = site.schema("history", &["--verbose", "--json"]).status(0).json();
        let told: Vec<(String, String, String)> = events["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| {
                let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                (text("version"), text("what"), event["depends"].to_string())
            })
            .collect();
        let event =
            |version: &str, what: &str, depends: &str| (version.to_owned(), what.to_owned(), depends.to_owned());
        let on_notes = r#"["001_notes"]"#;
        assert_eq!(
            told,
            [
                event("002_tags", "migration applied", on_notes),
                event("002_tags", "migration rolled back", on_notes),
                event("002_tags", "migration applied", on_notes),
                event("001_notes", "migration applied", "[]"),
            ]
        );
        let words = site.schema("history", &["-v", "--limit", "1"]).status(0).stdout;
        assert!(words.contains("depends on") && words.contains("treelift 0.") && words.lines().count() == 2, "{words}");
    }
}

#[test]
fn a_new_file_has_the_journal_that_the_set_wants() {
    let site = site_with(Site::on_file(), "journal = \"wal\"\n");
    site.schema("migrate", &["--to", "001"]).status(0);
    assert!(!site.house.path("target.db-wal").exists(), "nothing lies beside it");
    assert_eq!(site.one("PRAGMA journal_mode"), "wal");
    site.schema("migrate", &[]).status(0);
    assert_eq!(site.one("PRAGMA journal_mode"), "wal");
    site.schema("status", &["--exit-code"]).status(0);
    // A copy of it has the same, and what is put back in its place too.
    site.schema("rollback", &["--to", "002", "--verify", "--copy", "sqlite:///./copy.db"]).status(0);
    let header = |name: &str| std::fs::read(site.house.path(name)).unwrap()[18..20].to_vec();
    assert_eq!((header("copy.db"), header("target.db")), (vec![2, 2], vec![2, 2]));
    site.house.run(["backup", "create", "--database", "target.db"]).status(0);
    site.house.run(["backup", "restore", "--latest", "--database", "target.db", "--yes", "--no-backup"]).status(0);
    assert_eq!(header("target.db"), [2, 2]);
}

#[test]
fn migrations_and_assertions_have_functions_for_digests_and_expressions() {
    let site = site_with(
        Site::on_file(),
        "[[assert]]\nname = \"ids\"\nsql = \"SELECT id FROM notes WHERE NOT (id REGEXP '^[0-9a-f]{64}$')\"\n",
    );
    site.house.file("set/schema/004_more.up.sql", "INSERT INTO notes (id) SELECT lower(hex(sha256('a')));");
    site.house.run(["check", "set"]).status(0);
    site.schema("migrate", &[]).status(0);
    assert_eq!(site.one("SELECT id FROM notes"), "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
    // A schema must not hang on what only treelift's connection has.
    site.house.file(
        "set/schema/005_view.up.sql",
        "CREATE TABLE more (id TEXT CHECK (id REGEXP '^a')); INSERT INTO more VALUES ('a');",
    );
    site.schema("migrate", &[]).status(3);
}

#[test]
fn a_table_that_has_no_such_column_is_told_by_check_and_rows_of_others_never_go() {
    let named = METADATA.replace("row = { key = \"schema\" }\n", "").replace("001_notes = \"1\", ", "");
    for site in every() {
        let site = site_with(site, &named);
        site.sql("CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT); INSERT INTO metadata VALUES ('a', '1'), ('b', '2')");
        // The application has no name for the first one: what is there stays.
        site.schema("migrate", &["--to", "001"]).status(0);
        let refused = site.schema("migrate", &[]).status(3).stderr;
        assert!(
            refused.contains("`[version]` of the set cannot be kept in `metadata`: `metadata` has several rows"),
            "{refused}"
        );
        site.schema("rollback", &["--all"]).status(3);
        assert_eq!(site.one("SELECT count(*) FROM metadata"), "2");
    }
    let site = site_with(Site::on_file(), &REVISIONS.replace("alembic_version\"\n", "notes\"\n"));
    let checked = site.house.run(["check", "set"]).status(2);
    let said = checked.stdout + &checked.stderr;
    assert!(
        said.contains(
            "`[version]` cannot be kept in `notes`: it is not a valid query: no such column: notes.version_num"
        ),
        "{said}"
    );
}
