//! Assertions of a set around a change of the schema: asked before it and behind it, on every engine.

use crate::house::Ran;
use crate::house::site::{Site, every};

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
    site.schema("migrate", &["--to", "001"]).status(0);
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
        let dry = site.schema("migrate", &["--dry-run", "--to", "002"]).status(0);
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
        let done = site.schema("migrate", &[]).status(0);
        assert_eq!(said(&done), checks("committed: 2 steps"));
        let back = site.schema("rollback", &["--to", "001"]).status(0);
        let checks = [
            "passed: no negative points".to_owned(),
            "passed: players and points stay: players = 2, points = 12".to_owned(),
            "passed: zones: before: zones = 0".to_owned(),
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
            let refused = site.schema("migrate", flags).status(1);
            let lines = [
                "failed: no negative points: before the change: 1 row: `players` 2".to_owned(),
                "refused: 1 check does not hold, nothing was changed".to_owned(),
            ];
            assert_eq!(said(&refused), lines, "{}", refused.stderr);
            assert_eq!(site.state(), before);
        }
        // The way back stays open.
        site.schema("rollback", &["--all"]).status(0);
    }
}

#[test]
fn a_migration_that_loses_what_must_stay_is_rolled_back() {
    let loses = format!("{MORE} DELETE FROM players WHERE id = 2;");
    for site in every() {
        let site = site_with(site, &loses, ASSERTIONS);
        let before = site.state();
        let refused = site.schema("migrate", &["--json"]).status(1).json();
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
        let done = site.schema("migrate", &[]).status(0);
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

#[test]
fn what_is_shown_until_a_version_is_shown_by_the_migration_that_leaves_it() {
    let shown = "[[assert]]\nname = \"players\"\nsql = \"SELECT count(*) AS players FROM players\"\ngives = \"shown\"\nuntil = \"002_zones\"\n";
    for site in every() {
        let site = site_with(site, MORE, shown);
        let done = site.schema("migrate", &[]).status(0);
        assert_eq!(said(&done), ["passed: players: before: players = 2", "committed: 2 steps"]);
    }
}

/// A server makes such an index so that only later transactions go by it.
#[test]
fn an_index_of_rows_that_were_changed_before_it_is_not_asked_for_until_the_commit() {
    let last = format!(
        "{MORE} ALTER TABLE players ADD COLUMN team INTEGER; UPDATE players SET team = 1; CREATE INDEX by_both ON players (team, points);"
    );
    let uses = "[[assert]]\nname = \"by both\"\nsql = \"SELECT id FROM players ORDER BY team, points LIMIT 20\"\nuses = [\"by_both\"]\nsince = \"003_last\"\n";
    for site in every() {
        let site = site_with(site, &last, uses);
        site.sql("INSERT INTO players (id, points) VALUES (3, 1), (4, 2), (5, 3), (6, 4), (7, 5), (8, 6), (9, 7)");
        let done = site.schema("migrate", &[]).status(0);
        let is_file = site.is_file();
        let line = if is_file {
            "passed: by both"
        } else {
            "not asked: by both: the server goes by `by_both`, which was made of changed rows, only once older transactions have ended"
        };
        assert_eq!(said(&done), [line, "committed: 2 steps"], "{}", done.stdout);
        let url = site.url();
        let valid = site.house.run(["schema", "validate", "--mappings", "set", "--database", &url]).status(0);
        assert!(valid.stdout.contains("by both"), "{}", valid.stdout);
    }
}

#[test]
fn rows_of_one_tenant_that_reference_those_of_another_stop_a_change() {
    let last = "CREATE TABLE homes (id INTEGER PRIMARY KEY, player INTEGER REFERENCES players (id), zone TEXT);\
                INSERT INTO homes (id, player, zone) VALUES (1, 1, 'north'), (2, 2, 'south');";
    let isolation = "[isolation]\ncolumn = \"zone\"\nsince = \"003_last\"\n";
    for site in every() {
        let site = site_with(site, last, isolation);
        site.schema("migrate", &["--to", "002"]).status(0);
        site.sql("UPDATE players SET zone = 'north'");
        let before = site.state();
        let refused = site.schema("migrate", &[]).status(1);
        let name = "`homes` (player) references only rows of `players` of the same `zone`";
        let lines = [
            format!("failed: {name}: 1 row: `homes` 2"),
            "refused: 1 check does not hold, nothing was changed".to_owned(),
        ];
        assert_eq!(said(&refused), lines, "{}", refused.stderr);
        assert_eq!(site.state(), before);
        site.sql("UPDATE players SET zone = 'south' WHERE id = 2");
        assert_eq!(
            said(&site.schema("migrate", &[]).status(0)),
            [format!("passed: {name}"), "committed: 1 step".to_owned()]
        );
    }
}
