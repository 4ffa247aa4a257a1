//! Which mapping set a command takes where none is named, and which it refuses.

use crate::house::{DATABASE, House, KEY_FILE, Ran, listing, sample};
use rusqlite::Connection;
use std::fs;

/// Runs a command of several words on the house's database, every question answered yes.
fn run(house: &House, line: &str) -> Ran {
    house.run(line.split(' ').chain(["--database", DATABASE]))
}

/// A set of the house's own, that no program has.
fn own_set(house: &House) {
    house.file("set/set.toml", "name = \"words\"\n");
    house.file("set/schema/001_words.up.sql", "CREATE TABLE words (word TEXT);\n");
}

#[test]
fn the_set_is_the_one_whose_migrations_the_database_records() {
    let house = House::new();
    run(&house, "schema migrate --to 003 --mappings fossawork").status(0);
    let history = run(&house, "schema history --json").status(0).json();
    assert_eq!(history["history"].as_array().unwrap().len(), 3);
    run(&house, "schema migrate --yes --no-backup").status(0);
    run(&house, "schema rollback --all --yes --no-backup").status(0);
    let status = run(&house, "schema status --json").status(0).json();
    assert_eq!((status["set"].as_str(), status["pending"].as_u64()), (Some("fossawork"), Some(6)));
}

#[test]
fn a_set_that_cannot_be_determined_must_be_named() {
    let house = House::new();
    Connection::open(house.path(DATABASE)).unwrap().execute_batch("CREATE TABLE a (a)").unwrap();
    let error = run(&house, "schema status").status(2).stderr;
    assert!(error.contains("cannot tell which mapping set the database belongs to\n  at target.db\n"), "{error}");

    fs::remove_file(house.path(DATABASE)).unwrap();
    own_set(&house);
    house.import(&sample(), &[]).status(0);
    let rename = "UPDATE treelift_runs SET mapping_set = 'words'";
    Connection::open(house.path(DATABASE)).unwrap().execute_batch(rename).unwrap();
    let error = run(&house, "schema status").status(2).stderr;
    assert!(error.contains("the database belongs to the mapping set `words`, which is not bundled"), "{error}");
    run(&house, "schema status --mappings set").status(0);
}

#[test]
fn a_backup_is_put_back_without_a_set_where_there_is_no_database_or_a_damaged_one() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    run(&house, "backup create").status(0);
    run(&house, "schema validate").status(0);
    let spoils: [fn(&House); 2] = [
        |house| fs::remove_file(house.path(DATABASE)).unwrap(),
        |house| fs::write(house.path(DATABASE), "no database ".repeat(100)).unwrap(),
    ];
    for spoil in spoils {
        spoil(&house);
        let listed = run(&house, "backup list --json").status(0).json();
        assert_eq!(listed["backups"].as_array().unwrap().len(), 1);
        let restored = run(&house, "backup restore --latest --yes --json").status(0).json();
        assert!(!restored["checks"].as_array().unwrap().is_empty(), "the backup's own set judges it: {restored}");
        run(&house, "schema validate").status(0);
        assert_eq!(house.one("SELECT count(*) FROM audit_trail WHERE action = 'restore'"), "1");
    }
}

#[test]
fn a_given_backup_names_its_database() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    let made = run(&house, "backup create --json").status(0).json();
    let backup = made["backup"]["path"].as_str().unwrap();
    let asked = house.run(["backup", "restore", "--file", backup]).status(2).stderr;
    assert!(asked.contains("create sqlite:///./fossawork_v2.db from the backup of target.db made at "), "{asked}");
    house.run(["backup", "restore", "--file", backup, "--yes"]).status(0);
    assert!(house.path("fossawork_v2.db").exists(), "the set's own database");
    let error = house.run(["backup", "restore", "--latest"]).status(2).stderr;
    assert!(error.contains("neither a database nor a mapping set is named"), "{error}");
}

#[test]
fn a_backup_of_an_unavailable_set_is_restored_and_not_validated() {
    let house = House::new();
    own_set(&house);
    run(&house, "schema migrate --mappings set").status(0);
    run(&house, "backup create --mappings set").status(0);
    fs::remove_file(house.path(DATABASE)).unwrap();
    let restored = run(&house, "backup restore --latest").status(0);
    assert!(restored.stderr.contains("not validated: its mapping set is not available"), "{}", restored.stderr);
    run(&house, "schema validate --mappings set").status(0);
}

#[test]
fn a_set_that_the_database_does_not_belong_to_is_refused() {
    let house = House::new();
    house.import(&sample(), &[]).status(0);
    run(&house, "backup create").status(0);
    let before = listing(&house.work());
    let changes = ["schema migrate --yes", "schema stamp 001 --yes", "backup create", "backup restore --latest --yes"];
    let keys = ["credentials rotate --yes", "credentials rekey --yes --new-key-file test.key"];
    for line in changes.into_iter().chain(keys).chain(["schema status", "schema validate", "undo 1 --yes"]) {
        let error = run(&house, &format!("{line} --mappings notes")).status(2).stderr;
        let message = "the database belongs to the mapping set `fossawork`, not to `notes`\n  at target.db\n";
        assert!(error.contains(message), "{line}: {error}");
    }
    assert_eq!(listing(&house.work()), before);
}

#[test]
fn a_set_that_names_no_database_can_grow_and_be_tested() {
    let house = House::new();
    own_set(&house);
    house.file("set/schema/001_words.down.sql", "DROP TABLE words;\n");
    house.run(["schema", "test", "--mappings", "set"]).status(0);
    house.run(["schema", "new", "more", "--mappings", "set"]).status(0);
    assert!(house.path("set/schema/002_more.up.sql").exists());
    let error = house.run(["schema", "new", "drift", "--from-drift", "--mappings", "set"]).status(2).stderr;
    assert!(error.contains("the set `words` names no database"), "{error}");
    let error = house.run(["schema", "test"]).status(2).stderr;
    assert!(error.contains("no mapping set is named"), "{error}");
}

const OWN_DATABASE: &str = "sqlite:///./fossawork_v2.db";

/// The sample in the database that its set names.
fn house_of_the_set() -> House {
    let house = House::new();
    house.run(["import", sample().to_str().unwrap(), "--key-file", KEY_FILE, "--yes"]).status(0);
    house
}

#[test]
fn every_command_takes_the_database_that_the_set_names() {
    let house = house_of_the_set();
    let said = format!("database: {OWN_DATABASE} (from the mapping set `fossawork`)\n");
    // Those that only show what is there name it in their result.
    for line in ["credentials status", "export users --as csv", "runs", "schema status", "backup list"] {
        let by_argument = house.run(line.split(' ').chain(["--mappings", "fossawork"])).status(0);
        let by_variable = Ran::of(house.command(line.split(' ')).env("TREELIFT_MAPPINGS", "fossawork")).status(0);
        assert!(!by_argument.stderr.contains(&said) && !by_variable.stderr.contains(&said), "{}", by_variable.stderr);
        assert_eq!(by_argument.stdout, by_variable.stdout, "{line}");
    }
    let lines = [
        "credentials verify",
        "credentials encrypt --yes --no-backup",
        "credentials rotate --yes --no-backup",
        "credentials rekey --yes --new-key-file test.key",
        "schema migrate --yes",
        "schema tidy --yes",
        "runs --forget --all --yes --no-backup",
    ];
    for line in lines {
        let needs_key = !line.contains("runs") && !line.contains("tidy");
        let key: &[&str] = if needs_key { &["--key-file", KEY_FILE] } else { &[] };
        let mut command = house.command(line.split(' ').chain(key.iter().copied()));
        let ran = Ran::of(command.env("TREELIFT_MAPPINGS", "fossawork")).status(0);
        assert!(ran.stderr.starts_with(&said), "{line}: {}", ran.stderr);
        let dry = if line.contains("verify") { None } else { Some("--dry-run") };
        let arguments = line.split(' ').chain(key.iter().copied()).chain(dry);
        let ran = house.run(arguments.chain(["--mappings", "fossawork", "--database", OWN_DATABASE])).status(0);
        assert!(!ran.stderr.contains("database: "), "{line}: {}", ran.stderr);
    }
}

#[test]
fn an_argument_comes_before_the_variable_and_that_before_the_set() {
    let house = house_of_the_set();
    let asks = |line: &str, variable: &str| {
        let mut command = house.command(line.split(' ').chain(["--mappings", "fossawork"]));
        Ran::of(command.env("DATABASE_URL", variable))
    };
    let missing = "error: there is no database\n  at sqlite:///./none.db\n";
    for line in ["credentials status", "export users --as csv"] {
        let said = asks(line, "sqlite:///./none.db").status(3).stderr;
        assert!(said.starts_with(missing), "{line}: {said}");
        asks(&format!("{line} --database {OWN_DATABASE}"), "sqlite:///./none.db").status(0);
        let said = asks(&format!("{line} --database sqlite:///./none.db"), OWN_DATABASE).status(3).stderr;
        assert!(said.starts_with(missing), "{line}: {said}");
    }
    let key = format!("--key-file {KEY_FILE}");
    for line in [format!("credentials verify {key}"), format!("schema migrate --dry-run {key}")] {
        let said = asks(&line, OWN_DATABASE).status(0).stderr;
        assert!(said.starts_with(&format!("database: {OWN_DATABASE} (from DATABASE_URL)\n")), "{line}: {said}");
    }
    let said = asks(&format!("credentials rotate --yes {key}"), "sqlite:///./none.db").status(3).stderr;
    assert_eq!(
        said.split("hint").next(),
        Some(&*format!("database: sqlite:///./none.db (from DATABASE_URL)\n{missing}"))
    );
}
