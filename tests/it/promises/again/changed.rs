//! A second import of a tree of which files were changed: what it comes to hangs on what they say, not on their size.

use crate::house::{DATABASE, House, application_dump, findings, open};
use serde_json::json;

/// Teams have a lead, and people a team: each looks for rows that are read later.
const TABLES: &str = "CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, lead INTEGER REFERENCES people (id));
                      CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, team INTEGER REFERENCES teams (id));";

fn rules(table: &str, column: &str, other: &str, policy: &str) -> String {
    format!(
        "[table.{table}]\nkey = [\"name\"]\n[table.{table}.columns]\nname = \"name\"\n\
         {column} = {{ lookup = \"{other}.id\", by = {{ name = \"{column}\" }}{policy} }}\n\
         [ignore]\n\"*\" = \"looked up\"\n"
    )
}

const LIST: &str = "format = \"json\"\n[[source.shape]]\nname = \"list\"\nrecords = \"[*]\"\n";

/// Teams in a file of this name that is read so, and people; `policy` is what becomes of who has no team.
fn house(policy: &str, file: &str, words: &str, teams: &str) -> House {
    let teams_rules = rules("teams", "lead", "people", "");
    let house = House::new().schema(TABLES).list("people", "people.json", &rules("people", "team", "teams", policy));
    let house = house.mapping("teams", &format!("[source]\nfiles = [\"{file}\"]\n{words}{teams_rules}"));
    house.put(file, teams);
    house.put("people.json", json!([{"name": "p", "team": "aa"}]).to_string());
    house.lift(&[]).ends(0, "committed").finds(&[]);
    house
}

#[test]
fn a_row_that_the_tree_does_not_give_any_more_is_found_whatever_the_size_of_what_was_changed() {
    for policy in ["", ", on_dangling = \"null\"", ", on_dangling = \"reject\"", ", on_dangling = \"skip\""] {
        for other in ["b", "bb", "bbb"] {
            let house = house(policy, "teams.json", LIST, r#"[{"name":"aa"}]"#);
            house.put("teams.json", json!([{"name": other}]).to_string());
            house.put("people.json", json!([{"name": "p", "team": "aa"}, {"name": "q", "team": "aa"}]).to_string());
            let gone = ["warning R018 teams.json"];
            let again = house.lift(&[]).ends(0, "committed").finds(&gone).counts("inserted", "people 1, teams 1");
            again.counts("unchanged", "people 1");
            let people = "SELECT people.name, teams.name FROM people LEFT JOIN teams ON teams.id = team ORDER BY 1";
            assert_eq!(house.rows(people), [["p", "aa"], ["q", "aa"]], "{policy} {other}");
            // What the file said before stays found.
            let third = house.lift(&[]).ends(0, "committed").finds(&gone).counts("inserted", "");
            third.counts("unchanged", "people 2, teams 1");
        }
    }
}

#[test]
fn a_file_that_is_broken_now_is_judged_alike_whatever_its_size() {
    for policy in ["", ", on_dangling = \"reject\""] {
        let outcomes = [r#"[{"name":"aa"]]"#, r#"[{"name":"aaaa"]]"#].map(|broken| {
            let house = house(policy, "teams.json", LIST, r#"[{"name":"aa"}]"#);
            house.put("teams.json", broken);
            house.put("people.json", json!([{"name": "q", "team": "aa"}]).to_string());
            let lifted = house.lift(&["--max-rejects", "9"]).ends(1, "committed").report();
            let found = findings(&lifted).into_iter().map(|(code, severity, _)| format!("{code} {severity}"));
            (found.collect::<Vec<_>>(), application_dump(&open(&house.path(DATABASE))))
        });
        assert_eq!(outcomes[0], outcomes[1], "{policy}");
        // That of `p` is gone; of the broken file that is not known.
        assert_eq!(outcomes[0].0, ["J001 error", "R018 warning"], "{policy}");
        let people = [["1", "p", "1"], ["2", "q", "1"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(outcomes[0].1["people"], people, "{policy}");
    }
}

#[test]
fn a_file_of_lines_is_the_same_where_it_says_the_same() {
    for other in ["b", "bb", "bbb"] {
        let line = |name: &str| format!("{{\"name\":\"{name}\"}}\n");
        let house = house("", "teams.jsonl", "format = \"lines\"\n", &line("aa"));
        house.lift(&[]).ends(0, "committed").finds(&[]).counts("unchanged", "people 1, teams 1");
        house.put("teams.jsonl", line(other));
        house.put("people.json", json!([{"name": "p", "team": "aa"}, {"name": "q", "team": "aa"}]).to_string());
        let gone = ["warning R018 teams.jsonl"];
        house.lift(&[]).ends(0, "committed").finds(&gone).counts("inserted", "people 1, teams 1");
    }
}

#[test]
fn a_reference_to_a_row_that_the_tree_does_not_give_any_more_holds_whatever_the_size_of_what_was_changed() {
    const BY_NAME: &str = "CREATE TABLE teams (name TEXT PRIMARY KEY NOT NULL);
                           CREATE TABLE people (name TEXT PRIMARY KEY NOT NULL, boss TEXT REFERENCES people (name),
                                                team TEXT REFERENCES teams (name));";
    let look = |table: &str, column: &str| format!("{{ lookup = \"{table}.name\", by = {{ name = \"{column}\" }} }}");
    for other in ["b", "bb", "bbb"] {
        let teams = "[table.teams]\nkey = [\"name\"]\n[table.teams.columns]\nname = \"name\"\n";
        let people = format!(
            "[table.people]\nkey = [\"name\"]\n[table.people.columns]\nname = \"name\"\nteam = {}\nboss = {}\n",
            look("teams", "team"),
            look("people", "boss")
        );
        let ignore = "[ignore]\n\"*\" = \"looked up\"\n";
        let house = House::new().schema(BY_NAME).list("teams", "teams.json", &format!("{teams}{ignore}"));
        let house = house.list("people", "people.json", &format!("{people}{ignore}"));
        let house = house.source("teams.json", &json!([{"name": "aa"}]));
        let house = house.source("people.json", &json!([{"name": "p", "team": "aa", "boss": "p"}]));
        house.lift(&[]).ends(0, "committed").finds(&[]);
        house.put("teams.json", json!([{"name": other}]).to_string());
        house.put(
            "people.json",
            json!([{"name": "p", "team": "aa", "boss": "p"}, {"name": "q", "team": "aa", "boss": "p"}]).to_string(),
        );
        let gone = ["warning R018 teams.json"];
        house.lift(&[]).ends(0, "committed").finds(&gone).counts("inserted", "people 1, teams 1");
    }
}
