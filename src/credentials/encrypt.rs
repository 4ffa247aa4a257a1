//! Seals plaintext, or converts back what was handed over.

use super::cells::{Placed, open, place, placed};
use super::choice::{Choice, Chosen, LeftColumn, Why, choose, pending};
use super::columns::{ColumnName, Look, look};
use super::erase::{Looked, Rewrite, Traces, erase};
use super::keyring::{self, Keyring};
use super::problem::{Problem, problem};
use super::written::Written;
use super::{Job, existing};
use crate::config::{Phase, SecretNeed};
use crate::database::cells::{FERNET, Registered, Stored};
use crate::database::{Mode, Reader, SealedColumn, Transaction, now};
use crate::error::{Error, Result};
use crate::secret::cipher::{FORMAT, Sealer, is_ours};
use crate::secret::kdf::Cost;
use crate::secret::keys::{KeyRow, Secret, create};
use crate::secret::proof::{LeakSearch, SecretSet};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

/// What [`encrypt`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Encrypted {
    /// The database.
    pub target: String,
    /// Whether it was a dry run.
    pub dry_run: bool,
    /// The key that values were sealed under; none when there was nothing to seal.
    pub key: Option<String>,
    /// Whether that key was made now.
    pub key_is_new: bool,
    /// Whether the key has sealed so many values that it should be rotated.
    pub should_rotate: bool,
    /// Values that were sealed.
    pub sealed: u64,
    /// How many of them were read back and opened to the same.
    pub opened_again: u64,
    /// By column.
    pub columns: Vec<EncryptedColumn>,
    /// Columns that look like secrets and were skipped, with the reason.
    pub left: Vec<LeftColumn>,
    /// Triggers that ran on what was sealed, as `--with-triggers` allows.
    pub triggers: Vec<String>,
    /// Where else in the database a sealed value is stored in plaintext.
    pub elsewhere: Vec<Elsewhere>,
    /// The backup that was made first, which is as the database was.
    pub backup: Option<PathBuf>,
    /// Where plaintext remains in files, apart from that backup.
    pub traces: Traces,
}

impl Encrypted {
    /// Whether nothing is left to do.
    pub fn is_clean(&self) -> bool {
        // Copies that a trigger may have made now are not the application's own business.
        let copied = !self.triggers.is_empty() && !self.elsewhere.is_empty();
        self.left.is_empty() && self.traces.own.is_empty() && !copied
    }
}

/// What was done to a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EncryptedColumn {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// What identifies its rows.
    pub key_columns: Vec<String>,
    /// Why it was sealed.
    pub why: Why,
    /// Values that were sealed.
    pub sealed: u64,
    /// Values that were sealed before.
    pub already: u64,
    /// Cells that are NULL, or empty in rows without any secret.
    pub empty: u64,
}

/// A column that stores a value in plaintext that was sealed elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// How many cells hold it.
    pub cells: u64,
}

/// Seals the plaintext of the chosen columns.
///
/// All in one transaction, each value opened again before it is committed. Then the file is
/// rewritten, so that what was overwritten is in none of its bytes.
pub fn encrypt(job: &Job<'_>, choice: &Choice<'_>) -> Result<Encrypted> {
    let (chosen, left) = choose(&*existing(job.database)?, choice)?;
    let mut done = Encrypted {
        target: job.database.url().to_owned(),
        dry_run: job.mode == Mode::Dry,
        left,
        ..Encrypted::default()
    };
    let pending = pending(&*existing(job.database)?, &chosen, choice)?;
    if pending.is_empty() {
        return Ok(done);
    }
    triggers(&*existing(job.database)?, &chosen, choice)?;
    job.able()?;
    job.agree(&format!("seal {}, {}", pending.join(", "), job.before.in_words()))?;
    let rows = existing(job.database)?.keys()?;
    let secret = secret(job, rows.is_empty())?;
    let (mut ring, row) = keyring(&rows, &secret)?;
    if !rows.is_empty() {
        ring.check(&job.database.seal_record()?)?;
    }
    let safety = job.keep_what_is_there("encrypt")?;

    let tables = chosen.iter().map(|one| one.column.table.clone()).collect();
    let mut cells = job.change(&rows, &ring, tables)?;
    let (chosen, _) = choose(&*cells, choice)?;
    // Once more, now that nobody else can make one.
    done.triggers = triggers(&*cells, &chosen, choice)?;
    done.key_is_new = rows.is_empty();
    let mut sealing = Sealing { job, choice, secrets: SecretSet::new(), written: Written::new(false)? };
    for one in &chosen {
        let column = sealing.column(&mut *cells, one, &chosen, ring.active())?;
        done.sealed += column.sealed;
        done.columns.push(column);
    }
    cells.put_key(&KeyRow { seal_count: ring.active().sealed_count(), ..row.clone() })?;
    ring.prove(&mut *cells)?;
    let details = json!({
        "from": choice.from.is_some().then_some(FERNET),
        "values": done.sealed,
        "columns": done.columns.iter().map(|one| format!("{}.{}", one.table, one.column)).collect::<BTreeSet<_>>(),
    });
    job.note(&mut *cells, "encrypt", &row.id, "values were sealed", details)?;
    (done.key, done.should_rotate) = (Some(row.id), ring.active().should_rotate());
    done.opened_again = sealing.prove(&*cells, &secret, &chosen)?;
    let search = sealing.secrets.freeze();
    let live;
    (done.elsewhere, live) = elsewhere(&*cells, &search)?;
    job.heed_signals()?;
    done.backup = safety.keep().map(|made| made.path);
    job.commit(cells)?;
    let tables = done.columns.iter().filter(|one| one.sealed > 0).map(|one| one.table.clone()).collect();
    let looked = Looked { search: &search, keys: &[], backup: done.backup.as_deref(), tables };
    done.traces = erase(job, &looked, &live, Rewrite::Always);
    Ok(done)
}

/// The triggers that run when values of the chosen columns are sealed: each may copy the plaintext that it
/// sees, or undo the sealing. None runs where everything is sealed.
fn triggers(cells: &dyn Reader, chosen: &[Chosen], choice: &Choice<'_>) -> Result<Vec<String>> {
    let mut found = BTreeSet::new();
    for one in chosen {
        let name = ColumnName::of(&one.column);
        let on_it = cells.triggers(&one.column)?;
        if on_it.is_empty() || !is_written(cells, one, chosen, choice)? {
            continue; // no trigger runs
        }
        found.extend(on_it.into_iter().map(|trigger| format!("`{trigger}` on `{name}`")));
    }
    let found: Vec<String> = found.into_iter().collect();
    if found.is_empty() || choice.with_triggers {
        return Ok(found);
    }
    Err(Error::request(format!(
        "triggers run when these columns are sealed, and may copy the plaintext elsewhere: {}",
        found.join(", ")
    ))
    .hint("drop them for the time of the sealing, or allow them with `--with-triggers`: copies are then counted"))
}

/// Whether a value of the column will be written: one that is not sealed.
fn is_written(cells: &dyn Reader, one: &Chosen, chosen: &[Chosen], choice: &Choice<'_>) -> Result<bool> {
    let with_secret = rows_with_secret(cells, &one.column, chosen)?;
    let (placed, _) = placed(cells, &one.column)?;
    let is_written = |cell: &Placed| {
        let judged = judge(one, cell, with_secret.contains(&cell.texts), choice);
        !matches!(judged, Judged::Empty | Judged::Already)
    };
    Ok(placed.iter().any(is_written))
}

/// What becomes of a cell.
enum Judged<'t> {
    Empty,
    Already,
    Plain(&'t str),
    /// A token of the application.
    Token(&'t str),
    /// It cannot be sealed: the reason, and the same in words.
    Refused(&'static str, String),
}

fn judge<'t>(one: &Chosen, cell: &'t Placed, with_secret: bool, choice: &Choice<'_>) -> Judged<'t> {
    let format = one.format.as_deref();
    let opens_tokens = choice.from.is_some() && !format.is_some_and(is_ours);
    let text = match &cell.value {
        Stored::Null => return Judged::Empty,
        Stored::Other(kind) => {
            return Judged::Refused("not-text", format!("a value is {kind}, and only text can be sealed"));
        }
        Stored::Text(text) => text.expose_secret(),
    };
    match look(text, format) {
        // Of a pair with one empty half the empty half is sealed like any value.
        Look::Empty if with_secret => Judged::Plain(text),
        Look::Empty => Judged::Empty,
        Look::Sealed(_) if format.is_some() && !opens_tokens => Judged::Already,
        _ if opens_tokens => Judged::Token(text),
        Look::Sealed(_) => Judged::Refused(
            "not-registered",
            "a value has the form of a sealed one, and its column is not registered".to_owned(),
        ),
        Look::Plain | Look::Hash if format != Some(FERNET) => Judged::Plain(text),
        _ => Judged::Refused(
            "handed-over",
            "a value is in the application's form; `encrypt --from fernet` converts it".to_owned(),
        ),
    }
}

/// The passphrase or key. A dry run without one uses a temporary one.
fn secret(job: &Job<'_>, is_first: bool) -> Result<Secret> {
    let need = match (job.mode, is_first) {
        (Mode::Dry, true) => SecretNeed::IfGiven,
        (Mode::Real, true) => SecretNeed::Create,
        (_, false) => SecretNeed::Open,
    };
    match job.ui.secret(need)? {
        Some(secret) => Ok(secret),
        None => Secret::throw_away(),
    }
}

/// The keys of the database, or a first one.
fn keyring(rows: &[KeyRow], secret: &Secret) -> Result<(Keyring, KeyRow)> {
    if rows.is_empty() {
        let (key, row) = create(secret, Cost::default(), now())?;
        return Ok((Keyring::of_new(Sealer::new(key, &row)?), row));
    }
    Ok((Keyring::open_all(rows, secret)?, keyring::active(rows)?.clone()))
}

/// What was sealed so far, and what it must open to.
struct Sealing<'e> {
    job: &'e Job<'e>,
    choice: &'e Choice<'e>,
    secrets: SecretSet,
    written: Written,
}

impl Sealing<'_> {
    fn column(
        &mut self,
        cells: &mut dyn Transaction,
        one: &Chosen,
        chosen: &[Chosen],
        sealer: &mut Sealer,
    ) -> Result<EncryptedColumn> {
        let column = &one.column;
        let mut done = EncryptedColumn {
            table: column.table.clone(),
            column: column.column.clone(),
            key_columns: column.key_columns.clone(),
            why: one.why,
            sealed: 0,
            already: 0,
            empty: 0,
        };
        let with_secret = rows_with_secret(cells, column, chosen)?;
        let (placed, problems) = placed(cells, column)?;
        problems.into_iter().next().map_or(Ok(()), |problem| Err(problem.into_error()))?;
        self.job.ui.phase(Phase::Seal, placed.len() as u64, 0);
        for cell in placed {
            self.job.heed_signals()?;
            self.job.ui.advance(1, 0);
            let opened = match (judge(one, &cell, with_secret.contains(&cell.texts), self.choice), &self.choice.from) {
                (Judged::Empty, _) => {
                    done.empty += 1;
                    continue; // counted
                }
                (Judged::Already, _) => {
                    done.already += 1;
                    continue; // counted
                }
                (Judged::Token(token), Some(application)) => application.open(column, &cell.texts, token),
                (Judged::Plain(text) | Judged::Token(text), _) => Ok(SecretString::from(text)),
                (Judged::Refused(reason, message), _) => Err(problem(column, cell.texts.clone(), reason, message)),
            };
            let text = opened.map_err(Problem::into_error)?;
            let token = sealer.seal(&place(column, &cell.texts), &text)?;
            cells.write_cell(column, &cell.key, &token)?;
            self.secrets.add(text.expose_secret());
            self.written.add(column, cell.texts, &text);
            done.sealed += 1;
        }
        if done.sealed > 0 || one.format.is_some() {
            cells.register(&Registered { column: column.clone(), format: FORMAT.to_owned() })?;
        }
        Ok(done)
    }

    /// Reads everything back from the database and opens it, with the key as stored there.
    fn prove(&self, cells: &dyn Reader, secret: &Secret, chosen: &[Chosen]) -> Result<u64> {
        let ring = Keyring::open_all(&cells.keys()?, secret)?;
        ring.check(&cells.seal_record()?)?;
        let mut opened = 0;
        for Chosen { column, .. } in chosen {
            opened += self.written.prove(cells, column, &|key, token| open(&ring, column, key, token))?.0;
        }
        Ok(opened)
    }
}

/// The rows of a table in which a chosen column of the same key holds something.
fn rows_with_secret(cells: &dyn Reader, column: &SealedColumn, chosen: &[Chosen]) -> Result<HashSet<Vec<String>>> {
    let mut rows = HashSet::new();
    let alike = chosen.iter().map(|one| &one.column);
    for other in alike.filter(|other| other.table == column.table && other.key_columns == column.key_columns) {
        let holds = |value: &Stored| matches!(value, Stored::Text(text) if !text.expose_secret().is_empty());
        rows.extend(placed(cells, other)?.0.into_iter().filter(|cell| holds(&cell.value)).map(|cell| cell.texts));
    }
    Ok(rows)
}

/// Which of the texts the database's cells hold in plaintext, and where.
fn elsewhere(cells: &dyn Reader, search: &LeakSearch) -> Result<(Vec<Elsewhere>, BTreeSet<usize>)> {
    let mut columns: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut live = BTreeSet::new();
    cells.every_text(&mut |table, column, bytes| {
        let found = search.secrets_in(bytes);
        let is_hit = !found.is_empty();
        live.extend(found);
        if is_hit {
            *columns.entry((table.to_owned(), column.to_owned())).or_default() += 1;
        }
    })?;
    let columns = columns.into_iter().map(|((table, column), cells)| Elsewhere { table, column, cells });
    Ok((columns.collect(), live))
}
