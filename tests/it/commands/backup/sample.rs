//! Backups of the sample's database: made, damaged, refused, put back.

use crate::house::keeping::{backup, change, imported, schema, small_set};
use crate::house::{DATABASE, House, application_dump, open, sample};
use rusqlite::Connection;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The newest backup in the house.
fn newest(house: &House) -> PathBuf {
    let list = backup(house, "list --json").status(0).json();
    list["backups"].as_array().unwrap().last().unwrap()["path"].as_str().unwrap().into()
}

#[test]
fn the_whole_flow_ends_where_it_began() {
    let house = House::new();
    schema(&house, "migrate").status(0);
    house.import(&sample(), &["--no-backup"]).status(0);
    schema(&house, "validate").status(0);
    let before = application_dump(&open(&house.path(DATABASE)));
    for (packing, restores) in [("", "1"), (" --compress", "2")] {
        let made = backup(&house, &format!("create{packing} --json")).status(0).json();
        let counted = &made["backup"]["manifest"]["content"]["rows"];
        for table in ["users", "work_orders", "dispensers"] {
            assert_eq!(counted[table].to_string(), house.one(&format!("SELECT count(*) FROM {table}")), "{table}");
        }
        // Damaged in the middle of its pages.
        let mut bytes = fs::read(house.path(DATABASE)).unwrap();
        let middle = bytes.len() / 2;
        bytes[16_384..middle].fill(0xa5);
        fs::write(house.path(DATABASE), bytes).unwrap();
        let restored = backup(&house, "restore --latest --yes").status(0);
        assert!(restored.stdout.contains("/damaged/"), "what was there is kept:\n{}", restored.stdout);
        schema(&house, "validate").status(0);
        assert_eq!(application_dump(&open(&house.path(DATABASE))), before);
        assert_eq!(house.one("SELECT count(*) FROM audit_trail WHERE action = 'restore'"), restores);
    }
}

#[test]
fn twenty_flipped_bytes_are_twenty_refusals() {
    let house = imported();
    for packing in ["", " --compress"] {
        backup(&house, &format!("create{packing}")).status(0);
        let path = newest(&house);
        let good = fs::read(&path).unwrap();
        for at in 0..20 {
            let mut bytes = good.clone();
            let place = (bytes.len() - 1) * at / 19;
            bytes[place] ^= 1 << (at % 8);
            fs::write(&path, bytes).unwrap();
            let run = backup(&house, &format!("restore --file {} --yes", path.display())).status(3);
            assert!(run.stderr.contains("its SHA-256 differs from the manifest"), "{place}: {}", run.stderr);
        }
        fs::write(&path, &good[..good.len() - 1]).unwrap();
        let run = backup(&house, "list --verify").status(1);
        assert!(run.stdout.contains("bytes, the manifest says"), "{}", run.stdout);
        fs::write(&path, good).unwrap();
        backup(&house, "list --verify").status(0);
    }
}

#[test]
fn a_backup_of_another_set_and_one_without_a_manifest_are_refused() {
    let house = imported();
    backup(&house, "create").status(0);
    let path = newest(&house);
    let set = small_set(&house);
    fs::rename(house.path(DATABASE), house.path("kept.db")).unwrap();
    let run = backup(&house, &format!("restore --latest --yes {set}")).status(3);
    assert!(run.stderr.contains("the backup belongs to the mapping set `fossawork`, not to `notes`"), "{}", run.stderr);
    fs::rename(house.path("kept.db"), house.path(DATABASE)).unwrap();
    fs::remove_file(format!("{}.json", path.display())).unwrap();
    let run = backup(&house, &format!("restore --file {} --yes", path.display())).status(3);
    assert!(run.stderr.contains("the backup has no manifest beside it"), "{}", run.stderr);
    backup(&house, "restore --latest --yes").status(3);
}

#[test]
fn backups_are_made_before_changes_promoted_and_pruned() {
    let house = imported();
    let folder = house.backups();
    let folder = folder.to_str().unwrap();
    schema(&house, &format!("rollback --steps 1 --backup-dir {folder}")).status(0);
    schema(&house, &format!("migrate --backup-dir {folder}")).status(0);
    house.import(&sample(), &[]).status(0); // changes nothing, and keeps no backup
    change(&house, "DELETE FROM user_sessions");
    house.import(&sample(), &[]).status(0);
    let list = backup(&house, "list --json").status(0).json();
    let reasons: Vec<_> =
        list["backups"].as_array().unwrap().iter().map(|one| one["manifest"]["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["before rollback", "before migrate", "before import"]);
    backup(&house, "promote --to weekly").status(0);
    backup(&house, "promote --to weekly").status(2);
    let pruned = backup(&house, "prune --keep-daily 1 --dry-run --json").status(0).json();
    assert_eq!(pruned["removed"].as_array().unwrap().len(), 2);
    backup(&house, "prune --keep-daily 1").status(2);
    backup(&house, "prune --keep-daily 1 --yes").status(0);
    assert_eq!(backup(&house, "list --json").status(0).json()["backups"].as_array().unwrap().len(), 2);
    let mode = |path: &str| fs::metadata(house.backups().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("daily"), 0o700);
    assert_eq!(fs::metadata(newest(&house)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_refused_import_leaves_no_backup_behind() {
    let house = imported();
    change(&house, "UPDATE users SET label = 'Somebody Else'");
    let run = house.import(&sample(), &[]).status(1);
    assert!(run.stderr.contains("no row was changed: the backup was removed"), "{}", run.stderr);
    assert!(!house.backups().exists());
}

#[test]
fn an_import_that_changes_no_row_leaves_no_backup_unless_it_migrated() {
    let house = imported();
    let run = house.import(&sample(), &[]).status(0);
    assert!(run.stderr.contains("no row was changed: the backup was removed"), "{}", run.stderr);
    assert!(!house.backups().exists());
    schema(&house, "rollback --steps 1 --no-backup").status(0);
    let run = house.import(&sample(), &[]).status(0);
    assert!(!run.stderr.contains("removed again"), "{}", run.stderr);
    assert!(newest(&house).exists());
}

#[test]
fn a_database_in_wal_mode_is_backed_up_and_replaced_with_its_side_files() {
    let house = imported();
    let other = Connection::open(house.path(DATABASE)).unwrap();
    other.execute_batch("PRAGMA journal_mode = WAL; UPDATE users SET label = 'before';").unwrap();
    backup(&house, "create").status(0);
    other.execute_batch("UPDATE users SET label = 'after'").unwrap();
    // It is open: whoever writes there would write into a file that is gone.
    let run = backup(&house, "restore --latest --yes --no-backup").status(3);
    assert!(run.stderr.contains("locked by another program"), "{}", run.stderr);
    drop(other);
    backup(&house, "restore --latest --yes").status(0);
    assert!(!house.path("target.db-wal").exists() && !house.path("target.db-shm").exists());
    assert_eq!(house.rows("SELECT DISTINCT label FROM users"), [["before"]]);
}

#[test]
fn a_truncated_backup_does_not_count_as_kept() {
    let house = imported();
    for _ in 0..3 {
        backup(&house, "create").status(0);
    }
    let cut = newest(&house);
    fs::File::options().write(true).open(&cut).unwrap().set_len(100).unwrap();
    let run = backup(&house, "prune --keep-daily 1 --yes").status(0);
    assert!(run.stdout.contains("removed: 1 backup"), "{}", run.stdout);
    assert!(cut.exists(), "a person should look at it");
    backup(&house, "restore --latest --dry-run").status(0);
}
