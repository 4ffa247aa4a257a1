//! The JSON Schema (draft 7, which TOML editors take) of mapping files and set.toml, made from the
//! key tables that the loader reads by.
//!
//! It helps while typing; `check` decides what is valid.

use crate::mapping::load::keys::{self, Key, Keys};
use crate::step::REGISTRY;
use serde_json::{Map, Value, json};

/// Which file a schema is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOf {
    /// A mapping file.
    Mapping,
    /// set.toml.
    Set,
}

/// The schema as a document that ends in a line break.
pub fn editor_schema(of: SchemaOf) -> String {
    let (title, keys, name) = match of {
        SchemaOf::Mapping => ("A treelift mapping", &keys::MAPPING, "mapping"),
        SchemaOf::Set => ("set.toml of a treelift mapping set", &keys::SET, "set"),
    };
    let mut schema = table(name, &[keys]);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!(title);
    schema["definitions"] = definitions(of);
    format!("{schema:#}\n")
}

/// A table that takes these keys and no other.
fn table(name: &str, keys: &[&Keys]) -> Value {
    let mut properties = Map::new();
    for key in keys.iter().flat_map(|keys| keys.keys).filter(|key| key.since.is_some()) {
        let mut value = fragment(name, key);
        value["description"] = json!(key.what);
        properties.insert(key.name.to_owned(), value);
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn definitions(of: SchemaOf) -> Value {
    let expression = json!({ "anyOf": [
        { "type": "string", "description": "a path" },
        table("expression", &[&keys::SOURCES, &keys::EXPRESSION]),
    ] });
    let mut all = json!({ "expression": expression, "json": json_definition(), "steps": steps() });
    if of == SchemaOf::Mapping {
        all["column"] = json!({ "anyOf": [
            { "type": "string", "description": "a path" },
            table("column", &[&keys::SOURCES, &keys::EXPRESSION, &keys::COLUMN]),
        ] });
        all["condition"] = table("condition", &[&keys::CONDITION]);
        all["rule"] = table("rule", &[&keys::RULE]);
        all["secret"] = table("secret", &[&keys::SECRET]);
        all["shape"] = table("shape", &[&keys::SHAPE]);
    }
    all
}

/// A value, a table of members, or an object made from a list; the loader tells them apart.
fn json_definition() -> Value {
    let each = keys::JSON_EACH.keys.iter().map(|key| (key.name.to_owned(), json!({ "description": key.what })));
    json!({ "anyOf": [
        { "type": "string", "description": "a path" },
        { "type": "object", "properties": each.collect::<Map<_, _>>() },
    ] })
}

fn steps() -> Value {
    let forms = REGISTRY.iter().map(|step| {
        if step.argument == format!("`\"{}\"`", step.name) {
            json!({ "const": step.name, "description": step.summary })
        } else {
            let argument = json!({ "description": format!("{}: {}", step.argument, step.summary) });
            let word = json!({ "const": step.name, "description": step.summary });
            let table = json!({
                "type": "object", "additionalProperties": false, "required": [step.name],
                "properties": { step.name: argument },
            });
            // Some steps may stand with and without an argument.
            if step.argument.contains(&format!("\"{}\"", step.name)) {
                json!({ "anyOf": [word, table] })
            } else {
                table
            }
        }
    });
    json!({ "type": "array", "items": { "anyOf": forms.collect::<Vec<_>>() } })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn reason() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

fn texts() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn refer(definition: &str) -> Value {
    // Draft 7 ignores a description beside `$ref`, so the reference is in a list of one.
    json!({ "allOf": [{ "$ref": format!("#/definitions/{definition}") }] })
}

/// A table of free names.
fn named(value: &Value) -> Value {
    json!({ "type": "object", "additionalProperties": value })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn one_or_more(value: &Value) -> Value {
    json!({ "anyOf": [value, { "type": "array", "items": value }] })
}

fn words(keys: &Keys) -> Value {
    let built = keys.keys.iter().filter(|key| key.since.is_some());
    json!({ "oneOf": built.map(|key| json!({ "const": key.name, "description": key.what })).collect::<Vec<_>>() })
}

/// What a key of a table takes.
fn fragment(table_name: &str, key: &Key) -> Value {
    match (table_name, key.name) {
        ("set", "recognise") => table("recognise", &[&keys::RECOGNISE]),
        ("set", "namespace") => json!({ "type": "string", "format": "uuid" }),
        ("set", "owners") => table("owners", &[&keys::OWNERS]),
        ("set", "precedence") => named(&texts()),
        ("set" | "mapping", "ignore") | ("mapping", "declassify") => named(&reason()),
        ("set", "unknown_members") => words(&keys::UNKNOWN_MEMBERS),
        ("set", "after") => table("after", &[&keys::AFTER]),
        ("set", "assert") => json!({ "type": "array", "items": table("assert", &[&keys::ASSERT]) }),
        ("assert", "name") => reason(),
        ("assert", "category") => words(&keys::ASSERT_CATEGORY),
        ("assert", "gives") => words(&keys::ASSERT_GIVES),
        ("set", "audit") => table("audit", &[&keys::AUDIT]),
        ("audit", "columns") => named(&words(&keys::AUDIT_PARTS)),
        ("set", "migrations_table") => json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,62}$" }),
        ("set", "other_tables") => named(&reason()),
        ("set", "hand_over") => table("hand_over", &[&keys::HAND_OVER]),
        ("hand_over", "fernet") => table("fernet", &[&keys::FERNET]),
        ("fernet", "password") => texts(),
        ("fernet", "salt") => table("salt", &[&keys::FERNET_SALT]),
        ("fernet", "rounds") | ("salt", "bytes") => json!({ "type": "integer", "minimum": 1 }),
        ("fernet", "base64" | "keep_empty") => flag(),
        ("recognise", _) | ("mapping", "expected") | ("rule", "shapes") => texts(),
        ("source", "files" | "newest") | ("condition", "members") => texts(),
        ("owners", "find") => json!({ "type": "array", "items": table("find", &[&keys::FIND]) }),
        ("owners", "unknown") => {
            json!({ "anyOf": [words(&keys::UNKNOWN_WORDS), table("unknown", &[&keys::UNKNOWN])] })
        }
        ("owners", "ownerless") => words(&keys::OWNERLESS),
        ("find", "column_steps") | (_, "steps") => refer("steps"),
        ("find", "from") | ("condition", "not") => refer(if table_name == "find" { "expression" } else { "condition" }),
        ("find", "alias") | (_, "ignore_case" | "need") => flag(),
        ("mapping", "source") => table("source", &[&keys::SOURCE]),
        ("mapping", "table") => named(&refer("rule")),
        ("source", "format") => words(&keys::FORMAT),
        ("source", "shape") => one_or_more(&refer("shape")),
        ("source" | "shape", "optional" | "blank" | "otherwise" | "ignore") | ("unknown", "ignore") => reason(),
        ("shape" | "rule", "when") => refer("condition"),
        ("condition", "equals") => named(&json!({})),
        ("condition", "type") => named(&words(&keys::TYPES)),
        ("condition", "matches") => named(&json!({ "type": "string", "format": "regex" })),
        ("condition", "root") => words(&keys::TYPES),
        ("condition", "any") => json!({ "type": "array", "items": refer("condition") }),
        (_, "by") if table_name != "find" => named(&refer("expression")),
        ("rule", "key") => texts(),
        ("rule", "each") => one_or_more(&text()),
        ("rule", "let") => named(&refer("expression")),
        ("rule", "on_duplicate") => words(&keys::ON_DUPLICATE),
        ("rule", "on_reject") => words(&keys::ON_REJECT),
        ("rule", "columns") => named(&refer("column")),
        ("rule", "secrets") => named(&refer("secret")),
        ("expression" | "column" | "secret", "from") => json!({ "anyOf": [
            { "type": "string" },
            refer("expression"),
            { "type": "array", "items": refer("expression") },
        ] }),
        ("expression" | "column", "value" | "then" | "else" | "default") => json!({}),
        ("expression" | "column", "null") => json!({ "const": true }),
        ("expression" | "column", "join") => json!({ "type": "array", "items": refer("expression") }),
        ("expression" | "column", "json") => refer("json"),
        ("expression" | "column", "uuid5" | "md5" | "sha256") => json!({ "anyOf": [
            refer("expression"),
            { "type": "array", "items": refer("expression") },
        ] }),
        ("expression" | "column", "without") => texts(),
        ("expression" | "column" | "secret", "matching") => json!({ "type": "string", "format": "regex" }),
        ("expression" | "column", "lookup") => json!({ "type": "string", "pattern": "^[^.]+\\..+$" }),
        ("column", "agrees_with") => refer("expression"),
        ("column", "on_missing" | "on_null" | "on_empty") => words(&keys::POLICY),
        ("column", "on_error") => words(&keys::ON_ERROR),
        ("secret", "kind") => words(&keys::SECRET_KIND),
        ("secret", "declassify" | "reason") => reason(),
        _ => text(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(table, key)` of every key that takes a plain text, so that a new key is considered.
    const TEXTS: &[(&str, &str)] = &[
        ("set", "name"),
        ("set", "description"),
        ("set", "database"),
        ("after", "message"),
        ("assert", "sql"),
        ("assert", "needs"),
        ("audit", "table"),
        ("fernet", "message"),
        ("salt", "environment"),
        ("salt", "default"),
        ("salt", "fill"),
        ("owners", "capture"),
        ("owners", "table"),
        ("find", "by"),
        ("mapping", "description"),
        ("shape", "name"),
        ("shape", "records"),
        ("shape", "key_as"),
        ("condition", "exists"),
        ("condition", "absent"),
        ("rule", "into"),
        ("rule", "key_as"),
        ("rule", "parent"),
        ("expression", "template"),
        ("expression", "with"),
        ("expression", "each"),
        ("expression", "exists"),
        ("column", "after"),
        ("secret", "default"),
    ];

    #[test]
    fn every_key_of_the_language_has_a_type() {
        let tables: &[(&str, &[&Keys])] = &[
            ("set", &[&keys::SET]),
            ("after", &[&keys::AFTER]),
            ("assert", &[&keys::ASSERT]),
            ("audit", &[&keys::AUDIT]),
            ("hand_over", &[&keys::HAND_OVER]),
            ("fernet", &[&keys::FERNET]),
            ("salt", &[&keys::FERNET_SALT]),
            ("recognise", &[&keys::RECOGNISE]),
            ("owners", &[&keys::OWNERS]),
            ("find", &[&keys::FIND]),
            ("mapping", &[&keys::MAPPING]),
            ("source", &[&keys::SOURCE]),
            ("shape", &[&keys::SHAPE]),
            ("condition", &[&keys::CONDITION]),
            ("rule", &[&keys::RULE]),
            ("expression", &[&keys::SOURCES, &keys::EXPRESSION]),
            ("column", &[&keys::COLUMN]),
            ("secret", &[&keys::SECRET]),
        ];
        for (name, tables) in tables {
            for key in tables.iter().flat_map(|keys| keys.keys).filter(|key| key.since.is_some()) {
                let plain = fragment(name, key) == text();
                assert_eq!(plain, TEXTS.contains(&(name, key.name)), "{name}.{}", key.name);
            }
        }
    }

    #[test]
    fn references_lead_to_definitions() {
        for of in [SchemaOf::Mapping, SchemaOf::Set] {
            let text = editor_schema(of);
            let schema: Value = serde_json::from_str(&text).expect("it is JSON");
            for reference in text.split("\"#/definitions/").skip(1) {
                let name = reference.split('"').next().unwrap_or_default();
                assert!(schema["definitions"].get(name).is_some(), "{name}");
            }
        }
    }
}
