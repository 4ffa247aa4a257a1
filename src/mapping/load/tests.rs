//! Whole sets, loaded from texts: what comes out, and every error in full.

use super::*;
use crate::document::tape::Segment;
use crate::mapping::model::*;

const SET: &str = r##"
name = "notes"
description = "notebooks of people"
recognise = { files = ["people.json"] }
namespace = "6f0b6f5e-4c53-5c0e-9f0e-0d9b1a7c2e11"

[owners]
capture = "owner"
table = "people"
find = [{ by = { id = "#owner" } }, { by = { name = { from = "#owner", column_steps = ["lower"], steps = ["lower"] } }, alias = true }]
unknown = { ignore = "nobody's" }
ownerless = "only-user"

[precedence]
people = ["people", "notes.authors"]

[ignore]
"old/**" = "copies"
"##;

const PEOPLE: &str = r##"
[source]
files = ["people.json"]
format = "json"

[[source.shape]]
name = "people"
records = "[*]"

[table.people]
key = ["id"]
[table.people.columns]
id = "id"
name = { from = ["name", "contact.name"], default = "nobody" }
door_code = { seal = "doorPin", on_absent = "skip" }
[table.people.drop]
oldPin = "no door takes it"
"##;

const NOTES: &str = r##"
description = "one notebook of one person"
expected = ["more.*"]

[source]
files = ["notes/{owner}/book_{year}.json"]
format = "json"
newest = ["$.saved"]

[[source.shape]]
name = "dated"
when = { members = ["days"], type = { days = "object" } }
records = "days.*[*]"
key_as = "day"
otherwise = "empty days"

[[source.shape]]
name = "blank"
ignore = "nothing written yet"

[table.notes]
key = ["person_id", ".title", "#day"]
on_duplicate = "first"
[let]
trimmed = { from = "title", steps = ["trim"] }
[table.notes.columns]
id = { uuid5 = [{ value = "note" }, "=person_id", "=trimmed"] }
person_id = "#owner.id"
title = { from = "=trimmed", on_empty = "null", agrees_with = "heading", after = "rename them" }
author = { lookup = "people.id", by = [{ id = "author" }, { name = { from = "author", ignore_case = true, column_steps = ["trim"] } }] }
tags = { each = "tags[*]", item = { template = "{name}: {{{count}}}", on_missing = "skip" } }
line = { from = { join = ["a", { value = "b" }], with = ", " }, steps = [{ matching = "^x" }] }
first = 'tags[kind = "main"].name'
data = { object = { all = { from = "@", without = ["doorPin"] }, year = "#year", more = { object = { from = "a", to = "b" } } } }
counts = { each = "tags", member = "name", item = "count" }
known = [{ value = "yes", when = { exists = "people", by = { id = "=person_id" } } }, 1.50]
labels = { join = "labels[*]", with = "," }
gone = { null = true }

[table.lines]
parent = "notes"
each = ["@.lines[*]", "paragraphs.*"]
key_as = "paragraph"
shapes = ["dated"]
when = { any = [{ matches = { text = "." } }, { not = { equals = { kind = "rule" } } }] }
[table.lines.columns]
note_id = "^id"
text = "text"
[table.authors]
into = "people"
key = ["id"]
on_duplicate = "fill"
[table.authors.columns]
id = "author"

[ignore]
"$.version" = "always 1"
"##;

const UP: &str = "-- version: v1\nCREATE TABLE people (id TEXT PRIMARY KEY);\n";

pub(crate) fn source(files: &[(&str, &str)]) -> SetSource {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    SetSource::Files { folder: "mappings/notes".to_owned(), files }
}

fn errors(files: &[(&str, &str)]) -> String {
    let (_, errors) = read(&source(files)).expect("there is a set.toml");
    Error::all(errors).map(|error| error.to_string()).unwrap_or_default()
}

/// What is wrong with one mapping in an otherwise empty set.
fn wrong(text: &str) -> String {
    errors(&[("set.toml", "name = \"notes\"\n"), ("a.toml", text)])
}

#[test]
fn a_whole_set_is_understood() {
    let files = [("set.toml", SET), ("people.toml", PEOPLE), ("notes.toml", NOTES), ("schema/001_people.up.sql", UP)];
    let set = load(&source(&files)).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(set.name, "notes");
    assert_eq!(set.recognise, Some(Recognise { files: vec!["people.json".into()], below: vec![String::new()] }));
    let owners = set.owners.as_ref().expect("it has owners");
    assert_eq!((owners.captures[0].as_str(), owners.table.as_str(), owners.line), ("owner", "people", 7));
    assert_eq!(owners.unknown, Unknown::Ignore("nobody's".into()));
    assert_eq!(owners.find.iter().map(|find| find.alias).collect::<Vec<_>>(), [false, true]);
    let feeders = vec!["people".to_owned(), "notes.authors".to_owned()];
    assert_eq!(set.precedence, [Precedence { table: "people".into(), feeders, line: 15 }]);
    assert_eq!(set.migrations.len(), 1);
    assert_eq!(set.digest.len(), 64);
    assert_eq!(set.mappings.iter().map(|mapping| mapping.name.as_str()).collect::<Vec<_>>(), ["notes", "people"]);

    let notes = &set.mappings[0];
    assert_eq!(notes.file, "mappings/notes/notes.toml");
    assert_eq!(notes.source.files[0].captures().collect::<Vec<_>>(), ["owner", "year"]);
    assert_eq!(notes.expected[0].to_string(), "more.*");
    assert_eq!(notes.ignore[0].0.rooted.root, Root::Frame);
    let [dated, blank] = notes.source.shapes.as_slice() else { panic!("two shapes") };
    assert!(matches!(&dated.when, Some(Condition::All(all)) if all.len() == 2));
    assert_eq!(dated.records.as_ref().map(ToString::to_string).as_deref(), Some("days.*[*]"));
    assert_eq!(blank.ignore.as_deref(), Some("nothing written yet"));

    let [rule, lines, authors] = notes.rules.as_slice() else { panic!("three rules, in the order of the file") };
    assert_eq!(rule.on_duplicate, OnDuplicate::First);
    assert_eq!(rule.key[0], KeyPart::Column("person_id".into()));
    assert_eq!(rule.key[2], KeyPart::Path(PathExpr { root: Root::Context("day".into()), steps: vec![] }));
    assert_eq!(rule.key_columns(), None);
    assert_eq!(lines.selections().map(|each| each.root.clone()).collect::<Vec<_>>(), [Root::Record, Root::Element]);
    assert_eq!((authors.into.as_str(), authors.on_duplicate), ("people", OnDuplicate::Fill));
    assert_eq!(authors.key_columns(), Some(vec!["id"]));
}

#[test]
fn columns_say_what_they_are_made_of() {
    let files = [("set.toml", SET), ("people.toml", PEOPLE), ("notes.toml", NOTES)];
    let set = load(&source(&files)).unwrap_or_else(|error| panic!("{error}"));
    let rule = &set.mappings[0].rules[0];
    let column = |name: &str| rule.columns.iter().find(|column| column.name == name).expect("it is there");
    assert!(matches!(&column("id").expr.from, From::Digest { how: Digest::Uuid5, of, list: true } if of.len() == 3));
    assert_eq!(column("title").policies.empty, Some(Policy::Null));
    assert_eq!(column("title").agrees.as_ref().and_then(|agrees| agrees.after.as_deref()), Some("rename them"));
    assert_eq!(column("title").line, 29);
    assert!(
        matches!(&column("author").expr.from, From::Lookup(ways) if ways.len() == 2 && ways[0].by[0].form.is_plain() && ways[1].by[0].form.ignore_case && ways[1].by[0].form.column_steps.len() == 1)
    );
    let From::Each(tags) = &column("tags").expr.from else { panic!("it is a list") };
    assert!(matches!(&tags.each.from, From::Selected(rooted) if rooted.to_string() == "tags[*]"));
    assert!(matches!(&tags.item.from, From::Template(pieces) if pieces.len() == 4));
    assert_eq!((tags.member.is_none(), tags.policies.missing), (true, Some(Policy::Skip)));
    let line = &column("line").expr;
    assert!(line.steps[0].is_test());
    assert!(
        matches!(&line.from, From::First(parts) if matches!(&parts[0].from, From::Join { with, parts: Parts::Of(_) } if with == ", "))
    );
    let From::Object(members) = &column("data").expr.from else { panic!("it is an object") };
    assert_eq!(members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["all", "year", "more"]);
    assert_eq!(members[0].1.without.len(), 1);
    assert!(matches!(&members[2].1.from, From::Object(inner) if inner.len() == 2));
    assert!(matches!(&column("counts").expr.from, From::Each(each) if each.member.is_some()));
    let From::First(known) = &column("known").expr.from else { panic!("it is a list") };
    assert!(matches!(known[0].when.as_deref(), Some(Condition::Exists { .. })));
    assert!(matches!(&column("labels").expr.from, From::Join { parts: Parts::In(_), .. }));
    assert!(matches!(column("gone").expr.from, From::Null));

    let people = &set.mappings[1].rules[0];
    assert_eq!(
        people.columns[1].policies,
        Policies {
            absent: Some(Policy::Default),
            default: Some(Literal::Text("nobody".into())),
            ..Policies::default()
        }
    );
    assert_eq!(
        (people.columns[2].protection, people.columns[2].policies.absent),
        (Some(Protection::Seal), Some(Policy::Skip))
    );
    assert_eq!(
        (people.drops[0].selection.to_string(), people.drops[0].reason.as_str()),
        ("oldPin".into(), "no door takes it")
    );
}

#[test]
fn the_digest_changes_with_every_file() {
    let digest = |files: &[(&str, &str)]| load(&source(files)).map(|set| set.digest).expect("it is sound");
    let set = "name = \"notes\"\n";
    let one = digest(&[("set.toml", set), ("README.md", "a")]);
    assert_eq!(one, digest(&[("README.md", "a"), ("set.toml", set)]));
    assert_ne!(one, digest(&[("set.toml", set), ("README.md", "b")]));
    assert_ne!(one, digest(&[("set.toml", set), ("READMEa.md", "")]));
}

#[test]
fn every_error_of_every_file_is_reported_with_its_line() {
    let told = errors(&[
        ("set.toml", "nam = \"notes\"\n[precedence]\npeople = [\"pepole\"]\n"),
        (
            "notes.toml",
            "[source]\nfiles = [\"x.json\"]\nformat = \"jsn\"\n[table.notes]\ncolums = {}\n[table.notes.columns]\na = \"%b\"\nb = { from = \"c\", steps = [\"trmi\"] }\n",
        ),
        ("people.toml", "[source]\nfiles = [\"x.json\"\n"),
        ("notes.txt", ""),
    ]);
    let expected = "\
set.toml has no key `nam`
  at mappings/notes/set.toml:1
hint: did you mean `name`?
error: `notes.txt` does not belong to a mapping set
  at mappings/notes
hint: a set has set.toml, mappings (`*.toml`), `schema/*.sql` and `*.md`
error: invalid TOML: `[` is not closed
  at mappings/notes/people.toml:2
hint: write `]` behind what belongs into it
error: `format` does not take the word `jsn`
  at mappings/notes/notes.toml:3
hint: did you mean `json`?
error: a rule has no key `colums`
  at mappings/notes/notes.toml:5
hint: did you mean `columns`?
error: `%b` starts with `%`, which is not a path prefix
  at mappings/notes/notes.toml:7
hint: a path starts with a name, `.`, `@`, `$`, `^column`, `=name` or `#name`; a literal is `{ value = … }`
error: unknown step `trmi`
  at mappings/notes/notes.toml:8
hint: did you mean `trim`?";
    assert_eq!(told, expected);
}

#[test]
fn a_missing_bracket_is_one_error() {
    let crew = "[source]\nfiles = [\"x.json\"\n[table.crew]\nkey = [\"id\"]\n[table.crew.columns]\nid = \"id\"\nname = \"name\"\n";
    let told = errors(&[("set.toml", "name = \"notes\"\n"), ("crew.toml", crew)]);
    let expected = "\
invalid TOML: `[` is not closed
  at mappings/notes/crew.toml:2
hint: write `]` before line 3";
    assert_eq!(told, expected);
}

#[test]
fn words_of_the_first_edition_are_refused_with_what_to_write_instead() {
    // What stands in a mapping, the word that is refused, and what the hint says.
    let json = "write the path itself, `object = { MEMBER = … }`, or `{ each, item }` (with `member` an object)";
    let exists = "write `{ value = …, when = { exists = TABLE, by = … } }` as one of a list of alternatives";
    let cases = [
        (
            "[table.a]\non_reject = \"record\"\n[table.a.columns]\na = \"a\"\n",
            "on_reject",
            "leave it out: the whole record is rejected with all its rows",
        ),
        (
            "[table.a]\nlet = { b = \"b\" }\n[table.a.columns]\na = \"a\"\n",
            "let",
            "write it under `[let]` at the top of the mapping",
        ),
        (
            "[table.a]\nwhen = { root = \"array\" }\n[table.a.columns]\na = \"a\"\n",
            "root",
            "write `type = \"array\"`: in a shape it is the document's type",
        ),
        (
            "[table.a]\nwhen = { members = [\"a\"], absent = \"a\" }\n[table.a.columns]\na = \"a\"\n",
            "absent",
            "write `not = { exists = \"…\", by = { … } }`",
        ),
        (
            "[table.a.columns]\na = { from = \"a\", matching = \"x\" }\n",
            "matching",
            "write the step `{ matching = REGEX }`, before the others beside one value, after those of a list's alternatives",
        ),
        (
            "[source]\nfiles = [\"x\"]\nformat = \"text\"\n[table.a.columns]\na = \"a\"\n",
            "text",
            "write `\"sniff\"`, which reads a file that is not JSON as one string",
        ),
        ("[table.a.columns]\na = { json = \"@\" }\n", "json", json),
        ("[table.a.columns]\na = { from = { json = { b = \"c\" } } }\n", "json", json),
        ("[table.a.columns]\na = { exists = \"people\", by = { id = \"b\" } }\n", "exists", exists),
        (
            "[table.a.columns]\na = { lookup = \"a.b\", by = { b = \"b\" }, ignore_case = true }\n",
            "ignore_case",
            "write it inside `by`: `by = { COLUMN = { from = …, ignore_case = true } }`",
        ),
        ("[table.a.columns]\na = { value = 1, then = 1 }\n", "then", exists),
        ("[table.a.columns]\na = { value = 1, else = 1 }\n", "else", "write it as the last of a list of alternatives"),
        (
            "[table.a.columns]\na = \"a\"\n[table.a.secrets]\nb = { from = \"b\", kind = \"seal\", need = true }\n",
            "secrets",
            "write `COLUMN = { seal = PATH }` among the columns, with `on_absent = \"skip\"` for `need`; under \
             `[table.NAME.drop]` write `PATH = REASON`",
        ),
        (
            "[table.a.columns]\na = \"pin\"\n[declassify]\npin = \"of a map\"\n",
            "declassify",
            "write `declassify = REASON` beside the expression of the column that keeps it",
        ),
        (
            "[table.a.columns]\na = { from = \"a\", on_null = \"skip\" }\n",
            "on_null",
            "write `on_absent`, which judges missing and null; `on_missing` goes before it for missing",
        ),
    ];
    let steps = [
        ("\"upper\"", "list the words with `map`, or leave their letters as they are"),
        ("{ suffix = \"x\" }", "write `{ template = \"{path}SUFFIX\" }`"),
        ("\"boolean\"", "write `{ map = { true = true, false = false } }`"),
        ("\"instant\"", "leave it out: columns of times read RFC 3339 by themselves; elsewhere write `\"time\"`"),
        ("{ date = [\"%Y\"] }", "write `{ time = FORM }`, or a list of forms"),
        ("\"civil\"", "write `{ time = \"iso\" }`, or the forms as they were"),
        ("{ civil_in = \"UTC\" }", "write `{ time = { forms = \"iso\", zone = ZONE } }`, with the forms as they were"),
    ];
    for (step, instead) in steps {
        let told = wrong(&format!("{SOURCE}[table.a.columns]\na = {{ from = \"a\", steps = [{step}] }}\n"));
        assert!(told.contains("` was dropped in 0.2.0\n") && told.ends_with(&format!("\nhint: {instead}")), "{told}");
    }
    for (text, word, instead) in cases {
        let told = if text.starts_with("[source]") { wrong(text) } else { wrong(&format!("{SOURCE}{text}")) };
        assert!(told.starts_with(&format!("`{word}` was dropped in 0.2.0\n")), "{word}: {told}");
        assert!(told.ends_with(&format!("\nhint: {instead}")), "{word}: {told}");
    }
}

#[test]
fn source_has_the_keys_of_the_only_shape_which_is_called_as_the_mapping_is() {
    let of = |source: &str| {
        let text = format!(
            "[source]\nfiles = [\"x.json\"]\n{source}[table.a]\nshapes = [\"a\"]\n[table.a.columns]\nx = \"x\"\n"
        );
        let set = load(&source_of(&text)).unwrap_or_else(|error| panic!("{error}"));
        let [mapping] = <[Mapping; 1]>::try_from(set.mappings).expect("one mapping");
        mapping
    };
    let mapping = of("records = \"days.*\"\nkey_as = \"day\"\notherwise = \"why\"\nwhen = { type = \"object\" }\n");
    let [shape] = mapping.source.shapes.as_slice() else { panic!("one shape") };
    assert_eq!(
        (shape.name.as_str(), shape.key_as.as_slice(), shape.otherwise.as_deref()),
        ("a", &["day".to_owned()][..], Some("why"))
    );
    let names = vec![Segment::Name("days".to_owned())];
    assert_eq!(shape.need(), Some((names.as_slice(), Some(TypeName::Object))));
    assert!(matches!(&shape.when, Some(Condition::Type(pairs)) if pairs[0].0 == PathExpr::element()));
    assert_eq!((mapping.title_of(0), mapping.shape_name(0)), ("a".to_owned(), None));
    assert_eq!(of("").source.shapes[0].need(), None);

    let told = wrong(
        "[source]\nfiles = [\"x.json\"]\nrecords = \"[*]\"\n[[source.shape]]\nname = \"b\"\n[table.a.columns]\nx = \"x\"\n",
    );
    let expected = "`records` under [source] is for a mapping with one shape, and this one has several\n  at mappings/notes/a.toml:3\n\
                    hint: move it into the `[[source.shape]]` that it is for";
    assert_eq!(told, expected);
}

fn source_of(text: &str) -> SetSource {
    source(&[("set.toml", "name = \"notes\"\n"), ("a.toml", text)])
}

#[test]
fn a_shape_that_an_earlier_one_takes_all_of_is_refused() {
    let never = |one: &str, other: &str| {
        let shape = |name: &str, keys: &str| format!("[[source.shape]]\nname = \"{name}\"\n{keys}\n");
        let text = format!("[source]\nfiles = [\"x.json\"]\n{}{}", shape("one", one), shape("other", other));
        wrong(&format!("{text}[table.a.columns]\nx = \"x\"\n"))
    };
    for (one, other) in [
        ("", "when = { type = \"array\" }"),
        ("records = \".\"", "records = \"[*]\""),
        ("records = \"[*]\"", "records = \"[*]\"\nwhen = { members = [\"a\"] }"),
        ("records = \"[*]\"", "when = { type = \"array\" }"),
        ("records = \"a[*]\"", "when = { type = { a = \"array\" }, members = [\"b\"] }"),
        ("records = \"a.*\"", "records = \"a.b[*]\""),
        ("records = \"a\"", "records = \"a.b[*]\""),
    ] {
        let told = never(one, other);
        let message = "shape `one` takes every document of shape `other`, which is never reached\n";
        assert!(told.starts_with(message), "{one} then {other}: {told}");
    }
    for (one, other) in [
        ("when = { type = \"array\" }", ""),
        ("records = \"[*]\"", "records = \".*\""),
        ("records = \"a[*]\"", "records = \"a.*\""),
        ("records = \"a[*]\"", "records = \"a.b[*]\""),
        ("records = \"a[*]\"", "when = { type = { a = \"object\" } }"),
        ("records = \"a\"", "records = \"b\""),
    ] {
        assert_eq!(never(one, other), "", "{one} then {other}");
    }
}

#[test]
fn names_of_let_and_when_are_checked() {
    const RULE: &str = "[table.a.columns]\nx = \"=y\"\n";
    let cases = [
        ("[let]\ny = \"a\"\nz = \"b\"\n", RULE, "nothing uses `z` of [let]"),
        ("[let]\ny = \"=z\"\n", RULE, "`=z` is neither a column nor a `let` of the rule"),
        ("[let]\ny = \"=z\"\nz = \"=y\"\n", RULE, "`=y` needs `=z` needs `=y`: a value cannot depend on itself"),
        ("[let]\ny = \"=x\"\n", RULE, "`=x` needs `=y` needs `=x`: a value cannot depend on itself"),
        ("[let]\ny = \"a\"\n", "[table.a.columns]\ny = \"b\"\nx = \"=y\"\n", "rule `a` uses the name `y` twice"),
        (
            "[let]\ny = \"=z\"\nz = \"a\"\n",
            "[table.a.columns]\nz = \"b\"\nx = \"=y\"\n",
            "rule `a` uses the name `z` twice",
        ),
        ("[let]\ny = { from = \"a\", on_empty = \"default\" }\n", RULE, "`y` has no `default` for its policy"),
        (
            "[let]\ny = { from = \"a\", declassify = \"public\" }\n",
            RULE,
            "`declassify` belongs to the column itself, not to an item of a list or a `[let]`",
        ),
        ("[let]\ny = \"%a\"\n", RULE, "`%a` starts with `%`, which is not a path prefix"),
        ("[when]\nold = { members = [\"a\"] }\n", "[table.a.columns]\nx = \"x\"\n", "nothing uses the condition `old`"),
        (
            "[when]\nold = { not = \"new\" }\nnew = { members = [\"a\"] }\n",
            "[table.a]\nwhen = \"new\"\n[table.a.columns]\nx = \"x\"\n",
            "nothing uses the condition `old`",
        ),
        (
            "[when]\nold = { not = \"new\" }\nnew = { any = [\"old\"] }\n",
            "[table.a]\nwhen = \"new\"\n[table.a.columns]\nx = \"x\"\n",
            "`old` needs `new` needs `old`: a condition cannot depend on itself",
        ),
        (
            "[when]\nold = { not = \"nwe\" }\nnew = { members = [\"a\"] }\n",
            "[table.a]\nwhen = { any = [\"old\", \"new\"] }\n[table.a.columns]\nx = \"x\"\n",
            "`nwe` is not the name of a condition under [when]",
        ),
    ];
    for (names, rule, message) in cases {
        let told = wrong(&format!("{SOURCE}{names}{rule}"));
        assert_eq!(told.lines().next(), Some(message), "{told}");
        assert!(!told.contains("\nerror: "), "one mistake, one message: {told}");
    }
}

#[test]
fn a_rule_has_the_lets_that_it_uses_and_conditions_stand_where_they_are_named() {
    let text = format!(
        "{SOURCE}[let]\na = \"x\"\nb = {{ join = [\"=a\", \"=title\"], with = \" \" }}\nc = \"z\"\n\
         [when]\nnew = {{ not = \"old\" }}\nold = {{ equals = {{ \"=c\" = \"1\" }} }}\n\
         [table.notes.columns]\ntitle = \"title\"\nbody = \"=b\"\n\
         [table.rests]\nwhen = {{ any = [\"new\", {{ members = [\"y\"] }}] }}\nkey = [\"=a\"]\n[table.rests.columns]\ntitle = \"title\"\n"
    );
    let set = load(&source_of(&text)).unwrap_or_else(|error| panic!("{error}"));
    let lets = |rule: &Rule| rule.lets.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    let [notes, rests] = set.mappings[0].rules.as_slice() else { panic!("two rules") };
    assert_eq!(
        (lets(notes), lets(rests)),
        (vec!["a".to_owned(), "b".to_owned()], vec!["a".to_owned(), "c".to_owned()])
    );
    let Some(Condition::Any(any)) = &rests.when else { panic!("any of two") };
    let [Condition::Not(old), Condition::Members(_)] = any.as_slice() else { panic!("{any:?}") };
    assert!(matches!(old.as_ref(), Condition::Equals(_)));
}

#[test]
fn a_row_has_a_name_and_its_columns_are_looked_up_where_they_are_used() {
    let row = "[let]\nup = { lookup = \"ups\", by = [{ id = \"=key\" }, { name = \"n\" }], when = { members = [\"n\"] } }\nkey = \"k\"\n";
    let rules = |columns: &str| format!("{SOURCE}{row}[table.notes.columns]\n{columns}");
    let set = load(&source_of(&rules("a = \"=up.id\"\nb = { template = \"{=up.name} {=up.id}\" }\n"))).unwrap();
    let lets = &set.mappings[0].rules[0].lets;
    let shown: Vec<_> = lets.iter().map(|one| (one.name.as_str(), one.expr.when.is_some())).collect();
    assert_eq!(shown, [("up.id", true), ("up.name", true), ("key", false)]);
    let columns = lets.iter().filter_map(|one| match &one.expr.from {
        From::Lookup(ways) => {
            Some(ways.iter().map(|way| (way.table.as_str(), way.column.as_deref())).collect::<Vec<_>>())
        }
        _ => None,
    });
    let both = |column| vec![("ups", Some(column)), ("ups", Some(column))];
    assert_eq!(columns.collect::<Vec<_>>(), [both("id"), both("name")]);

    let cases = [
        (rules("a = \"=up.id\"\nb = \"=up\"\n"), "`=up` is a row of a table"),
        (rules("a = \"=up.id\"\nup = \"x\"\n"), "rule `notes` uses the name `up` twice"),
        (rules("a = \"=key.id\"\nb = \"=up.id\"\n"), "`=key.id` is neither a column nor a `let` of the rule"),
        (rules("a = \"=key\"\n"), "nothing uses `up` of [let]"),
        (
            rules("a = \"=up.id\"\n").replace("when =", "steps = [\"trim\"], when ="),
            "`steps` has no effect beside a row",
        ),
        (rules("a = \"=up.id\"\nb = { lookup = \"ups\", by = { id = \"x\" } }\n"), "`ups` names no column"),
        (rules("a = \"=up.id\"\nb = \"=up.id.x\"\n"), "`=up.id.x` does not name a column or `let` of the rule"),
    ];
    for (text, message) in cases {
        let told = wrong(&text);
        assert_eq!(told.lines().next(), Some(message), "{told}");
        assert!(!told.contains("\nerror: "), "one mistake, one message: {told}");
    }
}

const SOURCE: &str = "[source]\nfiles = [\"{dir}/x.json\"]\nformat = \"json\"\n";

#[test]
fn undefined_names_are_refused() {
    let cases = [
        (
            "[table.a]\nparent = \"bb\"\n[table.a.columns]\nx = \"^id\"\n[table.b.columns]\nx = \"x\"\n",
            "rule `a` has an unknown parent `bb`",
        ),
        ("[table.a]\nparent = \"a\"\n[table.a.columns]\nx = \"x\"\n", "rule `a` is its own ancestor"),
        ("[table.a]\nshapes = [\"old\"]\n[table.a.columns]\nx = \"x\"\n", "rule `a` is for an unknown shape `old`"),
        ("[table.a.columns]\nx = \"#dri\"\n", "nothing sets the context `#dri`"),
        ("[table.a.columns]\nx = \"#owner.id\"\n", "`#owner.id` needs `[owners]` in set.toml"),
        ("[table.a.columns]\nx = \"^id\"\n", "`^id` needs a parent, and the rule has none"),
        ("[table.a.columns]\nx = \"=y\"\n", "`=y` is neither a column nor a `let` of the rule"),
        (
            "[table.a.columns]\nx = \"=y\"\ny = { join = [\"=x\"] }\n",
            "`=x` needs `=y` needs `=x`: a value cannot depend on itself",
        ),
        (
            "[table.a]\nkey = [\"x\"]\n[table.a.columns]\nx = { hash = \"y\" }\n",
            "the key of rule `a` names `x`, which holds a secret",
        ),
        (
            "[table.a.columns]\nx = \"=y\"\ny = { seal = \"y\" }\n",
            "`=y` is a secret, which no other expression can use",
        ),
        (
            "[table.a]\nkey = [\"id\"]\n[table.a.columns]\nx = \"x\"\n",
            "the key of rule `a` names `id`, which is not one of its columns",
        ),
        ("[table.a.columns]\nx = { uuid5 = \"x\" }\n", "`uuid5` needs a namespace"),
        ("[table.a]\nlike = \"b\"\n[table.a.columns]\nx = \"x\"\n", "there is no rule `b` in this mapping"),
        (
            "[table.a]\nlike = \"b\"\n[table.b]\nlike = \"a\"\n[table.b.columns]\nx = \"x\"\n",
            "rule `a` is like `b` is like `a`: a rule cannot be like itself",
        ),
        (
            "[table.a.columns]\nx = \"^b.y\"\n[table.b.columns]\ny = \"y\"\n",
            "`^b.…` needs a row above that rule `b` made, and rule `a` has none",
        ),
        (
            "[table.a]\neach = { from = \"=x\" }\n[table.a.columns]\nx = \"x\"\n",
            "`=x` is neither a column nor a `let` of the mapping, where `each` is worked out",
        ),
        (
            "[table.a]\neach = \"x.*.*\"\nkey_as = [\"y\"]\n[table.a.columns]\nx = \"x\"\n",
            "`key_as` lists 1, and `x.*.*` has 2 `.*`",
        ),
        (
            "[table.a]\neach = \"x.*\"\nkey_as = \"day\"\n[table.a.columns]\nx = \"x\"\n[ignore]\n\"#dya\" = \"why\"\n",
            "`#dya` under [ignore]: no `key_as` calls member names so",
        ),
        (
            "[table.a.columns]\nx = \"#dir\"\n[ignore]\n\"#dir\" = \"why\"\n",
            "`#dir` under [ignore]: no `key_as` calls member names so",
        ),
        (
            "[table.a]\neach = \"x[*]\"\nkey_as = \"y\"\n[table.a.columns]\nx = \"x\"\n",
            "`key_as` has no effect without a `.*`",
        ),
        ("[table.a]\neach = \"x.*\"\nkey_as = \"dir\"\n[table.a.columns]\nx = \"x\"\n", "`#dir` is already in use"),
    ];
    for (text, message) in cases {
        let told = wrong(&format!("{SOURCE}{text}"));
        assert_eq!(told.lines().next(), Some(message), "{told}");
        assert!(!told.contains("\nerror: "), "one mistake, one message: {told}");
    }
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    let cases = [
        ("x = { from = \"a\", value = 1 }", "`from` and `value` both say where the value comes from"),
        ("x = { steps = [\"trim\"] }", "`x` does not say where its value comes from"),
        ("x = { from = \"a\", with = \",\" }", "`with` has no effect beside `from`"),
        ("x = { lookup = \"people\", by = { id = \"a\" } }", "`people` names no column"),
        ("x = { lookup = \"people.id\" }", "`lookup` does not say which row"),
        (
            "x = { from = { from = \"a\", default = 1 } }",
            "`default` belongs to the column itself, not to an expression inside it",
        ),
        ("x = { from = \"a\", default = 1, on_missing = \"null\" }", "nothing uses `default`"),
        (
            "x = { each = \"a[*]\", item = { from = \".\", on_empty = \"default\" } }",
            "`item` has no `default` for its policy",
        ),
        ("x = { seal = \"a\", from = \"b\" }", "`seal` and `from` both say where the value comes from"),
        ("x = { join = [{ seal = \"a\" }] }", "`seal` belongs to the column itself, not to an expression inside it"),
        (
            "x = { hash = \"a\", on_empty = \"null\" }",
            "`on_empty` has no effect beside `hash`: an empty secret is absent",
        ),
        ("x = { seal = \"a\", agrees_with = \"b\" }", "`agrees_with` has no effect beside `seal`"),
        ("x = { seal = \"a\", default = 1 }", "what is kept in the place of a secret is a string"),
        ("x = { from = [] }", "`from` is a list of no alternatives"),
        ("x = { from = \"a\", steps = [{ matching = \"(\" }] }", "invalid regular expression `(`: unclosed group"),
        ("x = { from = \"a\", item = \"b\" }", "`item` has no effect beside `from`"),
        ("x = { each = \"a[*]\" }", "`each` needs `item`"),
        (
            "x = { each = \"a[*]\", item = { from = \"b\", agrees_with = \"c\" } }",
            "`agrees_with` belongs to the column itself, not to an item of a list or a `[let]`",
        ),
        ("x = [1, \"a\"]", "an alternative after one that is always there is never asked"),
        ("x = { object = { a = \"b\" }, without = [\"a\"] }", "`without` has no effect beside `object`"),
        ("x = 1979-05-27", "`x` takes no TOML date or time: there is no literal of that kind"),
        ("x = { value = 1979-05-27 }", "`value` takes no TOML date or time: there is no literal of that kind"),
        ("x = { null = false }", "`null = false` has no effect"),
    ];
    for (text, message) in cases {
        let told = wrong(&format!("{SOURCE}[table.a.columns]\n{text}\n"));
        assert_eq!(told.lines().next(), Some(message), "{told}");
        assert!(told.contains("a.toml:5"), "{told}");
    }
}

#[test]
fn patterns_of_equal_precedence_that_meet_are_refused() {
    let mapping =
        |files: &str| format!("[source]\nfiles = [{files}]\nformat = \"json\"\n[table.a.columns]\nx = \"x\"\n");
    let set = "name = \"notes\"\n[ignore]\n\"tmp/*\" = \"left over\"\n";
    let told = errors(&[
        ("set.toml", set),
        ("a.toml", &mapping("\"{who}/a.json\", \"b/{x}.json\"")),
        ("b.toml", &mapping("\"*/a.json\", \"b/c.json\", \"tmp/{y}\"")),
    ]);
    let expected = "\
`*/a.json` and `{who}/a.json` of mapping `a` can match the same file
  at mappings/notes/b.toml:2
hint: make one of them more specific: the first difference from the left decides
error: `tmp/{y}` and `tmp/*` of `[ignore]` in set.toml can match the same file
  at mappings/notes/b.toml:2
hint: make one of them more specific: the first difference from the left decides";
    assert_eq!(told, expected);
}

#[test]
fn precedence_names_rules_that_feed_the_table() {
    let set = "name = \"notes\"\n[precedence]\na = [\"a\", \"a\", \"c\", \"a.z\", \"b\"]\n";
    let told = errors(&[
        ("set.toml", set),
        ("a.toml", &format!("{SOURCE}[table.a.columns]\nx = \"x\"\n")),
        ("b.toml", &format!("{}[table.b.columns]\nx = \"x\"\n", SOURCE.replace("x.json", "y.json"))),
    ]);
    let messages: Vec<_> = told.lines().filter(|line| !line.starts_with("  at") && !line.starts_with("hint")).collect();
    assert_eq!(
        messages,
        [
            "`a` is listed twice in the precedence of `a`",
            "error: there is no mapping `c`",
            "error: mapping `a` has no rule `z`",
        ]
    );
}

#[test]
fn an_owner_is_named_by_some_pattern() {
    let set =
        "name = \"notes\"\n[owners]\ncapture = \"person\"\ntable = \"people\"\nfind = [{ by = { id = \"name\" } }]\n";
    let text =
        |files: &str| format!("[source]\nfiles = [\"{files}\"]\nformat = \"json\"\n[table.a.columns]\nx = \"x\"\n");
    let told = errors(&[("set.toml", set), ("a.toml", &text("{persn}/x.json"))]);
    assert_eq!(
        told,
        "no file pattern captures `{person}`, so no directory has an owner\n  at mappings/notes/set.toml:2\nhint: did you mean `persn`?\n\
         error: an owner is found by the directory's name and captures only\n  at mappings/notes/set.toml:5\nhint: only `#owner` and the captures of `[owners]` can be used here"
    );
    // A file's own name may name the person as well.
    let told =
        errors(&[("set.toml", &set.replace("id = \"name\"", "id = \"#owner\"")), ("a.toml", &text("x_{person}.json"))]);
    assert_eq!(told, "");
}

#[test]
fn a_folder_is_read_as_its_files_are() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    std::fs::create_dir(folder.path().join("schema")).expect("a folder for the test");
    for (name, text) in [
        ("set.toml", SET),
        ("people.toml", PEOPLE),
        ("notes.toml", NOTES),
        ("schema/001_people.up.sql", UP),
        (".hidden", ""),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file for the test");
    }
    let from_disk = load(&SetSource::Folder(folder.path().to_owned())).unwrap_or_else(|error| panic!("{error}"));
    let files = [("set.toml", SET), ("people.toml", PEOPLE), ("notes.toml", NOTES), ("schema/001_people.up.sql", UP)];
    assert_eq!(from_disk.digest, load(&source(&files)).expect("it is sound").digest);
    assert_eq!(from_disk.migrations[0].version, "v1");
    std::fs::remove_file(folder.path().join("set.toml")).expect("it was there");
    let error = load(&SetSource::Folder(folder.path().to_owned())).expect_err("no set.toml");
    assert_eq!(error.message, "this is not a mapping set: it has no set.toml");
}

#[test]
fn a_hand_over_says_how_the_application_makes_its_key() {
    let text = r#"
name = "notes"
[hand_over.fernet]
password = ["A", "B"]
salt = { environment = "S", default = "pepper", bytes = 8, fill = "0" }
rounds = 1000
base64 = true
"#;
    let form = load(&source(&[("set.toml", text)])).unwrap_or_else(|error| panic!("{error}")).fernet.expect("is there");
    let expected = FernetForm {
        password: vec!["A".to_owned(), "B".to_owned()],
        salt_variable: Some("S".to_owned()),
        salt: "pepper".to_owned(),
        salt_fit: Some((8, '0')),
        rounds: 1000,
        base64: true,
        keep_empty: false,
        message: None,
    };
    assert_eq!(form, expected);
}

#[test]
fn a_hand_over_that_cannot_be_carried_out_is_refused_with_its_lines() {
    let text = format!(
        "{SET}\n[hand_over.fernet]\npassword = []\nsalt = {{ default = \"pepper\", bytes = 8, fill = \"ab\" }}\nrounds = 0\n"
    );
    let lines = SET.lines().count() as u32;
    let error = errors(&[("set.toml", &text)]);
    for (line, words) in [
        (lines + 3, "`password` names no environment variable"),
        (lines + 4, "`fill` is one ASCII character"),
        (lines + 5, "`rounds` is an integer from 1 to 10000000"),
    ] {
        assert!(error.contains(&format!("{words}\n  at mappings/notes/set.toml:{line}")), "{error}");
    }
}

#[test]
fn every_word_of_a_list_is_the_name_of_a_variant() {
    use serde::de::{DeserializeOwned, IntoDeserializer as _, value};
    fn read<T: DeserializeOwned>(words: &keys::Keys) {
        for word in words.built() {
            let of: value::StrDeserializer<'_, value::Error> = word.into_deserializer();
            assert!(T::deserialize(of).is_ok(), "{word} of {}", words.title);
        }
    }
    read::<TypeName>(&keys::TYPES);
    read::<Format>(&keys::FORMAT);
    read::<OnDuplicate>(&keys::ON_DUPLICATE);
    read::<OnExisting>(&keys::ON_EXISTING);
    read::<Policy>(&keys::POLICY);
    read::<Ownerless>(&keys::OWNERLESS);
    read::<AssertCategory>(&keys::ASSERT_CATEGORY);
    read::<crate::table::AuditPart>(&keys::AUDIT_PARTS);
}

/// A text without one of its characters.
fn without(text: &str, at: usize) -> String {
    format!("{}{}", &text[..at], &text[at + 1..])
}

#[test]
fn one_bracket_or_quote_that_is_missing_makes_one_error_where_it_belongs() {
    let whole = [("set.toml", SET), ("people.toml", PEOPLE), ("notes.toml", NOTES)];
    let (mut seen, mut wrong) = (0, Vec::new());
    for (number, (name, text)) in whole.iter().enumerate() {
        for (at, c) in text.char_indices().filter(|(_, c)| matches!(c, '[' | ']' | '{' | '}' | '"' | '\'')) {
            let broken = without(text, at);
            let mut files = whole;
            files[number].1 = &broken;
            let (_, errors) = read(&source(&files)).expect("there is a set.toml");
            let line = text[..at].matches('\n').count() + 1;
            let place = format!("mappings/notes/{name}:{line}");
            let told: Vec<_> = errors
                .iter()
                .map(|error| format!("{}: {}", error.place.as_deref().unwrap_or_default(), error.message))
                .collect();
            seen += 1;
            let is_there = |error: &Error| error.place.as_deref() == Some(&place) && error.excerpt.is_some();
            if errors.len() > 1 || errors.iter().any(|error| error.code == Some("M002") && !is_there(error)) {
                wrong.push(format!("{place} `{c}`: {told:?}"));
            }
        }
    }
    assert!(seen > 300, "{seen}");
    assert!(wrong.is_empty(), "{} of {seen}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_slip_of_the_pen_in_a_key_or_word_is_read_as_what_was_meant() {
    for (whole, slip, expected) in [
        ("[table.notes.columns]", "[table.notes.colums]", "a rule has no key `colums`"),
        ("[table.notes]", "[tabel.notes]", "a mapping has no key `tabel`"),
        ("[source]", "[sorce]", "a mapping has no key `sorce`"),
        ("format = \"json\"", "format = \"jsn\"", "`format` does not take the word `jsn`"),
    ] {
        let text = "[source]\nfiles = [\"a.json\"]\nformat = \"json\"\n[table.notes]\nkey = [\"id\"]\n[table.notes.columns]\nid = \"id\"\n";
        let told = wrong(&text.replacen(whole, slip, 1));
        assert_eq!(told.lines().next(), Some(expected), "{told}");
        assert!(told.contains("hint: did you mean `") && !told.contains("\nerror: "), "{told}");
    }
    let told = wrong("[source]\nfiles = [\"a.json\"]\nformat = \"jsonl\"\n");
    assert!(told.ends_with("hint: did you mean `lines`?"), "{told}");
}

#[test]
fn a_file_in_a_folder_below_is_no_mapping_and_an_empty_set_toml_is_one_without_a_name() {
    let told = errors(&[("set.toml", "name = \"notes\"\n"), ("more/a.toml", "[source]\n")]);
    let hint = "hint: a set's mappings lie beside its set.toml, not in a folder below";
    assert_eq!(told, format!("`more/a.toml` does not belong to a mapping set\n  at mappings/notes\n{hint}"));
    assert_eq!(errors(&[("set.toml", "")]), "set.toml needs `name`\n  at mappings/notes/set.toml:1");
}

#[test]
fn a_capture_has_no_name_that_the_engine_gives() {
    let told = |capture: &str| wrong(&format!("[source]\nfiles = [\"{{{capture}}}/a.json\"]\n"));
    for capture in ["file", "stem", "position", "index", "started"] {
        let first = format!("`{{{capture}}}` in `{{{capture}}}/a.json` has the name of what treelift sets itself");
        assert_eq!(told(capture).lines().next(), Some(first.as_str()));
    }
    assert_eq!((told("owner"), told("person")), (String::new(), String::new()));
    let owners =
        "name = \"notes\"\n[owners]\ncapture = \"person\"\ntable = \"people\"\nfind = [{ by = { id = \"#owner\" } }]\n";
    let files = "[source]\nfiles = [\"{person}/{owner}.json\"]\n";
    let told = errors(&[("set.toml", owners), ("a.toml", files)]);
    assert!(
        told.starts_with("`{owner}` in `{person}/{owner}.json` has the name of what treelift sets itself"),
        "{told}"
    );
}
