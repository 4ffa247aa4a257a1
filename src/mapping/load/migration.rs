//! `schema/NNN_name.up.sql` and `.down.sql`.

use super::tree::Doc;
use crate::error::Error;
use crate::hex;
use crate::mapping::{codes, suggest};
use crate::table::Migration;
use sha2::{Digest as _, Sha256};

const HEADER: [&str; 4] = ["version", "description", "depends", "after"];

/// The migrations among the files of a set (relative name and text), in order.
pub(super) fn migrations(folder: &str, files: &[(String, String)]) -> (Vec<Migration>, Vec<Error>) {
    let mut migrations: Vec<Migration> = Vec::new();
    let mut errors = Vec::new();
    for (name, text) in files {
        let Some(file) = name.strip_prefix("schema/") else {
            continue; // The loader has dealt with every other file.
        };
        let path = format!("{folder}/{name}");
        match file.strip_suffix(".up.sql") {
            Some(stem) if numbered(stem) => {
                let down = format!("schema/{stem}.down.sql");
                let down = files.iter().find(|(name, _)| *name == down).map(|(_, text)| text.clone());
                let (migration, wrong) = migration(stem, &path, text, down);
                errors.extend(wrong);
                if migrations.iter().any(|other| other.version == migration.version) {
                    let message = format!("two migrations have the version `{}`", migration.version);
                    errors.push(Error::request(message).coded(codes::MIGRATION_WRONG.id).at(&path));
                }
                for depends in &migration.depends {
                    let known = migrations.iter().map(|other| other.version.as_str());
                    if !known.clone().any(|version| version == depends) {
                        let message = format!("no migration before this one is named `{depends}`");
                        let hint = suggest::nearest(depends, known).map_or_else(
                            || "a migration depends on migrations with a lower number".to_owned(),
                            |meant| format!("did you mean `{meant}`?"),
                        );
                        let error = Error::request(message).coded(codes::MIGRATION_WRONG.id);
                        errors.push(error.at(&path).hint(hint));
                    }
                }
                migrations.push(migration);
            }
            _ => {
                let stem = file.strip_suffix(".down.sql");
                let has_up = stem.is_some_and(|stem| {
                    numbered(stem) && files.iter().any(|(name, _)| *name == format!("schema/{stem}.up.sql"))
                });
                if !has_up {
                    let hint = "migrations are named `001_what.up.sql`, with `001_what.down.sql` to undo them";
                    let error = Error::request(format!("`{file}` is not a migration")).coded(codes::MIGRATION_WRONG.id);
                    errors.push(error.at(&path).hint(hint));
                }
            }
        }
    }
    (migrations, errors)
}

/// `NNN_name`, so that the order of the names is the order of the migrations.
fn numbered(stem: &str) -> bool {
    stem.split_once('_').is_some_and(|(number, name)| {
        number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty()
    })
}

fn migration(stem: &str, path: &str, text: &str, down: Option<String>) -> (Migration, Vec<Error>) {
    let doc = Doc::new(path.to_owned(), text, &std::rc::Rc::default());
    let mut migration = Migration {
        version: stem.to_owned(),
        description: String::new(),
        depends: Vec::new(),
        after_rows: false,
        up: text.to_owned(),
        down,
        checksum: hex::encode(Sha256::digest(text.as_bytes())),
        path: path.to_owned(),
    };
    for (line, comment) in (1..).zip(text.lines().map_while(|line| line.strip_prefix("--"))) {
        let Some((word, value)) = comment.split_once(':') else {
            continue; // A comment for people.
        };
        let (word, value) = (word.trim(), value.trim());
        match word {
            "version" if value.is_empty() => doc.refuse(&codes::MIGRATION_WRONG, line, "`version` is empty", None),
            "version" => value.clone_into(&mut migration.version),
            "description" => value.clone_into(&mut migration.description),
            "depends" => {
                migration.depends =
                    value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
            }
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
    (migration, doc.into_errors())
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
        assert_eq!(
            migrations,
            [
                Migration {
                    version: "v1".into(),
                    description: "people".into(),
                    depends: vec![],
                    after_rows: false,
                    up: "-- version: v1\n-- description: people\nCREATE TABLE people (id);\n".into(),
                    down: Some("DROP TABLE people;\n".into()),
                    checksum: "4f5633f58fa261c064c8cb23959739720eb8a4a8cbeaeb613ae2998c7157c372".into(),
                    path: "mappings/notes/schema/001_people.up.sql".into(),
                },
                Migration {
                    version: "002_notes".into(),
                    description: String::new(),
                    depends: vec!["v1".into()],
                    after_rows: true,
                    up: "-- depends: v1\n-- after: rows\nCREATE INDEX a ON people (id);\n-- version: no header\n"
                        .into(),
                    down: None,
                    checksum: "549cadc78582291b01c7016b457ae6f360d4d31d9b8c1504ee9ab5a30c002b11".into(),
                    path: "mappings/notes/schema/002_notes.up.sql".into(),
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
             error: no migration before this one is named `001_b`\n  at m/schema/002_b.up.sql\nhint: did you mean `001_a`?\n\
             error: `003_c.down.sql` is not a migration\n  at m/schema/003_c.down.sql\nhint: migrations are named `001_what.up.sql`, with `001_what.down.sql` to undo them\n\
             error: `4_d.up.sql` is not a migration\n  at m/schema/4_d.up.sql\nhint: migrations are named `001_what.up.sql`, with `001_what.down.sql` to undo them"
        );
    }
}
