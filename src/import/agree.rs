//! What is asked before anything is written: whether, with which key, and after which backup.

use crate::backup::{self, Before, Safety};
use crate::config::{ImportOptions, SecretNeed, Ui};
use crate::database::{Database, Mode};
use crate::error::{Error, Result};
use crate::import::plan::Plan;
use crate::import::vault::KeySource;
use crate::mapping::model::Set;
use crate::migrations::{Loss, in_question, loss_lines, lost_by_import};
use crate::outputs::resolve;
use crate::report::words::count;

/// A new database must not be written into the source, where the next run would meet it.
pub(super) fn outside_source(database: &dyn Database, plan: &Plan) -> Result<()> {
    let Some(file) = database.file() else { return Ok(()) };
    let (path, root) = (resolve(file), resolve(&plan.tree.root));
    let Ok(inside) = path.strip_prefix(&root) else { return Ok(()) };
    let inside = inside.to_string_lossy();
    let ignored = plan.set.ignore.iter().any(|ignore| ignore.pattern.matches(&inside));
    if ignored || database.exists()? {
        return Ok(());
    }
    Err(Error::request("the new database would lie in the source tree, which is only read")
        .at(file.display())
        .hint("name another folder; nothing was written"))
}

/// Asks before something that exists is changed; a new file asks nothing.
///
/// Returns what the pending migrations that the import applies would lose. Where they cannot be rehearsed, nothing is
/// known of that, and nothing is imported.
pub(super) fn agree(
    options: &ImportOptions,
    ui: &dyn Ui,
    database: &mut dyn Database,
    plan: &Plan,
) -> Result<Vec<Loss>> {
    if let Some(line) = database.record_table()?.words() {
        ui.say(&line);
    }
    for leftover in database.leftovers()? {
        ui.say(&format!(
            "a run that was killed left {}; it holds nothing that was committed and can be removed",
            leftover.display()
        ));
    }
    let losses = lost_by_import(database, &plan.set, &plan.schema)?;
    loss_lines(&losses).iter().for_each(|line| ui.say(line));
    if options.mode == Mode::Dry || !database.exists()? {
        return Ok(losses);
    }
    let rows = database.rows()?;
    let backup = Before { skip: options.no_backup, ..Before::default() }.in_words();
    let (files, rows) = (count(plan.mapped_files(), "file"), count(rows, "row"));
    if ui.confirm(&format!(
        "{} exists, with {rows}. Import {files} into it{}, {backup}?",
        database.url(),
        in_question(&losses)
    ))? {
        Ok(losses)
    } else {
        Err(Error::request("not confirmed, nothing was written"))
    }
}

/// The backup before an existing database is written into.
pub(super) fn back_up_existing<'c>(
    options: &ImportOptions,
    ui: &'c dyn Ui,
    database: &dyn Database,
    set: &Set,
) -> Result<Safety<'c>> {
    backup::before(database, "import", &before(options, set), ui)
}

/// What is done about a backup; a dry run makes none.
pub(super) fn before<'o>(options: &'o ImportOptions, set: &'o Set) -> Before<'o> {
    let skip = options.no_backup || options.mode == Mode::Dry;
    Before { skip, folder: options.backup_dir.as_deref(), set: Some(&set.name) }
}

/// Asks for the passphrase or key, if the set seals anything. A dry run does not need one.
pub(super) fn key_source(
    options: &ImportOptions,
    ui: &dyn Ui,
    set: &Set,
    database: &dyn Database,
) -> Result<KeySource> {
    if !set.seals() {
        return Ok(KeySource::None);
    }
    let need = match (options.mode, database.keys()?.is_empty()) {
        (Mode::Dry, true) => SecretNeed::IfGiven,
        (Mode::Dry, false) => SecretNeed::IfAttended,
        (Mode::Real, true) => SecretNeed::Create,
        (Mode::Real, false) => SecretNeed::Open,
    };
    match ui.secret(need)? {
        Some(secret) => Ok(KeySource::Given(secret)),
        None => {
            ui.say("no passphrase was given: the dry run seals with a temporary key");
            Ok(KeySource::ThrowAway)
        }
    }
}
