//! SQL text that is put together: the one place where names become identifiers.

/// A name as an identifier. Names come from mappings and are known to the live schema.
pub(super) use crate::database::ddl::name;

/// Names as identifiers, with commas.
pub(super) fn names<S: AsRef<str>>(list: &[S]) -> String {
    list.iter().map(|one| name(one.as_ref())).collect::<Vec<_>>().join(", ")
}

/// `"a"::text, "b"::text`: how cells are read.
///
/// Each is called as its column: an ORDER BY behind it names the table too, else it would be by the texts ("Sorting Rows").
pub(super) fn texts<S: AsRef<str>>(list: &[S]) -> String {
    list.iter().map(|one| format!("{}::text", name(one.as_ref()))).collect::<Vec<_>>().join(", ")
}

/// What a declared type's values are compared as: without its length, which a cast would cut to.
pub(super) fn base(declared: &str) -> String {
    if let Some(element) = declared.strip_suffix("[]") {
        return format!("{}[]", base(element));
    }
    let word = declared.split('(').next().unwrap_or(declared);
    match word {
        "VARCHAR" => "text",
        "CHAR" => "bpchar",
        word => word,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(names(&["a\"b; DROP", "c d"]), r#""a""b; DROP", "c d""#);
    }
}
