//! How an import ends whose connection, server or process is lost, or whom others are in the way of: all of it is there,
//! or nothing, and what is said is what is.

use crate::house::proxy::{Cut, Proxy, is_commit, is_rows};
use crate::house::server::Server;
use crate::house::{House, KEY_FILE, Ran, project, sample};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// The runs that the ledger has; none where there is no ledger.
fn runs(server: &Server) -> u64 {
    if server.rows("SELECT to_regclass('treelift_runs')::text") == [["NULL"]] {
        return 0;
    }
    server.rows("SELECT count(*)::text FROM treelift_runs")[0][0].parse().unwrap()
}

pub(super) fn notes(house: &House, url: &str) -> Ran {
    house.import(&project("sample_data/notes"), &["--database", url])
}

/// An import whose first commit is cut so; from then on the way may be closed.
fn cut_at_commit(server: &Server, cut: Cut, closes: bool) -> Ran {
    let is_cut = AtomicBool::new(false);
    let (told, heard) = mpsc::channel::<Box<dyn Fn() + Send + Sync>>();
    let heard = std::sync::Mutex::new(heard);
    let proxy = Proxy::start(server, move |kind, content| {
        if !is_commit(kind, content) || is_cut.swap(true, Ordering::SeqCst) {
            return Cut::Not;
        }
        if closes {
            (heard.lock().unwrap().recv().unwrap())();
        }
        cut
    });
    told.send(Box::new(proxy.close())).unwrap();
    notes(&House::new(), &proxy.url(server))
}

#[test]
fn a_connection_that_is_lost_before_the_server_gets_the_commit_wrote_nothing() {
    let server = Server::new();
    let ran = cut_at_commit(&server, Cut::Before, false).status(3);
    assert!(ran.stderr.contains("the connection to the server was lost; nothing was written"), "{}", ran.stderr);
    assert_eq!(server.things(), "0");
}

#[test]
fn a_connection_that_is_lost_after_the_server_got_the_commit_wrote_everything() {
    // Whoever asks afterwards finds the ledger where the address has it.
    for server in [Server::new(), Server::apart()] {
        let ran = cut_at_commit(&server, Cut::After, false).status(0);
        assert!(ran.last_line().contains("committed"), "{}", ran.last_line());
        assert_eq!((runs(&server), server.rows("SELECT count(*)::text FROM people")), (1, vec![vec!["3".to_owned()]]));
    }
}

#[test]
fn what_became_of_a_commit_is_unknown_while_the_server_cannot_be_asked_and_the_runs_tell_it_later() {
    for (cut, listed) in [(Cut::After, 1), (Cut::Before, 0)] {
        let server = Server::new();
        let ran = cut_at_commit(&server, cut, true).status(3);
        assert!(ran.stderr.contains("whether it was committed is unknown"), "{}", ran.stderr);
        let (_, behind) = ran.stderr.split_once("`treelift runs` lists run ").unwrap();
        let run = behind.split_whitespace().next().unwrap();
        if listed == 0 {
            // The server notices that nobody is there any more.
            wait_until(|| others(&server) == 0);
        }
        assert_eq!(runs(&server), listed);
        if listed == 1 {
            let told = House::new().run(["runs", "--database", &server.url]).status(0);
            assert!(told.stdout.contains(run), "{run} {}", told.stdout);
        }
    }
}

#[test]
fn a_connection_that_is_lost_among_the_rows_wrote_nothing() {
    let server = Server::new();
    let proxy = Proxy::start(&server, |kind, _| if is_rows(kind) { Cut::Before } else { Cut::Not });
    let ran = notes(&House::new(), &proxy.url(&server)).status(3);
    assert!(ran.stderr.contains("the connection to the server was lost; nothing was written"), "{}", ran.stderr);
    wait_until(|| others(&server) == 0);
    assert_eq!(server.things(), "0");
}

/// How many other connections there are to the database.
fn others(server: &Server) -> u64 {
    let text =
        "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    server.rows(text)[0][0].parse().unwrap()
}

pub(crate) fn wait_until(is: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if is() {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("it did not happen in a minute");
}

/// The sample's import, which does something at its message of rows of this number.
fn at_rows(house: &House, server: &Server, number: usize, act: impl Fn() + Send + Sync + 'static) -> Child {
    let seen = AtomicUsize::new(0);
    let proxy = Proxy::start(server, move |kind, _| {
        if !is_rows(kind) || seen.fetch_add(1, Ordering::SeqCst) + 1 != number {
            return Cut::Not;
        }
        act();
        Cut::Before
    });
    let arguments = house.import_arguments(&sample(), &["--database", &proxy.url(server), "--json"]);
    house.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn kill(process: i32, signal: Signal) {
    _ = kill_process(Pid::from_raw(process).unwrap(), signal);
}

#[test]
fn a_client_that_is_killed_at_the_commit_leaves_nothing_before_the_server_gets_it_and_all_after() {
    for (cut, left) in [(Cut::Before, 0), (Cut::After, 1)] {
        let (house, server) = (House::new(), Server::new());
        let process = Arc::new(AtomicI32::new(0));
        let of = Arc::clone(&process);
        let proxy = Proxy::start(&server, move |kind, content| {
            if !is_commit(kind, content) {
                return Cut::Not;
            }
            kill(of.load(Ordering::SeqCst), Signal::KILL);
            cut
        });
        let arguments = house.import_arguments(&project("sample_data/notes"), &["--database", &proxy.url(&server)]);
        let mut client = house.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        process.store(client.id().cast_signed(), Ordering::SeqCst);
        assert_eq!(client.wait().unwrap().code(), None);
        wait_until(|| others(&server) == 0);
        assert_eq!((runs(&server), server.things() != "0"), (left, left == 1));
    }
}

#[test]
fn clients_that_are_killed_among_their_rows_leave_nothing() {
    let (house, server) = (House::new(), Server::new());
    for moment in 0..7 {
        let process = Arc::new(AtomicI32::new(0));
        let of = Arc::clone(&process);
        let kill = move || {
            // The test has its number by the time that rows go by.
            while of.load(Ordering::SeqCst) == 0 {
                thread::sleep(Duration::from_millis(1));
            }
            kill(of.load(Ordering::SeqCst), Signal::KILL);
        };
        let mut client = at_rows(&house, &server, 1 + 6 * moment, kill);
        process.store(client.id().cast_signed(), Ordering::SeqCst);
        assert_eq!(client.wait().unwrap().code(), None, "moment {moment}");
        wait_until(|| others(&server) == 0);
        assert_eq!(server.things(), "0", "moment {moment}");
    }
    // Nothing of them is in the way of the next one.
    house.import(&sample(), &["--database", &server.url]).status(0);
    assert_eq!(runs(&server), 1);
}

/// A server of its own, which a test may stop.
struct Own {
    folder: tempfile::TempDir,
}

impl Own {
    fn script(&self, name: &str) -> String {
        let mut command = Command::new(project(&format!("tests/postgres/{name}")));
        command.env("CARGO_TARGET_DIR", self.folder.path()).env_remove("TREELIFT_TEST_POSTGRES");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Starts it, for the first time or again.
    fn start(&self) -> String {
        self.script("start")
    }

    /// The number of its first process, which ends all others at once where it is told to quit.
    fn process(&self) -> i32 {
        let url = self.start();
        let folder = url.split_once("host=").unwrap().1;
        let file = std::fs::read_to_string(format!("{folder}/data/postmaster.pid")).unwrap();
        file.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.script("stop");
    }
}

#[test]
fn five_servers_that_stop_at_once_hold_all_or_nothing_and_so_it_is_said() {
    let own = Own { folder: tempfile::tempdir().unwrap() };
    let url = own.start();
    for moment in [1, 9, 20, 40] {
        let (house, server) = (House::new(), Server::of(&url));
        let process = own.process();
        let client = at_rows(&house, &server, moment, move || kill(process, Signal::QUIT));
        let output = client.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("the connection to the server was lost; nothing was written"), "{said}");
        gone(process);
        own.start();
        assert_eq!(server.things(), "0", "moment {moment}");
    }
    let (house, server) = (House::new(), Server::of(&url));
    let process = own.process();
    let proxy = Proxy::start(&server, move |kind, content| {
        if !is_commit(kind, content) {
            return Cut::Not;
        }
        kill(process, Signal::QUIT);
        Cut::After
    });
    let ran = notes(&house, &proxy.url(&server));
    gone(process);
    own.start();
    let (is_written, is_unknown) = (runs(&server) == 1, ran.stderr.contains("whether it was committed is unknown"));
    match ran.status {
        Some(0) => assert!(is_written),
        Some(3) => assert!(is_unknown || !is_written, "{}", ran.stderr),
        other => panic!("{other:?} {}", ran.stderr),
    }
    assert_eq!(server.things() != "0", is_written, "all or nothing");
    drop(server);
}

/// Waits until a process is there no more, or nobody has asked yet how it ended.
fn gone(process: i32) {
    let state = || std::fs::read_to_string(format!("/proc/{process}/stat"));
    wait_until(|| state().is_ok_and(|state| state.contains(") Z ")) || state().is_err());
}

const ITEM: &str = "[table.items]\nkey = [\"id\"]\n[table.items.columns]\nid = \"id\"\n";

/// A house with items of which one was imported.
fn items(server: &Server) -> House {
    let item = |id: u64| json!({ "id": id });
    let house = House::new()
        .schema("CREATE TABLE items (id INTEGER PRIMARY KEY);")
        .list("items", "items.json", ITEM)
        .source("items.json", &json!([item(1)]));
    house.lift(&["--database", &server.url]).ends(0, "committed");
    house.source("items.json", &Value::from((1..=3).map(item).collect::<Vec<_>>()))
}

fn import(house: &House, url: &str, more: &[&str]) -> Ran {
    let all = ["--mappings", "set", "--database", url, "--no-backup"];
    house.import(&house.path("tree"), &[&all[..], more].concat())
}

/// Whether somebody waits for a lock.
fn is_waited_for(server: &Server) -> bool {
    let text =
        "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    server.rows(text) != [["0"]]
}

#[test]
fn a_serialisable_writer_in_the_way_makes_the_import_begin_again_and_it_is_committed_once() {
    let server = Server::new();
    let house = items(&server);
    server.run(
        "CREATE TABLE counters (n integer); INSERT INTO counters VALUES (0);
         CREATE FUNCTION count_item() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN UPDATE counters SET n = n + 1; RETURN NULL; END $$;
         CREATE TRIGGER count_item AFTER INSERT ON items FOR EACH ROW EXECUTE FUNCTION count_item();",
    );
    let mut writer = server.client();
    writer.batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE counters SET n = n + 100").unwrap();
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| import(&house, &server.url, &["--lock-timeout", "60"]));
        wait_until(|| is_waited_for(&server));
        writer.batch_execute("COMMIT").unwrap();
        ran.join().unwrap()
    });
    let ran = ran.status(0);
    assert_eq!(ran.stderr.matches("the import begins again").count(), 1, "{}", ran.stderr);
    assert_eq!(runs(&server), 2);
    assert_eq!(server.rows("SELECT n::text FROM counters"), [["102"]]);
}

#[test]
fn a_lock_is_waited_for_as_long_as_the_user_says() {
    let server = Server::new();
    let house = items(&server);
    let mut other = server.client();
    let hold = "BEGIN; LOCK TABLE items IN ROW EXCLUSIVE MODE";
    other.batch_execute(hold).unwrap();
    for (url, more) in [
        (server.url.clone(), &["--lock-timeout", "1"][..]),
        (format!("{}&options=-c%20lock_timeout%3D300ms", server.url), &[]),
    ] {
        let ran = import(&house, &url, more).status(3);
        assert!(ran.stderr.contains("the database is locked by another program"), "{}", ran.stderr);
        assert!(ran.stderr.contains("--lock-timeout"), "{}", ran.stderr);
    }
    // Longer than what is waited for where nobody says anything.
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| import(&house, &server.url, &["--lock-timeout", "0"]));
        wait_until(|| is_waited_for(&server));
        thread::sleep(Duration::from_millis(2_500));
        other.batch_execute("COMMIT").unwrap();
        ran.join().unwrap()
    });
    ran.status(0);
    assert_eq!(server.rows("SELECT count(*)::text FROM items"), [["3"]]);
}

#[test]
fn a_signal_ends_an_import_that_waits_for_a_lock() {
    let server = Server::new();
    let house = items(&server);
    let mut other = server.client();
    other.batch_execute("BEGIN; LOCK TABLE items IN ROW EXCLUSIVE MODE").unwrap();
    let all = ["--mappings", "set", "--database", &server.url, "--no-backup", "--lock-timeout", "0"];
    let arguments = house.import_arguments(&house.path("tree"), &all);
    let mut client = house.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| is_waited_for(&server));
    kill(client.id().cast_signed(), Signal::INT);
    assert_eq!(client.wait().unwrap().code(), Some(130));
    other.batch_execute("COMMIT").unwrap();
    assert_eq!(server.rows("SELECT count(*)::text FROM items"), [["1"]]);
}

#[test]
fn a_lost_connection_leaves_no_file_of_a_report() {
    let (house, server) = (House::new(), Server::new());
    let proxy = Proxy::start(&server, |kind, content| if is_commit(kind, content) { Cut::Before } else { Cut::Not });
    let report = house.path("report.json");
    let more = ["--database", &proxy.url(&server), "--report", report.to_str().unwrap()];
    house.import(&project("sample_data/notes"), &more).status(3);
    let left: Vec<_> = std::fs::read_dir(house.work()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [KEY_FILE], "a report that says `committed` would be wrong");
}

#[test]
fn a_migration_at_which_the_connection_is_lost_is_told_as_that_and_is_recorded() {
    let server = Server::new();
    let sql = "CREATE TABLE items (id INTEGER PRIMARY KEY);";
    let house = House::new().schema(sql).list("items", "items.json", ITEM);
    // Not where it is tried in a schema of its own.
    let end = "DO $$ BEGIN IF current_schema() = 'public' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; END $$;";
    let up = format!("-- version: 001\n-- description: ends its connection\n{sql}\n{end}\n");
    house.file("set/schema/001_test.up.postgresql.sql", up);
    let all = ["schema", "migrate", "--mappings", "set", "--database", &server.url, "--no-backup", "--yes"];
    let ran = house.run(all).status(3);
    assert!(ran.stderr.contains("migration `001` failed: the connection to the server was lost"), "{}", ran.stderr);
    assert_eq!(server.rows("SELECT to_regclass('items')::text"), [["NULL"]]);
    let status = house.run(["schema", "status", "--mappings", "set", "--database", &server.url]);
    assert!(status.stdout.contains("failed"), "{}", status.stdout);
}
