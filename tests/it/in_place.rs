//! Bundled sets on databases of the version before, which they change in place, on every engine.

use crate::house::{DATABASE, KEY_FILE, Ran, project};
use crate::site::{Site, every};
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
    site.sql(&fs::read_to_string(file).unwrap());
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
    site.house.run(["import", tree, "--database", &url, "--yes", "--no-backup", KEY[0], KEY[1]])
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

#[test]
fn combatlog_takes_a_database_without_its_optional_tables_or_one_that_stopped_half_way() {
    for half in [&[][..], &["005_guilds"]] {
        for site in every() {
            made_by(&site, "combatlog", "001_encounters");
            site.sql(
                "INSERT INTO encounters (encounter_id, encounter_type, boss_name, start_time, end_time)
                 VALUES (5, 'raid', 'Invented', '2025-05-07 19:00:00', '2025-05-07 19:05:00')",
            );
            half.iter().for_each(|stem| made_by(&site, "combatlog", stem));
            let done = schema(&site, "migrate", "combatlog", &[]).status(0);
            assert!(done.stdout.contains("applied: 012_api_keys"), "{}", done.stdout);
            assert_eq!(site.rows("SELECT encounter_id, guild_id FROM encounters"), [["5", "1"]]);
            assert_eq!(site.one("SELECT value FROM metadata WHERE key = 'schema_version'"), "2");
            schema(&site, "validate", "combatlog", &[]).status(0);
            assert!(schema(&site, "migrate", "combatlog", &[]).status(0).stdout.contains("nothing to do"));
        }
    }
}
