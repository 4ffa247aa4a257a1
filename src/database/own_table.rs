//! A table of treelift's own, as its statement says: what is missing where an earlier version made it.

/// A `CREATE TABLE` in its parts, each in one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnTable {
    /// The definitions of the columns.
    pub(super) columns: Vec<String>,
    /// The constraints behind them.
    constraints: Vec<String>,
    /// What stands behind the closing parenthesis.
    behind: String,
}

impl OwnTable {
    /// The parts of a statement.
    pub(super) fn of(text: &str) -> Self {
        let body = text.split_once('(').map_or("", |(_, body)| body);
        let (body, behind) = body.rsplit_once(')').unwrap_or((body, ""));
        let mut depth = 0;
        let mut parts = vec![String::new()];
        for letter in body.chars() {
            match letter {
                '(' => depth += 1,
                ')' => depth -= 1,
                ',' if depth == 0 => {
                    parts.push(String::new());
                    continue;
                }
                _ => {}
            }
            parts.iter_mut().last().into_iter().for_each(|part| part.push(letter));
        }
        let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_constraint = |part: &String| ["PRIMARY", "UNIQUE"].iter().any(|word| part.starts_with(word));
        let parts = parts.iter().map(|part| one_line(part)).filter(|part| !part.is_empty());
        let (constraints, columns) = parts.partition(is_constraint);
        Self { columns, constraints, behind: one_line(behind) }
    }

    /// The names of its columns.
    #[cfg_attr(not(feature = "postgres"), cfg(test))]
    pub(super) fn names(&self) -> Vec<String> {
        let name = |column: &String| column.split_whitespace().next().unwrap_or_default().trim_matches('"').to_owned();
        self.columns.iter().map(name).collect()
    }

    /// The definitions of the columns that are missing in a table that was made as `stored` says; `None` if it is
    /// another one.
    pub(super) fn missing_in(&self, stored: &Self) -> Option<&[String]> {
        if self.constraints != stored.constraints || self.behind != stored.behind {
            return None;
        }
        may_be_added(self.columns.strip_prefix(stored.columns.as_slice())?)
    }

    /// The same of a table that has columns of these names.
    #[cfg(feature = "postgres")]
    pub(super) fn missing_beside(&self, names: &[String]) -> Option<&[String]> {
        self.names().starts_with(names).then(|| &self.columns[names.len()..]).and_then(may_be_added)
    }
}

/// The columns, if they can come into a table that has rows: each takes NULL.
fn may_be_added(columns: &[String]) -> Option<&[String]> {
    let is_bound = |column: &String| ["NOT NULL", "PRIMARY KEY", "UNIQUE"].iter().any(|word| column.contains(word));
    (!columns.iter().any(is_bound)).then_some(columns)
}

/// The columns of a list as they are selected where the table has only some of them: the others are NULL. `cast` stands
/// behind each.
pub(super) fn selected(list: &[&str], there: &[String], cast: &str) -> String {
    let is_there = |column: &str| there.iter().any(|name| name == column);
    let term = |column: &&str| if is_there(column) { format!("\"{column}\"{cast}") } else { format!("NULL{cast}") };
    list.iter().map(term).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: &str = "CREATE TABLE files (
        id INTEGER PRIMARY KEY, \"table\" TEXT NOT NULL,
        size DECIMAL(10, 2), UNIQUE (\"table\", id)
    ) WITHOUT ROWID";

    #[test]
    fn a_statement_is_read_in_its_parts() {
        let table = OwnTable::of(FILES);
        assert_eq!(table.names(), ["id", "table", "size"]);
        assert_eq!(table.columns[2], "size DECIMAL(10, 2)");
        assert_eq!(
            (table.constraints, table.behind),
            (vec!["UNIQUE (\"table\", id)".to_owned()], "WITHOUT ROWID".into())
        );
    }

    #[test]
    fn only_columns_at_the_end_that_take_null_are_missing() {
        let table = OwnTable::of(FILES);
        let missing = |stored: &str| table.missing_in(&OwnTable::of(stored)).map(<[String]>::to_vec);
        assert_eq!(missing(FILES), Some(vec![]));
        assert_eq!(missing(&FILES.replace(", UNIQUE", ",   UNIQUE")), Some(vec![]));
        let before = FILES.replace("size DECIMAL(10, 2), ", "");
        assert_eq!(missing(&before), Some(vec!["size DECIMAL(10, 2)".to_owned()]));
        for other in [
            before.replace("id INTEGER", "id TEXT"),
            before.replace(" WITHOUT ROWID", ""),
            before.replace("UNIQUE (\"table\", id)", ""),
            before.replace("\"table\" TEXT NOT NULL,", ""),
            FILES.replace("size DECIMAL(10, 2)", "size DECIMAL(10, 2), more TEXT"),
        ] {
            assert_eq!(missing(&other), None, "{other}");
        }
    }

    #[test]
    fn a_column_that_is_not_there_is_selected_as_null() {
        let there = ["id".to_owned(), "table".to_owned()];
        assert_eq!(selected(&["id", "size", "table"], &there, ""), "\"id\", NULL, \"table\"");
    }
}
