//! Assertions of a set around a change of the schema: asked before it and behind it, on every engine.

use crate::house::Ran;
use crate::site::{Site, every};

/// A set with three migrations, the last of which is `last`, and these assertions.
fn site_with(site: Site, last: &str, assertions: &str) -> Site {
    let files = [
        ("set.toml", format!("name = \"game\"\n{assertions}")),
        ("schema/001_players.up.sql", "CREATE TABLE players (id INTEGER PRIMARY KEY, points INTEGER NOT NULL);".into()),
        ("schema/001_players.down.sql", "DROP TABLE players;".into()),
        (
            "schema/002_zones.up.sql",
            "ALTER TABLE players ADD COLUMN zone TEXT; CREATE INDEX by_zone ON players (zone);".into(),
        ),
        ("schema/002_zones.down.sql", "DROP INDEX by_zone; ALTER TABLE players DROP COLUMN zone;".into()),
        ("schema/003_last.up.sql", last.to_owned()),
        ("schema/003_last.down.sql", "DROP TABLE more;".into()),
    ];
    files.into_iter().for_each(|(name, text)| drop(site.house.file(&format!("set/{name}"), text)));
    schema(&site, "migrate", &["--to", "001"]).status(0);
    site.sql("INSERT INTO players (id, points) VALUES (1, 5), (2, 7)");
    site
}

const MORE: &str = "CREATE TABLE more (id INTEGER PRIMARY KEY);";

const ASSERTIONS: &str = r#"
[[assert]]
name = "no negative points"
sql = "SELECT points, id FROM players WHERE points < 0"
[[assert]]
name = "players and points stay"
sql = "SELECT count(*) AS players, sum(points) AS points FROM players"
gives = "same"
[[assert]]
name = "zones"
sql = "SELECT count(zone) AS zones FROM players;"
gives = "shown"
since = "002_zones"
[[assert]]
name = "players of the first version"
sql = "SELECT 1 FROM players"
gives = "rows"
until = "001_players"
[[assert]]
name = "players of a zone are found by it"
sql = "SELECT id FROM players WHERE zone = 'north'"
uses = ["by_zone"]
"#;

fn schema(site: &Site, command: &str, more: &[&str]) -> Ran {
    let url = site.url();
    let mut line = vec!["schema", command, "--mappings", "set", "--database", &url, "--yes", "--no-backup"];
    line.extend(more);
    site.house.run(line)
}

/// The lines of checks, and the last one without the database's name.
fn said(ran: &Ran) -> Vec<String> {
    let is_said = |line: &&str| !line.starts_with("applied: ") && !line.starts_with("rolled back: ");
    let lines = ran.stdout.lines().filter(is_said);
    lines.map(|line| line.split(" in ").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_change_of_the_schema_is_committed_with_what_the_set_wants_to_stay_the_same() {
    for site in every() {
        let site = site_with(site, MORE, ASSERTIONS);
        let zones = if site.is_file() { "no such column: zone" } else { "column \"zone\" does not exist" };
        let dry = schema(&site, "migrate", &["--dry-run", "--to", "002"]).status(0);
        let checks = |last: &str| {
            [
                "passed: no negative points",
                "passed: players and points stay: players = 2, points = 12",
                "passed: zones: zones = 0",
                "not asked: players of the first version: `002_zones` is applied",
                "passed: players of a zone are found by it",
                last,
            ]
            .map(str::to_owned)
        };
        let lines = said(&dry);
        assert_eq!(lines[lines.len() - 6..], checks("dry run: 1 step possible, nothing was changed"));
        let done = schema(&site, "migrate", &[]).status(0);
        assert_eq!(said(&done), checks("committed: 2 steps"));
        let back = schema(&site, "rollback", &["--to", "001"]).status(0);
        let checks = [
            "passed: no negative points".to_owned(),
            "passed: players and points stay: players = 2, points = 12".to_owned(),
            "not asked: zones: `002_zones` is not applied".to_owned(),
            "passed: players of the first version: 2 rows".to_owned(),
            format!("not asked: players of a zone are found by it: {zones}"),
        ];
        let lines = said(&back);
        assert_eq!(lines[..5], checks);
    }
}

#[test]
fn what_is_wrong_before_a_change_stops_it_and_its_rows_are_named() {
    for site in every() {
        let site = site_with(site, MORE, ASSERTIONS);
        site.sql("UPDATE players SET points = -3 WHERE id = 2");
        let before = site.state();
        for flags in [&["--dry-run"][..], &[]] {
            let refused = schema(&site, "migrate", flags).status(1);
            let lines = [
                "failed: no negative points: before the change: 1 row: `players` 2".to_owned(),
                "refused: 1 assertion does not hold, nothing was changed".to_owned(),
            ];
            assert_eq!(said(&refused), lines, "{}", refused.stderr);
            assert_eq!(site.state(), before);
        }
        // The way back stays open.
        schema(&site, "rollback", &["--all"]).status(0);
    }
}

#[test]
fn a_migration_that_loses_what_must_stay_is_rolled_back() {
    let loses = format!("{MORE} DELETE FROM players WHERE id = 2;");
    for site in every() {
        let site = site_with(site, &loses, ASSERTIONS);
        let before = site.state();
        let refused = schema(&site, "migrate", &["--json"]).status(1).json();
        assert_eq!((&refused["refused"], &refused["steps"]), (&true.into(), &serde_json::json!([])));
        let failed: Vec<_> =
            refused["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{refused:#}");
        assert_eq!(failed[0]["detail"], "before: players = 2, points = 12; after: players = 1, points = 5");
        assert_eq!(site.state(), before);
    }
}

#[test]
fn without_assertions_the_rows_of_each_table_are_told_before_and_behind() {
    let more = format!("{MORE} INSERT INTO more (id) VALUES (1), (2), (3);");
    for site in every() {
        let site = site_with(site, &more, "");
        let done = schema(&site, "migrate", &[]).status(0);
        let lines = ["rows of more: none → 3", "rows of players: 2 → 2", "committed: 2 steps"].map(str::to_owned);
        assert_eq!(said(&done), lines);
    }
}

#[test]
fn a_version_that_no_migration_has_is_refused_with_the_nearest_one() {
    for site in every().into_iter().filter(Site::is_file) {
        let site = site_with(site, MORE, "");
        let set = "name = \"game\"\n[[assert]]\nname = \"a\"\nsql = \"SELECT 1\"\nsince = \"002_zone\"\n";
        site.house.file("set/set.toml", set);
        let refused = site.house.run(["check", "set"]).status(2).stderr;
        let words = "`since` of the assertion `a` is no version of the set: `002_zone`";
        assert!(refused.contains("M134") && refused.contains(words) && refused.contains("`002_zones`"), "{refused}");
        site.house.file("set/set.toml", set.replace("since", "needs"));
        let refused = site.house.run(["check", "set"]).status(2).stderr;
        assert!(refused.contains("`needs` was dropped in 0.2.0"), "{refused}");
    }
}
