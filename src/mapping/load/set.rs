//! set.toml.

use super::expr;
use super::hand_over;
use super::keys;
use super::mapping::pattern;
use super::tree::{Fields, Item};
use crate::mapping::codes;
use crate::mapping::model::{
    AssertCategory, Assertion, Find, IgnoreFiles, Ownerless, Owners, Precedence, Recognise, RecordName, Set, Unknown,
};
use crate::table::{AuditPart, AuditTable, OWN_RECORD};

/// The set without its mappings and migrations, with the lines of its `[ignore]` patterns.
pub(super) fn set(fields: &Fields<'_>, folder: &str) -> (Set, Vec<u32>) {
    let (ignore, lines) = ignore(fields);
    let set = Set {
        name: fields.need("name", "set.toml").and_then(|item| item.text()).unwrap_or_default().to_owned(),
        description: fields.text("description").unwrap_or_default(),
        folder: folder.to_owned(),
        recognise: fields.get("recognise").and_then(recognise),
        database: fields.text("database"),
        namespace: fields.get("namespace").and_then(namespace),
        owners: fields.get("owners").and_then(owners),
        precedence: fields
            .get("precedence")
            .and_then(|item| item.entries())
            .unwrap_or_default()
            .into_iter()
            .map(precedence)
            .collect(),
        ignore,
        refuse_unknown: fields.get("unknown_members").and_then(|item| item.word(&keys::UNKNOWN_MEMBERS))
            == Some("refuse"),
        assertions: fields
            .get("assert")
            .and_then(|item| item.list())
            .map_or_else(Vec::new, |list| list.into_iter().filter_map(assertion).collect()),
        audit: fields.get("audit").and_then(audit),
        migrations_table: fields.get("migrations_table").and_then(migrations_table),
        other_tables: fields.get("other_tables").and_then(|item| item.entries()).map_or_else(Vec::new, |entries| {
            entries.into_iter().filter_map(|item| Some((item.name.to_owned(), item.reason()?))).collect()
        }),
        after: fields
            .get("after")
            .and_then(|item| item.fields(&[&keys::AFTER]))
            .and_then(|after| after.text("message")),
        fernet: fields
            .get("hand_over")
            .and_then(|item| item.fields(&[&keys::HAND_OVER]))
            .and_then(|forms| forms.get("fernet"))
            .and_then(hand_over::fernet),
        mappings: Vec::new(),
        migrations: Vec::new(),
        digest: String::new(),
    };
    (set, lines)
}

/// What stands in for a set.toml that could not be read.
pub(super) fn nothing(folder: &str) -> Set {
    Set {
        name: String::new(),
        description: String::new(),
        folder: folder.to_owned(),
        recognise: None,
        database: None,
        namespace: None,
        owners: None,
        precedence: Vec::new(),
        ignore: Vec::new(),
        refuse_unknown: false,
        assertions: Vec::new(),
        audit: None,
        migrations_table: None,
        other_tables: Vec::new(),
        after: None,
        fernet: None,
        mappings: Vec::new(),
        migrations: Vec::new(),
        digest: String::new(),
    }
}

fn strings(item: Item<'_>) -> Vec<String> {
    item.texts().into_iter().filter_map(|item| item.as_text()).map(str::to_owned).collect()
}

fn recognise(item: Item<'_>) -> Option<Recognise> {
    let fields = item.fields(&[&keys::RECOGNISE])?;
    let files = strings(fields.need("files", "`recognise`")?);
    if files.is_empty() {
        item.refuse_with("`recognise` names no file", "without one every tree would be recognised");
    }
    let below = fields.get("below").map_or_else(|| vec![String::new()], strings);
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
    let title = "`[owners]`";
    let find = fields.need("find", title).and_then(|item| item.list()).unwrap_or_default();
    if let Some(item) = fields.get("find")
        && find.is_empty()
    {
        item.refuse("`find` names no way to find an owner");
    }
    Some(Owners {
        capture: fields.need("capture", title)?.text()?.to_owned(),
        table: fields.need("table", title)?.text()?.to_owned(),
        find: find.into_iter().filter_map(find_entry).collect(),
        unknown: fields.get("unknown").and_then(unknown).unwrap_or(Unknown::Refuse),
        ownerless: fields.get("ownerless").and_then(|item| item.word(&keys::OWNERLESS)).map(|_| Ownerless::OnlyUser),
        line: item.line,
    })
}

fn find_entry(item: Item<'_>) -> Option<Find> {
    let fields = item.fields(&[&keys::FIND])?;
    Some(Find {
        by: fields.need("by", "an entry of `find`")?.text()?.to_owned(),
        column_steps: fields.get("column_steps").and_then(expr::steps).unwrap_or_default(),
        from: fields.get("from").map(expr::expr),
        alias: fields.flag("alias"),
    })
}

fn unknown(item: Item<'_>) -> Option<Unknown> {
    if item.is_table() {
        let fields = item.fields(&[&keys::UNKNOWN])?;
        return fields.need("ignore", "`unknown`")?.reason().map(Unknown::Ignore);
    }
    item.word(&keys::UNKNOWN_WORDS).map(|_| Unknown::Refuse)
}

fn assertion(item: Item<'_>) -> Option<Assertion> {
    let fields = item.fields(&[&keys::ASSERT])?;
    let title = "an entry of `[[assert]]`";
    let word = |name: &str, words: &keys::Keys, default| match fields.get(name) {
        None => Some(default),
        Some(item) => item.word(words),
    };
    let category = match word("category", &keys::ASSERT_CATEGORY, "data")? {
        "security" => AssertCategory::Security,
        _ => AssertCategory::Data,
    };
    Some(Assertion {
        name: fields.need("name", title)?.reason()?,
        category,
        sql: fields.need("sql", title)?.text()?.to_owned(),
        gives_rows: word("gives", &keys::ASSERT_GIVES, "none")? == "rows",
        needs: fields.text("needs"),
        line: item.line,
    })
}

fn audit(item: Item<'_>) -> Option<AuditTable> {
    let fields = item.fields(&[&keys::AUDIT])?;
    let columns = fields.need("columns", "`[audit]`")?.entries()?;
    let columns = columns.into_iter().filter_map(|item| {
        let word = item.word(&keys::AUDIT_PARTS)?;
        Some((item.name.to_owned(), AuditPart::of(word)?))
    });
    Some(AuditTable { table: fields.need("table", "`[audit]`")?.text()?.to_owned(), columns: columns.collect() })
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

fn precedence(item: Item<'_>) -> Precedence {
    Precedence { table: item.name.to_owned(), feeders: strings(item), line: item.line }
}

fn ignore(fields: &Fields<'_>) -> (Vec<IgnoreFiles>, Vec<u32>) {
    let items = fields.get("ignore").and_then(|item| item.entries()).unwrap_or_default();
    items
        .into_iter()
        .filter_map(|item| {
            let pattern = pattern(item, item.name)?;
            Some((IgnoreFiles { pattern, reason: item.reason()? }, item.line))
        })
        .unzip()
}
