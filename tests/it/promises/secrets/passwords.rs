//! Passwords that are hashed: an application can check them, and nobody can read them.

use crate::house::House;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

const TABLES: &str = "CREATE TABLE people (id TEXT PRIMARY KEY NOT NULL, password_hash TEXT, data JSON);";
const PASSWORD: &str = "opens-every-door-41";

const HASHES: &str = r#"
    [table.people]
    key = ["id"]
    [table.people.columns]
    id = "id"
    password_hash = { hash = "password" }
    data = "@""#;

fn house(files: &str, path: &str, people: &Value) -> House {
    House::new().schema(TABLES).list("people", files, HASHES).source(path, people)
}

/// Whether a PHC string is of a password, worked out as an application does.
fn is_of(hash: &str, password: &str) -> bool {
    let parts: Vec<&str> = hash.split('$').collect();
    let ["", "argon2id", "v=19", "m=19456,t=2,p=1", salt, wanted] = parts[..] else { panic!("{hash}") };
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19456, 2, 1, Some(32)).unwrap());
    let mut found = [0; 32];
    argon2.hash_password_into(password.as_bytes(), &STANDARD_NO_PAD.decode(salt).unwrap(), &mut found).unwrap();
    STANDARD_NO_PAD.encode(found) == wanted
}

#[test]
fn a_password_is_hashed_without_a_key_and_never_compared_again() {
    let house = house("people.json", "people.json", &json!([{"id": "a", "password": PASSWORD, "more": 1}]));
    let lifted = house.lift(&[]).ends(0, "committed").leaves("column 1, json 1, sealed 1");
    let lifted = lifted.finds(&["warning S003 people.json /0/more", "warning X005 people.json"]);
    let secrets = lifted.report()["secrets"].clone();
    assert_eq!((&secrets["sealed"], &secrets["hashed"]), (&json!(0), &json!(1)));
    assert_eq!(house.holders(&lifted, PASSWORD), Vec::<String>::new());
    let hash = house.one("SELECT password_hash FROM people");
    assert!(is_of(&hash, PASSWORD));
    assert_eq!(house.one("SELECT data FROM people"), r#"{"id":"a","more":1}"#);
    assert_eq!(house.one("SELECT count(*) FROM treelift_keys"), "0");

    house.lift(&[]).ends(0, "committed").counts("unchanged", "people 1");
    house.put("people.json", json!([{"id": "a", "password": "changed-since-12", "more": 1}]).to_string());
    house.lift(&[]).ends(0, "committed").counts("unchanged", "people 1");
    assert_eq!(house.one("SELECT password_hash FROM people"), hash);
}

#[test]
fn a_copy_of_a_hashed_password_refuses_the_run() {
    let people = json!([{"id": "a", "password": PASSWORD, "old": PASSWORD}]);
    let house = house("people.json", "people.json", &people);
    let lifted = house.lift(&[]).ends(1, "rolled-back");
    let lifted =
        lifted.finds(&["error X007 people.json /0/old", "warning S003 people.json /0/old", "warning X005 people.json"]);
    assert_eq!(house.holders(&lifted, PASSWORD), Vec::<String>::new());
}

#[test]
fn a_person_without_a_password_makes_no_credential() {
    let people = json!([{"id": "a", "password": ""}, {"id": "b"}, {"id": "c", "password": null}]);
    let house = house("people.json", "people.json", &people);
    house.lift(&["--allow-empty"]).ends(0, "committed").leaves("ignored 5");
    assert_eq!(house.one("SELECT count(*) FROM people"), "0");
}

#[test]
fn a_files_path_that_holds_a_hashed_password_is_not_written() {
    let people = json!([{"id": "a", "password": PASSWORD}]);
    let path = format!("{PASSWORD}/people.json");
    let house = house("{who}/people.json", &path, &people);
    house.lift(&[]).ends(0, "committed").counts("inserted", "people 1");
    assert_eq!(house.one("SELECT count(*) FROM treelift_files WHERE path LIKE '%opens-every%'"), "0");
    house.lift(&[]).ends(0, "committed").counts("unchanged", "people 1");
}

#[test]
fn what_is_hashed_is_no_column_that_encrypt_would_seal() {
    let house = house("people.json", "people.json", &json!([{"id": "a", "password": PASSWORD}]));
    house.lift(&[]).ends(0, "committed");
    let before = house.one("SELECT password_hash FROM people");
    house.run(["credentials", "encrypt", "--mappings", "set", "--yes"]).not_a_bug();
    assert_eq!(house.one("SELECT password_hash FROM people"), before);
}
