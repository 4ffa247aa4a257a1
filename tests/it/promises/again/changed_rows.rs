//! Rows that are in the database already and that the source changed: refused, kept or updated, and taken back.

use crate::commands::undo::TABLES;
use crate::house::site::{Site, on_every_engine};
use crate::house::{House, KEY_FILE};
use serde_json::{Value, json};

const PEOPLE: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    name = "name"
    mail = "mail"
    paid = "paid"
    [table.notes]
    each = "notes[*]"
    parent = "people"
    [table.notes.columns]
    owner = "^id"
    title = ".""#;

/// It does not give the name, which is NOT NULL: it cannot start a row.
const STATES: &str = r#"
    [table.people]
    key = ["id"]
    on_duplicate = "fill"
    [table.people.columns]
    id = "id"
    mail = "mail""#;

const SET: &str = "[precedence]\npeople = [\"people\", \"mails\"]\n";

fn people(paid: [f64; 6]) -> Value {
    let name = |at: usize| ["Ann", "Bob", "Cid", "Dee", "Eve", "Fay"][at];
    let person =
        |(at, paid): (usize, &f64)| json!({"id": at.to_string(), "name": name(at), "paid": paid, "notes": ["x"]});
    Value::from_iter(paid.iter().enumerate().map(person))
}

pub(crate) fn house() -> House {
    House::new()
        .schema(TABLES)
        .set(SET)
        .list("people", "people.json", PEOPLE)
        .list("mails", "mails.json", STATES)
        .source("people.json", &people([1.5; 6]))
        .source("mails.json", &json!([{"id": "2", "mail": "cid@a.example"}]))
}

/// Imports the tree as it is, with these arguments.
fn lift(site: &Site, more: &[&str]) -> Value {
    let all = [&["--database", site.name(), "--no-backup"], more].concat();
    site.house.lift(&all).ends(0, "committed").report()
}

fn counts(report: &Value, table: &str) -> Vec<u64> {
    let tables = report["tables"].as_array().unwrap();
    let table = tables.iter().find(|one| one["name"] == table).unwrap();
    let kinds = ["inserted", "updated", "unchanged", "kept", "gone", "rejected"];
    kinds.iter().map(|kind| table[*kind].as_u64().unwrap_or(0)).collect()
}

fn messages(report: &Value, code: &str) -> Vec<String> {
    let all = report["findings"].as_array().unwrap().iter().filter(|one| one["code"] == code);
    all.map(|one| one["message"].as_str().unwrap().to_owned()).collect()
}

fn id(report: &Value) -> &str {
    report["run_id"].as_str().unwrap()
}

const PAID: &str = "SELECT CAST(paid AS TEXT) FROM people ORDER BY id";

#[test]
fn an_update_changes_what_the_source_changed_and_nobody_edited_and_is_taken_back() {
    on_every_engine(house, |site| {
        let first = lift(site, &[]);
        let after_first = site.content();
        site.sql(
            "UPDATE people SET paid = 9 WHERE id = '4'; INSERT INTO people (id, name, paid) VALUES ('5x', 'Own', 1)",
        );
        let edited = site.content();
        site.house.put("people.json", people([1.5, 2.5, 3.5, 4.5, 5.5, 6.5]).to_string());
        let dry = site
            .house
            .lift(&["--database", site.name(), "--existing", "update", "--dry-run"])
            .ends(0, "dry-run")
            .report();
        let second = lift(site, &["--existing", "update"]);
        assert_eq!((&dry["tables"], &dry["findings"]), (&second["tables"], &second["findings"]));
        assert_eq!(counts(&second, "people"), [0, 4, 1, 1, 0, 0]);
        assert_eq!(counts(&second, "notes"), [0, 0, 6, 0, 0, 0]);
        assert_eq!(
            messages(&second, "R017"),
            [
                "the database's row of `people` with this key is kept: it differs in `paid` (database \"9\", source \"5.5\"), and it was edited since an import wrote it"
            ]
        );
        let paid = |all: [&str; 7]| all.map(|one| vec![one.to_owned()]);
        let expected = paid(
            site.either("1.5 2.5 3.5 4.5 9 1 6.5", "1.50 2.50 3.50 4.50 9.00 6.50 1.00")
                .split(' ')
                .collect::<Vec<_>>()
                .try_into()
                .unwrap(),
        );
        let mut rows = site.rows(PAID);
        let mut expected = expected.to_vec();
        rows.sort();
        expected.sort();
        assert_eq!(rows, expected);

        // Once more: nothing to do but what stays listed.
        let third = lift(site, &["--existing", "update"]);
        assert_eq!(counts(&third, "people"), [0, 0, 5, 1, 0, 0]);

        // A change of a row that was updated before is still one that nobody edited.
        site.house.put("people.json", people([1.5, 2.75, 3.5, 4.5, 5.5, 6.5]).to_string());
        let fourth = lift(site, &["--existing", "update"]);
        assert_eq!(counts(&fourth, "people"), [0, 1, 4, 1, 0, 0]);

        site.refuses(id(&second), &["wrote into 1 row of this one: undo that run first"]);
        site.undo(id(&fourth), &[]).status(0);
        let dry = site.undo(id(&second), &["--dry-run"]).status(0).stdout;
        assert!(dry.contains("people: 4 rows to give earlier values back\n"), "{dry}");
        site.undo(id(&second), &[]).status(0);
        assert_eq!(site.content(), edited);
        site.sql("UPDATE people SET paid = 1.5 WHERE id = '4'; DELETE FROM people WHERE id = '5x'");
        assert_eq!(site.content(), after_first);
        site.undo(id(&first), &[]).status(0);
        assert_eq!((site.count("people"), site.count("treelift_rows"), site.count("treelift_earlier")), (0, 0, 0));
    });
}

#[test]
fn a_row_that_was_edited_after_an_update_is_taken_back_only_by_force() {
    on_every_engine(house, |site| {
        lift(site, &[]);
        let first = site.content();
        site.house.put("people.json", people([2.5; 6]).to_string());
        let second = lift(site, &["--existing", "update"]);
        assert_eq!(counts(&second, "people"), [0, 6, 0, 0, 0, 0]);
        site.sql("UPDATE people SET paid = 7 WHERE id = '3'");
        site.refuses(id(&second), &["1 row of `people` was changed after the run (3)"]);
        if site.is_file() {
            let refused = site.undo(id(&second), &["--force-edited", "--no-backup"]).status(2);
            assert!(refused.stderr.contains("`--force-edited` undoes edits too"), "{}", refused.stderr);
            let done = site.undo(id(&second), &["--force-edited"]).status(0).stdout;
            assert!(done.contains("people: 6 rows given earlier values back, 1 row edited since\n"), "{done}");
            assert!(site.house.backups().exists());
            assert_eq!(site.content(), first);
        }
    });
}

#[test]
fn rows_are_kept_where_that_is_asked_for_and_their_children_go_on() {
    on_every_engine(house, |site| {
        lift(site, &[]);
        site.house
            .put("people.json", json!([{"id": "0", "name": "Ann", "paid": 3, "notes": ["x", "new"]}]).to_string());
        let refused = site.house.lift(&["--database", site.name()]).ends(1, "rolled-back");
        refused.finds(&["error R003 people.json", "error R003 people.json /0"]);
        let report = lift(site, &["--existing", "keep"]);
        // Of the other people nothing is given any more, but for one whose mail is.
        assert_eq!(counts(&report, "people"), [0, 0, 1, 1, 4, 0]);
        assert_eq!(counts(&report, "notes"), [1, 0, 1, 0, 5, 0]);
        let gone = messages(&report, "R018");
        assert_eq!(gone.len(), 2, "{gone:?}");
        assert!(gone[1].starts_with("4 rows of `people` that an earlier import wrote are not given by the source any more: 1 (people.json, byte "), "{gone:?}");
        assert_eq!(site.rows(PAID)[0], [site.either("1.5", "1.50")]);
        let ignored = report["ignored"].as_array().unwrap();
        let kept = ignored.iter().find(|one| one["reason"] == "the database's row was kept").unwrap();
        assert_eq!((&kept["what"], &kept["leaves"]), (&json!("people.people"), &json!(3)));
    });
}

#[test]
fn a_rule_says_what_happens_and_refuse_goes_before_it() {
    let rules = PEOPLE.replacen("key = [\"id\"]", "key = [\"id\"]\n    on_existing = \"update\"", 1);
    let house =
        House::new().schema(TABLES).list("people", "people.json", &rules).source("people.json", &people([1.5; 6]));
    house.lift(&[]).ends(0, "committed");
    house.put("people.json", people([2.5; 6]).to_string());
    let refused = house.lift(&["--existing", "refuse"]).ends(1, "rolled-back").report();
    assert!(messages(&refused, "R003").iter().any(|one| one.contains("differs in `paid`")), "{refused}");
    house.lift(&["--existing", "keep"]).ends(0, "committed").counts("updated", "people 6");
}

fn logins(pin: &str) -> Value {
    json!([{"id": "ann", "pin": pin}, {"id": "bob", "pin": "never-changed-7"}])
}

/// A house with two logins, each with a sealed secret or none.
fn login_house() -> House {
    let rules = r#"
        [table.logins]
        key = ["id"]
        [table.logins.columns]
        id = "id"
        pin = { seal = "pin", on_absent = "null" }"#;
    House::new()
        .schema("CREATE TABLE logins (id TEXT PRIMARY KEY NOT NULL, pin TEXT);")
        .list("logins", "logins.json", rules)
        .source("logins.json", &logins("first-secret-1"))
}

#[test]
fn a_secret_that_gave_way_to_none_is_put_back_under_the_keys_of_later_days() {
    on_every_engine(login_house, |site| {
        let with_key = ["--database", site.name(), "--key-file", KEY_FILE];
        let credentials = |command: &str, more: &[&str]| {
            site.house.run([&["credentials", command], &with_key[..], more].concat()).status(0);
        };
        lift(site, &[]);
        site.house.put("logins.json", json!([{"id": "ann"}, {"id": "bob", "pin": "never-changed-7"}]).to_string());
        let second = lift(site, &["--existing", "update"]);
        assert_eq!(counts(&second, "logins"), [0, 1, 1, 0, 0, 0]);
        assert_eq!(site.rows("SELECT pin FROM logins WHERE id = 'ann'"), [["NULL"]]);
        credentials("rotate", &["--yes", "--no-backup"]);
        site.undo(id(&second), &["--key-file", KEY_FILE]).status(0);
        credentials("verify", &[]);
        site.house.put("logins.json", logins("first-secret-1").to_string());
        assert_eq!(counts(&lift(site, &[]), "logins"), [0, 0, 2, 0, 0, 0]);
    });
}

#[test]
fn a_secret_that_somebody_changed_in_the_database_is_not_updated() {
    on_every_engine(login_house, |site| {
        lift(site, &[]);
        site.sql("UPDATE logins SET pin = NULL WHERE id = 'ann'");
        let again = lift(site, &["--existing", "update"]);
        assert_eq!(counts(&again, "logins"), [0, 0, 1, 1, 0, 0]);
        assert!(
            messages(&again, "R017")[0].contains("its sealed value is not the one that an import wrote"),
            "{again}"
        );
        assert_eq!(site.rows("SELECT pin FROM logins WHERE id = 'ann'"), [["NULL"]]);
    });
}

#[test]
fn a_secret_that_an_update_replaced_is_rotated_with_the_others_and_put_back() {
    on_every_engine(login_house, |site| {
        let with_key = ["--database", site.name(), "--key-file", KEY_FILE];
        lift(site, &[]);
        let registered = site.rows("SELECT table_name FROM treelift_sealed_columns ORDER BY table_name");
        site.house.put("logins.json", logins("second-secret-2").to_string());
        let second = lift(site, &["--existing", "update"]);
        assert_eq!(counts(&second, "logins"), [0, 1, 1, 0, 0, 0]);
        assert_eq!(
            site.rows("SELECT table_name FROM treelift_sealed_columns ORDER BY table_name").len(),
            registered.len() + 1
        );
        let credentials = |command: &str, more: &[&str]| {
            site.house.run([&["credentials", command], &with_key[..], more].concat()).status(0);
        };
        credentials("verify", &[]);
        credentials("rotate", &["--yes", "--no-backup"]);
        credentials("verify", &[]);
        let sealed = site.rows("SELECT sealed, value FROM treelift_earlier");
        assert_eq!((sealed.len(), sealed[0][1].as_str()), (1, "NULL"));
        let status = site.house.run(["credentials", "status", "--json", "--database", site.name()]).stdout;
        assert!(status.contains("treelift_earlier"), "{status}");

        treelift::secret::key_file::new_key_file(&site.house.path("other.key")).unwrap();
        let rows = site.rows("SELECT pin FROM logins ORDER BY id");
        // A dry run needs the key that the real one needs.
        for more in [&[][..], &["--dry-run"]] {
            let without = site.undo(id(&second), more).status(2).stderr;
            assert!(without.contains("1 sealed value must be sealed for"), "{without}");
            assert!(without.contains("error: a passphrase or key is needed"), "{without}");
            let wrong = site.undo(id(&second), &[more, &["--key-file", "other.key"]].concat()).status(3).stderr;
            assert!(wrong.contains("does not open key"), "{wrong}");
        }
        let dry = site.undo(id(&second), &["--dry-run", "--key-file", KEY_FILE]).status(0);
        assert!(dry.last_line().starts_with("dry run: 1 row of run "), "{}", dry.stdout);
        assert_eq!(site.rows("SELECT pin FROM logins ORDER BY id"), rows);
        site.undo(id(&second), &["--key-file", KEY_FILE]).status(0);
        credentials("verify", &[]);
        site.house.put("logins.json", logins("first-secret-1").to_string());
        assert_eq!(counts(&lift(site, &[]), "logins"), [0, 0, 2, 0, 0, 0]);
    });
}
