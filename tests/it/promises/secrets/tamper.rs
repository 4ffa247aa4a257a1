//! Every change to a sealed value or a key is detected. The default run draws a tenth of the cases
//! from a seed; `tests/run --long` runs them all.

use crate::house::House;
use crate::house::safe::{Dice, Given, make, verified};
use rusqlite::Connection;
use rusqlite::types::ValueRef;
use std::path::Path;

const ROWS: usize = 30;
const FLIPS: usize = 2_000;
const KEY: &str = "SELECT wrapped_key FROM treelift_keys";

#[test]
fn a_tenth_of_two_thousand_flipped_bits_is_refused() {
    flips(FLIPS / 10, 1);
}

#[test]
#[ignore = "two thousand flips take about 15 seconds"]
fn two_thousand_flipped_bits_are_refused() {
    flips(FLIPS, 2);
}

#[cfg(feature = "postgres")]
#[test]
fn a_tenth_of_two_thousand_flipped_bits_is_refused_on_a_server() {
    flips_on_a_server(FLIPS / 10, 3);
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "two thousand flips take about 2 minutes"]
fn two_thousand_flipped_bits_are_refused_on_a_server() {
    flips_on_a_server(FLIPS, 4);
}

/// As [`flips`], in the databases of a server, which keeps no text that is not UTF-8.
#[cfg(feature = "postgres")]
fn flips_on_a_server(times: usize, seed: u64) {
    let (costly, cheap) = (crate::house::site::Site::on_server(), crate::house::site::Site::on_server());
    let key_file = Given::KeyFile(cheap.house.path(crate::house::KEY_FILE));
    let passphrase = Given::Passphrase("a passphrase of the test");
    costly.make(&passphrase, ROWS);
    cheap.make(&key_file, ROWS);
    let mut dice = Dice(seed);
    for number in 0..times {
        let (site, given, cell) = match number % 2 {
            0 => (&costly, &passphrase, key_cell(&mut dice)),
            _ => (&cheap, &key_file, Cell::value(dice.roll(ROWS))),
        };
        let before = site.one(&cell.select);
        let (at, bit) = (dice.roll(before.len()), dice.roll(7));
        let mut bytes = before.clone().into_bytes();
        bytes[at] ^= 1 << bit;
        let write =
            |text: &str| site.sql(&cell.update.replace("CAST(?1 AS TEXT)", &format!("'{}'", text.replace('\'', "''"))));
        write(std::str::from_utf8(&bytes).unwrap());
        let refused = site.verified(given).map_or(true, |found| !found.problems.is_empty());
        assert!(refused, "seed {seed}, flip {number}: bit {bit} of byte {at} of {}", cell.select);
        write(&before);
    }
    for (site, given) in [(costly, passphrase), (cheap, key_file)] {
        let found = site.verified(&given).unwrap();
        assert_eq!((found.opened, found.problems.len()), (ROWS as u64, 0), "all is as it was");
    }
}

#[test]
fn a_tenth_of_all_swaps_of_two_values_is_detected() {
    swaps(10);
}

#[test]
#[ignore = "all pairs of thirty rows take about 5 seconds"]
fn all_435_swaps_of_two_values_are_detected() {
    assert_eq!(swaps(1), ROWS * (ROWS - 1) / 2);
}

/// A database of thirty rows under a passphrase, and one under a key file: what is not flipped in
/// the key's row costs no derivation.
fn flips(times: usize, seed: u64) {
    let house = House::new();
    let (costly, cheap) = (house.path("costly.db"), house.path("cheap.db"));
    let (passphrase, key_file) =
        (Given::Passphrase("a passphrase of the test"), Given::KeyFile(house.path(crate::house::KEY_FILE)));
    make(&costly, &passphrase, ROWS);
    make(&cheap, &key_file, ROWS);
    let mut dice = Dice(seed);
    for number in 0..times {
        let (path, given, cell) = match number % 2 {
            0 => (&costly, &passphrase, key_cell(&mut dice)),
            _ => (&cheap, &key_file, Cell::value(dice.roll(ROWS))),
        };
        let database = connect(path);
        let before = cell.read(&database);
        let (at, bit) = (dice.roll(before.len()), dice.roll(8));
        let mut bytes = before.clone();
        bytes[at] ^= 1 << bit;
        cell.write(&database, &bytes);
        drop(database);
        let refused = verified(path, given).map_or(true, |found| !found.problems.is_empty());
        assert!(refused, "seed {seed}, flip {number}: bit {bit} of byte {at} of {}", cell.select);
        cell.write(&connect(path), &before);
    }
    for (path, given) in [(costly, passphrase), (cheap, key_file)] {
        let found = verified(&path, &given).unwrap();
        assert_eq!((found.opened, found.problems.len()), (ROWS as u64, 0), "all is as it was");
    }
}

/// Where bits are flipped.
struct Cell {
    select: String,
    update: String,
}

impl Cell {
    fn value(row: usize) -> Self {
        let row = format!("WHERE person = 'person {row}'");
        Self {
            select: format!("SELECT password FROM logins {row}"),
            update: format!("UPDATE logins SET password = CAST(?1 AS TEXT) {row}"),
        }
    }

    fn read(&self, database: &Connection) -> Vec<u8> {
        let bytes = |row: &rusqlite::Row<'_>| match row.get_ref(0)? {
            ValueRef::Text(bytes) => Ok(bytes.to_vec()),
            other => panic!("{} is {:?}", self.select, other.data_type()),
        };
        database.query_row(&self.select, [], bytes).unwrap()
    }

    fn write(&self, database: &Connection, bytes: &[u8]) {
        assert_eq!(database.execute(&self.update, [bytes]).unwrap(), 1);
    }
}

/// A column of the key's row that is authenticated, the long ones more often.
fn key_cell(dice: &mut Dice) -> Cell {
    let column = ["id", "kdf", "key_check", "key_check", "wrapped_key", "wrapped_key", "wrapped_key"][dice.roll(7)];
    Cell {
        select: KEY.replace("wrapped_key", column),
        update: format!("UPDATE treelift_keys SET {column} = CAST(?1 AS TEXT)"),
    }
}

fn connect(path: &Path) -> Connection {
    let database = Connection::open(path).unwrap();
    database.execute_batch("PRAGMA synchronous = OFF").unwrap();
    database
}

/// Swaps every pair of values, or every so-many-th, and says how many it swapped.
fn swaps(step: usize) -> usize {
    let house = House::new();
    let path = house.path("swapped.db");
    let given = Given::KeyFile(house.path(crate::house::KEY_FILE));
    make(&path, &given, ROWS);
    let pairs = (0..ROWS).flat_map(|one| (one + 1..ROWS).map(move |other| (one, other)));
    let mut swapped = 0;
    for (one, other) in pairs.step_by(step) {
        swap(&path, one, other);
        let found = verified(&path, &given).unwrap();
        let reported: Vec<_> = found.problems.iter().map(|p| (p.cell.key[0].clone(), p.message.clone())).collect();
        let moved = |here: usize, from: usize| {
            let message = format!("a value was moved here: it was sealed for logins.password, row person {from}");
            (format!("person {here}"), message)
        };
        assert_eq!(reported, [moved(one, other), moved(other, one)]);
        assert_eq!(found.opened, ROWS as u64 - 2);
        swap(&path, one, other);
        swapped += 1;
    }
    assert!(verified(&path, &given).unwrap().problems.is_empty(), "all is as it was");
    swapped
}

fn swap(path: &Path, one: usize, other: usize) {
    let database = connect(path);
    let (one, other) = (Cell::value(one), Cell::value(other));
    let (first, second) = (one.read(&database), other.read(&database));
    one.write(&database, &second);
    other.write(&database, &first);
}
