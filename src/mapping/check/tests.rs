//! Sets that are wrong in one way each, and one that is wrong in many.

use super::*;
use crate::mapping::load::{self, SetSource};
use crate::table::Table;
use crate::table::{Column, ColumnType, ForeignKey, Schema};

/// A table in a few words: `*id text(36)` is a primary key, `name! text` is NOT NULL, `at! time=now`
/// has a default, `owner text->people.id` refers to another table.
fn table(name: &str, columns: &[&str]) -> Table {
    let mut table = Table { name: name.to_owned(), ..Table::default() };
    for (at, text) in columns.iter().enumerate() {
        let (column, rest) = text.split_once(' ').expect("name and type");
        let (rest, reference) = rest.split_once("->").map_or((rest, None), |(rest, to)| (rest, Some(to)));
        let (declared, default) = rest.split_once('=').map_or((rest, None), |(rest, default)| (rest, Some(default)));
        let max = declared.split_once('(').and_then(|(_, max)| max.trim_end_matches(')').parse().ok());
        let kind = match declared.split('(').next().unwrap_or_default() {
            "text" => ColumnType::Text { max },
            "integer" => ColumnType::Integer,
            "real" => ColumnType::Real,
            "boolean" => ColumnType::Boolean,
            "time" => ColumnType::Time(None),
            "json" => ColumnType::Json,
            "blob" => ColumnType::Blob,
            other => panic!("no type {other}"),
        };
        let plain = column.trim_start_matches('*').trim_end_matches('!');
        table.columns.push(Column {
            name: plain.to_owned(),
            kind,
            declared: declared.to_owned(),
            not_null: column.ends_with('!'),
            default: default.map(str::to_owned),
            primary_key: if column.starts_with('*') { u32::try_from(at).expect("few columns") + 1 } else { 0 },
        });
        if let Some((to, target)) = reference.and_then(|reference| reference.split_once('.')) {
            table.foreign_keys.push(ForeignKey {
                columns: vec![plain.to_owned()],
                table: to.to_owned(),
                to: vec![target.to_owned()],
                ..ForeignKey::default()
            });
        }
    }
    table
}

fn schema() -> Schema {
    let tables = [
        table("people", &["*id text(36)", "name! text(5)", "email text", "seen time", "data json", "made! time=now"]),
        table("notebooks", &["*id integer", "person_id! text->people.id", "title! text", "pages integer"]),
        table(
            "pages",
            &["*id integer", "notebook_id! integer->notebooks.id", "body text", "public boolean", "raw blob"],
        ),
        table(
            "logins",
            &["*person_id text->people.id", "*service text", "secret! text", "hint text(20)", "count integer"],
        ),
    ];
    Schema { tables: tables.into_iter().map(|table| (table.name.clone(), table)).collect() }
}

const PEOPLE: &str = "[source]\nfiles = [\"people.json\"]\nformat = \"json\"\n[table.people]\nkey = [\"id\"]\n\
                      [table.people.columns]\nid = \"id\"\nname = \"name\"\n";

fn set(files: &[(&str, &str)]) -> (Set, Vec<Error>) {
    let mut all = vec![("set.toml".to_owned(), "name = \"notes\"\n".to_owned())];
    for (name, text) in files {
        all.retain(|(other, _)| other != name);
        all.push(((*name).to_owned(), (*text).to_owned()));
    }
    load::read(&SetSource::Files { folder: "m".to_owned(), files: all }).expect("there is a set.toml")
}

/// Every word that is said of a set, from loading and from checking.
fn errors_of(files: &[(&str, &str)]) -> String {
    let (set, mut errors) = set(files);
    errors.extend(check(&set, &schema()));
    Error::all(errors).map(|error| error.to_string()).unwrap_or_default()
}

/// What is said of rules beside the one that feeds `people`; lines count from its own first.
fn of_rules(rules: &str) -> String {
    let text = errors_of(&[("a.toml", &format!("{PEOPLE}{rules}"))]);
    text.replace("\n  at m/a.toml:", " @")
}

fn first_line(rules: &str) -> String {
    of_rules(rules).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_sound_set_has_nothing_said_of_it() {
    let rules = "\
[table.notebooks]
key = [\"person_id\", \"title\"]
[table.notebooks.columns]
person_id = { lookup = \"people.id\", by = { name = \"owner\" } }
title = { from = \"title\", default = \"none\" }
pages = { from = \"pages\", steps = [\"integer\"] }
[table.pages]
parent = \"notebooks\"
each = \"pages[*]\"
[table.pages.columns]
notebook_id = \"^id\"
body = \"@\"
public = { value = true }
[table.logins]
key = [\"person_id\", \"service\"]
[table.logins.columns]
person_id = \"id\"
service = { value = \"door\" }
secret = { seal = \"doorPin\", on_absent = \"skip\" }
";
    assert_eq!(of_rules(rules), "");
}

#[test]
fn one_file_with_many_mistakes_reports_all_of_them() {
    let text = "\
[source]
files = [\"people.json\"]
format = \"json\"

[table.people]
key = [\"id\"]
onduplicate = \"first\"

[table.people.columns]
id = \"id\"
name = { from = \"name\", steps = [\"trmi\"] }
emial = \"email\"
seen = \"!seen\"
";
    let expected = "\
a rule has no key `onduplicate`
  at m/people.toml:7
hint: did you mean `on_duplicate`?
error: unknown step `trmi`
  at m/people.toml:11
hint: did you mean `trim`?
error: `!seen` starts with `!`, which is not a path prefix
  at m/people.toml:13
hint: a path starts with a name, `.`, `@`, `$`, `^column`, `=name` or `#name`; a literal is `{ value = … }`
error: rule `people` names column `emial`, which table `people` does not have
  at m/people.toml:12
hint: did you mean `email`?";
    assert_eq!(errors_of(&[("people.toml", text)]), expected);
}

#[test]
fn tables_and_columns_must_be_there() {
    let cases = [
        (
            "[table.poeple.columns]\nid = \"id\"\n",
            "rule `poeple` writes into table `poeple`, which the schema does not have @9",
        ),
        (
            "[table.x]\ninto = \"pages\"\n[table.x.columns]\nnotebook_id = { lookup = \"notebook.id\", by = { title = \"t\" } }\n",
            "table `notebook` is looked up, and the schema does not have it @12",
        ),
        (
            "[table.x]\ninto = \"notebooks\"\n[table.x.columns]\nperson_id = { lookup = \"people.id\", by = { nmae = \"t\" } }\ntitle = \"t\"\n",
            "column `nmae` is looked up, and table `people` does not have it @12",
        ),
        (
            "[table.x]\ninto = \"logins\"\nparent = \"people\"\n[table.x.columns]\nperson_id = \"^eid\"\nservice = \"s\"\nsecret = \"t\"\n",
            "`^eid` is no column that the rule `people` gives @13",
        ),
    ];
    for (rules, message) in cases {
        assert_eq!(of_rules(rules).lines().next(), Some(message));
    }
}

#[test]
fn what_set_toml_names_must_be_there() {
    let text = "name = \"notes\"\n[owners]\ncapture = \"dir\"\ntable = \"people\"\nfind = [{ by = { nick = \"#owner\" } }]\n[precedence]\n\"pepole\" = []\n";
    let said = errors_of(&[("set.toml", text), ("a.toml", &PEOPLE.replace("people.json", "{dir}/people.json"))]);
    let expected = "\
owners are found by column `nick`, which table `people` does not have
  at m/set.toml:2
hint: known: `id`, `name`, `email`, `seen`, `data` and `made`
error: `[precedence]` orders the feeders of table `pepole`, which the schema does not have
  at m/set.toml:7
hint: did you mean `people`?";
    assert_eq!(said, expected);
}

#[test]
fn what_precedence_names_feeds_the_table_unless_it_is_not_known_what_it_feeds() {
    let set = "name = \"notes\"\n[precedence]\nnotebooks = [\"a\"]\n";
    let told = |mapping: &str| errors_of(&[("set.toml", set), ("a.toml", mapping)]);
    let hint = "hint: none of its rules goes `into` table `notebooks`";
    assert_eq!(told(PEOPLE), format!("`a` does not feed `notebooks`\n  at m/set.toml:3\n{hint}"));
    let slip = format!("{PEOPLE}[table.x]\ninto = \"notebook\"\n[table.x.columns]\ntitle = \"t\"\n");
    assert_eq!(told(&slip).matches("error: ").count(), 0, "one mistake, one message");
}

#[test]
fn a_misspelt_column_is_not_missing_as_well() {
    let told = of_rules("[table.x]\ninto = \"notebooks\"\n[table.x.columns]\nperson_id = \"id\"\ntilte = \"t\"\n");
    assert_eq!(
        told,
        "rule `x` names column `tilte`, which table `notebooks` does not have @13\nhint: did you mean `title`?"
    );
    let told = of_rules("[table.x]\ninto = \"notebooks\"\n[table.x.columns]\npages = \"p\"\n");
    let message = "rule `x` gives no value for `notebooks.person_id` and `notebooks.title`, which are NOT NULL and have no default @9";
    assert_eq!(told.lines().next(), Some(message));
}

#[test]
fn without_cuts_from_what_the_file_has() {
    let of = |column: &str| {
        let people = "[table.x]\ninto = \"people\"\nkey = [\"id\"]\n[table.x.columns]\nid = \"id\"\nname = \"name\"\ndata = \"meta\"\n";
        of_rules(&format!(
            "{people}email = {{ from = {column}, without = [\"a\"] }}\n[let]\nmore = \"more\"\nfew = {{ from = \"few\", steps = [\"to_json\"] }}\n"
        ))
    };
    for (column, what) in [
        ("\"=data\"", "`=data` is made from it"),
        ("\"=few\"", "`=few` is made from it"),
        ("\"#file\"", "`#file` is a text"),
        ("{ object = { a = \"b\" } }", "this is made from it"),
        ("\"list[*]\"", "this is made from it"),
        ("[\"x\", { from = \"y\", steps = [\"to_json\"] }]", "this is made from it"),
    ] {
        let told = of(column);
        assert!(told.contains(&format!("`without` cuts from what is in the file, and {what}")), "{column}: {told}");
    }
    for column in ["\"x\"", "[\"x\", \"@.y\"]", "\"=more\""] {
        assert!(!of(column).contains("`without`"), "{column}: {}", of(column));
    }
}

#[test]
fn a_column_that_must_have_a_value_cannot_end_null() {
    let rule =
        |columns: &str| format!("[table.x]\ninto = \"notebooks\"\n[table.x.columns]\nperson_id = \"id\"\n{columns}\n");
    assert_eq!(
        first_line(&rule("")),
        "rule `x` gives no value for `notebooks.title`, which is NOT NULL and has no default @9"
    );
    for (column, policy) in [
        ("{ null = true }", "`null = true`"),
        ("{ from = [\"t\", { null = true }] }", "`null = true`"),
        ("{ from = \"t\", on_missing = \"null\" }", "`on_missing = \"null\"`"),
        ("{ from = \"t\", on_empty = \"null\" }", "`on_empty = \"null\"`"),
        ("{ from = \"t\", on_error = \"null\" }", "`on_error = \"null\"`"),
    ] {
        let expected = format!("{policy} would leave `notebooks.title` NULL, which is NOT NULL @13");
        assert_eq!(first_line(&rule(&format!("title = {column}"))), expected);
    }
    // It fills what is there and starts nothing.
    let fill = "[table.x]\ninto = \"people\"\nkey = [\"id\"]\non_duplicate = \"fill\"\n[table.x.columns]\nid = \"id\"\nemail = \"e\"\n";
    assert_eq!(of_rules(fill), "");
}

#[test]
fn what_is_given_fits_the_column() {
    let cases = [
        ("seen = \"seen\"", ""),
        ("seen = { template = \"{a}\" }", ""),
        ("seen = { value = true }", "`people.seen` is `time`, and this gives a boolean"),
        ("seen = { value = \"2025-01-31T08:05:00Z\" }", ""),
        (
            "seen = { value = \"soon\" }",
            "`people.seen` is `time`, and `soon` cannot be read as that: expected a time like `2025-01-31T08:05:00Z`, with `Z` or \
             an offset",
        ),
        (
            "seen = { from = \"#started\", steps = [{ time = { as = \"epoch_s\" } }] }",
            "`people.seen` is `time` and takes the time itself, and `as` writes it first",
        ),
        ("seen = \"#started\"", ""),
        ("seen = { from = [{ from = \"a\", steps = [{ time = \"epoch_s\" }] }, \"#started\"] }", ""),
        (
            "seen = { from = \"a\", steps = [\"time\", \"trim\"] }",
            "step `trim` does not take what `time` gives: a date and time",
        ),
        ("email = { from = \"a\", steps = [\"integer\"] }", "`people.email` is `text`, and this gives an integer"),
        ("email = { from = \"a\", steps = [{ split = \",\" }, \"trim\"] }", ""),
        ("data = { from = \"a\", steps = [{ split = \",\" }, \"trim\"] }", ""),
        ("data = { each = \"a[*]\", item = { template = \"{b}\" } }", ""),
        ("data = { template = \"{b}\" }", ""),
        ("data = { value = \"b\" }", "`people.data` is `json`, and this gives a string"),
        ("data = 3", "`people.data` is `json`, and this gives an integer"),
        ("data = true", ""),
        ("data = \"a[*]\"", ""),
        ("email = { object = { a = \"a\" } }", ""),
        ("data = { value = [] }", ""),
        ("name = { sha256 = \"a\" }", "`people.name` holds at most 5 characters, and this has at least 64"),
        ("name = { value = \"unknown\" }", "`people.name` holds at most 5 characters, and this has at least 7"),
        ("name = { from = \"a\", default = 3 }", "`people.name` is `text(5)`, and this gives an integer"),
        (
            "email = { from = \"#started\", steps = [{ time = { as = \"epoch_s\" } }, \"integer\"] }",
            "`people.email` is `text`, and this gives an integer",
        ),
        ("email = [\"a\", true]", "`people.email` is `text`, and this gives a boolean"),
        ("email = { null = true }", "`null = true` says nothing: `people.email` has no default, so it is NULL anyway"),
    ];
    for (column, message) in cases {
        let name = if column.starts_with("name") { "" } else { "name = \"n\"\n" };
        let rule = format!(
            "[table.x]\ninto = \"people\"\nkey = [\"id\"]\n[table.x.columns]\nid = {{ from = \"i\" }}\n{name}{column}\n"
        );
        let line = first_line(&rule);
        assert_eq!(line.split(" @").next(), Some(message), "{column}");
    }
}

#[test]
fn a_foreign_key_comes_from_where_its_row_is() {
    let rule = |person: &str| {
        format!(
            "[source]\nfiles = [\"{{dir}}/books.json\"]\nformat = \"json\"\n[table.notebooks.columns]\ntitle = \"t\"\nperson_id = {person}\n"
        )
    };
    let owners =
        "name = \"notes\"\n[owners]\ncapture = \"dir\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\n";
    let refused = "`notebooks.person_id` refers to `people.id`, and nothing makes sure that such a row is there";
    for (person, message) in [
        ("\"#owner.id\"", ""),
        ("{ lookup = \"people.id\", by = { name = \"n\" } }", ""),
        ("{ lookup = \"logins.person_id\", by = { service = \"n\" } }", ""),
        ("{ lookup = \"people.name\", by = { id = \"n\" } }", refused),
        ("\"owner\"", refused),
        ("{ from = [\"#owner.id\", \"owner\"] }", refused),
        ("{ value = \"ann\" }", refused),
    ] {
        let said = errors_of(&[("set.toml", owners), ("a.toml", PEOPLE), ("b.toml", &rule(person))]);
        assert_eq!(said.lines().next().unwrap_or_default(), message, "{person}");
    }
    // The mapping that feeds the parent table may copy the value it feeds.
    assert_eq!(of_rules("[table.notebooks.columns]\ntitle = \"t\"\nperson_id = \"id\"\n"), "");
}

#[test]
fn sealed_values_need_a_row_and_a_column_that_keep_them() {
    let rule = |key: &str, secret: &str| {
        format!(
            "[table.logins]\n{key}\n[table.logins.columns]\nperson_id = \"id\"\nservice = {{ value = \"s\" }}\nsecret = {{ seal = \"pin\" }}\n{secret}\n"
        )
    };
    let key = "key = [\"person_id\", \"service\"]";
    assert_eq!(of_rules(&rule(key, "")), "");
    assert_eq!(
        first_line(&rule("key = [\".id\"]", "")),
        "rule `logins` seals `secret`, and its key is not made of columns @10"
    );
    assert_eq!(
        first_line(&rule(key, "hint = { seal = \"pw\" }")),
        "`logins.hint` holds at most 20 characters, and a sealed value has more @15"
    );
    assert_eq!(
        first_line(&rule(key, "hint = { hash = \"pw\" }")),
        "`logins.hint` holds at most 20 characters, and a hash has more @15"
    );
    assert_eq!(of_rules(&rule("key = [\".id\"]", "").replace("seal", "hash")), "");
    assert_eq!(
        first_line(&rule(key, "count = { seal = \"pw\" }")),
        "`logins.count` is `integer`, and a sealed value is text @15"
    );
}

#[test]
fn what_an_import_does_not_see_of_its_own_rows_is_not_looked_up() {
    let book = |title: &str| {
        format!(
            "[table.notebooks]\n[table.notebooks.columns]\nperson_id = \"id\"\ntitle = {title}\n\
             [table.logins]\nkey = [\"person_id\", \"service\"]\n[table.logins.columns]\nperson_id = \"id\"\n\
             service = {{ value = \"s\" }}\nsecret = {{ seal = \"pin\" }}\n"
        )
    };
    let cases = [
        (
            "{ lookup = \"people.made\", by = { id = \"of\" }, steps = [{ time = { as = \"rfc3339\" } }] }",
            "column `made` of table `people` is looked up, and rule `a.people` leaves it to its default in the schema, \
             which this import does not see @12",
        ),
        (
            "{ value = \"t\", when = { exists = \"people\", by = { made = \"of\" } } }",
            "column `made` of table `people` is looked up, and rule `a.people` leaves it to its default in the schema, \
             which this import does not see @12",
        ),
        (
            "{ lookup = \"logins.secret\", by = { person_id = \"of\" } }",
            "column `secret` of table `logins` is looked up, and rule `a.logins` seals or hashes it @12",
        ),
    ];
    for (title, message) in cases {
        assert_eq!(first_line(&book(title)), message, "{title}");
    }
}

const SEALED: &str = "[table.logins]\nkey = [\"person_id\", \"service\"]\n[table.logins.columns]\nperson_id = \"id\"\nservice = { value = \"s\" }\n\
                      secret = { seal = \"door.pin\" }\n";

#[test]
fn a_secret_is_used_in_plaintext_nowhere_else() {
    let rule = |column: &str| {
        format!(
            "{SEALED}[table.x]\ninto = \"people\"\nkey = [\"id\"]\n[table.x.columns]\nid = \"i\"\nname = \"n\"\n{column}\n"
        )
    };
    let refused = "`door.pin` is a secret of this mapping, and is used in plaintext here";
    for (column, message) in [
        ("email = \"door.pin\"", refused),
        ("email = \"@.door.pin\"", refused),
        ("email = { join = [\"a\", { from = \"door.pin\" }] }", refused),
        ("data = { object = { a = \"$.door.pin\" } }", refused),
        ("email = \"=p\"\n[let]\np = \"door.pin\"", refused),
        ("[table.x.when]\nequals = { 'door.pin' = \"1\" }", refused),
        ("[table.x.when]\nmembers = [\"door.pin\"]", ""),
        ("data = \"@\"", ""),
        ("data = \"door\"", ""),
        ("[table.x.when]\nmembers = [\"=p\"]\n[let]\np = \"door.pin\"", ""),
    ] {
        assert_eq!(first_line(&rule(column)).split(" @").next(), Some(message), "{column}");
    }
    let released =
        rule("email = \"door.pin\"").replace("\"door.pin\" }", "\"door.pin\", declassify = \"it is on the door\" }");
    assert_eq!(of_rules(&released), "");
    // The column that declassifies it, and no other one.
    let open = "email = { from = \"door.pin\", declassify = \"it is on the door\" }";
    assert_eq!(of_rules(&rule(open)), "");
    assert_eq!(first_line(&rule(&format!("{open}\ndata = \"door.pin\""))).split(" @").next(), Some(refused));
}

#[test]
fn what_is_declassified_is_not_left_out_as_well() {
    let rules = |more: &str| {
        let open = "hint = { from = \"code.pin\", declassify = \"the pin of a map\" }";
        format!("{SEALED}{open}\n{more}\n")
    };
    let refused = "`code.pin` is declassified, and is ignored or dropped as well";
    let ignored = rules("[ignore]\n\"code.**\" = \"not needed\"");
    assert_eq!(first_line(&ignored).split(" @").next(), Some(refused));
    let dropped = rules("[table.logins.drop]\n\"code.pin\" = \"revoked\"");
    assert_eq!(first_line(&dropped).split(" @").next(), Some(refused));
    assert_eq!(of_rules(&rules("[ignore]\n\"other.pin\" = \"not needed\"")), "");
}

#[test]
fn inside_each_a_secret_is_still_found() {
    let rules = "[table.x]\ninto = \"logins\"\nkey = [\"person_id\", \"service\"]\neach = \"doors[*]\"\n[table.x.columns]\nperson_id = \"@.id\"\nservice = \"name\"\n\
                 secret = { seal = \"pin\" }\n\
                 [table.y]\ninto = \"people\"\nkey = [\"id\"]\n[table.y.columns]\nid = \"i\"\nname = \"n\"\ndata = { each = \"doors[*]\", item = { template = \"{pin}\" } }\n";
    assert_eq!(first_line(rules), "`doors[*].pin` is a secret of this mapping, and is used in plaintext here @23");
}

#[test]
fn names_that_sound_secret_must_be_decided() {
    let rule = |rest: &str| {
        format!(
            "[table.x]\ninto = \"people\"\nkey = [\"id\"]\n[table.x.columns]\nid = \"i\"\nname = \"n\"\nemail = \"contact.apiKey\"\n{rest}"
        )
    };
    assert_eq!(first_line(&rule("")), "`contact.apiKey` looks like a secret, and nothing decides it @15");
    assert_eq!(of_rules(&rule("[ignore]\n\"contact.apiKey\" = \"revoked long ago\"\n")), "");
    let open =
        rule("").replace("\"contact.apiKey\"", "{ from = \"contact.apiKey\", declassify = \"the key of a song\" }");
    assert_eq!(of_rules(&open), "");
    assert_eq!(
        first_line(&format!("{open}data = \"contact.apiKey\"\n")).split(" @").next(),
        Some("`contact.apiKey` looks like a secret, and nothing decides it")
    );
    assert_eq!(
        first_line(&rule("").replace("\"contact.apiKey\"", "{ value = \"x\", declassify = \"none\" }"))
            .split(" @")
            .next(),
        Some("`email` is declassified, and reads nothing of the source")
    );
    let (set, errors) = set(&[("a.toml", &format!("expected = [\"old.password\"]\n{PEOPLE}"))]);
    assert!(errors.is_empty());
    let said = Error::all(check_secret_names(&set)).expect("it is undecided").to_string();
    assert_eq!(
        said,
        "`old.password` looks like a secret, and nothing decides it\n  at m/a.toml:5\nhint: seal it, drop it, ignore it with a reason, or say with `declassify` beside its column why it is none"
    );
}

#[test]
fn rules_that_wait_for_each_other_are_reported_once() {
    // A key depends on each lookup, so that none can see rows that are read later.
    let rules = "[table.a]\ninto = \"notebooks\"\nkey = [\"person_id\", \"title\"]\n[table.a.columns]\nperson_id = \"id\"\ntitle = { lookup = \"pages.body\", by = { id = \"p\" } }\n\
                 [table.b]\ninto = \"pages\"\nkey = [\"notebook_id\"]\n[table.b.columns]\nnotebook_id = { lookup = \"notebooks.id\", by = { title = \"t\" } }\n";
    assert_eq!(
        of_rules(rules),
        "these rules wait for each other: `a.a` for `a.b` for `a.a` @9\nhint: break the cycle: a rule waits by `[precedence]`, for rows that `exists` asks for, and for those of a `lookup` on which a key, a condition or what another lookup asks for depends"
    );
}

#[test]
fn what_is_only_narrowed_or_tested_is_kept_elsewhere_or_left_behind() {
    let rule = |head: &str, column: &str, rest: &str| {
        format!(
            "[table.x]\ninto = \"people\"\nkey = [\"id\"]\n{head}\n[table.x.columns]\nid = \"i\"\nname = \"n\"\n{column}\n{rest}\n"
        )
    };
    let lost = |name: &str| format!("`{name}` is only narrowed, hashed or tested, so its value would be lost");
    for (head, column, rest, message) in [
        ("", "email = { from = \"mail\", steps = [\"lower\"] }", "", lost("mail")),
        ("", "email = { from = \"mail\", steps = [\"trim\"] }", "", String::new()),
        ("", "email = { from = \"mail\", steps = [\"lower\"] }\ndata = \"@\"", "", String::new()),
        (
            "",
            "email = { from = \"mail\", steps = [\"lower\"] }\ndata = { from = \"@\", without = [\"mail\"] }",
            "",
            lost("mail"),
        ),
        (
            "",
            "email = { from = \"mail\", steps = [\"lower\"] }",
            "[ignore]\nmail = \"capitals mean nothing\"",
            String::new(),
        ),
        ("", "email = { sha256 = \"mail\" }", "", lost("mail")),
        ("", "email = { from = \"=m\", steps = [\"lower\"] }", "[let]\nm = \"mail\"", lost("mail")),
        ("", "email = 'mails[kind = \"home\"].to'", "", lost("mails[*].to")),
        ("when = { equals = { kind = 1 } }", "", "", lost("kind")),
        ("when = { equals = { n = 1 } }", "", "", String::new()),
        (
            "when = { type = { mails = \"array\" } }",
            "email = { join = [\"mails.to\", \"mails.at\"] }",
            "",
            String::new(),
        ),
    ] {
        let line = first_line(&rule(head, column, rest));
        assert_eq!(line.split(" @").next(), Some(message.as_str()), "{head} {column}");
    }
}

#[test]
fn the_ids_of_a_table_come_from_the_source_or_from_the_database_but_not_both() {
    let notebook = |name: &str, id: &str| {
        format!(
            "[table.{name}]\ninto = \"notebooks\"\nkey = [\"title\"]\n[table.{name}.columns]\n{id}person_id = \"id\"\n\
             title = \"{name}\"\n"
        )
    };
    let given = "id = { from = \"n\", steps = [\"integer\"] }\n";
    let of = |first: &str, second: &str| first_line(&format!("{}{}", notebook("x", first), notebook("y", second)));
    let message = "rule `y` leaves `notebooks.id` to be counted on, and rule `a.x` gives it: the two would meet @16";
    assert_eq!(of(given, ""), message);
    assert_eq!(of(given, given), "");
    assert_eq!(of("", ""), "");
}

#[test]
fn an_owner_is_known_by_a_key_of_one_column() {
    let owners = |table: &str| {
        format!(
            "name = \"notes\"\n[owners]\ncapture = \"owner\"\ntable = \"{table}\"\nfind = [{{ by = {{ title = \"#owner\" }} }}]\nunknown = \"refuse\"\n"
        )
    };
    let files = "[source]\nfiles = [\"of/{owner}/a.json\"]\nformat = \"json\"\n";
    let rule = "[table.notebooks]\nkey = [\"title\"]\n[table.notebooks.columns]\nperson_id = \"p\"\ntitle = \"t\"\n";
    let said = errors_of(&[("set.toml", &owners("notebooks")), ("a.toml", &format!("{files}{rule}"))]);
    assert!(!said.contains("owners are"), "the database may count the key: {said}");
    let said = errors_of(&[("set.toml", &owners("logins")), ("a.toml", &format!("{files}{rule}"))]);
    assert!(said.contains("owners are rows of table `logins`, whose primary key is not one column"), "{said}");
}

#[test]
fn lossy_stands_where_something_may_be_lost_and_nowhere_else() {
    let rule = |column: &str| {
        format!("[table.x]\ninto = \"people\"\nkey = [\"id\"]\n[table.x.columns]\nid = \"i\"\nname = \"n\"\n{column}\n")
    };
    let kept = "`lossy` has no effect: the value can be got back";
    for (column, message) in [
        ("email = { from = \"mail\", lossy = \"r\" }", kept),
        ("email = { from = \"mail\", steps = [\"trim\"], lossy = \"r\" }", kept),
        ("email = { from = [\"mail\", { value = \"none\" }], lossy = \"r\" }", kept),
        ("email = { template = \"{a}-{b}\", lossy = \"r\" }", kept),
        ("email = { sha256 = { value = \"a\" }, lossy = \"r\" }", kept),
        (
            "email = { sha256 = { from = [\"a\", \"b\"], lossy = \"r\" } }",
            "`lossy` has no effect: what is made of the value keeps nothing of it",
        ),
        (
            "email = { from = \"=m\", lossy = \"r\" }\n[let]\nm = { from = \"mail\", steps = [\"lower\"], lossy = \"r\" }",
            kept,
        ),
        ("email = { from = \"mail\", steps = [\"lower\"], lossy = \"r\" }", ""),
        ("email = { from = [\"mail\", \"address\"], lossy = \"r\" }", ""),
        ("email = { from = \"mail\", agrees_with = \"address\", lossy = \"r\" }", ""),
        ("email = { sha256 = \"mail\", lossy = \"r\" }", ""),
        (
            "email = { lookup = \"people.email\", by = { id = { from = \"of\", ignore_case = true } }, lossy = \"r\" }",
            "",
        ),
        ("email = { from = \"=m\", lossy = \"r\" }\n[let]\nm = { from = \"mail\", steps = [\"lower\"] }", ""),
        ("data = { object = { a = { from = \"mail\", steps = [\"lower\"], lossy = \"r\" } } }", ""),
    ] {
        assert_eq!(first_line(&rule(column)).split(" @").next(), Some(message), "{column}");
    }
    let sealed = SEALED.replacen("seal = \"door.pin\"", "seal = [\"door.pin\", \"pin\"], lossy = \"r\"", 1);
    assert_ne!(sealed, SEALED);
    assert_eq!(first_line(&sealed).split(" @").next(), Some("`lossy` has no effect on the secret for `secret`"));
}
