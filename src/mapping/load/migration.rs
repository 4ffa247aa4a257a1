//! `schema/NNN_name.up.sql` and `.down.sql`.

use super::doc::Doc;
use super::expr;
use super::tree::Item;
use crate::error::Error;
use crate::hex;
use crate::mapping::model::Expr;
use crate::mapping::{codes, suggest};
use crate::table::{IdsLine, LedgerLine, Migration};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use toml::de::DeValue;

const HEADER: [&str; 8] = ["version", "description", "depends", "after", "ids", "ledger", "only with", "irreversible"];

/// The engines that a migration may have files of its own for: `001_what.up.ENGINE.sql`.
const ENGINES: [&str; 2] = [FIRST, "postgresql"];
/// What a set's SQL is written for that is the same for all.
const FIRST: &str = "sqlite";

/// The migrations of a set, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Migrations {
    /// Those of the first engine.
    pub(super) first: Vec<Migration>,
    /// Those of every other engine for which a migration has a file of its own.
    pub(super) variants: BTreeMap<String, Vec<Migration>>,
}

/// The migrations among the files of a set (relative name and text).
pub(super) fn migrations(folder: &str, files: &[(String, String)]) -> (Migrations, Vec<Error>) {
    let mut errors = Vec::new();
    let mut ups: BTreeMap<&str, BTreeMap<Option<&str>, Migration>> = BTreeMap::new();
    for (name, text) in files {
        let Some(file) = name.strip_prefix("schema/").filter(|file| !file.ends_with(".md")) else {
            continue; // The loader has dealt with every other file.
        };
        let path = format!("{folder}/{name}");
        let Some(Named { stem, is_up, engine }) = named(file) else {
            errors.push(no_migration(file).at(&path));
            continue;
        };
        if !is_up {
            let has_up = files.iter().any(|(name, _)| {
                let up = name.strip_prefix("schema/").and_then(named);
                up.is_some_and(|up| up.is_up && up.stem == stem)
            });
            if !has_up {
                errors.push(no_migration(file).at(&path));
            }
            continue;
        }
        let (migration, wrong) = migration(stem, &path, text);
        errors.extend(wrong);
        ups.entry(stem).or_default().insert(engine, migration);
    }
    let mut all = Migrations::default();
    for engine in ENGINES {
        let has_own = |ups: &BTreeMap<Option<&str>, Migration>| ups.contains_key(&Some(engine));
        let own_down = format!(".down.{engine}.sql");
        if engine != FIRST && !ups.values().any(has_own) && !files.iter().any(|(name, _)| name.ends_with(&own_down)) {
            continue;
        }
        let mut of_engine: Vec<Migration> = Vec::new();
        for (stem, ups) in &ups {
            match ups.get(&Some(engine)).or_else(|| ups.get(&None)) {
                Some(migration) => {
                    errors.extend(wrong_place(migration, &of_engine).filter(|_| engine == FIRST || has_own(ups)));
                    let (migration, wrong) = with_down(migration.clone(), stem, engine, folder, files);
                    of_engine.push(migration);
                    // A file for every engine is read once for each.
                    let own = format!("schema/{stem}.down.{engine}.sql");
                    let is_told = engine == FIRST || files.iter().any(|(name, _)| *name == own);
                    errors.extend(wrong.into_iter().filter(|_| is_told));
                }
                None => {
                    let message = format!("migration `{stem}` has no file for `{engine}`");
                    let hint = format!("write `{stem}.up.{engine}.sql`, or `{stem}.up.sql` for every engine");
                    let error = Error::request(message).coded(codes::MIGRATION_WRONG.id).hint(hint);
                    errors.push(error.at(format!("{folder}/schema")));
                }
            }
        }
        if engine == FIRST {
            all.first = of_engine;
        } else {
            errors.extend(all.first.iter().zip(&of_engine).filter_map(|(first, other)| differ(first, other)));
            all.variants.insert(engine.to_owned(), of_engine);
        }
    }
    (all, errors)
}

/// A migration with the file that undoes it: the one for its engine, else the one for all.
fn with_down(
    mut migration: Migration,
    stem: &str,
    engine: &str,
    folder: &str,
    files: &[(String, String)],
) -> (Migration, Vec<Error>) {
    let named = |ending: String| {
        let down = format!("schema/{stem}.down{ending}");
        files.iter().find(|(name, _)| *name == down)
    };
    if let Some((name, text)) = named(format!(".{engine}.sql")).or_else(|| named(".sql".to_owned())) {
        let path = format!("{folder}/{name}");
        let doc = Doc::new(path.clone(), text, &std::rc::Rc::default());
        if migration.irreversible.is_some() {
            let message = format!("`{}` says that it is irreversible, and this file rolls it back", migration.path);
            doc.refuse(&codes::MIGRATION_WRONG, 1, message, "remove one of the two".to_owned());
        }
        let lines = header(text).filter(|(_, word, _)| *word == "ledger");
        migration.down_ledger = lines.filter_map(|(line, _, value)| ledger_line(&doc, &path, line, value)).collect();
        (migration.down, migration.down_path) = (Some(text.clone()), Some(path));
        return (migration, doc.into_errors());
    }
    (migration, Vec::new())
}

/// The lines of a header: the number of each, its word and what it says.
fn header(text: &str) -> impl Iterator<Item = (u32, &str, &str)> {
    let comments = (1..).zip(text.lines().map_while(|line| line.strip_prefix("--")));
    // One without a colon is for people.
    comments
        .filter_map(|(line, comment)| comment.split_once(':').map(|(word, value)| (line, word.trim(), value.trim())))
}

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with))
}

fn is_query(text: &str) -> bool {
    ["select", "with ", "values"].iter().any(|word| begins(text, word))
}

/// Reads `TABLE(COLUMN, …, ID) = EXPRESSION FROM SELECT …`.
fn ids_line(doc: &Doc, path: &str, line: u32, value: &str) -> Option<IdsLine> {
    let read = || {
        let (head, rest) = value.split_once('=')?;
        let (table, columns) = head.trim().strip_suffix(')')?.split_once('(')?;
        let columns: Vec<String> = columns.split(',').map(|name| name.trim().to_owned()).collect();
        // FROM may stand in a text of the expression too.
        let is_whole = |at: &usize| toml::from_str::<toml::Table>(&format!("id = {}", &rest[..*at])).is_ok();
        let at = rest.to_ascii_lowercase().match_indices(" from ").map(|(at, _)| at).find(is_whole)?;
        let (expression, query) = (rest[..at].trim().to_owned(), rest[at + " from ".len()..].trim().to_owned());
        let is_whole = columns.len() > 1 && !columns.iter().any(String::is_empty) && is_query(&query);
        let (table, path, place) = (table.trim().to_owned(), path.to_owned(), format!("{path}:{line}"));
        is_whole.then_some(IdsLine { table, columns, expression, query, path, line, place })
    };
    let Some(read) = read() else {
        let message = "`ids` takes a table with its columns, an expression and a query";
        let hint = "`-- ids: id_map(tab, old, new) = { uuid5 = [\"tab\", \"old\"] } FROM SELECT 'users', id FROM users`, on one line";
        doc.refuse(&codes::MIGRATION_WRONG, line, message, hint);
        return None;
    };
    Some(read)
}

/// The expression of an `ids` line, and what is wrong with it.
pub(super) fn id_expression(ids: &IdsLine) -> (Option<Expr>, Vec<Error>) {
    // The errors have the line of the file.
    let text = format!("{}id = {}", "\n".repeat(ids.line as usize - 1), ids.expression);
    let doc = Doc::new(ids.path.clone(), &text, &std::rc::Rc::default());
    let expr = doc.parse(&text).map(DeValue::Table).and_then(|parsed| {
        let item = Item::top(&doc, &parsed).entries()?.into_iter().next()?;
        Some(expr::expr(item))
    });
    // The line of the file is another one than that of the text.
    (expr, doc.into_errors().into_iter().map(|error| error.showing(None)).collect())
}

/// Reads `TABLE [from OLD_TABLE] SELECT …`.
fn ledger_line(doc: &Doc, path: &str, line: u32, value: &str) -> Option<LedgerLine> {
    let word = |text: &str| {
        text.split_once(char::is_whitespace).map(|(word, rest)| (word.to_owned(), rest.trim_start().to_owned()))
    };
    let read = || {
        let (table, rest) = word(value)?;
        let (from, query) = if begins(&rest, "from ") {
            let (from, query) = word(rest[5..].trim_start())?;
            (Some(from), query)
        } else {
            (None, rest)
        };
        is_query(&query).then(|| LedgerLine { table, from, query, place: format!("{path}:{line}") })
    };
    let read = read();
    if read.is_none() {
        let message = "`ledger` takes a table and a query of old and new keys";
        let hint = "`-- ledger: TABLE [from OLD_TABLE] SELECT old, new FROM …`, on one line";
        doc.refuse(&codes::MIGRATION_WRONG, line, message, hint);
    }
    read
}

/// What the name of a file says.
struct Named<'f> {
    stem: &'f str,
    is_up: bool,
    /// The engine that it is for; none for all.
    engine: Option<&'f str>,
}

/// Reads `STEM.up.sql`, `STEM.down.sql`, `STEM.up.ENGINE.sql` or `STEM.down.ENGINE.sql`.
fn named(file: &str) -> Option<Named<'_>> {
    let file = file.strip_suffix(".sql")?;
    let own = ENGINES.iter().find_map(|engine| Some((file.strip_suffix(engine)?.strip_suffix('.')?, *engine)));
    let (rest, engine) = own.map_or((file, None), |(rest, engine)| (rest, Some(engine)));
    let (stem, way) = rest.rsplit_once('.')?;
    let is_up = match way {
        "up" => true,
        "down" => false,
        _ => return None,
    };
    // `001_what.postgresql.up.sql` would be for every engine.
    let is_misplaced = stem.rsplit_once('.').is_some_and(|(_, last)| ENGINES.contains(&last));
    (numbered(stem) && !is_misplaced).then_some(Named { stem, is_up, engine })
}

fn no_migration(file: &str) -> Error {
    let hint = "migrations are named `001_what.up.sql`, with `001_what.down.sql` to undo them; what is for one engine alone `001_what.up.sqlite.sql` or `001_what.up.postgresql.sql`";
    Error::request(format!("`{file}` is not a migration")).coded(codes::MIGRATION_WRONG.id).hint(hint)
}

/// What is wrong with a migration behind these.
fn wrong_place(migration: &Migration, before: &[Migration]) -> impl Iterator<Item = Error> {
    let mut errors = Vec::new();
    if before.iter().any(|other| other.version == migration.version) {
        let message = format!("two migrations have the version `{}`", migration.version);
        errors.push(Error::request(message).coded(codes::MIGRATION_WRONG.id).at(&migration.path));
    }
    for depends in &migration.depends {
        let known = before.iter().map(|other| other.version.as_str());
        if !known.clone().any(|version| version == depends) {
            let message = format!("no migration before this one is named `{depends}`");
            let hint = suggest::nearest(depends, known).map_or_else(
                || "a migration depends on migrations with a lower number".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            let error = Error::request(message).coded(codes::MIGRATION_WRONG.id);
            errors.push(error.at(&migration.path).hint(hint));
        }
    }
    errors.into_iter()
}

/// The files of one migration say the same of it in their headers.
fn differ(first: &Migration, other: &Migration) -> Option<Error> {
    let header = |one: &Migration| {
        let Migration { version, depends, after_rows, only_with, irreversible, .. } = one;
        (version.clone(), depends.clone(), *after_rows, only_with.clone(), irreversible.is_some())
    };
    (header(first) != header(other)).then(|| {
        let message = format!("the header says otherwise than that of `{}`", first.path);
        let hint = "`version`, `depends`, `after`, `only with` and `irreversible` are those of the migration, whatever the engine";
        Error::request(message).coded(codes::MIGRATION_WRONG.id).at(&other.path).hint(hint)
    })
}

/// `NNN_name`, so that the order of the names is the order of the migrations.
fn numbered(stem: &str) -> bool {
    stem.split_once('_').is_some_and(|(number, name)| {
        number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty()
    })
}

fn migration(stem: &str, path: &str, text: &str) -> (Migration, Vec<Error>) {
    let doc = Doc::new(path.to_owned(), text, &std::rc::Rc::default());
    let mut migration = Migration {
        version: stem.to_owned(),
        description: String::new(),
        depends: Vec::new(),
        after_rows: false,
        only_with: None,
        irreversible: None,
        ids: Vec::new(),
        ledger: Vec::new(),
        down_ledger: Vec::new(),
        up: text.to_owned(),
        down: None,
        checksum: hex::encode(Sha256::digest(text.as_bytes())),
        path: path.to_owned(),
        down_path: None,
    };
    for (line, word, value) in header(text) {
        match word {
            "version" if value.is_empty() => doc.refuse(&codes::MIGRATION_WRONG, line, "`version` is empty", None),
            "version" => value.clone_into(&mut migration.version),
            "description" => value.clone_into(&mut migration.description),
            "depends" => {
                migration.depends =
                    value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
            }
            "only with" => match value.strip_prefix("table ").map(str::trim).filter(|name| !name.is_empty()) {
                Some(table) => migration.only_with = Some(table.to_owned()),
                None => {
                    let message = format!("`only with` takes `table NAME`, not `{value}`");
                    doc.refuse(&codes::MIGRATION_WRONG, line, message, None);
                }
            },
            "irreversible" if value.is_empty() => {
                doc.refuse(&codes::MIGRATION_WRONG, line, "`irreversible` takes the reason", None);
            }
            "irreversible" => migration.irreversible = Some(value.to_owned()),
            "ids" => migration.ids.extend(ids_line(&doc, path, line, value)),
            "ledger" => migration.ledger.extend(ledger_line(&doc, path, line, value)),
            "after" if value == "rows" => migration.after_rows = true,
            "after" => {
                let message = format!("`after` takes `rows`, not `{value}`");
                doc.refuse(&codes::MIGRATION_WRONG, line, message, None);
            }
            _ => {
                if let Some(meant) = suggest::nearest(word, HEADER) {
                    let hint = format!("did you mean `{meant}`?");
                    let message = format!("the header of a migration has no `{word}`");
                    doc.refuse(&codes::MIGRATION_WRONG, line, message, hint);
                }
            }
        }
    }
    let mut errors = doc.into_errors();
    errors.extend(migration.ids.iter().flat_map(|line| id_expression(line).1));
    (migration, errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, &str)]) -> Vec<(String, String)> {
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn the_header_names_version_description_what_must_be_there_and_when_it_is_made() {
        let (migrations, errors) = migrations(
            "mappings/notes",
            &files(&[
                ("schema/001_people.up.sql", "-- version: v1\n-- description: people\nCREATE TABLE people (id);\n"),
                ("schema/001_people.down.sql", "DROP TABLE people;\n"),
                (
                    "schema/002_notes.up.sql",
                    "-- depends: v1\n-- after: rows\nCREATE INDEX a ON people (id);\n-- version: no header\n",
                ),
            ]),
        );
        assert!(errors.is_empty(), "{errors:?}");
        assert!(migrations.variants.is_empty());
        assert_eq!(
            migrations.first,
            [
                Migration {
                    version: "v1".into(),
                    description: "people".into(),
                    depends: vec![],
                    after_rows: false,
                    only_with: None,
                    irreversible: None,
                    ids: vec![],
                    ledger: vec![],
                    down_ledger: vec![],
                    up: "-- version: v1\n-- description: people\nCREATE TABLE people (id);\n".into(),
                    down: Some("DROP TABLE people;\n".into()),
                    checksum: "4f5633f58fa261c064c8cb23959739720eb8a4a8cbeaeb613ae2998c7157c372".into(),
                    path: "mappings/notes/schema/001_people.up.sql".into(),
                    down_path: Some("mappings/notes/schema/001_people.down.sql".into()),
                },
                Migration {
                    version: "002_notes".into(),
                    description: String::new(),
                    depends: vec!["v1".into()],
                    after_rows: true,
                    only_with: None,
                    irreversible: None,
                    ids: vec![],
                    ledger: vec![],
                    down_ledger: vec![],
                    up: "-- depends: v1\n-- after: rows\nCREATE INDEX a ON people (id);\n-- version: no header\n"
                        .into(),
                    down: None,
                    checksum: "549cadc78582291b01c7016b457ae6f360d4d31d9b8c1504ee9ab5a30c002b11".into(),
                    path: "mappings/notes/schema/002_notes.up.sql".into(),
                    down_path: None,
                },
            ]
        );
    }

    #[test]
    fn invalid_names_headers_and_dependencies_are_reported() {
        let (_, errors) = migrations(
            "m",
            &files(&[
                ("schema/001_a.up.sql", "-- verison: v1\n"),
                ("schema/002_b.up.sql", "-- depends: 001_b\n-- after: tables\n"),
                ("schema/003_c.down.sql", ""),
                ("schema/4_d.up.sql", ""),
            ]),
        );
        let shown = Error::all(errors).expect("there are errors").to_string();
        assert_eq!(
            shown,
            "the header of a migration has no `verison`\n  at m/schema/001_a.up.sql:1\nhint: did you mean `version`?\n\
             error: `after` takes `rows`, not `tables`\n  at m/schema/002_b.up.sql:2\n\
             error: `003_c.down.sql` is not a migration\n  at m/schema/003_c.down.sql\nhint: migrations are named `001_what.up.sql`, with `001_what.down.sql` to undo them; what is for one engine alone `001_what.up.sqlite.sql` or `001_what.up.postgresql.sql`\n\
             error: `4_d.up.sql` is not a migration\n  at m/schema/4_d.up.sql\nhint: migrations are named `001_what.up.sql`, with `001_what.down.sql` to undo them; what is for one engine alone `001_what.up.sqlite.sql` or `001_what.up.postgresql.sql`\n\
             error: no migration before this one is named `001_b`\n  at m/schema/002_b.up.sql\nhint: did you mean `001_a`?"
        );
    }

    #[test]
    fn a_migration_has_files_for_one_engine_where_its_sql_differs() {
        let (migrations, errors) = migrations(
            "m",
            &files(&[
                ("schema/001_a.down.postgresql.sql", "DROP a2"),
                ("schema/001_a.down.sql", "DROP a1"),
                ("schema/001_a.up.postgresql.sql", "-- version: v1\nA2"),
                ("schema/001_a.up.sqlite.sql", "-- version: v1\nA1"),
                ("schema/002_b.up.sql", "-- depends: v1\nB"),
            ]),
        );
        assert!(errors.is_empty(), "{errors:?}");
        let told = |all: &[Migration]| -> Vec<String> {
            all.iter().map(|one| format!("{} {:?} {}", one.path, one.down, one.version)).collect()
        };
        assert_eq!(
            told(&migrations.first),
            ["m/schema/001_a.up.sqlite.sql Some(\"DROP a1\") v1", "m/schema/002_b.up.sql None 002_b"]
        );
        assert_eq!(migrations.variants.keys().collect::<Vec<_>>(), ["postgresql"]);
        let others = &migrations.variants["postgresql"];
        assert_eq!(
            told(others),
            ["m/schema/001_a.up.postgresql.sql Some(\"DROP a2\") v1", "m/schema/002_b.up.sql None 002_b"]
        );
        assert_ne!(others[0].checksum, migrations.first[0].checksum);
        assert_eq!(others[1], migrations.first[1]);
    }

    #[test]
    fn a_way_back_for_one_engine_alone_is_its_own_where_the_way_forth_is_shared() {
        let (migrations, errors) = migrations(
            "m",
            &files(&[
                ("schema/001_a.down.postgresql.sql", "DROP a2"),
                ("schema/001_a.down.sql", "DROP a1"),
                ("schema/001_a.up.sql", "A"),
            ]),
        );
        assert!(errors.is_empty(), "{errors:?}");
        let told = |one: &Migration| format!("{} {:?} {}", one.up, one.down, one.down_path());
        assert_eq!(told(&migrations.first[0]), "A Some(\"DROP a1\") m/schema/001_a.down.sql");
        assert_eq!(
            told(&migrations.variants["postgresql"][0]),
            "A Some(\"DROP a2\") m/schema/001_a.down.postgresql.sql"
        );
    }

    #[test]
    fn every_engine_has_every_migration_and_the_same_header() {
        let (_, errors) = migrations(
            "m",
            &files(&[
                ("schema/001_a.up.postgresql.sql", "-- version: v2\n"),
                ("schema/001_a.up.sql", "-- version: v1\n"),
                ("schema/002_b.up.postgresql.sql", ""),
                ("schema/003_c.up.mysql.sql", ""),
            ]),
        );
        let shown: Vec<String> = errors.iter().map(|error| error.message.clone()).collect();
        assert_eq!(
            shown,
            [
                "`003_c.up.mysql.sql` is not a migration",
                "migration `002_b` has no file for `sqlite`",
                "the header says otherwise than that of `m/schema/001_a.up.sql`",
            ]
        );
    }
}
