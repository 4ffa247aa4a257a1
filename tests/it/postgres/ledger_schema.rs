//! Treelift's own tables in a schema of their own, which the address of the database names: the application's schema holds
//! nothing of them, and where they are elsewhere nothing is done.

use crate::house::server::{Server, apart};
use crate::house::{House, Ran, project, tables};
use crate::postgres::backup::programs;
use std::path::PathBuf;

/// What the sample of notes is kept in.
const APPLICATION: [&str; 7] =
    ["attachments", "notebooks", "notes", "people", "schema_migrations", "sync_accounts", "tags"];

struct Place {
    house: House,
    server: Server,
}

impl Place {
    fn of(server: Server) -> Self {
        Self { house: House::new(), server }
    }

    fn imported(server: Server) -> Self {
        let this = Self::of(server);
        this.import(&[]).status(0);
        this
    }

    fn import(&self, more: &[&str]) -> Ran {
        self.house.import(&tree(), &[&["--database", &self.server.url, "--no-backup", "--json"], more].concat())
    }

    /// A command on the database.
    fn on(&self, line: &str) -> Ran {
        self.at(&self.server.url, line)
    }

    fn at(&self, url: &str, line: &str) -> Ran {
        Ran::of(self.house.command(line.split(' ').chain(["--database", url])).envs(programs(url)))
    }

    /// The address without a schema for treelift's tables, and with another one.
    fn plain(&self) -> String {
        apart(&self.server.url).0.to_owned()
    }

    fn with(&self, schema: &str) -> String {
        format!("{}&ledger_schema={schema}", self.plain())
    }

    /// The tables, views and sequences of a schema.
    fn names(&self, schema: &str) -> Vec<String> {
        let text = format!(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = '{schema}' AND c.relkind IN ('r', 'p', 'v', 'm', 'S') ORDER BY 1"
        );
        self.server.rows(&text).concat()
    }

    fn has(&self, schema: &str) -> bool {
        !self.server.rows(&format!("SELECT nspname::text FROM pg_namespace WHERE nspname = '{schema}'")).is_empty()
    }

    /// Every row of the application and of treelift.
    fn content(&self) -> Vec<Vec<String>> {
        let rows = |schema: &str| {
            let of = |name: &String| {
                let rows =
                    format!("SELECT '{name}', string_agg(t::text, ' ' ORDER BY t::text) FROM {schema}.\"{name}\" t");
                self.server.rows(&rows).remove(0)
            };
            let is_table = |name: &&String| !name.ends_with("_seq");
            self.names(schema).iter().filter(is_table).map(of).collect::<Vec<_>>()
        };
        [rows("public"), rows("kept")].concat()
    }

    /// The runs, newest first.
    fn runs(&self) -> Vec<String> {
        let runs = self.on("runs --json").status(0).json();
        runs["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    }

    /// A command is refused with these words, and nothing is changed.
    #[track_caller]
    fn refuses(&self, url: &str, words: &[&str]) {
        let before = self.server.everything();
        for line in ["import TREE --key-file test.key --yes --no-backup", "runs", "schema status", "backup create"] {
            let line = line.replace("TREE", tree().to_str().unwrap());
            let ran = self.at(url, &line);
            assert!(matches!(ran.status, Some(2 | 3)), "{line}: {ran:?}");
            for word in words {
                assert!(ran.stderr.contains(word), "{line}: {word}: {}", ran.stderr);
            }
        }
        assert_eq!(self.server.everything(), before);
    }
}

fn tree() -> PathBuf {
    project("sample_data/notes")
}

#[test]
fn a_whole_life_leaves_the_application_its_schema_alone() {
    let place = Place::of(Server::apart());
    place.import(&["--dry-run"]).status(0);
    assert_eq!((place.has("kept"), place.names("public")), (false, vec![]), "a dry run leaves nothing");
    place.import(&[]).status(0);
    let of_application = place.names("public");
    let tables_of: Vec<&String> = of_application.iter().filter(|name| !name.ends_with("_seq")).collect();
    assert_eq!(tables_of, APPLICATION);
    let own = place.names("kept");
    assert!(own.len() > 8 && own.iter().all(|name| name.starts_with("treelift_")), "{own:?}");

    let again = place.import(&[]).status(0).json();
    assert_eq!((tables(&again, "inserted"), tables(&again, "updated")), Default::default());
    let key = "--key-file test.key";
    place.on(&format!("verify {} {key}", tree().display())).status(0);
    place.on("schema validate").status(0);
    place.on(&format!("credentials rotate {key} --yes --no-backup")).status(0);
    place.on(&format!("credentials verify {key}")).status(0);
    let run = place.runs().pop().unwrap();
    place.on(&format!("undo {run} --no-backup --yes")).status(0);
    assert_eq!(place.server.rows("SELECT count(*)::text FROM people"), [["0"]]);
    place.import(&[]).status(0);

    // A backup has both schemas.
    let before = place.content();
    let made = place.on("backup create").status(0).stdout;
    assert!(made.contains("verified by restoring it"), "{made}");
    place.server.run(
        "DROP TABLE notes CASCADE; DROP TABLE treelift_rows; DELETE FROM treelift_runs; CREATE TABLE more (id int)",
    );
    place.on("backup restore --latest --yes --no-backup").status(0);
    let told = |content: Vec<Vec<String>>| -> Vec<Vec<String>> {
        content.into_iter().filter(|table| table[0] != "treelift_audit").collect()
    };
    assert_eq!(told(place.content()), told(before));
    assert_eq!(place.names("public"), of_application);

    place.on("runs --forget --all --yes --no-backup").status(0);
    let tidied = place.on("schema tidy --reindex --analyze --yes").status(0);
    let told = format!("{}{}", tidied.stdout, tidied.stderr);
    assert!(told.contains("done: REINDEX TABLE \"kept\".\"treelift_runs\"\n"), "{told}");
    place.on("schema validate").status(0);
    assert_eq!(place.names("public"), of_application);
    place.on("schema rollback --all --yes --no-backup").status(0);
    assert_eq!(place.names("kept"), [] as [&str; 0]);
}

#[test]
fn what_is_in_another_schema_than_the_address_says_is_refused_and_nothing_is_done() {
    let place = Place::imported(Server::apart());
    let known = "treelift's own tables for the schema `public` are in the schema `kept`, and ";
    place.refuses(
        &place.plain(),
        &[known, "and the address does not say so\n", "hint: write `?ledger_schema=kept` into the address"],
    );
    place.refuses(&place.with("other"), &[known, "and the address names `other`\n"]);
    place.refuses(&place.with("public"), &["`ledger_schema` names `public`, where the application's tables are"]);
    // Another schema of the same database may have tables of its own there.
    place.server.run("CREATE SCHEMA app");
    let of_other = |own: &str| place.with(own).replace("&ledger", "&options=-c%20search_path%3Dapp&ledger");
    let words = "which the address names for treelift's own tables, holds those for the schema `public`, not for `app`";
    place.refuses(&of_other("kept"), &[words]);
    place.house.import(&tree(), &["--database", &of_other("more"), "--no-backup"]).status(0);
    place.on("runs").status(0);

    // Somebody moves them, and says nothing.
    place
        .server
        .run("ALTER SCHEMA kept RENAME TO moved; DELETE FROM moved.treelift_state WHERE name = 'application_schema'");
    let plain = place.plain();
    let unsaid = place.at(&plain, "runs").status(2).stderr;
    let words = "the schema `moved` holds treelift's own tables and does not say for which schema; they may be those for `public`";
    assert!(unsaid.contains(words), "{unsaid}");
    let url = place.with("moved");
    place.at(&url, "credentials rotate --key-file test.key --yes --no-backup").status(0);
    assert!(place.at(&plain, "runs").status(2).stderr.contains("are in the schema `moved`"));
    assert_eq!(place.at(&url, "runs --json").status(0).json()["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn tables_that_are_among_the_applications_are_moved_by_the_statement_that_is_shown() {
    let place = Place::imported(Server::new());
    place.server.run("CREATE SCHEMA used; CREATE TABLE used.treelift_things (id int); CREATE TABLE used.mine (id int)");
    let holds = "the schema `used`, which the address names for treelift's own tables, holds others: `mine`\n";
    let url = place.with("kept");
    let refused = place.at(&url, "runs").status(3).stderr;
    let names =
        "the schema `public` has names of treelift's own tables, which the address looks for in `kept`: `treelift_";
    assert!(refused.contains(names), "{refused}");
    place.refuses(
        &url,
        &[names, "hint: where treelift made them, move them: `CREATE SCHEMA IF NOT EXISTS \"kept\"; ALTER TABLE"],
    );
    let statements = refused.split_once("move them: `").unwrap().1.split_once("`; rename others").unwrap().0;
    place.server.run(statements);
    assert!(place.at(&place.with("used"), "runs").status(3).stderr.contains(holds));
    assert_eq!(place.at(&url, "runs --json").status(0).json()["runs"].as_array().unwrap().len(), 1);
    let again = place.house.import(&tree(), &["--database", &url, "--no-backup", "--json"]).status(0).json();
    assert_eq!((tables(&again, "inserted"), tables(&again, "updated")), Default::default());
    // A table of another program with such a name hides one of treelift's.
    place.server.run("CREATE TABLE treelift_seen (id int)");
    place.refuses(&url, &["the schema `public` has names of treelift's own tables", ": `treelift_seen`\n"]);
}

#[test]
fn who_may_make_no_schema_uses_one_that_was_made() {
    let place = Place::of(Server::apart());
    let user = format!("plain_{}", &place.server.name()[3..]);
    place.server.run(&format!("CREATE ROLE {user} LOGIN; GRANT CREATE ON SCHEMA public TO {user}"));
    let url = place.server.url_as(&user);
    let import = || place.house.import(&tree(), &["--database", &url, "--no-backup"]);
    let refused = import().status(3).stderr;
    let words = "the schema `kept`, which the address names for treelift's own tables, is not there, and the user may not make it";
    assert!(refused.contains(words), "{refused}");
    let hint = format!("hint: have it made: `CREATE SCHEMA \"kept\" AUTHORIZATION \"{user}\"`");
    assert!(refused.contains(&hint), "{refused}");
    assert_eq!(place.server.things(), "0");
    place.server.run("CREATE SCHEMA kept");
    let refused = import().status(3).stderr;
    let words = "the user may not use the schema `kept`, which the address names for treelift's own tables";
    assert!(
        refused.contains(words) && refused.contains("hint: have it granted: `GRANT USAGE, CREATE ON SCHEMA \"kept\""),
        "{refused}"
    );
    place.server.run(&format!("ALTER SCHEMA kept OWNER TO {user}"));
    import().status(0);
    place.server.run(&format!("DROP OWNED BY {user}; DROP ROLE {user}"));
}

#[test]
fn a_backup_of_tables_in_another_schema_is_refused_by_name() {
    let place = Place::imported(Server::new());
    place.on("backup create").status(0);
    place.server.run(
        "CREATE SCHEMA kept; DO $$ DECLARE t text; BEGIN
         FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'treelift\\_%' LOOP
         EXECUTE format('ALTER TABLE %I SET SCHEMA kept', t); END LOOP; END $$",
    );
    let before = place.content();
    let refused = place.at(&place.with("kept"), "backup restore --latest --yes --no-backup").status(3).stderr;
    let words = "the backup has treelift's own tables in the schema `public`, and the address in `kept`";
    assert!(refused.contains(words), "{refused}");
    assert_eq!(place.content(), before);
    // Into another database it goes as it is.
    let other = Server::new();
    let list = place.at(&place.with("kept"), "backup list --json").status(0).json();
    let file = list["backups"][0]["path"].as_str().unwrap().to_owned();
    place.at(&other.url, &format!("backup restore --file {file} --yes --no-backup")).status(0);
    assert_eq!(place.at(&other.url, "runs --json").status(0).json()["runs"].as_array().unwrap().len(), 1);
}
