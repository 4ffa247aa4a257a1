//! The model: wherever rekey and rotate are killed, exactly one of the last two secrets opens
//! everything, to the same texts.
//!
//! Operations and moments are drawn from a seed, which a failure prints. The default run is a tenth
//! of what `--ignored` does.

use crate::house::{DATABASE, House, open, rows};
use crate::safe::{Dice, Given, login, make, verified};
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
    let mut model = Model::new(3_000);
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
#[ignore = "sixty kills of each kind take minutes"]
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
    house: House,
    /// The key files, the first being the one that opens the database.
    files: [&'static str; 2],
    rows: usize,
}

impl Model {
    fn new(rows: usize) -> Self {
        let house = House::new();
        let files = ["one.key", "other.key"];
        files.iter().for_each(|file| new_key_file(&house.path(file)).unwrap());
        let model = Self { house, files, rows };
        make(&model.house.path(DATABASE), &model.given(0), rows);
        model
    }

    fn given(&self, file: usize) -> Given {
        Given::KeyFile(self.house.path(self.files[file]))
    }

    fn command(&self, operation: Operation) -> Command {
        let mut arguments = vec!["credentials"];
        arguments.extend(match operation {
            Operation::Rekey | Operation::WholeRekey => vec!["rekey", "--new-key-file", self.files[1]],
            Operation::Rotate | Operation::WholeRotate => vec!["rotate", "--no-backup"],
        });
        arguments.extend(["--database", DATABASE, "--yes", "--key-file", self.files[0]]);
        let mut command = self.house.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What stands in the database now: the key, and the keys that values name.
    fn keys(&self) -> (Vec<String>, BTreeSet<String>) {
        let path = self.house.path(DATABASE);
        // Opened for writing once, so that SQLite takes back what a killed run left.
        let database = rusqlite::Connection::open(&path).unwrap();
        let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok");
        drop(database);
        let database = open(&path);
        let ids = rows(&database, "SELECT id FROM treelift_keys").concat();
        let named = rows(&database, "SELECT DISTINCT substr(password, 5, 16) FROM logins").concat();
        (ids, named.into_iter().collect())
    }

    /// Judges what is there, and learns which secret opens it.
    fn settle(&mut self, context: &str) {
        let path = self.house.path(DATABASE);
        // What a killed run left is looked at before anybody takes it back, and after.
        let looked = [0, 1].map(|file| verified(&path, &self.given(file)).is_ok());
        let (ids, named) = self.keys();
        assert_eq!((ids.len(), named), (1, BTreeSet::from([ids[0].clone()])), "{context}: never a mixture");
        let opens = [0, 1].map(|file| verified(&path, &self.given(file)));
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
    let mut model = Model::new(1_500);
    let mut dice = Dice(seed);
    let length = |model: &Model, operation| {
        let copy = std::fs::read(model.house.path(DATABASE)).unwrap();
        let started = Instant::now();
        assert!(model.command(operation).status().unwrap().success());
        let length = started.elapsed();
        std::fs::write(model.house.path(DATABASE), copy).unwrap();
        length
    };
    let lengths: Vec<Duration> = operations.iter().map(|operation| length(&model, *operation)).collect();
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
    let database = treelift::database::open(model.house.path(DATABASE).to_str().unwrap()).unwrap();
    let row = database.keys().unwrap().remove(0);
    let key = treelift::secret::keys::unlock(&row, &model.given(0).secret()).unwrap();
    let sealer = Sealer::new(key, &row).unwrap();
    let database = open(&model.house.path(DATABASE));
    let open = |row: Vec<String>| {
        let place =
            SealPlace { table: "logins", column: "password", key_columns: &["person".to_owned()], key: &row[..1] };
        sealer.open(&place, &row[1]).unwrap().expose_secret().to_owned()
    };
    rows(&database, "SELECT person, password FROM logins").into_iter().map(open).collect()
}
