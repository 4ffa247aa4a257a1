//! Values as they are shown: printable, and cut.

use crate::document::tape::{Kind, NodeRef, Paths, Segment};
use crate::finding::excerpt;
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::secret_values::may_be_secret;
use crate::row::Value;
use crate::step::Datum;
use jiff::Timestamp;

/// Whether the value must not be shown: the mapping says that it is secret, or a name looks like a secret.
pub(super) fn hidden(declared: &Declared, doc: Doc, paths: &Paths, node: NodeRef<'_>) -> bool {
    let steps = paths.steps(node.path());
    let names = steps.iter().filter_map(|step| match step {
        Segment::Name(name) => Some(name.as_str()),
        _ => None,
    });
    declared.facts(doc, node.path()).is_hidden() || may_be_secret(names, node.text())
}

pub(super) fn show_node(node: NodeRef<'_>) -> String {
    match node.kind() {
        Kind::String => excerpt(node.text()),
        Kind::Number => node.text().to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Null | Kind::Record(_) => "null".to_owned(),
        Kind::Array => "[]".to_owned(),
        Kind::Object => "{}".to_owned(),
    }
}

pub(super) fn show_datum(datum: &Datum) -> String {
    match datum {
        Datum::Null => "null".to_owned(),
        Datum::Bool(value) => value.to_string(),
        Datum::Number(text) => text.clone(),
        Datum::Text(text) => excerpt(text),
        Datum::Integer(value) => value.to_string(),
        Datum::Civil(time) => time.to_string(),
        Datum::Day(day) => day.to_string(),
        Datum::Bytes(bytes) => bytes_shown(bytes),
        Datum::Instant(time, _) => time.to_string(),
        Datum::List(parts) => {
            let shown: Vec<String> = parts.iter().take(5).map(show_datum).collect();
            let more = if parts.len() > 5 { ", …" } else { "" };
            format!("[{}{more}]", shown.join(", "))
        }
        Datum::Json(text) => cut(text),
    }
}

/// A value; `started` is when the rehearsal did, for which nothing else stands.
pub(super) fn show_value(value: &Value, started: Timestamp) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Integer(value) => value.to_string(),
        Value::Real(value) => value.to_string(),
        Value::Text(text) => excerpt(text),
        Value::Json(text) => cut(text),
        Value::Civil(time) => time.to_string(),
        Value::Day(day) => day.to_string(),
        Value::Bytes(bytes) => bytes_shown(bytes),
        // It will be that of the real run.
        Value::Instant(time) if *time == started.into() => "when the run starts".to_owned(),
        Value::Instant(time) => time.to_string(),
        Value::Sealed(_) => "(sealed)".to_owned(),
    }
}

/// Bytes in hexadecimal, cut.
fn bytes_shown(bytes: &[u8]) -> String {
    let more = if bytes.len() > 20 { "…" } else { "" };
    format!("x'{}{more}'", crate::hex::encode(&bytes[..bytes.len().min(20)]))
}

/// JSON, printable and cut.
fn cut(text: &str) -> String {
    let quoted = excerpt(text);
    quoted[1..quoted.len() - 1].to_owned()
}
