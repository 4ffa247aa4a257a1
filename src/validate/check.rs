//! One check: what it is about, and what came of it.

use crate::report::{CheckReport, CheckStatus};

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Tables, columns, types, keys, views and triggers.
    Schema,
    /// Indexes.
    Indexes,
    /// What the database itself refuses.
    Constraints,
    /// Rows.
    Data,
    /// Sealed values, what must be there to protect people, the file's mode.
    Security,
}

impl Category {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Schema, Self::Indexes, Self::Constraints, Self::Data, Self::Security];

    /// As reports and flags name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Indexes => "indexes",
            Self::Constraints => "constraints",
            Self::Data => "data",
            Self::Security => "security",
        }
    }
}

/// A check that passed, or what is wrong.
pub fn check(name: &str, category: Category, wrong: &[String], passed: String) -> CheckReport {
    let (status, detail) = match wrong {
        [] => (CheckStatus::Passed, passed),
        wrong => (CheckStatus::Failed, wrong.join("; ")),
    };
    report(name, category, status, detail)
}

fn report(name: &str, category: Category, status: CheckStatus, detail: String) -> CheckReport {
    let detail = Some(detail).filter(|detail| !detail.is_empty());
    CheckReport { name: name.to_owned(), category: category.name().to_owned(), status, detail }
}

/// A check that could not be made, and why.
pub(super) fn not_checked(name: &str, category: Category, why: String) -> CheckReport {
    report(name, category, CheckStatus::NotChecked, why)
}
