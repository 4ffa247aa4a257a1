//! Lookups of rows that are read later: of the own table, of tables that refer to each other, of other owners.

use crate::house::inline::Lifted;
use crate::house::random_trees::Dice;
use crate::house::{DATABASE, House, application_dump, open, tables};
use serde_json::{Value, json};
use std::sync::Mutex;
use treelift::config::{ImportOptions, Phase, SecretNeed, Ui};
use treelift::import::import;
use treelift::report::Outcome;
use treelift::secret::keys::Secret;

/// A table of nodes whose ids the engine gives.
const NODES: &str = "CREATE TABLE nodes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    parent INTEGER DEFAULT 1 REFERENCES nodes (id), other TEXT);";

/// A house whose nodes find their parents by name, with these words beside the lookup.
fn nodes(words: &str, nodes: &Value) -> House {
    let rules = format!(
        "[table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\n\
         parent = {{ lookup = \"nodes.id\", by = {{ name = \"up\" }}{words} }}\n\
         [ignore]\nname = \"of rows that are skipped\"\n"
    );
    House::new().schema(NODES).list("nodes", "*.json", &rules).source("nodes.json", nodes)
}

/// Each node with its parent.
fn tree(house: &House) -> Vec<Vec<String>> {
    house.rows("SELECT a.name, coalesce(b.name, '-') FROM nodes a LEFT JOIN nodes b ON b.id = a.parent ORDER BY 1")
}

/// A second import changes nothing, and a dry run says what the real one says.
fn settles(house: &House, more: &[&str]) -> Lifted {
    let dry = house.lift(&[more, &["--dry-run"]].concat()).report();
    let lifted = house.lift(more);
    let report = lifted.report();
    for member in ["tables", "leaves", "findings", "ignored", "columns"] {
        assert_eq!(dry[member], report[member], "{member}");
    }
    assert_eq!(report["outcome"], "committed", "{:#}", report["findings"]);
    let before = application_dump(&open(&house.path(DATABASE)));
    let again = house.lift(more);
    let second = again.report();
    assert_eq!(second["outcome"], "committed", "{:#}", second["findings"]);
    assert!(tables(&second, "inserted").is_empty() && tables(&second, "updated").is_empty(), "{:#}", second["tables"]);
    assert_eq!(second["leaves"], report["leaves"]);
    assert_eq!(application_dump(&open(&house.path(DATABASE))), before);
    lifted
}

#[test]
fn children_are_read_before_their_parents() {
    let house = nodes("", &json!([{"name": "c", "up": "b"}, {"name": "b", "up": "a"}]));
    house.put("parents.json", json!([{"name": "d", "up": "a"}, {"name": "a"}]).to_string());
    settles(&house, &[]).ends(0, "committed").leaves("column 7").finds(&[]).counts("inserted", "nodes 4");
    assert_eq!(tree(&house), [["a", "-"], ["b", "a"], ["c", "b"], ["d", "a"]]);
    assert_eq!(house.rows("SELECT id, name FROM nodes ORDER BY id"), [["1", "c"], ["2", "b"], ["3", "d"], ["4", "a"]]);
}

#[test]
fn rows_of_one_table_may_refer_to_each_other_in_a_cycle_and_to_themselves() {
    let house = nodes("", &json!([{"name": "a", "up": "b"}, {"name": "b", "up": "a"}, {"name": "c", "up": "c"}]));
    settles(&house, &[]).ends(0, "committed").leaves("column 6").finds(&[]);
    assert_eq!(tree(&house), [["a", "b"], ["b", "a"], ["c", "c"]]);
}

#[test]
fn rows_of_the_database_and_of_files_that_were_added_are_found() {
    let house = nodes("", &json!([{"name": "a"}]));
    house.lift(&[]).ends(0, "committed");
    house.put("added.json", json!([{"name": "c", "up": "b"}, {"name": "b", "up": "a"}]).to_string());
    settles(&house, &[]).ends(0, "committed").counts("inserted", "nodes 2").counts("unchanged", "nodes 1");
    assert_eq!(tree(&house), [["a", "-"], ["b", "a"], ["c", "b"]]);
}

/// `a` leads nowhere, which shows when all is read; `b` refers to `a` and is read first, `c` to itself.
fn dangling() -> Value {
    json!([{"name": "b", "up": "a"}, {"name": "a", "up": "x"}, {"name": "c", "up": "c"}])
}

#[test]
fn a_reference_that_leads_nowhere_is_judged_by_its_policy_when_all_is_read() {
    let house = nodes("", &dangling());
    let lifted = settles(&house, &[]).ends(0, "committed").leaves("column 5, ignored 1");
    lifted.finds(&["warning R013 nodes.json /1/up"]);
    assert_eq!(tree(&house), [["a", "-"], ["b", "a"], ["c", "c"]]);

    let house = nodes(", on_dangling = \"null\"", &dangling());
    settles(&house, &[]).ends(0, "committed").leaves("column 5, ignored 1").finds(&[]);
    assert_eq!(tree(&house), [["a", "-"], ["b", "a"], ["c", "c"]]);

    let house = nodes(", on_dangling = \"default\", on_absent = \"null\"", &dangling());
    settles(&house, &[]).ends(0, "committed").leaves("column 5, ignored 1");
    assert_eq!(tree(&house), [["a", "b"], ["b", "a"], ["c", "c"]]);

    // Without its row, what refers to it leads nowhere too.
    let house = nodes(", on_dangling = \"skip\"", &dangling());
    settles(&house, &[]).ends(0, "committed").counts("inserted", "nodes 1");
    assert_eq!(tree(&house), [["c", "c"]]);

    let house = nodes(", on_dangling = \"reject\"", &dangling());
    let lifted = settles(&house, &["--max-rejects", "2"]).ends(1, "committed").leaves("column 2, rejected 4");
    lifted.finds(&["error V001 nodes.json /0/up", "error V001 nodes.json /1/up"]);
    assert_eq!(tree(&house), [["c", "c"]]);
}

#[test]
fn a_reject_that_is_found_late_undoes_the_record_with_all_its_rows() {
    let rules = "[table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\n\
                 [table.tags]\nparent = \"nodes\"\neach = \"tags[*]\"\nkey = [\"name\"]\n[table.tags.columns]\nname = \".\"\n\
                 see = { lookup = \"tags.name\", by = { name = \"@.see\" }, on_dangling = \"reject\" }\n";
    let house = House::new()
        .schema(&format!(
            "{NODES} CREATE TABLE tags (name TEXT PRIMARY KEY NOT NULL, see TEXT REFERENCES tags (name));"
        ))
        .list("nodes", "nodes.json", rules)
        .source(
            "nodes.json",
            &json!([
                {"name": "a", "see": "2", "tags": ["1"]},
                {"name": "b", "see": "nowhere", "tags": ["2", "3"]},
                {"name": "c", "see": "1", "tags": ["4"]},
                {"name": "d", "see": "5", "tags": ["5"]}
            ]),
        );
    let lifted = settles(&house, &["--max-rejects", "3"]).ends(1, "committed").leaves("column 3, rejected 10");
    lifted.finds(&[
        "error V001 nodes.json /0/see",
        "error V001 nodes.json /1/see",
        "error V001 nodes.json /1/see",
        "error V001 nodes.json /2/see",
    ]);
    assert_eq!(house.rows("SELECT nodes.id, tags.name, see FROM nodes JOIN tags"), [["1", "5", "5"]]);
}

#[test]
fn a_long_chain_that_leads_nowhere_is_rejected_whole_wherever_it_begins() {
    let link = |n: u32| json!({"name": format!("n{n:02}"), "up": format!("n{:02}", n + 1)});
    let chain: Vec<Value> = (0..40).map(link).collect();
    for chain in [chain.clone(), chain.into_iter().rev().collect()] {
        let house = nodes(", on_dangling = \"reject\"", &Value::from(chain));
        house.put("other.json", json!([{"name": "a", "up": "b"}, {"name": "b", "up": "a"}]).to_string());
        house.lift(&["--max-rejects", "40"]).ends(1, "committed").leaves("column 4, rejected 80");
        assert_eq!(tree(&house), [["a", "b"], ["b", "a"]]);
    }
}

#[test]
fn a_list_asks_its_next_alternative_where_a_later_row_is_not_there() {
    let rules = "[table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\n\
                 parent = [{ lookup = \"nodes.id\", by = { name = \"up\" } }, { lookup = \"nodes.id\", by = [{ name = \"or\" }, { name = \"last\" }] }]\n\
                 other = { template = \"{name}!\" }\n[ignore]\n\"*\" = \"asked\"\n";
    let house = House::new().schema(NODES).list("nodes", "nodes.json", rules).source(
        "nodes.json",
        &json!([{"name": "a", "up": "x", "or": "c"}, {"name": "b", "up": "x", "or": "y", "last": "c"}, {"name": "c", "up": "a"}]),
    );
    settles(&house, &[]).ends(0, "committed");
    assert_eq!(tree(&house), [["a", "c"], ["b", "c"], ["c", "a"]]);
}

#[test]
fn tables_may_refer_to_each_other_and_must() {
    let teams = "[table.teams]\nkey = [\"name\"]\n[table.teams.columns]\nname = \"name\"\n\
                 lead = { lookup = \"people.id\", by = { name = \"lead\" } }\n";
    let people = "[table.people]\nkey = [\"name\"]\n[table.people.columns]\nname = \"name\"\n\
                  team = { lookup = \"teams.id\", by = { name = \"team\" } }\n";
    let house = House::new()
        .schema(
            "CREATE TABLE teams (id INTEGER PRIMARY KEY, name TEXT UNIQUE, lead INTEGER NOT NULL REFERENCES people (id));
             CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT UNIQUE, team INTEGER NOT NULL REFERENCES teams (id));",
        )
        .list("teams", "teams.json", teams)
        .list("people", "people.json", people)
        .source("teams.json", &json!([{"name": "blue", "lead": "Bob"}, {"name": "red", "lead": "Ann"}]))
        .source("people.json", &json!([{"name": "Ann", "team": "red"}, {"name": "Bob", "team": "blue"}, {"name": "Cy", "team": "red"}]));
    settles(&house, &[]).ends(0, "committed").leaves("column 10").finds(&[]);
    let all = "SELECT people.name, teams.name, leads.name FROM people JOIN teams ON teams.id = people.team
               JOIN people leads ON leads.id = teams.lead ORDER BY 1";
    assert_eq!(house.rows(all), [["Ann", "red", "Ann"], ["Bob", "blue", "Bob"], ["Cy", "red", "Ann"]]);

    // The row of a record that is bad is gone for all that were to find it.
    house.put("people.json", json!([{"name": "Ann", "team": "red"}, {"name": 7, "team": "blue"}]).to_string());
    std::fs::remove_file(house.path(DATABASE)).unwrap();
    let lifted = house.lift(&["--max-rejects", "3"]).ends(1, "committed").leaves("column 4, rejected 4");
    lifted.finds(&[
        "error V001 people.json /1/team",
        "error V001 teams.json /0/lead",
        "error V004 people.json /1/name",
    ]);
    assert_eq!(house.rows("SELECT people.name, teams.name FROM people JOIN teams"), [["Ann", "red"]]);
}

#[test]
fn rows_of_two_owners_may_refer_to_each_other() {
    let notes = "[source]\nfiles = [\"of/{owner}/notes.json\"]\nrecords = \"[*]\"\n[table.notes]\nkey = [\"id\"]\n\
                 [table.notes.columns]\nid = \"id\"\nperson = \"#owner.id\"\nsee = { lookup = \"notes.n\", by = { id = \"see\" } }\n";
    let house = House::new()
        .schema(
            "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL);
             CREATE TABLE notes (n INTEGER PRIMARY KEY, id TEXT UNIQUE, person TEXT NOT NULL REFERENCES people (id),
                see INTEGER REFERENCES notes (n));",
        )
        .set("[owners]\ncapture = \"owner\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\n")
        .list("people", "people.json", "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\n")
        .mapping("notes", notes)
        .source("people.json", &json!([{"id": "ann"}, {"id": "bob"}]))
        .source("of/ann/notes.json", &json!([{"id": "a", "see": "b"}]))
        .source("of/bob/notes.json", &json!([{"id": "b", "see": "a"}, {"id": "c", "see": "c"}]));
    settles(&house, &[]).ends(0, "committed").leaves("column 8").finds(&[]);
    let all = "SELECT one.person, other.person FROM notes one JOIN notes other ON other.n = one.see ORDER BY one.n";
    assert_eq!(house.rows(all), [["ann", "bob"], ["bob", "ann"], ["bob", "bob"]]);
}

#[test]
fn records_that_the_database_rejects_are_no_rows_that_a_lookup_finds() {
    let house =
        nodes("", &json!([{"name": "c", "up": "bad"}, {"name": "bad"}, {"name": "a", "up": "d"}, {"name": "d"}]));
    let house = house.schema(&NODES.replace("other TEXT", "other TEXT, CHECK (name <> 'bad')"));
    let lifted = house.lift(&["--max-rejects", "1"]).ends(1, "committed").leaves("column 4, ignored 1, rejected 1");
    lifted.finds(&["error R009 nodes.json /1", "warning R013 nodes.json /0/up"]);
    assert_eq!(tree(&house), [["a", "d"], ["c", "-"], ["d", "-"]]);
}

#[test]
fn what_decides_about_a_row_sees_what_was_read_before() {
    let rules = "[table.nodes]\nkey = [\"name\"]\nwhen = { not = { exists = \"nodes\", by = { name = \"up\" } } }\n\
                 [table.nodes.columns]\nname = [{ lookup = \"nodes.other\", by = { name = \"alias\" } }, \"name\"]\nother = \"nick\"\n\
                 [ignore]\n\"*\" = \"tested\"\n";
    let house = House::new().schema(NODES).list("nodes", "nodes.json", rules).source(
        "nodes.json",
        &json!([
            {"name": "a", "nick": "A", "up": "b"},
            {"name": "b", "alias": "c", "up": "c"},
            {"name": "c", "up": "a"},
            {"name": "d", "alias": "a"}
        ]),
    );
    house.lift(&[]).ends(0, "committed");
    assert_eq!(house.rows("SELECT name FROM nodes ORDER BY id"), [["a"], ["b"], ["A"]]);
}

#[test]
fn an_import_of_rows_that_refer_to_later_ones_is_undone_and_explained() {
    let house = nodes("", &json!([{"name": "b", "up": "a"}, {"name": "a", "up": "b"}]));
    let run = house.lift(&[]).ends(0, "committed").report()["run_id"].as_str().unwrap().to_owned();
    let source = house.path("tree/nodes.json");
    let told = house.run([
        "explain",
        &format!("{}#/0/up", source.display()),
        "--source",
        "tree",
        "--mappings",
        "set",
        "--json",
    ]);
    let told = told.status(0).json();
    assert_eq!(told["leaves"][0]["goes"][0]["column"], "parent", "{told:#}");
    house.run(["undo", &run, "--database", DATABASE, "--yes"]).status(0);
    assert_eq!(house.one("SELECT count(*) FROM nodes"), "0");
}

#[test]
fn lines_and_records_of_several_turns_are_read_ahead_as_they_are_read() {
    // What a node is tagged with is looked up in a table that the same records make, in a turn before.
    let rules = "[source]\nfiles = [\"{name}.jsonl\"]\nformat = \"lines\"\n\
                 [table.kinds]\nkey = [\"name\"]\non_duplicate = \"first\"\n[table.kinds.columns]\nname = \"kind\"\n\
                 [table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\n\
                 parent = { lookup = \"nodes.id\", by = { name = \"up\" }, on_dangling = \"reject\" }\n\
                 other = { lookup = \"kinds.name\", by = { name = \"as\" }, on_dangling = \"reject\" }\n";
    let kinds = "CREATE TABLE kinds (name TEXT PRIMARY KEY NOT NULL);";
    let house = House::new().schema(&format!("{NODES} {kinds}")).mapping("nodes", rules);
    house.put(
        "a.jsonl",
        "{\"name\": \"c\", \"up\": \"b\", \"kind\": \"k\", \"as\": \"l\"}\n{\"name\": \"x\n\n\
         {\"name\": \"d\", \"up\": \"e\", \"kind\": \"k\", \"as\": \"k\"}\n\
         {\"name\": \"b\", \"up\": \"a\", \"kind\": \"l\", \"as\": \"k\"}\n",
    );
    house.put(
        "b.jsonl",
        "{\"name\": \"e\", \"up\": \"a\", \"kind\": \"m\", \"as\": \"none\"}\n\
         {\"name\": \"a\", \"up\": \"b\", \"kind\": \"l\", \"as\": \"l\"}\n",
    );
    settles(&house, &["--max-rejects", "3"]).ends(1, "committed").finds(&[
        "error J002 a.jsonl /name",
        "error V001 b.jsonl /as",
        "error V001 a.jsonl /up",
    ]);
    assert_eq!(tree(&house), [["a", "b"], ["b", "a"], ["c", "b"]]);
    assert_eq!(house.rows("SELECT name FROM kinds ORDER BY 1"), [["k"], ["l"]]);
}

#[test]
fn columns_of_a_row_that_has_a_name_are_used_everywhere() {
    let rules = "[let]\nup = { lookup = \"nodes\", by = { name = \"up\" } }\n\
                 [table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\nparent = \"=up.id\"\n\
                 other = [{ value = \"its own\", when = { equals = { \"=up.name\" = \"a\" } } }, { template = \"below {=up.name}\" }]\n";
    let house = House::new().schema(NODES).list("nodes", "nodes.json", rules);
    let house = house.source("nodes.json", &json!([{"name": "c", "up": "b"}, {"name": "b", "up": "a"}, {"name": "a"}]));
    settles(&house, &[]).ends(0, "committed").leaves("column 5").finds(&[]);
    let rows = "SELECT name, parent, other FROM nodes ORDER BY name";
    assert_eq!(house.rows(rows), [["a", "NULL", "NULL"], ["b", "3", "its own"], ["c", "2", "below b"]]);
    let unknown = rules.replace("=up.id", "=up.nick");
    house
        .list("nodes", "nodes.json", &unknown)
        .lift(&[])
        .refuses("column `nick` is looked up, and table `nodes` does not have it");
}

#[test]
fn a_lookup_that_two_rules_use_waits_for_later_rows_where_it_can() {
    // A key cannot wait, so the kinds of nodes whose parent is read later are not made; their parents are found all the same.
    let rules = "[let]\nup = { lookup = \"nodes.id\", by = { name = \"up\" }, on_dangling = \"null\" }\n\
                 [table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\nparent = \"=up\"\n\
                 [table.kinds]\nkey = [\"node\"]\n[table.kinds.columns]\nnode = { from = \"=up\", on_absent = \"skip\" }\n";
    let schema = format!("{NODES} CREATE TABLE kinds (node INTEGER PRIMARY KEY);");
    let house = House::new().schema(&schema).list("nodes", "nodes.json", rules);
    let house = house.source("nodes.json", &json!([{"name": "b", "up": "a"}, {"name": "a"}, {"name": "c", "up": "b"}]));
    house.lift(&[]).ends(0, "committed");
    assert_eq!(tree(&house), [["a", "-"], ["b", "a"], ["c", "b"]]);
}

#[test]
fn a_row_whose_secret_is_read_later_is_one_that_others_find() {
    let rules = "[table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\n\
                 parent = { lookup = \"nodes.id\", by = { name = \"up\" }, on_dangling = \"reject\" }\n\
                 sealed = { seal = { lookup = \"nodes.other\", by = { name = \"as\" } } }\nother = \"nick\"\n";
    let house = House::new().schema(&NODES.replace("other TEXT", "other TEXT, sealed TEXT"));
    let house = house.list("nodes", "nodes.json", rules).source(
        "nodes.json",
        &json!([
            {"name": "a", "up": "b", "as": "c"},
            {"name": "b", "up": "a", "as": "c"},
            {"name": "c", "up": "a", "as": "c", "nick": "invented"}
        ]),
    );
    settles(&house, &[]).ends(0, "committed").finds(&["warning X005 nodes.json"]).counts("inserted", "nodes 3");
    assert_eq!(tree(&house), [["a", "b"], ["b", "a"], ["c", "a"]]);
    assert_eq!(house.one("SELECT count(sealed) FROM nodes"), "3");
}

/// Nodes of a forest: name and parent, which may not be there.
fn forest(dice: &mut Dice) -> Vec<(usize, Option<usize>)> {
    let size = 1 + dice.below(12);
    (0..size).map(|node| (node, (dice.below(4) > 0).then(|| dice.below(size + 1)))).collect()
}

#[test]
fn forests_in_any_order_give_the_rows_of_the_sorted_ones() {
    let rules = "[source]\nfiles = [\"{forest}.json\"]\nrecords = \"[*]\"\n[table.nodes]\nkey = [\"forest\", \"name\"]\n[table.nodes.columns]\n\
                 forest = \"#forest\"\nname = \"name\"\n\
                 parent = { lookup = \"nodes.id\", by = { forest = \"#forest\", name = \"up\" }, on_dangling = \"null\" }\n";
    let house = || {
        let schema = "CREATE TABLE nodes (id INTEGER PRIMARY KEY, forest TEXT, name INTEGER, parent INTEGER REFERENCES nodes (id), UNIQUE (forest, name));";
        House::new().schema(schema).mapping("nodes", rules)
    };
    let (sorted, shuffled, mut dice, mut expected) = (house(), house(), Dice::new(12), Vec::new());
    for number in 0..250 {
        let mut nodes = forest(&mut dice);
        let node = |(name, up): &(usize, Option<usize>)| json!({"name": name, "up": up});
        for (name, up) in &nodes {
            let up = up.filter(|up| nodes.iter().any(|(name, _)| name == up));
            let up = up.map_or_else(|| "-".to_owned(), |up| up.to_string());
            expected.push(vec![format!("{number:03}"), name.to_string(), up]);
        }
        let file = format!("{number:03}.json");
        sorted.put(&file, Value::from_iter(nodes.iter().map(node)).to_string());
        (1..nodes.len()).rev().for_each(|at| nodes.swap(at, dice.below(at + 1)));
        shuffled.put(&file, Value::from_iter(nodes.iter().map(node)).to_string());
    }
    let rows = "SELECT a.forest, a.name, coalesce(b.name, '-') FROM nodes a LEFT JOIN nodes b ON b.id = a.parent
                ORDER BY a.forest, a.name";
    let leaves = [&sorted, &shuffled].map(|house| {
        let lifted = settles(house, &[]).ends(0, "committed");
        assert_eq!(house.rows(rows), expected);
        lifted.report()["leaves"].clone()
    });
    assert_eq!(leaves[0], leaves[1]);
}

#[test]
fn the_generated_ids_of_later_rows_of_a_rule_without_a_key_are_found() {
    for words in ["", "key = [\"name\"]\non_duplicate = \"across\"\n"] {
        let rules = format!(
            "[table.nodes]\n{words}[table.nodes.columns]\nname = \"name\"\n\
             parent = {{ lookup = \"nodes.id\", by = {{ name = \"up\" }} }}\n"
        );
        let house = House::new().schema(&NODES.replace(" UNIQUE", "")).list("nodes", "nodes.json", &rules);
        let nodes = json!([{"name": "c", "up": "b"}, {"name": "b", "up": "a"}, {"name": "a"}]);
        let house = house.source("nodes.json", &nodes);
        settles(&house, &[]).ends(0, "committed").leaves("column 5").finds(&[]);
        assert_eq!(tree(&house), [["a", "-"], ["b", "a"], ["c", "b"]], "{words}");
    }
}

#[test]
fn rows_without_a_key_that_refer_to_later_ones_are_found_again_in_a_tree_that_grew() {
    let rules = "[table.nodes]\n[table.nodes.columns]\nname = \"name\"\n\
                 parent = { lookup = \"nodes.id\", by = { name = \"up\" }, on_dangling = \"null\" }\n";
    let house = House::new().schema(&NODES.replace(" UNIQUE", "")).list("nodes", "*.json", rules);
    let nodes = json!([{"name": "c", "up": "b"}, {"name": "b", "up": "c"}, {"name": "a", "up": "gone"}, {"name": "x", "up": "a"}]);
    let house = house.source("nodes.json", &nodes);
    settles(&house, &[]).ends(0, "committed").counts("inserted", "nodes 4");
    house.put(
        "more.json",
        json!([{"name": "e", "up": "f"}, {"name": "d", "up": "a"}, {"name": "f", "up": "c"}]).to_string(),
    );
    settles(&house, &[]).ends(0, "committed").counts("inserted", "nodes 3").counts("unchanged", "nodes 4");
    let expected = [["a", "-"], ["b", "c"], ["c", "b"], ["d", "a"], ["e", "f"], ["f", "c"], ["x", "a"]];
    assert_eq!(tree(&house), expected);
}

#[test]
fn a_chain_that_leads_nowhere_is_rejected_with_all_that_its_records_made_in_other_turns() {
    // In several turns: the same records make the kinds that they look up.
    let rules = "[source]\nfiles = [\"nodes.json\"]\nrecords = \"[*]\"\n\
                 [table.kinds]\nkey = [\"name\"]\non_duplicate = \"first\"\n[table.kinds.columns]\nname = \"kind\"\n\
                 [table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\n\
                 parent = { lookup = \"nodes.id\", by = { name = \"up\" }, on_dangling = \"reject\" }\n\
                 other = { lookup = \"kinds.name\", by = { name = \"as\" }, on_dangling = \"reject\" }\n";
    let kinds = "CREATE TABLE kinds (name TEXT PRIMARY KEY NOT NULL);";
    let node = |at: usize, up: usize| json!({"name": format!("n{at:03}"), "up": format!("n{up:03}"), "kind": format!("k{}", at % 150), "as": "k7"});
    let house = |links| {
        let mut nodes: Vec<Value> = (0..links).map(|at| node(at, at + 1)).collect();
        nodes.extend([node(157, 158), node(158, 157)]);
        let house = House::new().schema(&format!("{NODES} {kinds}")).mapping("nodes", rules);
        house.source("nodes.json", &Value::from(nodes))
    };
    let some = house(20);
    let lifted = settles(&some, &["--max-rejects", "20"]).ends(1, "committed").leaves("column 8, rejected 80");
    let lifted = lifted.counts("inserted", "kinds 2, nodes 2");
    assert_eq!(crate::house::inline::found(&lifted.report()).len(), 20);
    assert_eq!(some.rows("SELECT name FROM kinds ORDER BY 1"), [["k7"], ["k8"]]);
}

/// How often everything is read ahead, and for its rows.
#[derive(Default)]
struct Readings(Mutex<(u32, u32)>);

impl Ui for Readings {
    fn phase(&self, phase: Phase, _: u64, _: u64) {
        let mut readings = self.0.lock().unwrap();
        readings.0 += u32::from(phase == Phase::Ahead);
        readings.1 += u32::from(phase == Phase::Import);
    }
    fn advance(&self, _: u64, _: u64) {}
    fn interrupted(&self) -> Option<i32> {
        None
    }
    fn confirm(&self, _: &str) -> treelift::error::Result<bool> {
        Ok(true)
    }
    fn secret(&self, _: SecretNeed) -> treelift::error::Result<Option<Secret>> {
        Ok(None)
    }
    fn say(&self, _: &str) {}
}

/// How often an import reads everything ahead, and for its rows.
fn readings(house: &House, max_rejects: u64) -> (u32, u32) {
    let options = ImportOptions {
        mappings: Some(house.path("set").to_str().unwrap().to_owned()),
        database: Some(house.path(DATABASE).to_str().unwrap().to_owned()),
        max_rejects,
        no_backup: true,
        reread: true,
        ..ImportOptions::of(house.path("tree"))
    };
    let counted = Readings::default();
    let report = import(&options, &counted).unwrap();
    assert_eq!(report.outcome, Outcome::Committed);
    counted.0.into_inner().unwrap()
}

#[test]
fn a_chain_of_any_length_that_leads_nowhere_is_followed_in_three_readings() {
    for (policy, rejects) in [("reject", 10_000), ("skip", 0)] {
        let link = |n: u32| json!({"name": format!("n{n:05}"), "up": format!("n{:05}", n + 1)});
        let chain: Vec<Value> = (0..10_000).map(link).collect();
        let house = nodes(&format!(", on_dangling = \"{policy}\""), &Value::from(chain));
        house.put("other.json", json!([{"name": "a", "up": "b"}, {"name": "b", "up": "a"}]).to_string());
        for _ in 0..2 {
            // The first one finds all that goes, the second one that the rest have other ids, and the third one no more.
            let (ahead, rows) = readings(&house, rejects);
            assert!(ahead <= 3 && rows == 1, "{policy}: {ahead} readings ahead, {rows} for the rows");
        }
        assert_eq!(tree(&house), [["a", "b"], ["b", "a"]]);
    }
    let house = nodes(", on_dangling = \"reject\"", &json!([{"name": "a", "up": "b"}, {"name": "b", "up": "a"}]));
    assert_eq!(readings(&house, 0), (1, 1));
}

#[test]
fn a_record_that_is_bad_only_while_another_one_is_is_taken_in() {
    // `a` is in the way of `b`, which `c` needs, until it turns out to lead nowhere.
    let rules = "[table.kinds]\nkey = [\"name\"]\n[table.kinds.columns]\nname = \"kind\"\n\
                 [table.nodes]\nkey = [\"name\"]\n[table.nodes.columns]\nname = \"name\"\n\
                 parent = { lookup = \"nodes.id\", by = { name = \"up\" }, on_dangling = \"reject\" }\n\
                 other = { lookup = \"kinds.name\", by = { name = \"as\" }, on_dangling = \"reject\" }\n";
    let kinds = "CREATE TABLE kinds (name TEXT PRIMARY KEY NOT NULL);";
    let node = |name: &str, kind: &str, up: Option<&str>| json!({"name": name, "kind": kind, "up": up, "as": "k"});
    let nodes = json!([node("a", "k", Some("gone")), node("b", "k", None), node("c", "l", Some("b"))]);
    let house = House::new().schema(&format!("{NODES} {kinds}")).list("nodes", "nodes.json", rules);
    let house = house.source("nodes.json", &nodes);
    let lifted = settles(&house, &["--max-rejects", "1"]).ends(1, "committed").leaves("column 8, rejected 4");
    lifted.finds(&["error V001 nodes.json /0/up"]);
    assert_eq!(tree(&house), [["b", "-"], ["c", "b"]]);
}

#[test]
fn rows_that_are_there_only_if_they_are_not_do_not_settle_and_are_named() {
    let rules = "[table.nodes]\nkey = [\"other\"]\n[table.nodes.columns]\nname = \"name\"\nother = \"other\"\n\
                 parent = { lookup = \"nodes.id\", by = { name = \"up\" }, on_dangling = \"reject\" }\n";
    let house = House::new().schema(NODES).list("nodes", "nodes.json", rules);
    let nodes = json!([{"name": "a", "other": "1", "up": "d"}, {"name": "d", "other": "1"}]);
    let lifted = house.source("nodes.json", &nodes).lift(&["--max-rejects", "1"]).ends(1, "rolled-back");
    let report = lifted.report();
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "T009").unwrap();
    assert_eq!(
        found["message"],
        "which rows of `nodes` there are depends on other rows, and does not settle in 100 readings of them"
    );
    assert_eq!((&found["place"]["file"], &found["place"]["pointer"]), (&json!("nodes.json"), &json!("/1")));
}
