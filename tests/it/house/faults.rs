//! A tree of five hundred good records, in which faults of every kind can be planted: those of `sample_data/broken` that
//! are not about secrets, and what a database rejects.

use crate::house::{House, age};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::symlink;

const TABLES: &str = "
    CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, email TEXT NOT NULL UNIQUE, phone TEXT);
    CREATE TABLE shops (id TEXT PRIMARY KEY NOT NULL, name VARCHAR(20) NOT NULL);
    CREATE TABLE orders (id INTEGER PRIMARY KEY NOT NULL, person TEXT NOT NULL REFERENCES people (id),
        title VARCHAR(50) NOT NULL, day DATE, size INTEGER CHECK (size < 1000), shop TEXT REFERENCES shops (id),
        follows INTEGER REFERENCES orders (id), saved TEXT, rest JSON);
    CREATE TABLE notes (person TEXT NOT NULL REFERENCES people (id), name TEXT NOT NULL, body TEXT, details JSON,
        PRIMARY KEY (person, name));";

const SET: &str = r##"
    [owners]
    capture = "owner"
    table = "people"
    find = [{ by = { id = "#owner" } }]
    unknown = "refuse"
    [ignore]
    "cache/**" = "made again by itself""##;

const PEOPLE: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    email = { from = "email", on_empty = "reject" }
    phone = "phone""#;

const SHOPS: &str = r#"
    [table.shops]
    key = ["id"]
    [table.shops.columns]
    id = "id"
    name = "name""#;

const ORDERS: &str = r##"
    [source]
    files = ["users/{owner}/orders.json"]
    format = "json"
    [[source.shape]]
    name = "orders"
    records = "orders[*]"
    [ignore]
    "$.version" = "of no use"
    [table.orders]
    key = ["id"]
    [table.orders.columns]
    id = "id"
    person = "#owner.id"
    title = { from = "title", on_empty = "reject" }
    day = { from = "day", steps = [{ time = "%m/%d/%Y" }] }
    size = "size"
    shop = { lookup = "shops.id", by = { id = "shop" }, on_dangling = "reject" }
    follows = "follows"
    saved = "$.saved"
    rest = "rest""##;

const NOTES: &str = r##"
    [source]
    files = ["users/{owner}/notes/{name}.json"]
    format = "json"
    [[source.shape]]
    name = "note"
    when = { members = ["body"] }
    [table.notes]
    key = ["person", "name"]
    [table.notes.columns]
    person = "#owner.id"
    name = "#name"
    body = "body"
    details = "details""##;

/// How many people the tree has,
pub(crate) const PEOPLE_COUNT: usize = 20;
/// and how many orders each of them.
pub(crate) const ORDERS_EACH: usize = 25;

fn person(number: usize) -> String {
    format!("p{number:02}")
}

fn order(id: usize) -> Value {
    json!({"id": id, "title": format!("order {id}"), "day": "05/12/2025", "size": id % 900, "shop": "s1",
           "rest": {"lines": [id, "a"]}})
}

/// A house with the set and the good tree.
pub(crate) fn house() -> House {
    let house = House::new()
        .schema(TABLES)
        .set(SET)
        .list("people", "people.json", PEOPLE)
        .list("shops", "shops.json", SHOPS)
        .mapping("orders", ORDERS)
        .mapping("notes", NOTES);
    good(&house);
    house
}

/// Writes the good tree.
pub(crate) fn good(house: &House) {
    house.put("people.json", people().to_string());
    house.put("shops.json", json!([{"id": "s1", "name": "One"}, {"id": "s2", "name": "Two"}]).to_string());
    for number in 1..=PEOPLE_COUNT {
        let of = format!("users/{}", person(number));
        house.put(&format!("{of}/orders.json"), orders(number).to_string());
        house.put(&format!("{of}/notes/first.json"), json!({"body": "good", "details": {"a": [1, null]}}).to_string());
    }
    house.put("cache/x.json", "{");
}

fn people() -> Value {
    (1..=PEOPLE_COUNT).map(|n| json!({"id": person(n), "email": format!("{n}@example.com"), "phone": "1"})).collect()
}

fn orders(number: usize) -> Value {
    let first = (number - 1) * ORDERS_EACH;
    let orders: Vec<Value> = (first + 1..=first + ORDERS_EACH).map(order).collect();
    json!({"version": 2, "saved": format!("on day {number}"), "orders": orders})
}

/// A fault of a file: its name among the notes, what it holds, and its code.
pub(crate) fn broken_notes() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let text = |name, text: &str, code| (name, text.as_bytes().to_vec(), code);
    let utf16: Vec<u8> = "\u{feff}{\"body\": 1}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        text("truncated", r#"{"body": "half"#, "J002"),
        text("empty", "", "F004"),
        text("blank", " ", "F004"),
        text("sentence", "not JSON at all", "J001"),
        text("comma", r#"{"body": "x",}"#, "J001"),
        text("comment", "{\"body\": \"x\" // why\n}", "J001"),
        text("nan", r#"{"body": NaN}"#, "J001"),
        text("two", r#"{"body": "x"}{"body": "y"}"#, "J009"),
        text("twice", r#"{"body": "x", "body": "y"}"#, "J003"),
        text("twice_escaped", r#"{"body": "x", "b\u006fdy": "y"}"#, "J003"),
        text("deep", &format!(r#"{{"body": "x", "details": {}{}}}"#, "[".repeat(100), "]".repeat(100)), "J004"),
        ("latin", b"{\"body\": \"\xe9\"}".to_vec(), "J005"),
        ("overlong", b"{\"body\": \"\xc0\xaf\"}".to_vec(), "J005"),
        ("utf16", utf16, "J008"),
        text("surrogate", r#"{"body": "\ud83d"}"#, "J006"),
        ("control", b"{\"body\": \"\x01\"}".to_vec(), "J010"),
        text("shape", r#"{"text": "x"}"#, "S001"),
    ]
}

/// A fault of an order: what is changed in it, and its code.
pub(crate) fn bad_orders() -> Vec<(Value, &'static str)> {
    vec![
        (json!({"title": 42}), "V004"),
        (json!({"day": "02/30/2025"}), "V005"),
        (json!({"title": null}), "V002"),
        (json!({"title": ""}), "V003"),
        (json!({"title": "x".repeat(51)}), "V006"),
        (json!({"title": "nul \u{0}"}), "V008"),
        (json!({"id": 1}), "R001"),
        (json!({"nickname": "Kim"}), "S002"),
        (json!({"shop": "none"}), "V001"),
        (json!({"follows": 99_999}), "R004"),
        // It follows the one before.
        (json!({"follows": PEOPLE_COUNT * ORDERS_EACH + 10}), "R004"),
        (json!({"size": 5000}), "R009"),
    ]
}

/// The order that has this fault, once it is right.
fn added(fault: usize) -> Value {
    order(PEOPLE_COUNT * ORDERS_EACH + 1 + fault)
}

/// The number of the person among whose orders the fault stands.
fn of_fault(fault: usize) -> usize {
    2 + fault
}

/// Writes the orders that faults are planted in; with `bad` or without the fault.
fn put_orders(house: &House, bad: bool) {
    for (fault, (change, _)) in bad_orders().into_iter().enumerate() {
        let mut file = orders(of_fault(fault));
        let mut order = added(fault);
        if bad {
            order.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        }
        // In the middle of the good ones.
        file["orders"].as_array_mut().unwrap().insert(3 + fault, order);
        house.put(&format!("users/{}/orders.json", person(of_fault(fault))), file.to_string());
    }
}

/// Plants one of each fault, each beside good neighbours. Beside them one person who is rejected, with a file, and a
/// file all of whose records are.
pub(crate) fn plant(house: &House) {
    let of = |name: &str| format!("users/p01/{name}");
    for (name, bytes, _) in broken_notes() {
        house.put(&of(&format!("notes/{name}.json")), bytes);
    }
    put_orders(house, true);
    let mut people = people();
    let more = [json!({"id": "lee", "phone": "2"}), json!({"id": "kim", "email": "1@example.com", "phone": "3"})];
    people.as_array_mut().unwrap().extend(more);
    house.put("people.json", people.to_string());
    house.put("users/lee/orders.json", only_order(601, "05/12/2025").to_string());
    house.put(&of("notes/alone.json"), json!({"body": 42}).to_string());
    house.put("users/p20/notes/sub/deep.json", "{}");
    let mut file = orders(15);
    file["orders"] = json!([changed(order(701), "day", "13/13/2025")]);
    house.put("users/p15/orders.json", file.to_string());
    house.put("stray.json", "{}");
    house.put(&of("notes/Twin.json"), json!({"body": "which"}).to_string());
    house.put(&of("notes/twin.json"), json!({"body": "of them"}).to_string());
    house.put(&of("notes/folder.json/inner.json"), "{}");
    symlink("/nowhere/at/all.json", house.path(&format!("tree/{}", of("notes/link.json")))).unwrap();
    symlink("/etc/hostname", house.path(&format!("tree/{}", of("notes/outside.json")))).unwrap();
    house.put("users/nobody/orders.json", only_order(602, "05/12/2025").to_string());
}

fn only_order(id: usize, day: &str) -> Value {
    json!({"version": 2, "saved": "once", "orders": [changed(order(id), "day", day)]})
}

fn changed(mut order: Value, member: &str, value: &str) -> Value {
    order[member] = value.into();
    order
}

/// Fixes everything that was planted in the source.
pub(crate) fn fix(house: &House) {
    let remove = |path: &str| fs::remove_file(house.path(&format!("tree/{path}"))).unwrap();
    let note = json!({"body": "fixed", "details": [2]}).to_string();
    for (name, ..) in broken_notes() {
        house.put(&format!("users/p01/notes/{name}.json"), &note);
    }
    put_orders(house, false);
    let mut people = people();
    let more = [
        json!({"id": "lee", "email": "lee@example.com", "phone": "2"}),
        json!({"id": "kim", "email": "kim@example.com", "phone": "3"}),
    ];
    people.as_array_mut().unwrap().extend(more);
    house.put("people.json", people.to_string());
    house.put("users/p01/notes/alone.json", &note);
    remove("users/p20/notes/sub/deep.json");
    let mut file = orders(15);
    file["orders"] = json!([order(701)]);
    house.put("users/p15/orders.json", file.to_string());
    remove("stray.json");
    remove("users/p01/notes/Twin.json");
    remove("users/p01/notes/link.json");
    remove("users/p01/notes/outside.json");
    house.put("users/p01/notes/link.json", &note);
    house.put("users/p01/notes/outside.json", &note);
    fs::remove_dir_all(house.path("tree/users/p01/notes/folder.json")).unwrap();
    house.put("users/p01/notes/folder.json", &note);
    fs::remove_dir_all(house.path("tree/users/nobody")).unwrap();
    age(&house.path("tree"));
}
