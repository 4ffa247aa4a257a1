//! Bundled sets on databases of the version before, which they change in place, on every engine.

use crate::house::site::{Site, every};
use crate::house::{DATABASE, KEY_FILE, Ran, project};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const KEY: [&str; 2] = ["--key-file", KEY_FILE];

/// Runs a migration's file, that of the engine where it has one, as an application of that version would have.
fn made_by(site: &Site, set: &str, stem: &str) {
    let file = |ending: &str| project(&format!("mappings/{set}/schema/{stem}.up{ending}"));
    let own = file(".postgresql.sql");
    let file = if !site.is_file() && own.exists() { own } else { file(".sql") };
    let off = if site.is_file() { "PRAGMA foreign_keys = OFF;" } else { "" };
    site.sql(&(off.to_owned() + &fs::read_to_string(file).unwrap()));
    if site.is_file() {
        fs::set_permissions(site.house.path(DATABASE), fs::Permissions::from_mode(0o600)).unwrap();
    }
}

fn schema(site: &Site, command: &str, set: &str, more: &[&str]) -> Ran {
    let url = site.url();
    let mut line = vec!["schema", command, "--mappings", set, "--database", &url];
    if command != "validate" {
        line.extend(["--yes", "--no-backup"]);
    }
    line.extend(more);
    site.house.run(line)
}

fn import(site: &Site, tree: &str) -> Ran {
    let (url, tree) = (site.url(), project(tree));
    let tree = tree.to_str().unwrap();
    site.house.run(["import", "--reread", tree, "--database", &url, "--yes", "--no-backup", KEY[0], KEY[1]])
}

/// JSON with its members by name.
fn sorted(json: Value) -> Value {
    match json {
        Value::Object(members) => {
            let members: BTreeMap<String, Value> = members.into_iter().map(|(name, one)| (name, sorted(one))).collect();
            members.into_iter().collect()
        }
        Value::Array(all) => all.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// What five tables say, ids inside of JSON too.
fn told(site: &Site) -> Vec<Vec<Vec<String>>> {
    let of = |table: &str, columns: &str| {
        let cast: Vec<String> = columns.split(' ').map(|name| format!("CAST({name} AS TEXT)")).collect();
        let rows = site.rows(&format!("SELECT {} FROM {table}", cast.join(", ")));
        // Blanks, and the order of members, say nothing.
        let bare = |cell: String| match serde_json::from_str(&cell) {
            Ok(json) if cell.starts_with(['[', '{']) => sorted(json).to_string(),
            _ => cell,
        };
        let mut rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.into_iter().map(bare).collect()).collect();
        rows.sort();
        rows
    };
    vec![
        of("users", "id username"),
        of("journals", "id user_id tag_ids content"),
        of("tags", "id user_id journal_ids usage_count"),
        of("reminders", "id user_id journal_id payload"),
        of("secret_tags", "id user_id name"),
    ]
}

#[test]
fn a_secret_of_a_row_that_was_moved_aside_is_told_until_the_row_is_deleted() {
    let site = Site::on_file();
    made_by(&site, "vibes", "001_v1");
    site.sql(&fs::read_to_string(project("sample_data/vibes_1/rows.sql")).unwrap());
    let owner = site.one("SELECT user_id FROM secret_tags ORDER BY id LIMIT 1");
    site.sql(&format!("PRAGMA foreign_keys = OFF; DELETE FROM users WHERE id = {owner}"));
    schema(&site, "validate", "vibes", &["--fix-orphans", "--yes", "--no-backup"]).status(0);
    let moved = site.one("SELECT count(*) FROM treelift_orphans WHERE table_name = 'secret_tags'");
    site.credentials("encrypt", &["--column", "secret_tags.phrase", "--key", "id", "--no-backup", KEY[0], KEY[1]])
        .status(0);
    let told = schema(&site, "validate", "vibes", &["--category", "security"]).status(1).stdout;
    let rows = if moved == "1" { "1 row".to_owned() } else { format!("{moved} rows") };
    assert!(told.contains(&format!("{rows} of `treelift_orphans` with `secret_tags.phrase` in plaintext")), "{told}");
    site.sql("DELETE FROM treelift_orphans WHERE table_name = 'secret_tags'");
    schema(&site, "validate", "vibes", &["--category", "security"]).status(0);
}

#[test]
fn vibes_gives_rows_in_place_the_ids_of_an_import_and_gives_them_back() {
    for (site, other) in every().into_iter().zip(every()) {
        made_by(&site, "vibes", "001_v1");
        let rows = fs::read_to_string(project("sample_data/vibes_1/rows.sql")).unwrap();
        site.sql(&if site.is_file() { rows } else { format!("SET timezone = 'UTC'; {rows}") });
        let first = told(&site);
        site.credentials("encrypt", &["--column", "secret_tags.phrase", "--key", "id", "--no-backup", KEY[0], KEY[1]])
            .status(0);

        let done = schema(&site, "migrate", "vibes", &KEY).status(0);
        assert!(done.stdout.contains("3 sealed values sealed again"), "{}", done.stdout);
        import(&other, "sample_data/vibes").status(0);
        assert_eq!(told(&site), told(&other));
        site.credentials("verify", &KEY).status(0);
        schema(&site, "validate", "vibes", &[]).status(0);
        import(&site, "sample_data/vibes").status(0);
        let counts = "SELECT inserted + updated, unchanged FROM treelift_runs WHERE kind = 'import'";
        assert_eq!(site.rows(counts), [["0", "24"]]);

        schema(&site, "rollback", "vibes", &["--to", "001", KEY[0], KEY[1]]).status(0);
        assert_eq!(told(&site), first);
        site.credentials("verify", &KEY).status(0);

        // What was imported, and went there and back, is as its run left it.
        schema(&other, "rollback", "vibes", &["--to", "001", KEY[0], KEY[1]]).status(0);
        assert_eq!(told(&other), first);
        schema(&other, "migrate", "vibes", &KEY).status(0);
        let run = other.one("SELECT id FROM treelift_runs WHERE kind = 'import'");
        let url = other.url();
        other.house.run(["undo", &run, "--mappings", "vibes", "--database", &url, "--yes", "--no-backup"]).status(0);
        assert!(told(&other).iter().all(Vec::is_empty));
    }
}

/// What a script may have left of the move to version 2, as the migrations that it had done by then, and what is said in SQL.
const HALF_DONE: [(&[&str], &str); 7] = [
    (&[], ""),
    (&["002_metadata", "003_character_metrics", "004_log_files"], ""),
    (&["005_guilds"], ""),
    (&["002_metadata", "005_guilds", "006_guild_of_encounters"], "UPDATE encounters SET guild_id = NULL"),
    (
        &[
            "002_metadata",
            "003_character_metrics",
            "004_log_files",
            "005_guilds",
            "006_guild_of_encounters",
            "007_guild_of_characters",
        ],
        "INSERT INTO guilds (guild_id, guild_name, server, region, faction) VALUES (1, 'Default', 'Default', 'US', 'Alliance')",
    ),
    (&["002_metadata"], "CREATE INDEX idx_encounters_guild_start ON encounters (boss_name)"),
    (
        &[
            "002_metadata",
            "003_character_metrics",
            "004_log_files",
            "005_guilds",
            "006_guild_of_encounters",
            "007_guild_of_characters",
            "008_guild_of_metrics",
            "009_guild_of_logs",
            "010_every_row_has_a_guild",
            "011_guild_indexes",
        ],
        "",
    ),
];

#[test]
fn combatlog_takes_a_database_without_its_optional_tables_or_one_that_stopped_half_way() {
    for (half, said) in HALF_DONE {
        for site in every() {
            made_by(&site, "combatlog", "001_encounters");
            site.sql(
                "INSERT INTO encounters (encounter_id, encounter_type, boss_name, start_time, end_time)
                 VALUES (5, 'raid', 'Invented', '2025-05-07 19:00:00', '2025-05-07 19:05:00')",
            );
            half.iter().for_each(|stem| made_by(&site, "combatlog", stem));
            site.sql(said);
            let done = schema(&site, "migrate", "combatlog", &["--verify"]).status(0);
            assert!(done.stdout.contains("applied: 012_api_keys"), "{}", done.stdout);
            assert_eq!(site.rows("SELECT encounter_id, guild_id FROM encounters"), [["5", "1"]], "{half:?}");
            assert_eq!(site.one("SELECT value FROM metadata WHERE key = 'schema_version'"), "2");
            schema(&site, "validate", "combatlog", &[]).status(0);
            assert!(schema(&site, "migrate", "combatlog", &[]).status(0).stdout.contains("nothing to do"));
        }
    }
}

#[test]
fn combatlog_gives_the_rows_of_guild_1_in_place_as_an_import_does() {
    const TABLES: [&str; 4] = ["encounters", "characters", "character_metrics", "log_files"];
    for (site, other) in every().into_iter().zip(every()) {
        for stem in ["001_encounters", "002_metadata", "003_character_metrics", "004_log_files"] {
            made_by(&site, "combatlog", stem);
        }
        let rows = fs::read_to_string(project("sample_data/combatlog_1/rows.sql")).unwrap();
        site.sql(&if site.is_file() { rows } else { format!("SET timezone = 'UTC'; {rows}") });
        schema(&site, "migrate", "combatlog", &["--verify"]).status(0);
        import(&other, "sample_data/combatlog").status(0);
        for table in TABLES {
            let columns = if site.is_file() {
                site.rows(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name"))
            } else {
                site.rows(&format!(
                    "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' ORDER BY 1"
                ))
            };
            // A clock gave what the export does not have.
            let columns: Vec<String> = columns.into_iter().flatten().filter(|name| name != "created_at").collect();
            let rows = format!("SELECT {} FROM {table} WHERE guild_id = 1 ORDER BY 1, 2, 3", columns.join(", "));
            assert_eq!(site.rows(&rows), other.rows(&rows), "{table}");
            assert!(!site.rows(&rows).is_empty());
        }
    }
}
