//! Which files decide what becomes of another one.

use crate::database::catalog::Other;
use crate::database::{Dialect, schema};
use crate::error::Result;
use crate::import::plan::{Disposition, Plan};
use crate::mapping::uses::uses;
use std::collections::BTreeSet;

/// The files by which it is decided what becomes of those of a mapping: those of all mappings that write a table
/// that it writes, looks up or refers to, and so on from there. A trigger or view joins all that its SQL names.
pub(super) fn needed(plan: &Plan, mapping: usize) -> Result<BTreeSet<usize>> {
    let joined = joined(plan)?;
    let lower = |name: &str| name.to_lowercase();
    let mut tables: BTreeSet<String> = plan.set.owners.iter().map(|owners| lower(&owners.table)).collect();
    let mut mappings = BTreeSet::from([mapping]);
    loop {
        let before = (mappings.len(), tables.len());
        for rule in mappings.iter().flat_map(|of| &plan.rules[*of]) {
            tables.insert(lower(&rule.table.name));
            tables.extend(rule.table.foreign_keys.iter().map(|key| lower(&key.table)));
            tables.extend(uses(rule.model(&plan.set)).rows.iter().map(|used| lower(&used.table)));
        }
        for together in &joined {
            if !together.is_disjoint(&tables) {
                tables.extend(together.iter().cloned());
            }
        }
        let feeds = |of: &usize| plan.rules[*of].iter().any(|rule| tables.contains(&lower(&rule.table.name)));
        mappings.extend((0..plan.rules.len()).filter(feeds));
        if before == (mappings.len(), tables.len()) {
            break;
        }
    }
    let of_mappings = |file: &usize| match &plan.dispositions[*file] {
        Disposition::Mapped { mapping, .. } => mappings.contains(mapping),
        Disposition::Ignored(_) | Disposition::Unmapped => false,
    };
    Ok((0..plan.dispositions.len()).filter(of_mappings).collect())
}

/// For each trigger, view and virtual table of the set the names of all that its SQL may touch, in lower case: by a
/// trigger a row of one table may be rejected for what another one holds.
fn joined(plan: &Plan) -> Result<Vec<BTreeSet<String>>> {
    let catalog = schema::catalog(&Dialect::default(), &plan.set.migrations)?;
    let names: BTreeSet<String> =
        catalog.schema.tables.keys().chain(catalog.others.keys()).map(|name| name.to_lowercase()).collect();
    let of = |(name, other): (&String, &Other)| {
        let sql = other.sql.to_lowercase();
        let named = names.iter().filter(|known| sql.contains(known.as_str())).cloned();
        named.chain([name.to_lowercase(), other.table.to_lowercase()]).collect()
    };
    Ok(catalog.others.iter().map(of).collect())
}
