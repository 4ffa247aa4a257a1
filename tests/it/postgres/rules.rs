//! Rows that a server rejects, and migrations that it does not run: each is told with its place, and nothing else.

use crate::house::House;
use crate::house::server::Server;
use serde_json::{Value, json};

const ITEM: &str = r#"
    [table.items]
    key = ["id"]
    [table.items.columns]
    id = "id"
    state = "state""#;

const NODE: &str = r#"
    [table.nodes]
    key = ["id"]
    [table.nodes.columns]
    id = "id"
    parent = "parent""#;

const NODES: &str = "CREATE TABLE nodes (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES nodes (id));";

/// What both engines can run; the last lines are for one alone.
const COMMON: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY, state VARCHAR(20) CHECK (state <> 'weird'));
    CREATE UNIQUE INDEX items_state ON items (lower(state)) WHERE state LIKE 'same%';";

const SWALLOW: &str = "
    CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.state = 'gone' THEN RETURN NULL; END IF; IF NEW.state = 'no' THEN RAISE EXCEPTION 'not today'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER guard BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION swallow();";

fn house(sql: &str, items: &Value) -> House {
    let house = House::new().schema(COMMON).list("items", "items.json", ITEM).source("items.json", items);
    let up = format!("-- version: 001\n-- description: tables of a test\n{COMMON}{sql}\n");
    house.file("set/schema/001_test.up.postgresql.sql", up);
    house
}

fn item(id: u64, state: &str) -> Value {
    json!({ "id": id, "state": state })
}

/// 500 items, of which seven are not taken: three by a CHECK, one by an index over an expression, two by a trigger, and
/// one that is swallowed.
fn items() -> Value {
    let state = |id: u64| match id {
        7 | 250 | 499 => "weird".to_owned(),
        20 | 21 => "same".to_owned(),
        100 | 101 => "no".to_owned(),
        300 => "gone".to_owned(),
        id => format!("s{id}"),
    };
    (1..=500).map(|id| item(id, &state(id))).collect()
}

#[test]
fn every_row_that_is_not_taken_is_found_in_one_run_and_can_be_left_out() {
    let server = Server::new();
    let house = house(SWALLOW, &items());
    let lifted = house.lift(&["--database", &server.url]).ends(1, "rolled-back");
    let mut found = crate::house::inline::found(&lifted.report());
    found.sort();
    assert_eq!(
        found,
        [
            "error R002 items.json /20",
            "error R009 items.json /249",
            "error R009 items.json /498",
            "error R009 items.json /6",
            "error R010 items.json /100",
            "error R010 items.json /99",
            "error R012 items.json /299",
        ]
    );
    assert_eq!(server.things(), "0");
    assert!(lifted.report()["findings"].to_string().contains("not today"));
    let lifted = house.lift(&["--database", &server.url, "--max-rejects", "7"]).ends(1, "committed");
    lifted.counts("inserted", "items 493").counts("rejected", "items 7");
    assert_eq!(server.rows("SELECT count(*)::text FROM items"), [["493"]]);
    let again = house.lift(&["--database", &server.url, "--max-rejects", "7", "--no-backup"]).ends(1, "committed");
    again.counts("inserted", "").counts("unchanged", "items 493");
}

#[test]
fn what_a_type_of_the_server_does_not_keep_is_found_and_can_be_left_out() {
    let server = Server::new();
    let big = json!([item(1, "a"), { "id": 3_000_000_000_u64, "state": "b" }, item(2, "c")]);
    let house = house("", &big);
    let lifted = house.lift(&["--database", &server.url]).ends(1, "rolled-back");
    lifted.finds(&["error R011 items.json /1"]);
    house.lift(&["--database", &server.url, "--max-rejects", "1"]).ends(1, "committed").counts("inserted", "items 2");
}

#[test]
fn rows_wait_for_those_that_they_reference_in_tables_that_were_there_before() {
    let server = Server::new();
    let house = House::new().schema(NODES).list("nodes", "*.json", NODE);
    let set = json!([{ "id": 1, "parent": null }]);
    let house = house.source("a.json", &set);
    house.lift(&["--database", &server.url]).ends(0, "committed");
    // Behind 60,000 rows, so that they do not come in one COPY.
    let mut many: Vec<Value> = (10..60_000).map(|id| json!({ "id": id, "parent": 1 })).collect();
    many.insert(0, json!({ "id": 2, "parent": 3 }));
    many.push(json!({ "id": 3, "parent": 1 }));
    let house = house.source("b.json", &Value::from(many));
    house.lift(&["--database", &server.url, "--no-backup"]).ends(0, "committed").counts("inserted", "nodes 59992");
    assert_eq!(server.rows("SELECT parent::text FROM nodes WHERE id = 2"), [["3"]]);
}

#[test]
fn a_reference_that_leads_nowhere_is_told_with_its_place() {
    let server = Server::new();
    let lost = json!([{ "id": 1, "parent": null }, { "id": 2, "parent": 77 }, { "id": 3, "parent": 2 }]);
    let house = House::new().schema(NODES).list("nodes", "*.json", NODE).source("nodes.json", &lost);
    let both = ["error R004 nodes.json /1", "error R004 nodes.json /2"];
    let lifted = house.lift(&["--database", &server.url]).ends(1, "rolled-back");
    assert_eq!(sorted(crate::house::inline::found(&lifted.report())), both, "its child cannot stand either");
    assert_eq!(server.things(), "0");
    // The same where the table was there before, and the server judges each COPY.
    house.put("nodes.json", r#"[{ "id": 1, "parent": null }]"#);
    house.lift(&["--database", &server.url]).ends(0, "committed");
    house.put("nodes.json", lost.to_string());
    let again = house.lift(&["--database", &server.url, "--no-backup"]).ends(1, "rolled-back");
    assert_eq!(sorted(crate::house::inline::found(&again.report())), both);
    assert_eq!(server.rows("SELECT count(*)::text FROM nodes"), [["1"]]);
}

fn sorted(mut all: Vec<String>) -> Vec<String> {
    all.sort();
    all
}

/// What a run says of a migration in the set's file for the server.
fn refused(server: &Server, sql: &str, status: i32) -> String {
    let house = house(sql, &json!([item(1, "a")]));
    let url = server.url.clone();
    let ran = house.import(&house.path("tree"), &["--mappings", "set", "--database", &url, "--no-backup"]);
    ran.status(status).stderr
}

#[test]
fn a_migration_that_would_leave_its_transaction_or_its_schema_is_refused_by_name() {
    let server = Server::new();
    server.run("CREATE SCHEMA app; CREATE TABLE app.users (id integer)");
    let before = server.things();
    for (sql, words) in [
        ("CREATE TABLE a (id INTEGER); COMMIT;", "BEGIN, COMMIT, ROLLBACK or SAVEPOINT"),
        ("ROLLBACK;", "BEGIN, COMMIT, ROLLBACK or SAVEPOINT"),
        ("DROP TABLE app.users;", "reaches `app.users`"),
        ("INSERT INTO app.users VALUES (1);", "reaches `app.users`"),
        ("CREATE TABLE app.more (id integer);", "reaches `app.more`"),
        ("CREATE INDEX CONCURRENTLY i ON items (state);", "CONCURRENTLY"),
        ("CREATE TABLE a (id GEOMETRY);", "type \"geometry\" does not exist"),
    ] {
        let said = refused(&server, sql, 2);
        assert!(said.contains(words) && said.contains("001_test.up.postgresql.sql"), "{sql}: {said}");
        assert_eq!(server.things(), before, "{sql}");
    }
    let said = refused(&server, "\n\nCREATE TABLE a (id INTEGER,,);", 2);
    assert!(said.contains("001_test.up.postgresql.sql:6"), "{said}");
    assert_eq!(server.rows("SELECT count(*)::text FROM app.users"), [["0"]]);
}

#[test]
fn row_level_security_is_refused_and_nothing_is_changed() {
    let server = Server::new();
    let house = house("", &json!([item(1, "a")]));
    house.lift(&["--database", &server.url]).ends(0, "committed");
    let user = format!("rls_{}", std::process::id());
    server.run(&format!(
        "CREATE ROLE {user} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {user}; GRANT CREATE ON SCHEMA public TO {user};
         ALTER TABLE items ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON items USING (id > 100)"
    ));
    let house = house.source("items.json", &json!([item(1, "a"), item(2, "b")]));
    let url = server.url_as(&user);
    let ran = house.import(&house.path("tree"), &["--mappings", "set", "--database", &url, "--no-backup"]).status(3);
    assert!(ran.stderr.contains("row-level security"), "{}", ran.stderr);
    assert_eq!(server.rows("SELECT count(*)::text FROM items"), [["1"]]);
    server.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}

/// A trigger that ends the first of these transactions as a serialisable writer would.
fn in_the_way(times: u32) -> String {
    format!(
        "CREATE SEQUENCE tries;
         CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN IF nextval('tries') <= {times} THEN RAISE EXCEPTION 'busy' USING ERRCODE = '40001'; END IF; RETURN NULL; END $$;
         CREATE CONSTRAINT TRIGGER busy AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
         FOR EACH ROW EXECUTE FUNCTION busy()"
    )
}

#[test]
fn a_run_that_another_program_was_in_the_way_of_begins_again_three_times_at_most() {
    for (times, status) in [(2, 0), (100, 3)] {
        let server = Server::new();
        let house = house("", &json!([item(1, "a")]));
        house.lift(&["--database", &server.url]).ends(0, "committed");
        server.run(&in_the_way(times));
        let house = house.source("items.json", &json!([item(1, "a"), item(2, "b")]));
        let url = server.url.clone();
        let report = house.path("report.json");
        let file = report.to_str().unwrap();
        let arguments = ["--mappings", "set", "--database", &url, "--no-backup", "--report", file];
        let ran = house.import(&house.path("tree"), &arguments).status(status);
        let again = ran.stderr.matches("the import begins again").count();
        let (runs, items) = if status == 0 { ("2", "2") } else { ("1", "1") };
        assert_eq!(again, if status == 0 { 2 } else { 3 }, "{}", ran.stderr);
        assert_eq!(server.rows("SELECT count(*)::text FROM treelift_runs"), [[runs]]);
        assert_eq!(server.rows("SELECT count(*)::text FROM items"), [[items]]);
        assert_eq!(ran.stderr.contains("another program wrote at the same time"), status == 3);
        if status == 0 {
            let report: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
            assert_eq!(report["outcome"], "committed", "one report, and not two");
        }
    }
}

#[test]
fn what_a_trigger_says_of_a_row_with_any_code_is_not_shown_and_rejects_that_row_alone() {
    for code in ["insufficient_privilege", "feature_not_supported", "undefined_function", "AB123"] {
        let server = Server::new();
        let guard = format!(
            "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF NEW.state LIKE 'canary%' THEN RAISE EXCEPTION 'no %', NEW.state USING ERRCODE = '{code}'; END IF;
             RETURN NEW; END $$;
             CREATE TRIGGER guard BEFORE INSERT ON items FOR EACH ROW EXECUTE FUNCTION guard();"
        );
        let house = house(&guard, &json!([item(1, "a"), item(2, "canary"), item(3, "c")]));
        let lifted = house.lift(&["--database", &server.url]).ends(1, "rolled-back");
        let lifted = lifted.finds(&["error R010 items.json /1"]);
        assert!(!lifted.words().contains("canary"), "{code}: {}", lifted.words());
        assert!(!lifted.report()["findings"].to_string().contains("canary"), "{code}");
        house
            .lift(&["--database", &server.url, "--max-rejects", "1"])
            .ends(1, "committed")
            .counts("inserted", "items 2");
    }
}

#[test]
fn a_reference_that_leads_nowhere_has_its_place_beside_what_is_made_after_the_rows_and_where_it_may_wait() {
    let lost = json!([{ "id": 1, "parent": null }, { "id": 2, "parent": 77 }]);
    let late = Server::new();
    let house = House::new().schema(NODES).list("nodes", "*.json", NODE).source("nodes.json", &lost);
    house.file(
        "set/schema/002_late.up.sql",
        "-- version: 002\n-- after: rows\nCREATE INDEX nodes_parent ON nodes (parent);",
    );
    house.file("set/schema/002_late.down.sql", "DROP INDEX nodes_parent;");
    let found = crate::house::inline::found(&house.lift(&["--database", &late.url]).ends(1, "rolled-back").report());
    // The index is not made any more, since nothing will be committed.
    assert_eq!(found.iter().filter(|one| one.starts_with("error")).collect::<Vec<_>>(), ["error R004 nodes.json /1"]);
    // The application's own tables, whose references it lets wait.
    let waits = Server::new();
    waits.run(&NODES.replace("nodes (id));", "nodes (id) DEFERRABLE INITIALLY DEFERRED);"));
    let house = House::new().schema(NODES).list("nodes", "*.json", NODE).source("nodes.json", &lost);
    let lifted = house.lift(&["--database", &waits.url, "--no-backup"]).ends(1, "rolled-back");
    lifted.finds(&["error R004 nodes.json /1"]);
}

#[test]
fn a_sequence_that_no_column_owns_is_moved_on_and_what_a_migration_sets_is_for_itself_alone() {
    let server = Server::new();
    let sql = "CREATE SEQUENCE own; ALTER TABLE items ALTER id SET DEFAULT nextval('own');
        SET TIME ZONE 'America/New_York'; SELECT pg_catalog.set_config('search_path', '', false);";
    let house = house(sql, &json!([item(1, "a"), item(7, "b")]));
    house.file("set/schema/002_more.up.sql", "CREATE TABLE more (id INTEGER PRIMARY KEY);");
    house.lift(&["--database", &server.url]).ends(0, "committed").counts("inserted", "items 2");
    assert_eq!(server.rows("SELECT nextval('own')::text"), [["8"]]);
    assert_eq!(server.rows("SELECT count(*)::text FROM more"), [["0"]]);
    let url = &server.url;
    house.run(["schema", "validate", "--mappings", "set", "--database", url]).status(0);
}
