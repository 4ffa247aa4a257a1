//! Isolation of tenants: where two tables have the column that says whose a row is, a row references only rows of its own.

use crate::database::ddl::crossing;
use crate::mapping::model::{AssertCategory, Assertion, Gives, Isolation, Set};
use crate::table::Table;

/// The set's assertions, and those of its isolation on these tables.
pub fn with_isolation(set: &Set, tables: &[&Table]) -> Vec<Assertion> {
    let isolated = set.isolation.as_ref().map(|isolation| assertions(isolation, tables));
    set.assertions.iter().cloned().chain(isolated.into_iter().flatten()).collect()
}

/// A check for each reference between tables that have the column. One that includes the column cannot cross.
fn assertions(isolation: &Isolation, tables: &[&Table]) -> Vec<Assertion> {
    let column = isolation.column.as_str();
    let has = |table: &&&Table| table.column(column).is_some();
    // An engine that tells no letters apart by their case keeps the name as the reference has it.
    let of = |name: &str| {
        let named = |is: &dyn Fn(&str) -> bool| tables.iter().copied().find(|table| is(&table.name));
        named(&|one| one == name).or_else(|| named(&|one| one.eq_ignore_ascii_case(name)))
    };
    let mut all = Vec::new();
    for table in tables.iter().filter(has) {
        for key in &table.foreign_keys {
            let includes = key.columns.iter().zip(&key.to).any(|(from, to)| from == column && to == column);
            let Some(parent) = of(&key.table).filter(|parent| !includes && has(&parent)) else { continue };
            all.push(Assertion {
                name: format!(
                    "`{}` ({}) references only rows of `{}` of the same `{column}`",
                    table.name,
                    key.columns.join(", "),
                    parent.name
                ),
                category: AssertCategory::Security,
                sql: crossing(table, key, column),
                gives: Gives::None,
                uses: Vec::new(),
                since: isolation.since.clone(),
                until: None,
                engine: None,
                line: 0,
            });
        }
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Dialect;
    use crate::database::schema;
    use crate::database::schema::tests::migration;

    #[test]
    fn each_reference_between_tables_of_tenants_is_checked() {
        let made = migration(
            "001",
            "CREATE TABLE tenants (tenant INTEGER PRIMARY KEY);
             CREATE TABLE rooms (id INTEGER PRIMARY KEY, tenant INTEGER REFERENCES tenants (tenant));
             CREATE TABLE kinds (id INTEGER PRIMARY KEY);
             CREATE TABLE chairs (id INTEGER PRIMARY KEY, tenant INTEGER REFERENCES tenants (tenant),
                                  room INTEGER REFERENCES rooms (id), kind INTEGER REFERENCES kinds (id));",
        );
        let schema = schema::expected(&Dialect::default(), &[made]).unwrap();
        let isolation = Isolation { column: "tenant".to_owned(), since: None, line: 0 };
        let all = assertions(&isolation, &schema.tables.values().collect::<Vec<_>>());
        let told: Vec<_> = all.iter().map(|one| (one.name.as_str(), one.sql.as_str())).collect();
        assert_eq!(
            told,
            [(
                "`chairs` (room) references only rows of `rooms` of the same `tenant`",
                "SELECT c.\"id\" FROM \"chairs\" c JOIN \"rooms\" p ON p.\"id\" = c.\"room\" \
                 WHERE c.\"tenant\" IS DISTINCT FROM p.\"tenant\""
            )]
        );
    }
}
