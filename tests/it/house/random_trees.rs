//! Trees as nobody planned them, made from a number: the same number makes the same tree.

use serde_json::{Map, Number, Value, json};

/// The files of a tree: path and content.
pub(crate) type Files = Vec<(String, Vec<u8>)>;

/// Numbers in no order (SplitMix64, Steele, Lea and Flood, 2014).
pub(crate) struct Dice {
    state: u64,
    /// Ids that were given.
    known: Vec<String>,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, known: Vec::new() }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to one less than the number.
    pub(crate) fn below(&mut self, of: usize) -> usize {
        (self.next() % of as u64) as usize
    }

    pub(crate) fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    pub(crate) fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }

    fn signs(&mut self, alphabet: &str, count: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| letters[self.below(letters.len())]).collect()
    }
}

const NAMES: [&str; 48] = [
    "id",
    "name",
    "title",
    "createdAt",
    "updated",
    "tags",
    "email",
    "count",
    "price",
    "position",
    "file",
    "value",
    "key",
    "order",
    "select",
    "each",
    "owner",
    "parent",
    "notes",
    "items",
    "meta",
    "size",
    "path",
    "body",
    "odd key",
    "it's",
    "a.b",
    "",
    "*",
    "$x",
    "#y",
    "@z",
    "^w",
    "=q",
    "ü",
    "日本",
    "\"q\"",
    "back\\slash",
    "a\nb",
    "{x}",
    "2fa",
    ".",
    "[0]",
    "data",
    "started",
    "stem",
    "index",
    "x-y",
];
const SECRETS: [&str; 6] = ["password", "apiKey", "token", "clientSecret", "pin", "credentials"];
const WORDS: [&str; 12] =
    ["soup", "cake", "bread", "dark", "light", "ada", "grace", "kurt", "alan", "Été", "two words", "o'clock"];

/// How names that are data are made.
#[derive(Clone, Copy)]
enum Ids {
    Uuid,
    Ulid,
    Nano,
    Number,
    Day,
    Slug,
    Prefixed,
    Odd,
}

const IDS: [Ids; 8] = [Ids::Uuid, Ids::Ulid, Ids::Nano, Ids::Number, Ids::Day, Ids::Slug, Ids::Prefixed, Ids::Odd];

impl Dice {
    fn id(&mut self, ids: Ids, number: usize) -> String {
        match ids {
            Ids::Uuid => {
                let hex = self.signs("0123456789abcdef", 32);
                format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
            }
            Ids::Ulid => format!("ses_01{}", self.signs("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)),
            Ids::Nano => {
                self.signs("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 20) + &self.signs("-_a", 1)
            }
            Ids::Number => (number + 1).to_string(),
            Ids::Day => format!("2025-{:02}-{:02}", number / 28 % 12 + 1, number % 28 + 1),
            Ids::Slug => format!("{}-{}", WORDS[number % 7], self.signs("abcdefghijklmnopqrstuvwxyz", 3)),
            Ids::Prefixed => format!("u_{number:02}"),
            Ids::Odd => format!(
                "{}{}{number}",
                self.of(&["a b", "ü", "x{", "y}", "st*r", "b\\s", "q'", "日"]),
                self.signs("ab", 1)
            ),
        }
    }

    fn scalar(&mut self, kind: usize, number: usize) -> Value {
        match kind {
            0 => json!(self.below(1000)),
            1 => json!(self.of(&WORDS)),
            2 => json!(format!("2025-05-{:02}T14:42:{:02}Z", number % 28 + 1, number % 60)),
            3 => json!(self.one_in(2)),
            4 => json!(format!("2025-05-{:02}", number % 28 + 1)),
            5 => Value::Number(
                self.of(&["1.50", "2.25", "-3.5", "0.1", "1e3", "52.5200065999999987", "-0", "-0.0", "7"])
                    .parse::<Number>()
                    .unwrap(),
            ),
            6 => json!(1_690_000_000_000_u64 + number as u64),
            7 => json!(format!("{:02}.05.2025", number % 28 + 1)),
            8 => json!(self.of(&["quick, vegan", "one", "", "a,b", "x, y, z"])),
            9 => {
                json!(self.of(&["", "a\tb\n", "\u{7f}", "\u{1}", "ü \"quoted\"", "0042", "true", "12.50", " padded "]))
            }
            10 => Value::Number(
                self.of(&["9223372036854775807", "9223372036854775808", "123456789012345678901234567890", "-1"])
                    .parse::<Number>()
                    .unwrap(),
            ),
            11 => json!(format!("2025-05-{:02} 10:00", number % 28 + 1)),
            12 => json!(self.of(&["with \u{0} in it", "without"])),
            13 => json!(self.of(&["https://example.com/a", "https://bob:hunter2222@example.com/", "plain"])),
            14 => json!(self.of(&["2025-05-07T14:42:18.1234567Z", "2025-05-07", "24:00", "0000-00-00"])),
            _ => Value::Null,
        }
    }

    fn name(&mut self) -> String {
        if self.one_in(12) { self.of(&SECRETS).to_owned() } else { self.of(&NAMES).to_owned() }
    }

    /// The form of a value.
    fn form(&mut self, depth: usize) -> Form {
        match self.below(if depth == 0 { 5 } else { 12 }) {
            0..=4 => Form::Scalar(self.below(16)),
            5 | 6 => {
                let ids = IDS[self.below(7)];
                Form::Map(ids, Box::new(self.form(depth - 1)))
            }
            7 | 8 => Form::List(Box::new(self.form(depth - 1))),
            9 => Form::Mixed((0..3).map(|_| self.form(depth - 1)).collect()),
            _ => self.object(depth - 1),
        }
    }

    fn object(&mut self, depth: usize) -> Form {
        let mut members = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        if self.one_in(2) {
            members.push(("id".to_owned(), false, Form::Id(IDS[self.below(8)])));
            names.insert("id".to_owned());
        }
        if self.one_in(4) {
            members.push(("userId".to_owned(), self.one_in(2), Form::Reference));
        }
        if self.one_in(4) {
            members.push(("users".to_owned(), self.one_in(2), Form::List(Box::new(Form::Reference))));
        }
        for _ in 0..self.below(6) {
            let name = self.name();
            if names.insert(name.clone()) {
                members.push((name, self.one_in(3), self.form(depth)));
            }
        }
        Form::Object(members)
    }

    fn value(&mut self, form: &Form, secret: bool, number: usize) -> Value {
        // What a form says holds mostly.
        if self.one_in(60) {
            return [Value::Null, json!({}), json!([]), json!("")][self.below(4)].clone();
        }
        match form {
            // A secret that is somewhere else, too, is rightly refused.
            Form::Scalar(_) if secret => json!(self.signs("abcdefghijklmnopqrstuvwxyz0123456789", 20)),
            Form::Scalar(kind) => {
                let number = self.below(40);
                self.scalar(*kind, number)
            }
            Form::Id(ids) => {
                let id = self.id(*ids, number);
                self.known.push(id.clone());
                json!(id)
            }
            Form::Reference if self.known.is_empty() || self.one_in(40) => Value::Null,
            Form::Reference => {
                let one = self.below(self.known.len());
                json!(self.known[one])
            }
            Form::Map(ids, of) => {
                let members: Map<String, Value> =
                    (0..self.below(6)).map(|at| (self.id(*ids, at), self.value(of, secret, at))).collect();
                Value::Object(members)
            }
            Form::List(of) => (0..self.below(5)).map(|at| self.value(of, secret, at)).collect(),
            Form::Mixed(of) => {
                let one = self.below(of.len());
                self.value(&of[one], secret, number)
            }
            Form::Object(members) => {
                let mut made = Map::new();
                for (name, optional, form) in members {
                    if !*optional || self.one_in(2) {
                        let secret = secret || SECRETS.contains(&name.as_str());
                        made.insert(name.clone(), self.value(form, secret, number));
                    }
                }
                Value::Object(made)
            }
        }
    }
}

/// What values of one kind look like.
enum Form {
    Scalar(usize),
    Id(Ids),
    Reference,
    Map(Ids, Box<Form>),
    List(Box<Form>),
    Mixed(Vec<Form>),
    Object(Vec<(String, bool, Form)>),
}

/// A tree of a few types of files.
pub(crate) fn tree(seed: u64) -> Files {
    let mut dice = Dice::new(seed);
    let mut files = Files::new();
    for kind in 0..=dice.below(3) {
        let form = match dice.below(6) {
            0 => dice.form(3),
            1 => Form::List(Box::new(dice.object(2))),
            2 => Form::Map(IDS[dice.below(7)], Box::new(dice.object(2))),
            _ => dice.object(3),
        };
        let name = ["users", "notes", "orders"][kind];
        let many = dice.below(6) + 1;
        match dice.below(4) {
            0 => {
                let document = dice.value(&form, false, 0);
                files.push((format!("{name}.json"), document.to_string().into_bytes()));
            }
            1 => {
                let ids = IDS[dice.below(8)];
                for number in 0..many {
                    let path = format!("{name}/{}.json", dice.id(ids, number));
                    files.push((path, dice.value(&form, false, number).to_string().into_bytes()));
                }
            }
            2 => {
                let ids = IDS[dice.below(8)];
                let folders: Vec<String> = if dice.known.is_empty() || dice.one_in(3) {
                    (0..many).map(|number| dice.id(ids, number)).collect()
                } else {
                    dice.known.iter().take(many).cloned().collect()
                };
                for (number, folder) in folders.iter().enumerate() {
                    let path = format!("{name}/{folder}/list.json");
                    files.push((path, dice.value(&form, false, number).to_string().into_bytes()));
                }
            }
            _ => {
                let (outer, inner) = (IDS[dice.below(8)], IDS[dice.below(8)]);
                for number in 0..many {
                    let known = !dice.known.is_empty() && dice.one_in(2);
                    let folder =
                        if known { dice.known[number % dice.known.len()].clone() } else { dice.id(outer, number / 2) };
                    let path = format!("{name}/{folder}/{}.json", dice.id(inner, number));
                    files.push((path, dice.value(&form, false, number).to_string().into_bytes()));
                }
            }
        }
    }
    if dice.one_in(4) {
        files.push(("README.txt".to_owned(), b"what this is".to_vec()));
    }
    if dice.one_in(6) {
        files.push(("cut.json".to_owned(), b"{\"a\": [1,".to_vec()));
    }
    files.sort();
    files.dedup_by(|a, b| a.0 == b.0);
    files
}

/// A tree of five types in so many files, most of which are called by random ids.
pub(crate) fn large(count: usize) -> Files {
    let mut dice = Dice::new(7);
    let users: Vec<String> = (0..count / 40).map(|number| dice.id(Ids::Ulid, number)).collect();
    let map: Map<String, Value> = users
        .iter()
        .enumerate()
        .map(|(at, id)| (id.clone(), json!({"name": format!("User {at}"), "joined": 1_690_000_000 + at})))
        .collect();
    let mut files = vec![("users.json".to_owned(), json!({"users": map}).to_string().into_bytes())];
    for number in 0..count {
        let user = &users[number % users.len()];
        let (path, text) = match number % 4 {
            0 => {
                let id = dice.id(Ids::Nano, number);
                (format!("boxes/{id}.json"), json!({"id": id, "owner": user, "size": number}).to_string())
            }
            1 => {
                let (day, id) = (dice.id(Ids::Day, number), dice.id(Ids::Ulid, number));
                let line =
                    |at: usize| json!({"uuid": format!("{id}-{at}"), "userId": user, "text": "hello"}).to_string();
                (format!("sessions/{day}/{id}.jsonl"), format!("{}\n{}\n", line(0), line(1)))
            }
            2 => {
                let slug = dice.id(Ids::Slug, number) + &number.to_string();
                (format!("recipes/{slug}.json"), json!({"title": slug, "steps": [{"text": "Chop"}]}).to_string())
            }
            _ => {
                let id = dice.id(Ids::Uuid, number);
                (
                    format!("users/{user}/notes/{id}.json"),
                    json!({"id": id, "tags": ["a", "b"], "body": "…"}).to_string(),
                )
            }
        };
        files.push((path, text.into_bytes()));
    }
    files
}
