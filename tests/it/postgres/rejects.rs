//! Rows that a server rejects by rules of its own, whenever it judges them: each is told with its place in one run, and
//! the rest can be committed without it, and rejected again by a second import.

use crate::house::inline::found;
use crate::house::server::Server;
use crate::house::{House, findings};
use crate::promises::again::repeat_laws;
use serde_json::{Value, json};

/// A table whose rows reference each other, and what else may reject one.
const NODES: &str =
    "CREATE TABLE nodes (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES nodes (id), label VARCHAR(20));";

const NODE: &str = r#"
    [table.nodes]
    key = ["id"]
    [table.nodes.columns]
    id = "id"
    parent = "parent"
    label = "label""#;

fn node(id: u64, parent: Option<u64>, label: &str) -> Value {
    json!({ "id": id, "parent": parent, "label": label })
}

/// A house whose set has other SQL for the server.
fn house(common: &str, server: &str) -> House {
    let house = House::new().schema(common);
    house.file(
        "set/schema/001_test.up.postgresql.sql",
        format!("-- version: 001\n-- description: tables of a test\n{server}\n"),
    );
    house
}

fn nodes(more: &str) -> House {
    house(NODES, &format!("{NODES}{more}")).list("nodes", "*.json", NODE)
}

fn sorted(mut all: Vec<String>) -> Vec<String> {
    all.sort();
    all
}

/// Everything at once, as an operator meets it.
#[test]
fn three_checks_a_unique_expression_a_swallowing_trigger_and_a_dangling_key_in_one_tree() {
    let guards = "ALTER TABLE nodes ADD CHECK (label <> 'weird'); CREATE UNIQUE INDEX ON nodes (lower(label));
        CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.label = 'gone' THEN RETURN NULL; END IF; RETURN NEW; END $$;
        CREATE TRIGGER swallow BEFORE INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION swallow();";
    let tree: Value = (1..=500)
        .map(|id| match id {
            7 | 250 | 499 => node(id, Some(1), "weird"),
            21 => node(id, Some(1), "L20"),
            300 => node(id, Some(1), "gone"),
            400 => node(id, Some(9_999), "lost"),
            id => node(id, (id > 1).then_some(1), &format!("l{id}")),
        })
        .collect();
    let house = nodes(guards).source("nodes.json", &tree);
    let server = Server::new();
    let expected = [
        "error R002 nodes.json /20",
        "error R004 nodes.json /399",
        "error R009 nodes.json /249",
        "error R009 nodes.json /498",
        "error R009 nodes.json /6",
        "error R012 nodes.json /299",
    ];
    let lifted = house.lift(&["--database", &server.url]).ends(1, "rolled-back");
    assert_eq!(sorted(found(&lifted.report())), expected);
    assert!(findings(&lifted.report()).iter().all(|(_, _, place)| place.starts_with("nodes.json:1:")));
    assert_eq!(server.things(), "0");
    let allowed = ["--database", &server.url, "--max-rejects", "6"];
    let lifted = house.lift(&allowed).ends(1, "committed").counts("inserted", "nodes 494");
    assert_eq!(sorted(found(&lifted.report())), expected);
    assert_eq!(server.rows("SELECT count(*)::text FROM nodes"), [["494"]]);
    // The table was there before now: its references are judged by each COPY.
    let again = house.lift(&[&allowed[..], &["--no-backup"]].concat()).ends(1, "committed");
    let again = again.counts("inserted", "").counts("updated", "").counts("unchanged", "nodes 494");
    assert_eq!(sorted(found(&again.report())), expected);
}

/// A thread whose root is missing goes as a whole, in one run, on every engine.
#[test]
fn rows_that_reference_a_row_which_dangles_are_rejected_with_it() {
    let tree: Value =
        (1..=30).map(|id| node(id, (id > 10).then_some(if id == 11 { 77 } else { id - 1 }), "x")).collect();
    for is_there in [false, true] {
        let server = Server::new();
        for database in ["sqlite:///./lost.db", &server.url] {
            let house = nodes("").source("nodes.json", &json!([node(100, None, "x")]));
            if is_there {
                house.lift(&["--database", database]).ends(0, "committed");
            }
            let house = house.source("nodes.json", &tree);
            let told = ["--database", database, "--no-backup"];
            let expected: Vec<String> = (10..30).map(|at| format!("error R004 nodes.json /{at}")).collect();
            let lifted = house.lift(&told).ends(1, "rolled-back");
            assert_eq!(sorted(found(&lifted.report())), sorted(expected), "{database}");
            let most = [&told[..], &["--max-rejects", "20"]].concat();
            house.lift(&most).ends(1, "committed").counts("inserted", "nodes 10").counts("rejected", "nodes 20");
            let again = house.lift(&most).ends(1, "committed");
            again.counts("inserted", "").counts("updated", "").counts("unchanged", "nodes 10");
        }
    }
}

#[test]
fn a_row_that_waited_and_is_rejected_then_has_its_place_and_can_be_left_out() {
    let server = Server::new();
    let house = nodes("CREATE UNIQUE INDEX ON nodes (lower(label));").source("a.json", &json!([node(1, None, "a")]));
    house.lift(&["--database", &server.url]).ends(0, "committed");
    // It waits for the last one; meanwhile another one takes its label.
    let mut tree = vec![node(10, Some(2_000), "taken")];
    tree.extend((1_000..1_600).map(|id| node(id, None, &format!("l{id}"))));
    tree.extend([node(11, None, "TAKEN"), node(2_000, None, "last")]);
    house.put("b.json", Value::from(tree).to_string());
    let all = ["--database", &server.url, "--no-backup"];
    let lifted = house.lift(&all).ends(1, "rolled-back").finds(&["error R002 b.json /0"]);
    assert!(lifted.report()["findings"][0]["message"].as_str().unwrap().contains("is unique in the database"));
    let most = [&all[..], &["--max-rejects", "1"]].concat();
    house.lift(&most).ends(1, "committed").counts("inserted", "nodes 602");
    assert_eq!(server.rows("SELECT id::text FROM nodes WHERE lower(label) = 'taken'"), [["11"]]);
}

#[test]
fn tables_that_were_there_take_rows_that_reference_each_other_in_a_circle() {
    const PAIR: &str = "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER REFERENCES b (id));
        CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a (id));";
    const OF_SERVER: &str = "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER);
        CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a (id));
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id);";
    let server = Server::new();
    let rule = |table: &str, other: &str| {
        let found = format!("{{ lookup = \"{other}.id\", by = {{ id = \"{other}\" }} }}");
        format!("[table.{table}]\nkey = [\"id\"]\n[table.{table}.columns]\nid = \"id\"\n{other} = {found}\n")
    };
    let house = house(PAIR, OF_SERVER)
        .list("a", "a.json", &rule("a", "b"))
        .list("b", "b.json", &rule("b", "a"))
        .source("a.json", &json!([{ "id": 1, "b": null }]))
        .source("b.json", &json!([]));
    house.lift(&["--database", &server.url, "--allow-empty"]).ends(0, "committed");
    let house = house
        .source("a.json", &json!([{ "id": 1, "b": null }, { "id": 2, "b": 20 }, { "id": 3, "b": 21 }]))
        .source("b.json", &json!([{ "id": 20, "a": 2 }, { "id": 21, "a": 2 }]));
    let all = ["--database", &server.url, "--no-backup"];
    house.lift(&[&all[..], &["--dry-run"]].concat()).ends(0, "dry-run").counts("inserted", "a 2, b 2");
    // Who does not own the tables cannot have their references judged later.
    let user = format!("plain_{}", std::process::id());
    server.run(&format!(
        "CREATE ROLE {user} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {user};
         GRANT CREATE ON SCHEMA public TO {user}; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {user}"
    ));
    let url = server.url_as(&user);
    let lifted = house.lift(&["--database", &url, "--no-backup"]).ends(1, "rolled-back");
    assert!(found(&lifted.report()).contains(&"error R004 a.json /1".to_owned()));
    server.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
    house.lift(&all).ends(0, "committed").counts("inserted", "a 2, b 2");
    assert_eq!(
        server.rows("SELECT a.b::text, b.a::text FROM a JOIN b ON b.id = a.b ORDER BY a.id"),
        [["20", "2"], ["21", "2"]]
    );
    let deferrable = "SELECT count(*)::text FROM pg_constraint WHERE contype = 'f' AND condeferrable";
    assert_eq!(server.rows(deferrable), [["0"]], "the references are again what they were");
    house.run(["schema", "validate", "--mappings", "set", "--database", &server.url]).status(0);
}

#[test]
fn a_trigger_that_judges_at_the_commit_refuses_a_dry_run_as_well() {
    let server = Server::new();
    let late = "CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.label = 'late' THEN RAISE EXCEPTION 'no %', NEW.label; END IF; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON nodes DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION late();";
    let house = nodes(late).source("nodes.json", &json!([node(1, None, "a"), node(2, None, "late")]));
    for (more, outcome) in [(&["--dry-run"][..], "dry-run"), (&[], "rolled-back")] {
        let lifted = house.lift(&[&["--database", &server.url], more].concat()).ends(1, outcome);
        assert_eq!(found(&lifted.report()), ["error R010"]);
        assert!(!lifted.report()["findings"].to_string().contains("no late"));
        assert_eq!(server.things(), "0");
    }
}

#[test]
fn a_row_of_a_partitioned_table_is_told_by_the_name_of_the_table() {
    let server = Server::new();
    let common = "CREATE TABLE parts (id INTEGER CHECK (id < 100), year INTEGER, PRIMARY KEY (id, year));";
    let parted = "CREATE TABLE parts (id INTEGER CHECK (id < 100), year INTEGER, PRIMARY KEY (id, year)) PARTITION BY RANGE (year);
        CREATE TABLE parts_25 PARTITION OF parts FOR VALUES FROM (2025) TO (2026);";
    let rule = "[table.parts]\nkey = [\"id\", \"year\"]\n[table.parts.columns]\nid = \"id\"\nyear = \"year\"\n";
    let part = |id: u64, year: u64| json!({ "id": id, "year": year });
    let house = house(common, parted).list("parts", "parts.json", rule);
    let tree = json!([part(1, 2025), part(100, 2025), part(2, 2031), part(3, 2025)]);
    let house = house.source("parts.json", &tree);
    let lifted = house.lift(&["--database", &server.url, "--max-rejects", "2"]).ends(1, "committed");
    let lifted = lifted.counts("inserted", "parts 2");
    let report = lifted.report();
    assert_eq!(sorted(found(&report)), ["error R009 parts.json /1", "error R011 parts.json /2"]);
    let words = report["findings"].to_string();
    assert!(words.contains("CHECK constraint `id < 100` rejected a row of `parts`"), "{words}");
    assert!(words.contains("no partition") && !words.contains("parts_25"), "{words}");
    let again = house.lift(&["--database", &server.url, "--max-rejects", "2", "--no-backup"]).ends(1, "committed");
    again.counts("inserted", "").counts("unchanged", "parts 2");
}

/// `CHAR` pads what it keeps, so no rule writes it; and `REAL` holds less than a number may say.
#[test]
fn padded_text_is_left_to_the_application_and_an_update_rounds_no_number() {
    let server = Server::new();
    let sql = "CREATE TABLE codes (code VARCHAR(6) PRIMARY KEY, parent VARCHAR(6) REFERENCES codes (code), note CHAR(4) DEFAULT 'n', size REAL);";
    let rule = |more: &str, columns: &[&str]| {
        let columns: String = columns.iter().map(|column| format!("{column} = \"{column}\"\n")).collect();
        format!("[table.codes]\nkey = [\"code\"]\n{more}[table.codes.columns]\n{columns}")
    };
    let house = house(sql, sql)
        .set("[precedence]\ncodes = [\"codes\", \"sizes\"]\n")
        .list("codes", "codes.json", &rule("", &["code", "parent"]))
        .list("sizes", "sizes.json", &rule("on_duplicate = \"fill\"\n", &["code", "size"]))
        .source("codes.json", &json!([{ "code": "ab", "parent": null }, { "code": "cd", "parent": "ab" }]))
        .source("sizes.json", &json!([]));
    house.lift(&["--database", &server.url]).ends(0, "committed");
    let all = ["--database", &server.url, "--no-backup"];
    house.lift(&all).ends(0, "committed").counts("unchanged", "codes 2").counts("inserted", "").counts("updated", "");
    house.put(
        "sizes.json",
        json!([{ "code": "ab", "size": 0.5 }, { "code": "cd", "size": 0.123456789012 }]).to_string(),
    );
    house.lift(&all).ends(1, "rolled-back").finds(&["error R011 sizes.json /1"]);
    let most = [&all[..], &["--max-rejects", "1"]].concat();
    house.lift(&most).ends(1, "committed").counts("updated", "codes 1");
    let rows = "SELECT code::text, parent::text, note::text, size::text FROM codes ORDER BY code";
    assert_eq!(server.rows(rows), [["ab", "NULL", "n", "0.5"], ["cd", "ab", "n", "NULL"]]);
    house.lift(&most).ends(1, "committed").counts("updated", "").counts("unchanged", "codes 2");
    let house = house.list("codes", "codes.json", &rule("", &["code", "parent", "note"]));
    house.lift(&all).refuses("`codes.note` is `CHAR(4)`, a type that treelift does not know, and a rule writes it");
}

/// Nothing names a row of a table without a key but its place, which another row may take over.
#[test]
fn rows_without_a_key_are_known_again_where_places_were_freed_and_taken() {
    let server = Server::new();
    let sql = "CREATE TABLE said (who TEXT, what TEXT);";
    let rule = "[table.said.columns]\nwho = \"who\"\nwhat = \"what\"\n";
    let said = |id: u64| json!({ "who": format!("p{}", id % 3), "what": format!("w{}", id % 7) });
    let tree: Value = (0..60).map(said).collect();
    let house = house(sql, sql).list("said", "said.json", rule).source("said.json", &tree);
    house.lift(&["--database", &server.url]).ends(0, "committed").counts("inserted", "said 60");
    // Others are written where the first half of them was.
    server.run("DELETE FROM said WHERE ctid < '(0,31)'");
    server.run("VACUUM said");
    server.run("INSERT INTO said SELECT 'another', 'w' || n FROM generate_series(1, 10) n");
    let all = ["--database", &server.url, "--no-backup"];
    house.lift(&all).ends(0, "committed").counts("inserted", "said 30").counts("unchanged", "said 30");
    assert_eq!(server.rows("SELECT count(*)::text FROM said"), [["70"]]);
    house.lift(&all).ends(0, "committed").counts("inserted", "").counts("unchanged", "said 60");
}

/// Whether the first import into a server was committed; then the second one says and leaves what the first one did.
fn repeats_on_server(seed: u64) -> Result<bool, String> {
    let (house, schema, words) = repeat_laws::house(seed);
    let counted = schema.replace("id INTEGER PRIMARY KEY", "id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY");
    let up = format!("-- version: 001\n-- description: tables of a test\n{counted}\n");
    house.file("set/schema/001_test.up.postgresql.sql", up);
    let server = Server::new();
    let rows = |table: &str| server.rows(&format!("SELECT one::text FROM {table} AS one ORDER BY 1"));
    let dump = || ["kinds", "t", "parts"].map(|table| (table.to_owned(), rows(table))).into();
    repeat_laws::repeats(&house, &words, &["--no-backup", "--database", &server.url], &dump)
}

#[test]
fn a_second_import_into_a_server_rejects_what_the_first_one_rejected() {
    repeat_laws::check(0..10, &repeats_on_server);
}
