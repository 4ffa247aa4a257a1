//! What migrations make, once it is known: an import asks for it at its end as at its beginning.

use crate::database::catalog::Catalog;
use crate::table::Migration;
use std::sync::{Arc, Mutex, PoisonError};

/// What the migrations make of which it was asked last.
#[derive(Debug, Clone, Default)]
pub(super) struct Made(Arc<Mutex<Option<(Key, Catalog)>>>);

/// Version and checksum of each.
type Key = Vec<(String, String)>;

impl Made {
    /// Notes what these make.
    pub(super) fn note(&self, migrations: &[Migration], made: &Catalog) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((key(migrations), made.clone()));
    }

    /// What these make, where it is known.
    pub(super) fn by(&self, migrations: &[Migration]) -> Option<Catalog> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|(by, _)| *by == key(migrations)).map(|(_, made)| made.clone())
    }
}

fn key(migrations: &[Migration]) -> Key {
    migrations.iter().map(|one| (one.version.clone(), one.checksum.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::catalog::Other;
    use crate::database::schema::tests::migration;

    #[test]
    fn what_is_known_is_of_the_same_migrations_alone() {
        let view = Other { kind: "view", table: "v".to_owned(), sql: String::new() };
        let catalog = Catalog { others: [("v".to_owned(), view)].into(), ..Catalog::default() };
        let two = [migration("001", ""), migration("002", "")];
        let made = Made::default();
        assert_eq!(made.by(&two), None);
        made.clone().note(&two, &catalog);
        assert_eq!(made.by(&two), Some(catalog));
        assert_eq!(made.by(&two[..1]), None);
        let changed = [two[0].alone(), Migration { checksum: "other".to_owned(), ..two[1].alone() }];
        assert_eq!(made.by(&changed), None);
    }
}
