//! The JSON Schema (draft 7, which TOML editors take) of mapping files and set.toml, made from the
//! key tables that the loader reads by.
//!
//! It helps while typing; `check` decides what is valid.

use crate::mapping::load::keys::{self, Key, Keys, Takes};
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
    let (title, keys) = match of {
        SchemaOf::Mapping => ("A treelift mapping", &keys::MAPPING),
        SchemaOf::Set => ("set.toml of a treelift mapping set", &keys::SET),
    };
    let mut schema = table(&[keys]);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!(title);
    schema["definitions"] = definitions(of);
    format!("{schema:#}\n")
}

fn built(keys: &[&'static Keys]) -> impl Iterator<Item = &'static Key> {
    keys.iter().flat_map(|keys| keys.keys).filter(|key| key.is_built())
}

/// A table that takes these keys and no other.
fn table(keys: &[&'static Keys]) -> Value {
    let property = |key: &Key| {
        let mut value = taken(&key.takes);
        value["description"] = json!(key.what);
        (key.name.to_owned(), value)
    };
    let properties: Map<_, _> = built(keys).map(property).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn definitions(of: SchemaOf) -> Value {
    let or_path = |keys: &[&'static Keys]| {
        json!({ "anyOf": [
            { "type": "string", "description": "a path" },
            { "type": ["number", "boolean"], "description": "itself" },
            { "type": "array", "items": { "$ref": "#/definitions/expression" }, "description": "the first that is present" },
            table(keys),
        ] })
    };
    let expression = or_path(&[&keys::SOURCES, &keys::EXPRESSION]);
    let column = or_path(&[&keys::SOURCES, &keys::PROTECTION, &keys::EXPRESSION, &keys::COLUMN]);
    let name = json!({ "type": "string", "description": "the name of a condition under [when]" });
    let condition = json!({ "anyOf": [name, table(&[&keys::CONDITION])] });
    let by = or_path(&[&keys::SOURCES, &keys::EXPRESSION, &keys::BY]);
    let mut all = json!({
        "expression": expression, "by": by, "column": column, "condition": condition, "steps": steps(),
    });
    if of == SchemaOf::Mapping {
        all["rule"] = table(&[&keys::RULE]);
        all["shape"] = table(&[&keys::SHAPE]);
    }
    all
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

/// What a key takes.
fn taken(takes: &Takes) -> Value {
    match takes {
        Takes::Any => json!({}),
        Takes::Text => json!({ "type": "string" }),
        Takes::Reason => json!({ "type": "string", "minLength": 1 }),
        Takes::Formed(keyword, form) => json!({ "type": "string", *keyword: form }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::True => json!({ "const": true }),
        Takes::Number => json!({ "type": "integer", "minimum": 1 }),
        Takes::Words(words) => {
            let word = |key: &Key| json!({ "const": key.name, "description": key.what });
            json!({ "oneOf": built(&[words]).map(word).collect::<Vec<_>>() })
        }
        Takes::Table(keys) => table(&[keys]),
        // Draft 7 ignores a description beside `$ref`, so the reference is in a list of one.
        Takes::Refer(definition) => json!({ "allOf": [{ "$ref": format!("#/definitions/{definition}") }] }),
        Takes::List(of) => json!({ "type": "array", "items": taken(of) }),
        Takes::Named(of) => json!({ "type": "object", "additionalProperties": taken(of) }),
        Takes::OneOf(several) => json!({ "anyOf": several.iter().map(taken).collect::<Vec<_>>() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
