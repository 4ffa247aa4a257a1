//! Every command that takes a database, on a server: what works there, and what is refused by name.

use crate::house::server::Server;
use crate::house::{House, KEY_FILE, project};

fn imported(house: &House, server: &Server) {
    house.import(&project("sample_data/notes"), &["--database", &server.url]).status(0);
}

#[test]
fn what_is_not_built_for_a_server_yet_is_refused_by_name_and_changes_nothing() {
    let (house, server) = (House::new(), Server::new());
    imported(&house, &server);
    let before = server.everything();
    let copy = house.run(["schema", "test", "--copy-of", &server.url]).status(2);
    assert!(copy.stderr.contains("copy") && copy.stderr.contains("not built"), "{}", copy.stderr);
    assert!(copy.stderr.contains("hint: make a copy in a database of its own"), "{}", copy.stderr);
    assert_eq!(server.everything(), before);
}

#[test]
fn every_other_command_works_on_a_server() {
    every_command(&Server::new());
}

#[test]
fn every_other_command_works_where_treelifts_tables_have_a_schema_of_their_own() {
    let server = Server::apart();
    every_command(&server);
    let left = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                AND relname LIKE 'treelift%'";
    assert_eq!(server.rows(left), [] as [Vec<String>; 0]);
}

fn every_command(server: &Server) {
    let house = House::new();
    let tree = project("sample_data/notes");
    let tree = tree.to_str().unwrap();
    let on = |command: &[&str], status: i32| {
        house.run(command.iter().copied().chain(["--database", &server.url])).status(status)
    };
    // A database that has nothing yet.
    let status = on(&["schema", "status", "--mappings", "notes", "--exit-code"], 4).stdout;
    assert!(status.contains("(does not exist yet)") && status.contains("current  nothing applied"), "{status}");
    let dry = on(&["schema", "migrate", "--mappings", "notes", "--dry-run"], 0).stdout;
    assert!(dry.contains("CREATE TABLE people") && dry.contains("nothing was changed"), "{dry}");
    assert_eq!(server.things(), "0");
    assert!(on(&["schema", "migrate", "--mappings", "notes"], 0).stdout.contains("committed: 1 step in postgresql://"));
    on(&["import", "--reread", tree, "--key-file", KEY_FILE, "--yes", "--no-backup", "--dry-run"], 0);
    on(&["import", "--reread", tree, "--key-file", KEY_FILE, "--yes", "--no-backup"], 0);
    assert_eq!(server.rows("SELECT count(*)::text FROM people"), [["3"]]);
    // What is there.
    assert!(on(&["schema", "status", "--exit-code"], 0).stdout.contains("current  001"));
    assert!(on(&["schema", "history"], 0).stdout.contains("applied"));
    assert!(on(&["schema", "validate"], 0).last_line().starts_with("verified: "));
    let runs = on(&["runs"], 0).stdout;
    assert!(runs.contains("import"), "{runs}");
    let key = server.rows("SELECT id::text FROM people ORDER BY 1 LIMIT 1")[0][0].clone();
    let row = on(&["explain", "--row", "people", &key, "--source", tree], 0).stdout;
    assert!(row.starts_with("row of people in postgresql://") && row.contains("\nfrom "), "{row}");
    on(&["credentials", "status"], 0);
    on(&["credentials", "verify", "--key-file", KEY_FILE], 0);
    on(&["check", "notes"], 0);
    on(&["schema", "test", "--mappings", "notes"], 0);
    // Rows aside, and a run taken back.
    server.run(
        "ALTER TABLE people DISABLE TRIGGER ALL; DELETE FROM people WHERE id = (SELECT min(id) FROM people);
         ALTER TABLE people ENABLE TRIGGER ALL",
    );
    let aside = on(&["schema", "validate", "--fix-orphans", "--dry-run", "--no-backup"], 0).stdout;
    assert!(aside.contains("would be moved into `treelift_orphans`"), "{aside}");
    on(&["schema", "validate", "--fix-orphans", "--no-backup", "--yes"], 0);
    let run = server.rows("SELECT id FROM treelift_runs ORDER BY number LIMIT 1")[0][0].clone();
    let undone = on(&["undo", &run, "--no-backup", "--yes"], 0).stdout;
    assert!(undone.contains(&format!("rows of run {run} undone in postgresql://")), "{undone}");
    on(&["import", "--reread", tree, "--key-file", KEY_FILE, "--yes", "--no-backup"], 0);
    server.run("DELETE FROM treelift_orphans");
    // Back, and by hand.
    server.run("ALTER TABLE people ADD COLUMN nick TEXT");
    house.run(["mappings", "export", "notes", "own"]).status(0);
    let drift = on(&["schema", "new", "nick", "--from-drift", "--mappings", "own", "--dry-run"], 0).stdout;
    assert!(drift.contains("nick"), "{drift}");
    server.run("ALTER TABLE people DROP COLUMN nick");
    on(&["schema", "rollback", "--all", "--dry-run", "--no-backup", "--yes"], 0);
    assert_eq!(server.rows("SELECT count(*)::text FROM people"), [["3"]]);
    on(&["schema", "rollback", "--all", "--no-backup", "--yes"], 0);
    assert_eq!(server.rows("SELECT count(*)::text FROM pg_class WHERE relname = 'people'"), [["0"]]);
    let sql = std::fs::read_to_string(project("mappings/notes/schema/001_notes.up.postgresql.sql")).unwrap();
    server.run(&sql);
    assert!(
        on(&["schema", "stamp", "001", "--mappings", "notes", "--no-backup", "--yes"], 0)
            .stdout
            .contains("recorded as applied")
    );
    on(&["schema", "status", "--mappings", "notes", "--exit-code"], 0);
}
