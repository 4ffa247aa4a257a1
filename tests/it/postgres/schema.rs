//! What migrations make on a server: compared with what they make elsewhere, tried where nothing of them stays.

use crate::house::House;
use crate::house::server::Server;
use serde_json::json;

const COMMON: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR(80) NOT NULL UNIQUE);
    CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, owner INTEGER REFERENCES people (id) ON DELETE CASCADE);";

/// A set whose migration has a file of its own for the server, with this in the place of that.
fn differing(from: &str, to: &str) -> House {
    assert!(COMMON.contains(from));
    let house = House::new().schema(COMMON).list(
        "people",
        "people.json",
        "[table.people]\nkey = [\"id\"]\n[table.people.columns]\nid = \"id\"\nmail = \"mail\"\n",
    );
    let up = format!("-- version: 001\n-- description: tables of a test\n{}\n", COMMON.replacen(from, to, 1));
    house.file("set/schema/001_test.up.postgresql.sql", up);
    house
}

/// The names of the bundled sets, as a message lists them.
fn bundled() -> String {
    let folders = std::fs::read_dir(crate::house::project("mappings")).unwrap().map(Result::unwrap);
    let folders = folders.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| format!("`{}`", entry.file_name().to_string_lossy())).collect();
    names.sort();
    names.join(", ")
}

#[test]
fn bundled_sets_make_the_same_tables_on_a_server() {
    let (house, server) = (House::new(), Server::new());
    let checked = house.run(["check", "--database", &server.url, "--json"]).status(0);
    let sets = checked.json()["sets"].clone();
    let sets = sets.as_array().unwrap();
    assert!(sets.len() > 1 && sets.iter().all(|set| set["compared"]["engine"] == "postgresql"), "{sets:?}");
    let words = format!("note: the migrations of {} make the same tables there: {}\n", bundled(), server.url);
    assert!(checked.stderr.contains(&words), "{}", checked.stderr);
    assert_eq!(server.things(), "0");
    // The variable is enough, and a password in it is not shown.
    let url = server.url.replace("postgres@", "postgres:canary@");
    let mut command = house.command(["check", "notes"]);
    let checked = crate::house::Ran::of(command.env("DATABASE_URL", &url)).status(0);
    assert!(
        checked.stderr.contains("note: the migrations of `notes` make the same tables there"),
        "{}",
        checked.stderr
    );
    assert!(!checked.stderr.contains("canary"));
}

#[test]
fn what_differs_between_the_files_of_two_engines_is_told_with_both_sides() {
    let server = Server::new();
    for (from, to, words) in [
        (
            "title TEXT",
            "title TEXT NOT NULL",
            "column `notes.title` differs between engines: `sqlite` takes NULL, `postgresql` refuses NULL",
        ),
        (
            "title TEXT, ",
            "",
            "column `notes.title` differs between engines: `sqlite` has it, `postgresql` has no such column",
        ),
        (
            "title TEXT",
            "title TEXT, kind TEXT",
            "column `notes.kind` differs between engines: `sqlite` has no such column, `postgresql` has it",
        ),
        (" UNIQUE", "", "table `people` differs between engines: `sqlite` keeps unique (mail), `postgresql` does not"),
        (
            "id INTEGER PRIMARY KEY, title",
            "id INTEGER NOT NULL, title",
            "table `notes` differs between engines: `sqlite` has the primary key (id), `postgresql` has no primary key",
        ),
        (
            " ON DELETE CASCADE",
            "",
            "`sqlite` has the foreign key (owner) → `people` (id) ON DELETE CASCADE, `postgresql` has none like it",
        ),
        (
            "CREATE TABLE notes",
            "CREATE TABLE more (id INTEGER); CREATE TABLE notes",
            "table `more` differs between engines: `sqlite` makes no such table, `postgresql` makes it",
        ),
    ] {
        let house = differing(from, to);
        let checked = house.run(["check", "set", "--database", &server.url]).status(2);
        assert!(
            checked.stderr.contains(&format!("error M138: {words}"))
                || checked.stderr.contains("error M138: ") && checked.stderr.contains(words),
            "{words}: {}",
            checked.stderr
        );
        assert!(checked.stderr.contains("  at set/schema/001_test.up.postgresql.sql\nhint: "), "{}", checked.stderr);
        assert_eq!(checked.stdout, "");
        assert_eq!(server.things(), "0");
    }
    // Types, defaults and conditions are in each engine's words.
    let house = differing("mail VARCHAR(80)", "mail TEXT CHECK (mail <> '') DEFAULT 'x'");
    house.run(["check", "set", "--database", &server.url]).status(0);
}

#[test]
fn without_a_server_it_is_said_once_that_nothing_was_compared() {
    let house = House::new();
    let useless = |why: &str| format!("; DATABASE_URL is of no use for it: {why}; name a server with `--database`");
    for (variable, end) in [
        ("", "; name a server with `--database` or DATABASE_URL".to_owned()),
        ("sqlite:///./x.db", useless("it names no server")),
        ("mysql://me:canary@host/db", useless("unknown database type `mysql`")),
        ("postgresql:me:canary@host", useless("this is not a PostgreSQL URL")),
        (
            "postgresql://me:canary@/db?host=/nowhere",
            useless("the server cannot be reached: No such file or directory (os error 2)"),
        ),
    ] {
        let mut command = house.command(["check"]);
        let checked = crate::house::Ran::of(command.env("DATABASE_URL", variable)).status(0);
        let note = format!("note: the migrations of {} for `postgresql` were not compared{end}\n", bundled());
        assert_eq!(checked.stderr, note, "{variable}");
    }
    let refused = house.run(["check", "--database", "sqlite:///./x.db"]).status(2);
    assert!(refused.stderr.contains("`check --database` names a server"), "{}", refused.stderr);
    assert!(!house.path("x.db").exists());
    house.run(["check", "--database", "postgresql://me@/db?host=/nowhere"]).status(3);
    // A set that is for no engine alone has nothing to compare.
    let house = House::new().schema(COMMON);
    assert_eq!(house.run(["check", "set"]).status(0).stderr, "");
}

/// A set for a server alone whose migration is this, and its tree.
fn plain(sql: &str) -> House {
    const ITEM: &str = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\nstate = \"state\"\n";
    const ITEMS: &str = "CREATE TABLE items (id INTEGER PRIMARY KEY, state TEXT);";
    let house = House::new().schema(ITEMS).list("items", "items.json", ITEM);
    house.file(
        "set/schema/001_test.up.postgresql.sql",
        format!("-- version: 001\n-- description: tables of a test\n{ITEMS}\n{sql}\n"),
    );
    house.source("items.json", &json!([{ "id": 1, "state": "a" }]))
}

#[test]
fn what_cannot_be_in_one_transaction_is_refused_with_the_way_round() {
    let server = Server::new();
    // A migration that fails is recorded as such; elsewhere nothing at all is written.
    let migrated = Server::new();
    for one in [&server, &migrated] {
        one.run("CREATE TABLE users (id integer); INSERT INTO users VALUES (1)");
    }
    let before = server.things();
    for (sql, words) in [
        ("CREATE INDEX CONCURRENTLY i ON items (state);", "CREATE INDEX without CONCURRENTLY"),
        ("VACUUM items;", "VACUUM by hand afterwards"),
        ("REINDEX TABLE CONCURRENTLY items;", "everything is one transaction"),
        ("SAVEPOINT a;", "BEGIN, COMMIT, ROLLBACK or SAVEPOINT"),
        ("BEGIN;", "BEGIN, COMMIT, ROLLBACK or SAVEPOINT"),
        ("DROP TABLE public.users;", "reaches `public.users`"),
        ("DELETE FROM public.users;", "reaches `public.users`"),
        ("ALTER TABLE public.users ADD COLUMN more TEXT;", "reaches `public.users`"),
        ("CREATE TABLE public.own (id integer);", "reaches `public.own`"),
        ("CREATE SCHEMA other; CREATE TABLE other.own (id integer);", "reaches `other.own`"),
    ] {
        let house = plain(sql);
        for command in [&["check", "set"][..], &["schema", "migrate", "--mappings", "set", "--no-backup", "--yes"]] {
            let on = if command[0] == "check" { &server } else { &migrated };
            let ran = house.run(command.iter().copied().chain(["--database", &on.url]));
            // What is forbidden is the request's fault; what fails is the database's once it is applied.
            let status =
                if words.starts_with("reaches") || words.starts_with("BEGIN") || command[0] == "check" { 2 } else { 3 };
            let ran = ran.status(status);
            assert!(ran.stderr.contains(words), "{sql}: {}", ran.stderr);
            assert!(ran.stderr.contains("001_test.up.postgresql.sql"), "{sql}: {}", ran.stderr);
        }
        let lifted = house.lift(&["--database", &server.url, "--no-backup"]);
        lifted.refuses(words);
        assert_eq!(server.things(), before, "{sql}");
        for one in [&server, &migrated] {
            assert_eq!(one.rows("SELECT id::text FROM public.users"), [["1"]], "{sql}");
            assert_eq!(one.rows("SELECT to_regclass('items')::text"), [["NULL"]], "{sql}");
        }
        assert_eq!(
            server
                .rows("SELECT count(*)::text FROM pg_namespace WHERE nspname IN ('other') OR nspname LIKE 'treelift%'"),
            [["0"]]
        );
    }
    server.run("DROP TABLE users");
    // What a file makes and uses by itself is fine; what a later one adds can be used after it alone.
    let house = plain("CREATE TYPE mood AS ENUM ('ok', 'sad'); CREATE VIEW v AS SELECT 'sad'::mood AS m;");
    house.lift(&["--database", &server.url, "--no-backup"]).ends(0, "committed");
    let validate = ["schema", "validate", "--mappings", "set", "--database", &server.url];
    house.run(validate).status(0);
    house.file("set/schema/002_glad.up.sql", "-- version: 002\nCREATE TABLE glad (id INTEGER);");
    let glad = "-- version: 002\nALTER TYPE mood ADD VALUE 'glad'; CREATE TABLE glad (id INTEGER); INSERT INTO glad SELECT 1 WHERE 'glad'::mood IS NOT NULL;";
    house.file("set/schema/002_glad.up.postgresql.sql", glad);
    let migrate = ["schema", "migrate", "--mappings", "set", "--no-backup", "--yes", "--database", &server.url];
    let refused = house.run(migrate).status(3).stderr;
    assert!(refused.contains("make the type with all of its values"), "{refused}");
    assert_eq!(server.rows("SELECT to_regclass('glad')::text, enum_range(NULL::mood)::text"), [["NULL", "{ok,sad}"]]);
}

#[test]
fn a_user_who_may_make_no_schema_gets_temporary_tables_to_try_migrations_on() {
    let server = Server::new();
    let user = format!("temp_{}", server.name());
    server.run(&format!("CREATE ROLE {user} LOGIN; GRANT CREATE ON SCHEMA public TO {user}"));
    let url = server.url_as(&user);
    let (house, notes) = (House::new(), crate::house::project("sample_data/notes"));
    house.run(["check", "--database", &url]).status(0);
    assert_eq!(server.things(), "0");
    house.import(&notes, &["--database", &url]).status(0);
    house.run(["schema", "validate", "--database", &url]).status(0);
    house.run(["schema", "status", "--database", &url, "--exit-code"]).status(0);
    // A function that is called by its name alone is not found there, and that is said.
    let sql =
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; ALTER TABLE items ALTER id SET DEFAULT f();";
    let refused = plain(sql).run(["check", "set", "--database", &url]).status(2);
    assert!(refused.stderr.contains("f()"), "{}", refused.stderr);
    server.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}

#[test]
fn what_is_made_in_another_schema_and_in_other_words_is_the_same() {
    let server = Server::new();
    let sql = "CREATE SEQUENCE own; CREATE TABLE more (id INTEGER PRIMARY KEY DEFAULT nextval('own'), at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, \
        day DATE DEFAULT CURRENT_DATE, low TEXT CHECK (low = lower(low)), half BOOLEAN DEFAULT FALSE, items_id INTEGER REFERENCES items (id));
        CREATE INDEX more_low ON more (lower(low)) WHERE half; CREATE UNIQUE INDEX more_at ON more (at DESC);
        CREATE VIEW halves AS SELECT id, low FROM more WHERE half;
        CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at := now(); RETURN NEW; END $$;
        CREATE TRIGGER stamped BEFORE UPDATE ON more FOR EACH ROW EXECUTE FUNCTION stamp();";
    let house = plain(sql);
    let url = server.url.clone();
    let run = |command: &[&str]| {
        house.run(command.iter().copied().chain(["--mappings", "set", "--database", &url])).status(0)
    };
    house.lift(&["--database", &server.url]).ends(0, "committed");
    run(&["schema", "validate"]);
    assert!(!run(&["schema", "status", "--exit-code"]).stdout.contains("drift"));
    // What an application made by itself, in the words of its own tool, is found to be there.
    server.run("ALTER TABLE more ALTER at SET DEFAULT now(); DELETE FROM schema_migrations");
    let migrated = run(&["schema", "migrate", "--no-backup", "--yes"]);
    assert!(migrated.stdout.contains("already there, recorded: 001"), "{}", migrated.stdout);
    server.run("ALTER TABLE more ALTER half SET DEFAULT TRUE");
    let told = house.run(["schema", "validate", "--mappings", "set", "--database", &url]).status(1);
    assert!(
        told.stdout.contains("column `more.half` has another default: `true`, expected `false`"),
        "{}",
        told.stdout
    );
}

#[test]
fn migrations_are_tested_on_a_server_in_a_schema_that_is_dropped() {
    let (house, server) = (House::new(), Server::new());
    server.run("CREATE TABLE mine (id integer)");
    let before = server.things();
    let schemas =
        || server.rows("SELECT string_agg(nspname::text, ' ') FROM pg_namespace WHERE nspname LIKE 'treelift%'");
    for set in ["fossawork", "notes"] {
        let ran = house.run(["schema", "test", "--mappings", set, "--database", &server.url]).status(0);
        assert!(ran.last_line().starts_with("verified: ") && ran.last_line().ends_with(", 0 failed"), "{}", ran.stdout);
        assert_eq!((server.things(), schemas()), (before.clone(), vec![vec!["NULL".to_owned()]]));
    }
    // With enumerations, conditions and columns that the server counts there is a row as well.
    let sql = "CREATE TYPE mood AS ENUM ('ok', 'sad');
        CREATE TABLE more (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, m mood NOT NULL, at TIMESTAMPTZ NOT NULL, tags TEXT[] NOT NULL,
        about JSONB NOT NULL, state TEXT NOT NULL CHECK (state IN ('open', 'it''s done')), item INTEGER NOT NULL REFERENCES items (id), box POINT);";
    let house = plain(sql);
    let down = "DROP TABLE more; DROP TYPE mood; DROP TABLE items;";
    house.file("set/schema/001_test.down.postgresql.sql", down);
    let test = |house: &House, status| {
        house.run(["schema", "test", "--mappings", "set", "--database", &server.url]).status(status)
    };
    test(&house, 0);
    // What a way back leaves, or loses, is told.
    house.file("set/schema/001_test.down.postgresql.sql", "DROP TABLE more; DROP TABLE items;");
    house.file("set/schema/002_more.up.sql", "-- version: 002\nALTER TABLE items ADD COLUMN more TEXT;");
    house.file(
        "set/schema/002_more.down.sql",
        "ALTER TABLE items DROP COLUMN more; DELETE FROM more; DELETE FROM items;",
    );
    let told = test(&house, 1).stdout;
    assert!(told.contains("`items` has 0 rows, expected 1"), "{told}");
    // What reaches out is refused before anything is done.
    house.file("set/schema/002_more.down.sql", "DROP TABLE public.mine;");
    let refused = test(&house, 2).stderr;
    assert!(refused.contains("reaches `public.mine`") && refused.contains("002_more.down.sql"), "{refused}");
    assert_eq!((server.things(), schemas()), (before, vec![vec!["NULL".to_owned()]]));
    // One that was killed is cleaned up by the next.
    let stale = "treelift_test_0011223344556677";
    server.run(&format!(
        "CREATE SCHEMA {stale}; COMMENT ON SCHEMA {stale} IS 'treelift tests migrations here, and drops it'; CREATE TABLE {stale}.t (id integer)"
    ));
    let notes = || House::new().run(["schema", "test", "--mappings", "notes", "--database", &server.url]).status(0);
    notes();
    assert_eq!(schemas(), [["NULL"]]);
    // Somebody's own that is called like one stays, and so does one of such a name that does not say what it is.
    server.run(&format!(
        "CREATE SCHEMA treelift_test_data; CREATE TABLE treelift_test_data.t (id integer); CREATE SCHEMA {stale}"
    ));
    server.run("COMMENT ON SCHEMA treelift_test_data IS 'treelift tests migrations here, and drops it'");
    notes();
    assert_eq!(
        server.rows(
            "SELECT string_agg(nspname::text, ' ' ORDER BY nspname) FROM pg_namespace WHERE nspname LIKE 'treelift%'"
        ),
        [[format!("{stale} treelift_test_data")]]
    );
}

#[test]
fn a_test_of_migrations_outlives_the_limits_of_a_server_on_idle_transactions() {
    let server = Server::new();
    let name = server.name();
    server.run(&format!("ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '50ms'"));
    let house = plain("SELECT pg_sleep(0.3);");
    house.file("set/schema/001_test.down.postgresql.sql", "DROP TABLE items;");
    let told = house.run(["schema", "test", "--mappings", "set", "--database", &server.url]).status(0);
    assert!(!told.stdout.contains("could not be dropped"), "{}", told.stdout);
    assert_eq!(server.rows("SELECT count(*)::text FROM pg_namespace WHERE nspname LIKE 'treelift%'"), [["0"]]);
}

#[test]
fn nothing_of_a_live_database_is_reached_by_a_test_whenever_a_migration_does_it() {
    let server = Server::new();
    server.run(
        "CREATE TABLE old_notes (id integer); CREATE FUNCTION kept() RETURNS integer LANGUAGE sql AS 'SELECT 1';
         CREATE TYPE kind AS ENUM ('a'); CREATE EXTENSION hstore; CREATE SCHEMA side",
    );
    let there = || {
        server.rows(
            "SELECT concat_ws(' ', to_regclass('old_notes'), to_regproc('kept'), (SELECT prosrc FROM pg_proc WHERE proname = 'kept'),
                to_regtype('kind'), (SELECT count(*) FROM pg_enum), (SELECT extname FROM pg_extension WHERE extname = 'hstore'), to_regnamespace('side'))",
        )
    };
    let before = there();
    assert_eq!(before, [["old_notes kept SELECT 1 kind 1 hstore side"]]);
    let test = |house: &House| house.run(["schema", "test", "--mappings", "set", "--database", &server.url]);
    // Only the second time it is run does it find the table of the live database.
    let house = plain("CREATE TABLE old_notes (id integer);");
    house.file("set/schema/001_test.down.postgresql.sql", "DROP TABLE items;");
    house.file("set/schema/002_more.up.sql", "-- version: 002\nDROP TABLE IF EXISTS old_notes;");
    house.file("set/schema/002_more.down.sql", "SELECT 1;");
    let told = test(&house).status(1).stdout;
    assert!(told.contains("migration `002` reaches `public.old_notes`, which no migration of the set makes"), "{told}");
    assert_eq!(there(), before);
    // What is no table is not reached either, on the way down as on the way up.
    for (up, down, what) in [
        ("CREATE EXTENSION IF NOT EXISTS hstore;", "DROP EXTENSION IF EXISTS hstore;", "extension hstore"),
        ("SELECT 1;", "DROP FUNCTION public.kept();", "function public.kept"),
        ("SELECT 1;", "DROP TYPE public.kind;", "type public.kind"),
        ("SELECT 1;", "DROP SCHEMA side;", "schema side"),
        (
            "CREATE OR REPLACE FUNCTION public.kept() RETURNS integer LANGUAGE sql AS 'SELECT 2';",
            "SELECT 1;",
            "function public.kept",
        ),
        (
            "CREATE FUNCTION side.made() RETURNS integer LANGUAGE sql AS 'SELECT 2';",
            "DROP FUNCTION side.made();",
            "function side.made",
        ),
        ("CREATE TYPE side.made AS ENUM ('b');", "DROP TYPE side.made;", "type side.made"),
    ] {
        let house = plain(up);
        house.file("set/schema/001_test.down.postgresql.sql", format!("{down} DROP TABLE items;"));
        let told = test(&house).status(2).stderr;
        assert!(told.contains(&format!("reaches `{what}`, which no migration")), "{what}: {told}");
        assert_eq!(there(), before, "{what}");
    }
    // An extension of the set's own comes and goes with its schema.
    let house = plain("CREATE EXTENSION citext; CREATE TABLE words (id integer PRIMARY KEY, word citext NOT NULL);");
    house.file("set/schema/001_test.down.postgresql.sql", "DROP TABLE words; DROP EXTENSION citext; DROP TABLE items;");
    test(&house).status(0);
    assert_eq!(there(), before);
}

#[test]
fn a_forbidden_migration_that_is_applied_keeps_no_other_from_running() {
    let server = Server::new();
    let house = plain("DROP TABLE IF EXISTS public.users;");
    house.file("set/schema/001_test.down.postgresql.sql", "DROP TABLE items;");
    let run = |command: &[&str], status| {
        house.run(command.iter().copied().chain(["--mappings", "set", "--database", &server.url])).status(status)
    };
    let applied = || {
        let of = "SELECT string_agg(version, ' ' ORDER BY version) FROM schema_migrations WHERE status = 'applied'";
        server.rows(of)[0][0].clone()
    };
    let (migrate, sure) = (["schema", "migrate", "--no-backup", "--yes"], ["--no-backup", "--yes"]);
    run(&migrate, 0);
    // By now it would drop a table that is none of the set's.
    server.run("CREATE TABLE users (id integer); CREATE SCHEMA side; CREATE TABLE side.notes (id integer)");
    house.file("set/schema/002_more.up.sql", "-- version: 002\nALTER TABLE items ADD COLUMN more TEXT;");
    house.file("set/schema/002_more.down.sql", "ALTER TABLE items DROP COLUMN more;");
    run(&migrate, 0);
    assert_eq!(applied(), "001 002");
    run(&[&["schema", "rollback", "--steps", "1"], &sure[..]].concat(), 0);
    assert_eq!(applied(), "001");
    // What is about to run is refused: behind the one that cannot be tried, and that one itself.
    house.file("set/schema/003_side.up.sql", "-- version: 003\nDROP TABLE side.notes;");
    let refused = run(&migrate, 2).stderr;
    assert!(refused.contains("migration `003` reaches `side.notes`"), "{refused}");
    run(&[&["schema", "rollback", "--all"], &sure[..]].concat(), 0);
    let refused = run(&migrate, 2).stderr;
    assert!(refused.contains("migration `001` reaches `public.users`"), "{refused}");
    assert_eq!(
        server.rows("SELECT concat_ws(' ', to_regclass('users'), to_regclass('side.notes'))"),
        [["users side.notes"]]
    );
}

#[test]
fn a_sample_row_is_found_for_types_of_the_server_and_for_keys_of_several_columns() {
    let server = Server::new();
    let house = plain(
        "CREATE TYPE \"Mood\" AS ENUM ('So', 'sad');
         CREATE DOMAIN odd AS INTERVAL CHECK (VALUE > INTERVAL '1 hour');
         CREATE TABLE a (x INTEGER, y TEXT, PRIMARY KEY (x, y), UNIQUE (y));
         CREATE TABLE b (id INTEGER PRIMARY KEY, ax INTEGER NOT NULL, ay TEXT NOT NULL REFERENCES a (y), m \"Mood\" NOT NULL, ip INET NOT NULL,
            at TIMESTAMP(3) NOT NULL, net CIDR NOT NULL, mac MACADDR NOT NULL, span INTERVAL NOT NULL, c CHAR(3) NOT NULL, r INT4RANGE NOT NULL,
            p POINT NOT NULL, d odd NOT NULL, bits BIT(1) NOT NULL, words TSVECTOR NOT NULL, FOREIGN KEY (ax, ay) REFERENCES a (x, y));",
    );
    let down = "DROP TABLE b; DROP TABLE a; DROP DOMAIN odd; DROP TYPE \"Mood\"; DROP TABLE items;";
    house.file("set/schema/001_test.down.postgresql.sql", down);
    // Rows that went would be told: there are some.
    house.file("set/schema/002_more.up.sql", "-- version: 002\nALTER TABLE items ADD COLUMN more TEXT;");
    house.file("set/schema/002_more.down.sql", "ALTER TABLE items DROP COLUMN more; DELETE FROM b;");
    let test = |house: &House, status| {
        house.run(["schema", "test", "--mappings", "set", "--database", &server.url]).status(status)
    };
    let told = test(&house, 1).stdout;
    assert!(told.contains("`b` has 0 rows, expected 1"), "{told}");
    // The hint is of what there is for a server.
    let house = plain("CREATE TABLE never (id INTEGER PRIMARY KEY, s TEXT NOT NULL CHECK (s <> s));");
    house.file("set/schema/001_test.down.postgresql.sql", "DROP TABLE never; DROP TABLE items;");
    let refused = test(&house, 3).stderr;
    assert!(refused.contains("a sample row of `never` was rejected") && !refused.contains("--copy-of"), "{refused}");
}

#[test]
fn an_assertion_that_could_never_be_asked_of_a_server_is_refused() {
    let server = Server::new();
    for (sql, code, words) in [
        ("SELECT 1 FROM items WHERE state = 7", "M130", "operator does not exist"),
        ("SELECT 1 FROM itmes", "M130", "relation \"itmes\" does not exist"),
        ("SELECT 1; SELECT 2", "M131", "more than one statement"),
        ("SELECT nextval('items_seq')", "M132", "does more than read"),
        ("SELECT 1 FROM items WHERE id = $1", "M133", "has a parameter"),
    ] {
        let house = plain("CREATE SEQUENCE items_seq;");
        let assertion = format!("[[assert]]\nname = \"one\"\nengine = \"postgresql\"\nsql = \"{sql}\"\n");
        let house = house.set(&assertion);
        house.run(["check", "set"]).status(0); // it is not asked of SQLite
        let told = house.run(["check", "set", "--database", &server.url]).status(2).stderr;
        assert!(
            told.contains(&format!("error {code}: the assertion `one` cannot be asked: ")) && told.contains(words),
            "{sql}: {told}"
        );
        assert!(told.contains("  at set/set.toml:"), "{told}");
        assert_eq!(server.things(), "0");
    }
    let house = plain("").set("[[assert]]\nname = \"one\"\nengine = \"postgresql\"\nsql = \"SELECT 1 FROM treelift_runs r, items i WHERE i.state IS NULL;\"\n");
    house.run(["check", "set", "--database", &server.url]).status(0);
}

/// Everything that a schema holds, in words.
fn everything(server: &Server) -> Vec<Vec<String>> {
    server.rows(
        "SELECT 'relation', relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
         UNION ALL SELECT 'type', typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace
         UNION ALL SELECT 'function', proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
         UNION ALL SELECT 'trigger', tgname::text FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
    )
}

#[test]
fn a_rollback_to_nothing_leaves_the_record_alone_and_what_it_took_comes_up_again() {
    let record = [
        ("relation", "schema_migrations"),
        ("relation", "schema_migrations_id_seq"),
        ("relation", "schema_migrations_pkey"),
        ("relation", "schema_migrations_version_key"),
        ("type", "_schema_migrations"),
        ("type", "schema_migrations"),
    ];
    for set in ["fossawork", "notes"] {
        let (house, server) = (House::new(), Server::new());
        let schema = |command: &[&str]| {
            house
                .run(["schema"].iter().chain(command).copied().chain([
                    "--database",
                    &server.url,
                    "--mappings",
                    set,
                    "--yes",
                ]))
                .status(0)
        };
        schema(&["migrate"]);
        let full = everything(&server);
        let tree = if set == "notes" { crate::house::project("sample_data/notes") } else { crate::house::sample() };
        house.import(&tree, &["--database", &server.url, "--no-backup", "--mappings", set]).status(0);
        schema(&["rollback", "--all", "--no-backup"]);
        assert_eq!(everything(&server), record.map(|(kind, name)| [kind, name]), "{set}");
        schema(&["migrate", "--no-backup"]);
        assert_eq!(everything(&server), full, "{set}");
    }
}

#[test]
fn a_test_tells_sequences_types_and_functions_that_a_down_file_forgets() {
    let server = Server::new();
    let house = House::new().schema("CREATE TABLE people (id INTEGER PRIMARY KEY, mood TEXT);");
    let up = "CREATE SEQUENCE IF NOT EXISTS counted; CREATE OR REPLACE FUNCTION mood() RETURNS text LANGUAGE sql AS $$ SELECT 'good' $$;
              DO $$ BEGIN CREATE DOMAIN word AS text; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
              CREATE TABLE people (id SERIAL PRIMARY KEY, mood TEXT DEFAULT mood());";
    house.file(
        "set/schema/001_test.up.postgresql.sql",
        format!("-- version: 001\n-- description: tables of a test\n{up}\n"),
    );
    let tested = house.run(["schema", "test", "--mappings", "set", "--database", &server.url]).status(1).stdout;
    for what in ["function `mood`", "sequence `counted`", "type `word`"] {
        assert!(tested.contains(&format!("- {what} is left besides the record of migrations\n")), "{tested}");
    }
    house.file(
        "set/schema/001_test.down.postgresql.sql",
        "DROP TABLE people; DROP SEQUENCE counted; DROP FUNCTION mood; DROP DOMAIN word;\n",
    );
    house.run(["schema", "test", "--mappings", "set", "--database", &server.url]).status(0);
}
