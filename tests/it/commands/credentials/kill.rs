//! The model: wherever rekey and rotate are killed, exactly one of the last two secrets opens
//! everything, to the same texts.
//!
//! Operations and moments are drawn from a seed, which a failure prints. The default run is a tenth
//! of what `tests/run --long` does.

use crate::house::safe::{Dice, Given, login};
use crate::house::site::{self, Site};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use treelift::secret::key_file::new_key_file;

const KILLS: usize = 60;

#[test]
fn a_rekey_that_is_killed_leaves_the_old_or_the_new_secret() {
    killed(&[Operation::Rekey], KILLS / 10, 3);
}

#[test]
fn a_rotation_that_is_killed_leaves_the_old_or_the_new_key() {
    killed(&[Operation::Rotate], KILLS / 10, 4);
}

#[test]
fn rekey_and_rotate_in_random_order_with_kills_keep_everything() {
    killed(&[Operation::Rekey, Operation::Rotate, Operation::WholeRekey, Operation::WholeRotate], KILLS / 10, 5);
}

#[test]
fn an_interrupted_rotation_says_so_and_changes_nothing() {
    site::every().into_iter().for_each(interrupted);
}

fn interrupted(site: Site) {
    let mut model = Model::new(site, 3_000);
    let before = model.keys();
    for moment in [20, 60, 100] {
        let mut child = model.command(Operation::Rotate).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(moment));
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let status = child.wait().unwrap();
        model.settle(&format!("after {moment} ms"));
        match status.code() {
            Some(0) => return, // it was done before the signal came
            // Before the program has put its own hand to the signal, the system ends it.
            Some(143) | None => assert_eq!(model.keys(), before, "after {moment} ms"),
            other => panic!("{other:?} after {moment} ms"),
        }
    }
}

#[test]
#[ignore = "sixty kills of each kind take about 6 minutes"]
fn sixty_kills_of_each_kind() {
    killed(&[Operation::Rekey], KILLS, 6);
    killed(&[Operation::Rotate], KILLS, 7);
    killed(&[Operation::Rekey, Operation::Rotate, Operation::WholeRekey, Operation::WholeRotate], KILLS, 8);
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Operation {
    Rekey,
    Rotate,
    WholeRekey,
    WholeRotate,
}

/// The database and what the model knows of it.
struct Model {
    site: Site,
    /// The key files, the first being the one that opens the database.
    files: [&'static str; 2],
    rows: usize,
}

impl Model {
    fn new(site: Site, rows: usize) -> Self {
        let files = ["one.key", "other.key"];
        files.iter().for_each(|file| new_key_file(&site.house.path(file)).unwrap());
        let model = Self { site, files, rows };
        model.site.make(&model.given(0), rows);
        model
    }

    fn given(&self, file: usize) -> Given {
        Given::KeyFile(self.site.house.path(self.files[file]))
    }

    fn command(&self, operation: Operation) -> Command {
        let secret = ["--key-file", self.files[0]];
        let mut command = match operation {
            Operation::Rekey | Operation::WholeRekey => {
                self.site.command("rekey", &[&secret[..], &["--new-key-file", self.files[1]]].concat())
            }
            Operation::Rotate | Operation::WholeRotate => {
                self.site.command("rotate", &[&secret[..], &["--no-backup"]].concat())
            }
        };
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What stands in the database now: the key, and the keys that values name.
    fn keys(&self) -> (Vec<String>, BTreeSet<String>) {
        if self.site.is_file() {
            // Opened for writing once, so that SQLite takes back what a killed run left.
            let database = rusqlite::Connection::open(self.site.url()).unwrap();
            let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(verdict, "ok");
        }
        let ids = self.site.rows("SELECT id FROM treelift_keys").concat();
        let named = self.site.rows("SELECT DISTINCT substr(password, 5, 16) FROM logins").concat();
        (ids, named.into_iter().collect())
    }

    /// Judges what is there, and learns which secret opens it.
    fn settle(&mut self, context: &str) {
        // What a killed run left is looked at before anybody takes it back, and after.
        let looked = [0, 1].map(|file| self.site.verified(&self.given(file)).is_ok());
        let (ids, named) = self.keys();
        assert_eq!((ids.len(), named), (1, BTreeSet::from([ids[0].clone()])), "{context}: never a mixture");
        let opens = [0, 1].map(|file| self.site.verified(&self.given(file)));
        assert_eq!(looked, [opens[0].is_ok(), opens[1].is_ok()], "{context}: a look sees what a repair gives");
        let open: Vec<usize> = (0..2).filter(|file| opens[*file].is_ok()).collect();
        let [file] = open[..] else { panic!("{context}: {} secrets open it", open.len()) };
        let found = opens[file].as_ref().unwrap();
        assert_eq!((found.opened, found.problems.len()), (self.rows as u64, 0), "{context}");
        if file == 1 {
            self.files.swap(0, 1);
        }
    }
}

fn killed(operations: &[Operation], times: usize, seed: u64) {
    site::every().into_iter().for_each(|site| killed_on(site, operations, times, seed));
}

fn killed_on(site: Site, operations: &[Operation], times: usize, seed: u64) {
    let mut model = Model::new(site, 1_500);
    let mut dice = Dice(seed);
    let length = |model: &mut Model, operation| {
        let started = Instant::now();
        assert!(model.command(operation).status().unwrap().success());
        let length = started.elapsed();
        model.settle("to its end");
        length
    };
    let lengths: Vec<Duration> = operations.iter().map(|operation| length(&mut model, *operation)).collect();
    for number in 0..times {
        let drawn = dice.roll(operations.len());
        let operation = operations[drawn];
        let context = format!("seed {seed}, operation {number}: {operation:?} with {:?}", model.files);
        let mut child = model.command(operation).spawn().unwrap();
        if matches!(operation, Operation::Rekey | Operation::Rotate) {
            std::thread::sleep(lengths[drawn].mul_f64(dice.roll(1_000) as f64 / 1_000.0));
            kill_process(Pid::from_child(&child), Signal::KILL).unwrap();
            child.wait().unwrap();
        } else {
            assert!(child.wait().unwrap().success(), "{context}");
        }
        model.settle(&context);
    }
    assert_eq!(texts(&model), (0..model.rows).map(login).collect());
}

/// What is sealed, opened by the library.
fn texts(model: &Model) -> BTreeSet<String> {
    use secrecy::ExposeSecret;
    use treelift::secret::cipher::{SealPlace, Sealer};
    let database = treelift::database::open(&model.site.url()).unwrap();
    let row = database.keys().unwrap().remove(0);
    let key = treelift::secret::keys::unlock(&row, &model.given(0).secret()).unwrap();
    let sealer = Sealer::new(key, &row).unwrap();
    let open = |row: Vec<String>| {
        let place =
            SealPlace { table: "logins", column: "password", key_columns: &["person".to_owned()], key: &row[..1] };
        sealer.open(&place, &row[1]).unwrap().expose_secret().to_owned()
    };
    model.site.rows("SELECT person, password FROM logins").into_iter().map(open).collect()
}
