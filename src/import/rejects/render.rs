//! How a reject shows a place, and a record without its secrets.

use crate::document::json::write_json_string;
use crate::document::tape::{Kind, NodeRef};
use crate::mapping::declared::{Declared, Doc};
use crate::mapping::secret_values::may_be_secret;
use crate::source::SourceFile;
use crate::source::locate::{Located, Locator};

pub(crate) fn locate(source: &SourceFile, offset: u64) -> Located {
    found(Locator::default().find(source, offset).ok(), offset)
}

/// A file that cannot be read again has no lines.
pub(super) fn found(located: Option<Located>, offset: u64) -> Located {
    located.unwrap_or(Located { offset, pointer: String::new(), line: 0, column: 0 })
}

/// A record as a reject shows it: each secret replaced by `{"secret_at": "FILE#/pointer"}` below the
/// record's own pointer.
pub fn render(record: NodeRef, declared: &Declared, file: &str, pointer: &str) -> String {
    let mut out = String::new();
    write(record, declared, file, pointer, &mut out);
    out
}

fn write(node: NodeRef, declared: &Declared, file: &str, pointer: &str, out: &mut String) {
    let facts = declared.facts(Doc::Record, node.path());
    // A container is looked into member by member.
    let may_be = || node.kind() == Kind::String && may_be_secret(node.name(), node.text());
    if facts.is_hidden() || (!facts.declassified && may_be()) {
        out.push_str("{\"secret_at\":");
        write_json_string(out, &format!("{file}#{pointer}"));
        out.push('}');
        return;
    }
    match node.kind() {
        kind @ (Kind::Array | Kind::Object) => {
            let (open, close) = if kind == Kind::Array { ('[', ']') } else { ('{', '}') };
            out.push(open);
            for (i, child) in node.children().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                let step =
                    child.name().map_or_else(|| i.to_string(), |name| name.replace('~', "~0").replace('/', "~1"));
                // Elements have none.
                if let Some(name) = child.name() {
                    write_json_string(out, name);
                    out.push(':');
                }
                write(child, declared, file, &format!("{pointer}/{step}"), out);
            }
            out.push(close);
        }
        _ => node.write_json(out, &|_| false),
    }
}
