//! Replays the files in `tests/vectors/`, so that the formats can never change by accident: what
//! was sealed once opens, and what was damaged is refused for the named reason.
//!
//! `treelift-tl2.json` was written by [`write_the_vectors`], `independent-tl2.json` by
//! `tests/vectors/independent.py`, a reader and writer that knows `docs/credentials.md` alone. The files
//! without `tl2` hold values of the first format, which open for ever.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use treelift::secret::cipher::{SealPlace, Sealer};
use treelift::secret::kdf::{Argon2Memory, Cost};
use treelift::secret::key_file::new_key_file;
use treelift::secret::keys::{DataKey, KeyError, KeyRow, Secret, create, unlock_with};
use treelift::secret::passphrase::Strength;
use treelift::secret::registry::{Registry, RegistryRow};

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(file)
}

/// A file of vectors, and the memory that its keys are derived in.
struct Vectors {
    document: Value,
    memory: Argon2Memory,
}

impl Vectors {
    fn read(file: &str) -> Self {
        let text = std::fs::read_to_string(path(file)).expect("the vectors are part of the source");
        Self { document: serde_json::from_str(&text).expect("is JSON"), memory: Argon2Memory::new() }
    }

    fn list(&self, name: &str) -> Vec<Value> {
        let list = self.document[name].as_array().expect("a list of vectors").clone();
        assert!(!list.is_empty(), "no {name}");
        list
    }

    fn unlock(&mut self, vector: &Value) -> Result<DataKey, KeyError> {
        unlock_with(&row(&vector["row"]), &secret(&vector["secret"]), &mut self.memory)
    }

    fn sealers(&mut self) -> Vec<(String, Sealer)> {
        let mut sealers = Vec::new();
        for vector in self.list("keys") {
            let name = text(&vector["name"]);
            let key = self.unlock(&vector).unwrap_or_else(|error| panic!("key {name}: {error}"));
            sealers.push((name, Sealer::new(key, &row(&vector["row"])).expect("belongs together")));
        }
        sealers
    }

    fn values_open(&mut self) {
        let sealers = self.sealers();
        for vector in self.list("values") {
            let opened = open(&sealers, &vector);
            assert_eq!(opened.as_deref(), Ok(text(&vector["text"]).as_str()), "{}", vector["name"]);
        }
    }

    fn damaged_values_are_refused(&mut self) {
        let sealers = self.sealers();
        for vector in self.list("refused_values") {
            // What was an unknown format to the first one is the second: such a value just does not open.
            let is_known_now = vector["key_columns"].is_null() && text(&vector["sealed"]).starts_with("tl2.");
            let reason = if is_known_now { "not-authentic".to_owned() } else { text(&vector["reason"]) };
            assert_eq!(open(&sealers, &vector), Err(reason), "{}", vector["name"]);
        }
    }

    fn registries_are_proved(&mut self) {
        let sealers = self.sealers();
        for vector in self.list("registries") {
            let (_, sealer) =
                sealers.iter().find(|(name, _)| vector["key_name"] == *name).expect("the file has the key");
            let registry = registry(&vector);
            assert_eq!(registry.hmac_under(sealer.data_key()).expect("is short"), text(&vector["hmac"]));
            registry.verify(sealer.data_key()).expect("matches");
        }
    }

    fn damaged_keys_are_refused(&mut self) {
        for vector in self.list("refused_keys") {
            let reason = self.unlock(&vector).expect_err(vector["name"].as_str().expect("a name")).reason();
            assert_eq!(reason, text(&vector["reason"]), "{}", vector["name"]);
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is not a string")).to_owned()
}

fn row(value: &Value) -> KeyRow {
    KeyRow {
        id: text(&value["id"]),
        state: text(&value["state"]),
        kdf: text(&value["kdf"]),
        key_check: text(&value["key_check"]),
        wrapped_key: text(&value["wrapped_key"]),
        seal_count: value["seal_count"].as_i64().expect("a number"),
        created_at: text(&value["created_at"]),
        retired_at: value["retired_at"].as_str().map(str::to_owned),
    }
}

fn registry(vector: &Value) -> Registry {
    let list = |name: &str| vector[name].as_array().expect("a list").clone();
    let key = |value: &Value| KeyRow {
        id: text(&value["id"]),
        state: text(&value["state"]),
        kdf: String::new(),
        key_check: String::new(),
        wrapped_key: String::new(),
        seal_count: 0,
        created_at: String::new(),
        retired_at: None,
    };
    let column = |value: &Value| RegistryRow {
        table: text(&value["table_name"]),
        column: text(&value["column_name"]),
        row_filter: value["row_filter"].as_str().map(str::to_owned),
        key_columns: text(&value["key_columns"]),
        format: text(&value["format"]),
    };
    Registry {
        keys: list("keys").iter().map(key).collect(),
        columns: list("columns").iter().map(column).collect(),
        counts: Some(text(&vector["sealed_counts"])),
        hmac: vector["hmac"].as_str().map(str::to_owned),
        digest: None,
    }
}

fn secret(value: &Value) -> Secret {
    if let Some(passphrase) = value["passphrase"].as_str() {
        return Secret::from_passphrase_text(SecretString::from(passphrase), Strength::Any).expect("is not empty");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("key");
    new_key_file(&path).expect("makes a file with the right mode");
    std::fs::write(&path, text(&value["key_file"])).expect("is written");
    Secret::from_key_file(&path).expect("is a key file")
}

fn open(sealers: &[(String, Sealer)], vector: &Value) -> Result<String, String> {
    let (_, sealer) = sealers.iter().find(|(name, _)| vector["key_name"] == *name).expect("the file has the key");
    let texts = |list: &Value| -> Vec<String> { list.as_array().into_iter().flatten().map(text).collect() };
    let (key_columns, key) = (texts(&vector["key_columns"]), texts(&vector["key"]));
    let (table, column) = (text(&vector["table"]), text(&vector["column"]));
    let place = SealPlace { table: &table, column: &column, key_columns: &key_columns, key: &key };
    let opened = sealer.open(&place, &text(&vector["sealed"]));
    opened.map(|text| text.expose_secret().to_owned()).map_err(|error| error.reason().to_owned())
}

const FILES: [&str; 2] = ["treelift.json", "treelift-tl2.json"];

#[test]
fn values_sealed_once_open() {
    FILES.iter().for_each(|file| Vectors::read(file).values_open());
}

#[test]
fn damaged_values_are_refused_for_the_named_reason() {
    FILES.iter().for_each(|file| Vectors::read(file).damaged_values_are_refused());
}

#[test]
fn damaged_keys_are_refused_for_the_named_reason() {
    FILES.iter().for_each(|file| Vectors::read(file).damaged_keys_are_refused());
}

#[test]
fn what_an_independent_program_sealed_opens() {
    ["independent.json", "independent-tl2.json"].iter().for_each(|file| Vectors::read(file).values_open());
}

#[test]
fn registries_are_proved_as_they_were() {
    ["treelift-tl2.json", "independent-tl2.json"].iter().for_each(|file| Vectors::read(file).registries_are_proved());
}

/// Writes `treelift-tl2.json`. To be run once for a version of the format, never to make a failing
/// replay pass: databases that people have are sealed as the old file says. It does not overwrite.
#[test]
#[ignore = "writes the vectors that the other tests replay, in 1 second"]
fn write_the_vectors() {
    let file = path("treelift-tl2.json");
    if file.exists() {
        return; // They are a promise: what is published is replayed by the other tests, never rewritten.
    }
    let mut made = Made::default();
    let damageable = made.keys();
    made.values();
    made.refused_keys(&damageable);
    made.refused_values();
    made.registries();
    let document = json!({
        "about": "Written once by treelift; see tests/vectors.rs. Invented values, no working secret.",
        "keys": made.keys, "values": made.values, "refused_keys": made.refused_keys, "refused_values": made.refused_values,
        "registries": made.registries,
    });
    let text = serde_json::to_string_pretty(&document).expect("is written") + "\n";
    std::fs::write(file, text).expect("is written");
}

/// The vectors while they are made.
#[derive(Default)]
struct Made {
    keys: Vec<Value>,
    values: Vec<Value>,
    refused_keys: Vec<Value>,
    refused_values: Vec<Value>,
    registries: Vec<Value>,
    sealers: Vec<(&'static str, Sealer)>,
}

impl Made {
    /// Makes the keys that open, and gives back the cheap passphrase one and the key-file one.
    fn keys(&mut self) -> [Value; 2] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("key");
        new_key_file(&path).expect("is written");
        let key_file = json!({ "key_file": std::fs::read_to_string(&path).expect("is read").trim_end() });
        let phrase = |text: &str| json!({ "passphrase": text });
        self.add_key("passphrase, real cost", &phrase("three blue wooden boats"), Cost::default());
        let cheap = self.add_key("passphrase", &phrase(" Größe\u{301} \u{1f511}\n "), Cost::cheap_for_tests());
        let file = self.add_key("key file", &key_file, Cost::default());
        [cheap, file]
    }

    fn add_key(&mut self, name: &'static str, given: &Value, cost: Cost) -> Value {
        let now = "2024-02-29T12:00:00.000001Z".parse().expect("a time");
        let (key, row) = create(&secret(given), cost, now).expect("is made");
        let vector = json!({ "name": name, "secret": given, "row": {
            "id": row.id, "state": row.state, "kdf": row.kdf, "key_check": row.key_check, "wrapped_key": row.wrapped_key,
            "seal_count": row.seal_count, "created_at": row.created_at, "retired_at": row.retired_at,
        }});
        self.sealers.push((name, Sealer::new(key, &row).expect("belongs together")));
        self.keys.push(vector.clone());
        vector
    }

    fn values(&mut self) {
        let long = "a text of several blocks, ".repeat(4);
        let texts = [
            "",
            "a",
            "ab",
            "s3cret",
            "tl2.0123456789abcdef.AAAA",
            "zwölf \u{1f511}",
            "line\nline\0\"\\",
            long.as_str(),
        ];
        let places: [(&str, &str, &[&str], &[&str]); 4] = [
            ("accounts", "password", &["id"], &["7"]),
            ("accounts", "password", &["region", "number", "mark"], &["north", "-12", "00ff"]),
            ("a table", "größe", &["ä", ""], &["", "a\nb"]),
            ("", "", &[""], &[""]),
        ];
        for (name, sealer) in &mut self.sealers {
            for (text, (table, column, key_columns, key)) in texts.iter().zip(places.iter().cycle()) {
                let owned = |parts: &[&str]| -> Vec<String> { parts.iter().map(|&part| part.to_owned()).collect() };
                let (key_columns, key) = (owned(key_columns), owned(key));
                let place = SealPlace { table, column, key_columns: &key_columns, key: &key };
                let sealed = sealer.seal(&place, &SecretString::from(*text)).expect("is sealed");
                self.values.push(json!({
                    "name": format!("{name}: {} bytes in {table:?}", text.len()), "key_name": name, "table": table,
                    "column": column, "key_columns": key_columns, "key": key, "sealed": sealed, "text": text,
                }));
            }
        }
    }

    fn refused_keys(&mut self, [phrase, file]: &[Value; 2]) {
        let mut add = |name: &str, base: &Value, reason: &str, damage: &dyn Fn(&mut Value)| {
            let mut vector = base.clone();
            damage(&mut vector);
            vector["name"] = json!(name);
            vector["reason"] = json!(reason);
            self.refused_keys.push(vector);
        };
        let other_file = format!("treelift-key-1.{}", "A".repeat(43));
        add("another passphrase", phrase, "wrong-secret", &|it| {
            it["secret"] = json!({ "passphrase": "Größé \u{1f511}" });
        });
        add("another key file", file, "wrong-secret", &|it| it["secret"] = json!({ "key_file": other_file }));
        add("a key file for a passphrase", phrase, "wrong-kind", &|it| it["secret"] = file["secret"].clone());
        add("a passphrase for a key file", file, "wrong-kind", &|it| it["secret"] = phrase["secret"].clone());
        for (base, kind) in [(phrase, "passphrase"), (file, "key file")] {
            let mut damaged = |what: &str, reason: &str, damage: &dyn Fn(&mut Value)| {
                add(&format!("{kind}: {what}"), base, reason, damage);
            };
            damaged("id changed", "damaged", &|it| edit(it, "id", |id| other_digit(id, 3)));
            damaged("id upper case", "damaged", &|it| it["row"]["id"] = json!("0123456789ABCDEF"));
            damaged("id cut", "damaged", &|it| edit(it, "id", |id| id[..15].to_owned()));
            damaged("state unknown", "damaged", &|it| it["row"]["state"] = json!("Active"));
            damaged("seal_count negative", "damaged", &|it| it["row"]["seal_count"] = json!(-1));
            damaged("key_check changed", "damaged", &|it| edit(it, "key_check", |hex| other_digit(hex, 63)));
            damaged("key_check upper case", "damaged", &|it| edit(it, "key_check", str::to_uppercase));
            damaged("key_check cut", "damaged", &|it| edit(it, "key_check", |hex| hex[..62].to_owned()));
            damaged("wrapped_key: nonce changed", "damaged", &|it| edit(it, "wrapped_key", |key| other_digit(key, 0)));
            damaged("wrapped_key: key changed", "damaged", &|it| edit(it, "wrapped_key", |key| other_digit(key, 30)));
            damaged("wrapped_key: tag changed", "damaged", &|it| edit(it, "wrapped_key", |key| other_digit(key, 79)));
            damaged("wrapped_key cut", "damaged", &|it| edit(it, "wrapped_key", |key| key[..76].to_owned()));
            damaged("wrapped_key padded", "damaged", &|it| edit(it, "wrapped_key", |key| format!("{key}=")));
            damaged("wrapped_key in another alphabet", "damaged", &|it| {
                edit(it, "wrapped_key", |key| format!("+/{}", &key[2..]));
            });
            damaged("kdf unknown", "unknown-kdf", &|it| it["row"]["kdf"] = json!("scrypt"));
            damaged("kdf empty", "unknown-kdf", &|it| it["row"]["kdf"] = json!(""));
            damaged("kdf with a blank", "unknown-kdf", &|it| edit(it, "kdf", |kdf| format!("{kdf} ")));
        }
        for (from, to, reason) in [
            ("argon2id", "argon2i", "unknown-kdf"),
            ("v=19", "v=16", "unknown-kdf"),
            ("m=8192", "m=08192", "unknown-kdf"),
            ("m=8192,t=1", "t=1,m=8192", "unknown-kdf"),
            ("m=8192", "m=8191", "absurd-cost"),
            ("m=8192", "m=1048577", "absurd-cost"),
            ("m=8192", "m=4294967295", "absurd-cost"),
            ("m=8192", "m=18446744073709551616", "absurd-cost"),
            ("t=1", "t=0", "absurd-cost"),
            ("t=1", "t=17", "absurd-cost"),
            ("p=1", "p=0", "absurd-cost"),
            ("p=1", "p=17", "absurd-cost"),
            ("m=8192", "m=8193", "wrong-secret"),
            ("t=1", "t=2", "wrong-secret"),
            ("p=1", "p=2", "wrong-secret"),
        ] {
            add(&format!("kdf: {to} for {from}"), phrase, reason, &|it| {
                edit(it, "kdf", |kdf| kdf.replacen(from, to, 1));
            });
        }
        add("kdf: salt changed", phrase, "wrong-secret", &|it| edit(it, "kdf", |kdf| other_digit(kdf, kdf.len() - 4)));
        add("kdf: salt cut", phrase, "unknown-kdf", &|it| edit(it, "kdf", |kdf| kdf[..kdf.len() - 2].to_owned()));
        add("kdf: salt with stray bits", phrase, "unknown-kdf", &|it| edit(it, "kdf", stray_bits));
    }

    fn refused_values(&mut self) {
        // The empty text and one of a single byte: their encodings have bits to spare at the end.
        for base in [self.values[0].clone(), self.values[1].clone()] {
            let (sealed, name) = (text(&base["sealed"]), text(&base["name"]));
            let mut add = |what: &str, reason: &str, part: &str, now: Value| {
                let mut vector = base.clone();
                vector[part] = now;
                vector["name"] = json!(format!("{name}: {what}"));
                vector["reason"] = json!(reason);
                vector.as_object_mut().expect("an object").remove("text");
                self.refused_values.push(vector);
            };
            add("another table", "not-authentic", "table", json!("account"));
            add("another column", "not-authentic", "column", json!("Password"));
            add("another row", "not-authentic", "key", json!(["8"]));
            add("another key column", "not-authentic", "key_columns", json!(["number"]));
            add("one more key column", "not-authentic", "key", json!(["7", ""]));
            add("parts split elsewhere", "not-authentic", "key", json!(["", "7"]));
            let other_key = self.sealers[1].1.key_id();
            for (what, reason, damaged) in [
                ("format unknown", "unknown-format", sealed.replacen("tl2", "tl3", 1)),
                ("the first format claimed", "not-authentic", sealed.replacen("tl2", "tl1", 1)),
                ("format upper case", "unknown-format", sealed.to_uppercase()),
                ("no format", "unknown-format", text(&base["text"])),
                ("blank before it", "unknown-format", format!(" {sealed}")),
                ("id cut", "unknown-format", sealed.replacen(&sealed[4..6], "", 1)),
                ("no last part", "unknown-format", sealed[..20].to_owned()),
                ("id of another key", "other-key", format!("tl2.{other_key}.{}", &sealed[21..])),
                ("id changed", "other-key", other_digit(&sealed, 10)),
                ("nonce changed", "not-authentic", other_digit(&sealed, 21)),
                ("tag changed", "not-authentic", other_digit(&sealed, sealed.len() - 3)),
                ("last part empty", "too-short", sealed[..21].to_owned()),
                ("cut to less than nonce and tag", "too-short", sealed[..57].to_owned()),
                ("cut to an odd digit", "encoding", sealed[..58].to_owned()),
                ("padded", "encoding", format!("{sealed}=")),
                ("line break after it", "encoding", format!("{sealed}\n")),
                ("a fourth part", "encoding", format!("{sealed}.")),
                ("the other base64 alphabet", "encoding", format!("{}+/{}", &sealed[..21], &sealed[23..])),
                ("stray bits at the end", "encoding", stray_bits(&sealed)),
            ] {
                add(what, reason, "sealed", json!(damaged));
            }
        }
        let mut lengthened = self.values[3].clone();
        lengthened["name"] = json!("four digits more");
        lengthened["reason"] = json!("not-authentic");
        lengthened["sealed"] = json!(text(&lengthened["sealed"]) + "AAAA");
        lengthened.as_object_mut().expect("an object").remove("text");
        self.refused_values.push(lengthened);
    }
}

impl Made {
    fn registries(&mut self) {
        for (name, sealer) in &self.sealers {
            let column = |table: &str, key_columns: &str, filter: Option<&str>, format: &str| {
                json!({
                    "table_name": table, "column_name": "password", "key_columns": key_columns, "row_filter": filter,
                    "format": format,
                })
            };
            let mut vector = json!({
                "key_name": name,
                "keys": [{ "id": sealer.key_id(), "state": "active" }, { "id": "0011223344556677", "state": "retired" }],
                "columns": [
                    column("settings", r#"["name"]"#, Some(r#"{"kind":"mail"}"#), "tl2"),
                    column("accounts", r#"["region","number"]"#, None, "tl1"),
                    column("größe", r#"["id"]"#, None, "fernet"),
                ],
                "sealed_counts": r#"{"accounts":2,"settings":1}"#,
            });
            vector["hmac"] = json!(registry(&vector).hmac_under(sealer.data_key()).expect("is short"));
            self.registries.push(vector);
        }
    }
}

fn edit(vector: &mut Value, column: &str, change: impl Fn(&str) -> String) {
    let changed = change(&text(&vector["row"][column]));
    vector["row"][column] = json!(changed);
}

/// Another digit, valid in hex and base64 alike, at a position.
fn other_digit(text: &str, at: usize) -> String {
    let digit = if text[at..].starts_with('0') { "1" } else { "0" };
    format!("{}{digit}{}", &text[..at], &text[at + 1..])
}

/// The same bytes in base64, but with the unused bits of the last digit set.
fn stray_bits(text: &str) -> String {
    let last = text.chars().last().expect("is not empty");
    assert!("AEIMQUYcgkosw048".contains(last), "the last digit has two bits to spare at least");
    let next = char::from(last as u8 + 1);
    let next = if last == '8' { '9' } else { next };
    format!("{}{next}", &text[..text.len() - 1])
}
