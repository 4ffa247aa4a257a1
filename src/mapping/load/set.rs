//! set.toml.

use super::expr;
use super::hand_over;
use super::keys;
use super::mapping::pattern;
use super::tree::{Fields, Item};
use crate::mapping::codes;
use crate::mapping::model::{
    AssertCategory, Assertion, Find, Gives, IgnoreFiles, Isolation, Owners, Precedence, Reads, Recognise, RecordName,
    Set, Strings, Unknown,
};
use crate::table::{AuditTable, OWN_RECORD, VersionRecord};
use crate::written::WrittenAs;

/// The set without its mappings and migrations, with the lines of its `[ignore]` patterns.
pub(super) fn set(fields: &Fields<'_>, folder: &str) -> (Set, Vec<u32>) {
    let (ignore, lines) = ignore(fields);
    let other_tables = fields.entries("other_tables").into_iter();
    let hand_over = fields.table("hand_over", &keys::HAND_OVER);
    let set = Set {
        name: fields.need("name").and_then(|item| item.text()).unwrap_or_default().to_owned(),
        description: fields.text("description").unwrap_or_default(),
        folder: folder.to_owned(),
        recognise: fields.get("recognise").and_then(recognise),
        database: fields.text("database"),
        namespace: fields.get("namespace").and_then(namespace),
        owners: fields.get("owners").and_then(owners),
        precedence: fields.entries("precedence").into_iter().map(precedence).collect(),
        reads: fields.entries("reads").into_iter().filter_map(reads).collect(),
        written: written(fields),
        ignore,
        refuse_unknown: fields.get("unknown_members").and_then(|item| item.word(&keys::UNKNOWN_MEMBERS))
            == Some("refuse"),
        assertions: fields
            .get("assert")
            .and_then(|item| item.list())
            .map_or_else(Vec::new, |list| list.into_iter().filter_map(assertion).collect()),
        isolation: fields.table("isolation", &keys::ISOLATION).and_then(|fields| isolation(&fields)),
        audit: fields.get("audit").and_then(audit).map(|audit| AuditTable { written: written(fields), ..audit }),
        migrations_table: fields.get("migrations_table").and_then(migrations_table),
        journal: fields.variant("journal", &keys::JOURNAL),
        version: fields.table("version", &keys::VERSION).and_then(|fields| version(&fields)),
        other_tables: other_tables.filter_map(|item| Some((item.name.to_owned(), item.reason()?))).collect(),
        after: fields.table("after", &keys::AFTER).and_then(|after| after.text("message")),
        fernet: hand_over.and_then(|forms| forms.get("fernet")).and_then(hand_over::fernet),
        strings: fields.table("strings", &keys::STRINGS).map(|of| strings(&of)).unwrap_or_default(),
        ..Set::default()
    };
    (set, lines)
}

fn isolation(fields: &Fields<'_>) -> Option<Isolation> {
    let line = fields.item.line;
    Some(Isolation { column: fields.need("column")?.text()?.to_owned(), since: fields.text("since"), line })
}

fn version(fields: &Fields<'_>) -> Option<VersionRecord> {
    let pairs = |name: &str| -> Vec<(String, String)> {
        let entries = fields.entries(name).into_iter();
        entries.filter_map(|item| Some((item.name.to_owned(), item.text()?.to_owned()))).collect()
    };
    fields.need("names");
    Some(VersionRecord {
        table: fields.need("table")?.text()?.to_owned(),
        column: fields.need("column")?.text()?.to_owned(),
        row: pairs("row"),
        names: pairs("names"),
        line: fields.item.line,
    })
}

fn strings(fields: &Fields<'_>) -> Strings {
    let is = |name: &str, words, word: &str| fields.get(name).and_then(|item| item.word(words)) == Some(word);
    Strings {
        replace_lone_surrogates: is("lone_surrogate", &keys::LONE_SURROGATE, "replace"),
        nul: fields.variant("nul", &keys::NUL).unwrap_or_default(),
        keep_case_twins: is("case_twins", &keys::CASE_TWINS, "keep"),
    }
}

fn recognise(item: Item<'_>) -> Option<Recognise> {
    let fields = item.fields(&[&keys::RECOGNISE])?;
    let files = fields.need("files")?.strings();
    if files.is_empty() {
        item.refuse_with("`recognise` names no file", "without one every tree would be recognised");
    }
    let below = fields.get("below").map_or_else(|| vec![String::new()], |item| item.strings());
    for path in files.iter().chain(&below) {
        if path.starts_with('/') || path.split('/').any(|segment| segment == "..") {
            item.refuse(format!("`{path}` is not below the source"));
        }
    }
    Some(Recognise { files, below })
}

fn namespace(item: Item<'_>) -> Option<uuid::Uuid> {
    let text = item.text()?;
    uuid::Uuid::try_parse(text).map_err(|_| item.refuse(format!("`{text}` is not a UUID"))).ok()
}

fn owners(item: Item<'_>) -> Option<Owners> {
    let fields = item.fields(&[&keys::OWNERS])?;
    let find = fields.get("find").and_then(|item| item.list()).unwrap_or_default();
    if let Some(item) = fields.get("find")
        && find.is_empty()
    {
        item.refuse("`find` names no way to find an owner");
    }
    let captures = fields.need("capture")?.one_or_more().into_iter();
    let captures: Vec<String> = captures.filter_map(|item| item.text().map(str::to_owned)).collect();
    if captures.is_empty() {
        item.refuse("`capture` names no capture");
    }
    let ownerless = fields.get("ownerless");
    let is_table = ownerless.is_some_and(|item| item.is_table());
    Some(Owners {
        captures,
        table: fields.need("table")?.text()?.to_owned(),
        find: find.into_iter().filter_map(find_entry).collect(),
        unknown: fields.get("unknown").and_then(unknown).unwrap_or(Unknown::Refuse),
        ownerless: if is_table { None } else { fields.variant("ownerless", &keys::OWNERLESS) },
        ownerless_ignored: ownerless.filter(|_| is_table).and_then(unknown).and_then(Unknown::reason),
        line: item.line,
    })
}

fn find_entry(item: Item<'_>) -> Option<Find> {
    let fields = item.fields(&[&keys::FIND])?;
    let by = fields.need("by")?;
    if let Some(column) = by.as_text() {
        let message = "`by` with the name of a column was dropped in 0.2.0";
        by.refuse_as(&codes::WORD_DROPPED, message, format!("write `by = {{ {column} = \"#owner\" }}`"));
        return None;
    }
    Some(Find { by: expr::ways(by), alias: fields.flag("alias") })
}

fn unknown(item: Item<'_>) -> Option<Unknown> {
    if item.is_table() {
        let fields = item.fields(&[&keys::UNKNOWN])?;
        return fields.need("ignore")?.reason().map(Unknown::Ignore);
    }
    item.word(&keys::UNKNOWN_WORDS).map(|_| Unknown::Refuse)
}

fn assertion(item: Item<'_>) -> Option<Assertion> {
    let fields = item.fields(&[&keys::ASSERT])?;
    let category = fields.get("category").map(|item| item.variant(&keys::ASSERT_CATEGORY));
    let uses = fields.get("uses").map(|item| item.strings()).unwrap_or_default();
    let gives = match fields.get("gives") {
        Some(item) => item.variant(&keys::ASSERT_GIVES)?,
        None if uses.is_empty() => Gives::None,
        None => Gives::Anything,
    };
    Some(Assertion {
        category: category.unwrap_or(Some(AssertCategory::Data))?,
        name: fields.need("name")?.reason()?,
        sql: fields.need("sql")?.text()?.to_owned(),
        gives,
        uses,
        since: fields.text("since"),
        until: fields.text("until"),
        engine: match fields.get("engine") {
            Some(item) => Some(item.word(&keys::ENGINES)?.to_owned()),
            None => None,
        },
        line: item.line,
    })
}

fn audit(item: Item<'_>) -> Option<AuditTable> {
    let fields = item.fields(&[&keys::AUDIT])?;
    let columns = fields.need("columns")?.entries()?.into_iter();
    let columns = columns.filter_map(|item| Some((item.name.to_owned(), item.variant(&keys::AUDIT_PARTS)?)));
    Some(AuditTable {
        table: fields.need("table")?.text()?.to_owned(),
        columns: columns.collect(),
        written: Vec::new(),
    })
}

/// A name that every engine takes as it is, and that is not one of treelift's own tables.
fn migrations_table(item: Item<'_>) -> Option<RecordName> {
    const LONGEST: usize = 63; // PostgreSQL cuts longer names
    let name = item.text()?;
    let starts = |prefix: &str| name.to_ascii_lowercase().starts_with(prefix);
    let is_plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let why = if !is_plain {
        "is not a plain SQL identifier (letters, digits and `_`, not beginning with a digit)"
    } else if name.len() > LONGEST {
        "is longer than 63 characters"
    } else if starts("treelift_") && !name.eq_ignore_ascii_case(OWN_RECORD) {
        "is a name that treelift keeps for tables of its own"
    } else if starts("sqlite_") || starts("pg_") {
        "is a name that a database keeps for tables of its own"
    } else {
        return Some(RecordName { name: name.to_owned(), line: item.line });
    };
    item.refuse_as(&codes::RECORD_NAME, format!("`{name}` {why}"), None);
    None
}

/// What is read by itself must be kept by what it becomes: whoever reads a mapping does not see it.
fn reads(item: Item<'_>) -> Option<Reads> {
    let steps = expr::steps(item)?;
    if steps.is_empty() {
        item.refuse(format!("`{}` under [reads] names no step", item.name));
    }
    for step in steps.iter().filter(|step| !step.keeps()) {
        let hint = "write it beside the columns that need it";
        item.refuse_as(
            &codes::STEP_WRONG,
            format!("step `{}` does not keep the value, so it is not for [reads]", step.name()),
            hint,
        );
    }
    Some(Reads { declared: item.name.to_owned(), steps, line: item.line })
}

fn written(fields: &Fields<'_>) -> Vec<WrittenAs> {
    let entry = |item: Item<'_>| {
        Some(WrittenAs { declared: item.name.to_owned(), form: item.text()?.to_owned(), line: item.line })
    };
    fields.entries("written").into_iter().filter_map(entry).collect()
}

fn precedence(item: Item<'_>) -> Precedence {
    Precedence { table: item.name.to_owned(), feeders: item.strings(), line: item.line }
}

fn ignore(fields: &Fields<'_>) -> (Vec<IgnoreFiles>, Vec<u32>) {
    let ignored = |item: Item<'_>| {
        let pattern = pattern(item, item.name)?;
        Some((IgnoreFiles { pattern, reason: item.reason()? }, item.line))
    };
    fields.entries("ignore").into_iter().filter_map(ignored).unzip()
}
