//! How a server is reached: addresses, the environment, passwords, and TLS.
#![allow(clippy::print_stderr, reason = "a test that cannot be done says so")]

use crate::house::proxy::{Cut, Proxy};
use crate::house::server::Server;
use crate::house::{House, Ran};
use crate::postgres::ends::notes;
use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const PASSWORD: &str = "opens:the\\door";

/// A database of the tests' own server, and a role of it that has a password for TCP.
struct Door {
    server: Server,
    user: String,
    port: String,
    /// Where the server's certificates lie; none where the server is another one.
    tls: Option<PathBuf>,
}

impl Door {
    fn new() -> Self {
        let server = Server::new();
        let user = format!("door_{}", server.name());
        server.run(&format!(
            "DO $$ BEGIN CREATE ROLE tls_only; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
             CREATE ROLE {user} LOGIN PASSWORD 'opens:the\\door'"
        ));
        let option = |name: &str| {
            let mut options = server.url.split(['?', '&']).filter_map(|one| one.strip_prefix(name));
            options.next().and_then(|one| one.strip_prefix('=')).unwrap_or_default().to_owned()
        };
        let (port, tls) = (option("port"), PathBuf::from(option("host")).join("tls"));
        let tls = tls.join("ca.pem").is_file().then_some(tls);
        if tls.is_none() {
            eprintln!(
                "NOT TESTED: this server was not made by tests/postgres/start, so its passwords and certificates are not known"
            );
        }
        Self { server, user, port, tls }
    }

    /// A certificate of the server's folder.
    fn file(&self, name: &str) -> String {
        self.tls.as_ref().unwrap().join(name).to_str().unwrap().to_owned()
    }

    /// The URL over TCP, with these options.
    fn url(&self, host: &str, options: &str) -> String {
        format!("postgresql://{}@{host}:{}/{}?{options}", self.user, self.port, self.server.name())
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.server.run(&format!("DROP OWNED BY {0}; DROP ROLE {0}", self.user));
    }
}

/// Asks for the runs of a database, which needs nothing but that it is reached: it has none.
fn ask(house: &House, url: Option<&str>, environment: &[(&str, &str)]) -> Ran {
    let mut arguments = vec!["schema", "status", "--mappings", "notes"];
    arguments.extend(url.iter().flat_map(|url| ["--database", url]));
    Ran::of(house.command(arguments).envs(environment.iter().copied()))
}

/// It was reached.
#[track_caller]
fn reached(ran: Ran) {
    let ran = ran.status(0);
    assert!(ran.stdout.contains("target   postgres") && ran.stdout.contains("does not exist yet"), "{}", ran.stdout);
}

/// It was not, for this reason; and no word tells the password.
#[track_caller]
fn refused(ran: Ran, words: &str) {
    let ran = ran.status(3);
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    assert!(!ran.stderr.contains("door\\") && !ran.stderr.contains(PASSWORD), "{}", ran.stderr);
}

#[test]
fn a_server_is_named_by_every_form_of_a_url_and_by_the_environment() {
    let (house, server) = (House::new(), Server::new());
    let socket = "the server of the tests is named with the folder of its socket: postgresql://USER@/DB?host=FOLDER";
    let (before, options) = server.url.split_once('?').expect(socket);
    let host = options.split('&').find_map(|one| one.strip_prefix("host=")).expect(socket);
    let port = options.split('&').find_map(|one| one.strip_prefix("port=")).unwrap_or("5432");
    let (name, encoded) = (server.name(), host.replace('/', "%2F"));
    for url in [
        server.url.clone(),
        server.url.replace("postgresql://", "postgres://"),
        server.url.replace("postgresql://", "postgresql+psycopg2://"),
        format!("postgresql://postgres@{encoded}:{port}/{name}"),
        format!("postgresql:///{name}?host={host}&port={port}&user=postgres"),
        format!("postgresql://?host={host}&port={port}&user=postgres&dbname={name}"),
        // The first that answers.
        format!("postgresql://postgres@/{name}?host=/nowhere,{host}&port={port}"),
    ] {
        reached(ask(&house, Some(&url), &[]));
    }
    assert!(before.ends_with(name));
    let all = [("PGHOST", host), ("PGPORT", port), ("PGUSER", "postgres"), ("PGDATABASE", name)];
    reached(ask(&house, Some("postgresql://"), &all));
    reached(ask(&house, None, &[&all[..], &[("DATABASE_URL", "postgresql://")]].concat()));
    reached(ask(&house, None, &[("DATABASE_URL", &server.url)]));
    // The URL goes before the environment, and the flag before the variable.
    reached(ask(&house, Some(&server.url), &[("PGHOST", "/nowhere"), ("PGPORT", "1"), ("PGDATABASE", "other")]));
    reached(ask(&house, Some(&server.url), &[("DATABASE_URL", "postgresql://me@/x?host=/nowhere")]));
    refused(ask(&house, Some(&format!("{before}_not?{options}")), &[]), "the server has no database of this name");
}

#[test]
fn a_password_comes_from_the_url_the_environment_or_the_password_file() {
    let (house, door) = (House::new(), Door::new());
    if door.tls.is_none() {
        return;
    }
    let url = door.url("localhost", "sslmode=disable");
    let words = "the server asks for a password, and none is given\n";
    refused(ask(&house, Some(&url), &[]), words);
    let hint = "hint: give the password in PGPASSWORD, in the password file, or in the URL that DATABASE_URL holds\n";
    refused(ask(&house, Some(&url), &[]), hint);
    refused(
        ask(&house, Some(&url), &[("PGPASSWORD", "another")]),
        "the server refuses the user: password authentication failed",
    );
    reached(ask(&house, Some(&url), &[("PGPASSWORD", PASSWORD)]));
    let encoded = PASSWORD.replace(':', "%3A").replace('\\', "%5C");
    reached(ask(&house, Some(&url.replace('@', &format!(":{encoded}@"))), &[("PGPASSWORD", "another")]));
    reached(ask(&house, Some(&format!("{url}&password={encoded}")), &[]));
    // `~/.pgpass`, and the file that PGPASSFILE names.
    let line =
        format!("localhost:{}:*:{}:{}", door.port, door.user, PASSWORD.replace('\\', "\\\\").replace(':', "\\:"));
    let home = house.work().parent().unwrap().to_owned();
    for (path, environment) in
        [(home.join(".pgpass"), vec![]), (house.path("passwords"), vec![("PGPASSFILE", "passwords")])]
    {
        fs::write(&path, format!("# ours\nother:*:*:*:another\n{line}\n")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        refused(ask(&house, Some(&url), &environment), "the password file can be read by others, so it is not used");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        reached(ask(&house, Some(&url), &environment));
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn tls_is_used_as_sslmode_says_and_checks_the_certificate_and_the_host() {
    let (house, door) = (House::new(), Door::new());
    if door.tls.is_none() || door.server.rows("SHOW ssl") != [["on"]] {
        eprintln!("NOT TESTED: this server has no TLS of ours");
        return;
    }
    let (ours, other) = (door.file("ca.pem"), door.file("other.pem"));
    let with = |host: &str, options: &str, environment: &[(&str, &str)]| {
        let environment = [environment, &[("PGPASSWORD", PASSWORD)]].concat();
        ask(&house, Some(&door.url(host, options)), &environment)
    };
    reached(with("localhost", "sslmode=disable", &[]));
    // The system trusts no authority of ours, and on this machine nobody reads along.
    reached(with("localhost", "", &[]));
    refused(with("localhost", "sslmode=prefer", &[]), "`?sslmode=disable` goes without TLS");
    // From here on the server takes this role over TLS alone.
    door.server.run(&format!("GRANT tls_only TO {}", door.user));
    refused(with("localhost", "sslmode=disable", &[]), "the server refuses the user");
    let trusted = format!("sslrootcert={ours}");
    for mode in ["prefer", "require", "verify-ca", "verify-full"] {
        reached(with("localhost", &format!("sslmode={mode}&{trusted}"), &[]));
        // The certificate is for `localhost`.
        refused(with("127.0.0.1", &format!("sslmode={mode}&{trusted}"), &[]), "certificate");
        refused(with("localhost", &format!("sslmode={mode}&sslrootcert={other}"), &[]), "certificate");
        // The system trusts no authority of ours.
        refused(with("localhost", &format!("sslmode={mode}"), &[]), "certificate");
        refused(with("localhost", &format!("sslmode={mode}"), &[]), "hint: `?sslrootcert=PATH` names the certificate");
    }
    reached(with("localhost", &trusted, &[]));
    reached(with("localhost", "", &[("PGSSLMODE", "verify-full"), ("PGSSLROOTCERT", &ours)]));
    refused(
        with("localhost", "sslmode=require&sslrootcert=not-there.pem", &[]),
        "no certificate can be read of `sslrootcert`",
    );
    house.file("empty.pem", "");
    refused(
        with("localhost", "sslmode=require&sslrootcert=empty.pem", &[]),
        "no certificate can be read of `sslrootcert`",
    );
    let wrong = with("localhost", "sslmode=maybe", &[]).status(2);
    assert!(wrong.stderr.contains("`sslmode` has no `maybe`"), "{}", wrong.stderr);
    // A socket has no TLS, and needs none.
    reached(ask(&house, Some(&format!("{}&sslmode=verify-full", door.server.url)), &[]));
}

/// One that says so of itself: a function that is found before the server's own stands for it.
#[test]
fn a_server_that_only_speaks_like_postgresql_is_refused_by_its_name_before_anything_is_done() {
    let (house, server) = (House::new(), Server::new());
    server.run(
        "CREATE SCHEMA app;
         CREATE FUNCTION app.version() RETURNS text LANGUAGE sql AS $$ SELECT 'CockroachDB CCL v24.1.0' $$",
    );
    let url = format!("{}&options=-c%20search_path%3Dapp,pg_catalog", server.url);
    let message = "the server is CockroachDB, which is not supported: an import needs advisory locks and binary COPY";
    refused(ask(&house, Some(&url), &[]), message);
    let tree = house.path("tree");
    fs::create_dir_all(&tree).unwrap();
    let arguments = ["import", "--reread", tree.to_str().unwrap(), "--mappings", "notes", "--database", &url];
    refused(Ran::of(&mut house.command(arguments)), message);
}

/// A server that answers the question for TLS with no ("SSL Session Encryption", 54.2.11).
#[test]
fn a_server_without_tls_is_told_apart_from_one_that_is_not_there() {
    let house = House::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://me@127.0.0.1:{}/db?sslmode=require", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        client.read_exact(&mut [0; 8]).unwrap();
        client.write_all(b"N").unwrap();
        _ = client.read(&mut [0; 8]);
    });
    let ran = ask(&house, Some(&url), &[]).status(3);
    assert!(ran.stderr.contains("the server has no TLS, and `sslmode` asks for it\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: have it switched on at the server"), "{}", ran.stderr);
}

#[test]
fn whoever_looks_goes_on_with_the_connection_of_the_one_before() {
    let (server, ends) = (Server::new(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&ends);
    let proxy = Proxy::start(&server, move |kind, _| {
        counted.fetch_add(usize::from(kind == b'X'), Ordering::SeqCst);
        Cut::Not
    });
    notes(&House::new(), &proxy.url(&server)).status(0);
    let ends = ends.load(Ordering::SeqCst);
    assert!((1..=4).contains(&ends), "{ends} connections");
}

/// It is cut where it is taken again: after the end of the transaction of the one who looked.
#[test]
fn a_connection_that_the_server_has_ended_meanwhile_is_made_anew() {
    let (server, is_cut) = (Server::new(), Arc::new(AtomicBool::new(false)));
    let (cut, is_left) = (Arc::clone(&is_cut), AtomicBool::new(false));
    let proxy = Proxy::start(&server, move |kind, content| {
        let was_left = is_left.swap(kind == b'Q' && content.starts_with(b"ROLLBACK"), Ordering::SeqCst);
        let is_taken = was_left && kind == b'Q' && content.starts_with(b"BEGIN; RESET ALL");
        if is_taken && !cut.swap(true, Ordering::SeqCst) { Cut::Before } else { Cut::Not }
    });
    notes(&House::new(), &proxy.url(&server)).status(0);
    assert!(is_cut.load(Ordering::SeqCst));
}
