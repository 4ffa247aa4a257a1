//! Which backups may go. Pure.

use super::folder::{Entry, Shelf};
use super::latest;
use std::collections::BTreeMap;

/// How many backups of each shelf are kept, and how long at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// The newest so many of each shelf stay.
    pub newest: BTreeMap<Shelf, usize>,
    /// What was made after this (as manifests write times) stays too.
    pub since: Option<String>,
}

/// The backups that the rules let go, oldest first. The newest whole backup of all never goes, nor does
/// the one that a restore takes as the latest, and what has no readable manifest needs manual
/// action.
pub fn prunable<'e>(entries: &'e [Entry], rules: &Rules) -> Vec<&'e Entry> {
    let whole = || entries.iter().filter(|entry| entry.manifest.is_ok());
    let newest = whole().max_by_key(|entry| (entry.made_at(), entry.path.as_path()));
    let mut prunable = Vec::new();
    for shelf in Shelf::ALL {
        let Some(keep) = rules.newest.get(&shelf) else { continue }; // No rule for it: all stay.
        let mut on_shelf: Vec<&Entry> = whole().filter(|entry| entry.shelf == shelf).collect();
        on_shelf.sort_by_key(|entry| (entry.made_at(), entry.path.as_path()));
        let surplus = on_shelf.len().saturating_sub(*keep);
        let old = |entry: &&Entry| rules.since.as_deref().is_none_or(|since| entry.made_at() < since);
        prunable.extend(on_shelf.into_iter().take(surplus).filter(old));
    }
    let stays = [newest, latest(entries, None)];
    prunable.retain(|entry| stays.iter().flatten().all(|stays| stays.path != entry.path));
    prunable.sort_by_key(|entry| (entry.made_at(), entry.path.as_path()));
    prunable
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::manifest::{Content, Manifest, Packing};
    use super::*;

    /// A backup of that day.
    pub(crate) fn entry(shelf: Shelf, day: u8) -> Entry {
        let file = format!("notes_{day:02}.db");
        let manifest = Manifest {
            backup_version: 1,
            file: file.clone(),
            packing: Packing::None,
            bytes: 0,
            sha256: String::new(),
            made_at: format!("2025-05-{day:02} 10:00:00.000000"),
            reason: "asked for".into(),
            program: String::new(),
            source: String::new(),
            database: None,
            server: None,
            set: None,
            content: Content::default(),
        };
        Entry { path: format!("{}/{file}", shelf.name()).into(), shelf, manifest: Ok(manifest) }
    }

    fn pruned(entries: &[Entry], keep: usize, since: Option<&str>) -> Vec<String> {
        let rules = Rules {
            newest: BTreeMap::from([(Shelf::Daily, keep), (Shelf::Weekly, 1)]),
            since: since.map(str::to_owned),
        };
        prunable(entries, &rules).into_iter().map(|entry| entry.path.display().to_string()).collect()
    }

    #[test]
    fn the_oldest_beyond_the_number_go_shelf_by_shelf() {
        let mut entries: Vec<_> = (1..=4).map(|day| entry(Shelf::Daily, day)).collect();
        entries.extend([entry(Shelf::Weekly, 2), entry(Shelf::Weekly, 1), entry(Shelf::Monthly, 1)]);
        assert_eq!(pruned(&entries, 2, None), ["daily/notes_01.db", "weekly/notes_01.db", "daily/notes_02.db"]);
    }

    #[test]
    fn what_is_young_enough_stays_beyond_the_number() {
        let entries: Vec<_> = (1..=4).map(|day| entry(Shelf::Daily, day)).collect();
        assert_eq!(pruned(&entries, 1, Some("2025-05-02 00:00:00.000000")), ["daily/notes_01.db"]);
    }

    #[test]
    fn the_newest_of_all_and_what_cannot_be_read_stay() {
        let unreadable = Entry { manifest: Err("the manifest is damaged".into()), ..entry(Shelf::Daily, 9) };
        let entries = [entry(Shelf::Daily, 1), entry(Shelf::Daily, 2), unreadable];
        assert_eq!(pruned(&entries, 0, None), ["daily/notes_01.db"]);
    }

    #[test]
    fn what_was_made_before_a_restore_is_not_the_latest_and_does_not_cost_the_latest_its_place() {
        let mut entries: Vec<_> = (1..=3).map(|day| entry(Shelf::Daily, day)).collect();
        if let Ok(manifest) = &mut entries[2].manifest {
            manifest.reason = "before restore".into();
        }
        assert_eq!(latest(&entries, Some(Shelf::Daily)), Some(&entries[1]));
        assert_eq!(latest(&entries[2..], None), None);
        assert_eq!(pruned(&entries, 1, None), ["daily/notes_01.db"]);
    }
}
