//! PgBouncer in transaction mode before the server: each transaction may get another connection, with whatever the one
//! before left on it, and its connections are shared with other clients.

use crate::house::server::Server;
use crate::house::{House, KEY_FILE, Ran, project, sample, tables};
use crate::postgres::backup::programs;
use crate::postgres::ends::wait_until;
use crate::postgres::import::{dumps, imported};
use postgres::config::Host;
use postgres::{Client, Config, NoTls, SimpleQueryMessage};
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// As many connections to the server as a command of treelift needs at once.
const CONNECTIONS: u32 = 2;

/// A PgBouncer before a server, which ends with this.
struct Pooler {
    child: Child,
    folder: tempfile::TempDir,
    name: String,
}

impl Pooler {
    fn start(server: &Server) -> Self {
        Self::of(server, "transaction", CONNECTIONS)
    }

    fn of(server: &Server, mode: &str, connections: u32) -> Self {
        let folder = tempfile::Builder::new().prefix("treelift-pooler-").tempdir().unwrap();
        let at: Config = server.url.parse().unwrap();
        let host = match &at.get_hosts()[0] {
            Host::Unix(folder) => folder.to_str().unwrap(),
            Host::Tcp(name) => name,
        };
        let port = at.get_ports().first().copied().unwrap_or(5432);
        let password = at.get_password().map(|password| String::from_utf8_lossy(password).into_owned());
        let users = format!("\"{}\" \"{}\"\n", at.get_user().unwrap(), password.unwrap_or_default());
        fs::write(folder.path().join("users.txt"), users).unwrap();
        let path = folder.path().display();
        let ini = format!(
            "[databases]\n* = host={host} port={port}\n[pgbouncer]\npool_mode = {mode}\nlisten_addr =\nlisten_port = 6432\n\
             unix_socket_dir = {path}\nauth_type = trust\nauth_file = {path}/users.txt\n\
             default_pool_size = {connections}\n"
        );
        fs::write(folder.path().join("pgbouncer.ini"), ini).unwrap();
        let said = folder.path().join("said");
        let child = Command::new(project("tests/postgres/pooler"))
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said).unwrap())
            .spawn()
            .unwrap();
        let mut this = Self { child, folder, name: server.name().to_owned() };
        loop {
            if Client::connect(&this.url(), NoTls).is_ok() {
                return this;
            }
            let ended = this.child.try_wait().unwrap();
            assert!(ended.is_none(), "no PgBouncer for the tests: {}", fs::read_to_string(&said).unwrap());
            thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// The URL of the server's database on this way.
    fn url(&self) -> String {
        format!("postgresql://postgres@/{}?host={}&port=6432", self.name, self.folder.path().display())
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Other clients of a pooler, who take its connections between the transactions of a command, and look what is left there.
struct Others {
    is_over: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    left: Arc<Mutex<Vec<String>>>,
    threads: Vec<JoinHandle<()>>,
}

/// What a transaction finds of another client on its connection. PgBouncer sets some parameters itself, as each client has
/// them.
const LEFT: &str = "
    SELECT 'statement ' || statement FROM pg_prepared_statements
    UNION ALL SELECT 'setting ' || name || ' = ' || setting FROM pg_settings
        WHERE source = 'session' AND setting <> reset_val AND name NOT IN ('application_name', 'client_encoding', 'DateStyle', 'IntervalStyle',
                                                  'standard_conforming_strings', 'TimeZone')
    UNION ALL SELECT 'lock ' || objid::text FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
    UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'";

impl Others {
    fn of(pooler: &Pooler) -> Self {
        let (is_over, rounds, left) = (Arc::default(), Arc::default(), Arc::default());
        let mut this = Self { is_over, rounds, left, threads: Vec::new() };
        for _ in 0..CONNECTIONS {
            let (url, is_over) = (pooler.url(), Arc::clone(&this.is_over));
            let (rounds, left) = (Arc::clone(&this.rounds), Arc::clone(&this.left));
            this.threads.push(thread::spawn(move || {
                let mut client = Client::connect(&url, NoTls).unwrap();
                while !is_over.load(Ordering::SeqCst) {
                    let found = client.simple_query(&format!("BEGIN; {LEFT}; COMMIT")).unwrap();
                    left.lock().unwrap().extend(found.iter().filter_map(|one| match one {
                        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
                        _ => None,
                    }));
                    rounds.fetch_add(1, Ordering::SeqCst);
                    thread::sleep(std::time::Duration::from_millis(10));
                }
            }));
        }
        this
    }

    /// What they found once they have looked at each connection for a last time.
    fn end(self) -> Vec<String> {
        let rounds = self.rounds.load(Ordering::SeqCst);
        wait_until(|| self.rounds.load(Ordering::SeqCst) > rounds + 20);
        self.is_over.store(true, Ordering::SeqCst);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut left = self.left.lock().unwrap().clone();
        left.sort();
        left.dedup();
        left
    }
}

#[test]
fn through_a_pooler_everything_is_as_on_the_server_itself_and_nothing_is_left_on_its_connections() {
    let (house, server) = (House::new(), Server::new());
    let pooler = Pooler::start(&server);
    let others = Others::of(&pooler);
    let url = pooler.url();
    let on = |line: &str| {
        let arguments = line.split(' ').chain(["--database", &url]);
        Ran::of(&mut house.command(arguments))
    };
    imported(&house, &sample(), "sqlite:///./plain.db", &[]);
    let dry = imported(&house, &sample(), &url, &["--dry-run"]);
    assert_eq!(server.things(), "0", "a dry run leaves nothing");
    let first = imported(&house, &sample(), &url, &[]);
    assert_eq!(tables(&dry, "inserted"), tables(&first, "inserted"));
    let [left, right] = dumps(&house, "plain.db", &server);
    assert!(left.values().map(Vec::len).sum::<usize>() > 10);
    assert_eq!(left, right);
    let again = imported(&house, &sample(), &url, &["--no-backup"]);
    assert_eq!((tables(&again, "inserted"), tables(&again, "updated")), Default::default());
    assert_eq!(tables(&again, "unchanged"), tables(&first, "inserted"));
    on("schema validate").status(0);
    on("schema status --exit-code").status(0);
    on("check fossawork").status(0);
    on("schema test --mappings fossawork").status(0);
    on(&format!("credentials verify --key-file {KEY_FILE}")).status(0);
    let before = server.everything();
    let run = server.rows("SELECT id FROM treelift_runs ORDER BY number LIMIT 1")[0][0].clone();
    on(&format!("undo {run} --dry-run")).status(0);
    assert_eq!(server.everything(), before);
    on(&format!("undo {run} --no-backup --yes")).status(0);
    let again = imported(&house, &sample(), &url, &["--no-backup"]);
    assert_eq!(tables(&again, "inserted"), tables(&first, "inserted"));
    on(&format!("credentials rotate --key-file {KEY_FILE} --no-backup --yes")).status(0);
    assert_eq!(others.end(), Vec::<String>::new());
}

/// A house, a server and a pooler before it, with the sample of notes imported.
fn notes() -> (House, Server, Pooler) {
    let (house, server) = (House::new(), Server::new());
    let pooler = Pooler::start(&server);
    imported(&house, &project("sample_data/notes"), &pooler.url(), &[]);
    (house, server, pooler)
}

/// A command by this way to a server, with the server's own programs.
fn on(house: &House, server: &Server, url: &str, line: &str) -> Ran {
    let arguments = line.split(' ').chain(["--database", url]);
    Ran::of(house.command(arguments).envs(programs(&server.url)))
}

#[test]
fn no_backup_is_made_through_a_pooler_that_shares_connections_and_one_is_put_back_through_it() {
    let (house, server, pooler) = notes();
    let words = "a pooler stands before the server that shares connections between transactions";
    let tree = project("sample_data/notes");
    let import = format!("import {} --key-file {KEY_FILE} --yes --reread", tree.display());
    for is_busy in [false, true] {
        let others = is_busy.then(|| Others::of(&pooler));
        for line in ["backup create", &import, "schema rollback --all --yes"] {
            let before = server.everything();
            let ran = on(&house, &server, &pooler.url(), line).status(3);
            assert!(ran.stderr.contains(words), "{line}: {}", ran.stderr);
            assert!(ran.stderr.contains("hint: name the server itself, or an entry of the pooler in session mode"));
            assert_eq!(ran.stderr.contains("--no-backup"), line != "backup create", "{line}: {}", ran.stderr);
            assert_eq!(server.everything(), before);
        }
        assert_eq!(others.map(Others::end).unwrap_or_default(), Vec::<String>::new());
    }
    assert!(!house.path("backups").exists());
    on(&house, &server, &server.url, "backup create").status(0);
    let before = server.tables();
    server.run("DELETE FROM notes");
    let others = Others::of(&pooler);
    on(&house, &server, &pooler.url(), "backup restore --latest --yes --no-backup").status(0);
    assert_eq!(others.end(), Vec::<String>::new());
    assert_eq!(server.tables(), before);
}

#[test]
fn an_entry_in_session_mode_makes_backups() {
    let (house, server, _) = notes();
    let pooler = Pooler::of(&server, "session", 4);
    let made = on(&house, &server, &pooler.url(), "backup create").status(0).stdout;
    assert!(made.contains("backups/daily/"), "{made}");
}

#[test]
fn the_schema_of_the_options_holds_through_a_pooler_and_what_others_left_does_not() {
    let (house, server, pooler) = notes();
    server.run("CREATE SCHEMA app");
    // On each of its connections another client leaves a setting.
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| Client::connect(&pooler.url(), NoTls).unwrap()).collect();
    clients.iter_mut().for_each(|client| client.batch_execute("BEGIN; SET search_path = nowhere").unwrap());
    clients.iter_mut().for_each(|client| client.batch_execute("COMMIT").unwrap());
    on(&house, &server, &pooler.url(), "schema validate").status(0);
    let url = format!("{}&options=-c%20search_path%3Dapp", pooler.url());
    imported(&house, &project("sample_data/notes"), &url, &[]);
    on(&house, &server, &url, "schema validate").status(0);
    let count = |schema: &str| server.rows(&format!("SELECT count(*)::text FROM {schema}.people"));
    assert_eq!((count("app"), count("public")), (vec![vec!["3".to_owned()]], vec![vec!["3".to_owned()]]));
}
