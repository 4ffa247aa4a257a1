#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an application shows what it likes")]
//! An application imports a tree by itself: with its own display of progress, its own questions, its own keeper of
//! secrets, and a way to cancel. No terminal is needed.
//!
//!     cargo run --example embed -- ./old_data notes sqlite:///./new.db

use std::error::Error;
use std::sync::atomic::AtomicBool;
use treelift::config::ImportOptions;
use treelift::embed::Callbacks;
use treelift::import::import;
use treelift::report::Report;
use treelift::secret::keys::Secret;
use treelift::secret::passphrase::Strength;

/// What the application brings: where it shows things, whom it asks, and what stops it.
pub(crate) struct Application<'a> {
    /// Shows a line.
    pub(crate) show: &'a (dyn Fn(&str) + Sync),
    /// Answers a question.
    pub(crate) answer: &'a (dyn Fn(&str) -> bool + Sync),
    /// Where it keeps the passphrase.
    pub(crate) passphrase: &'a str,
    /// Its cancel button.
    pub(crate) cancelled: &'a AtomicBool,
}

/// Imports a tree into a database. The report says what became of it.
pub(crate) fn import_tree(
    app: &Application,
    source: &str,
    set: &str,
    database: &str,
) -> treelift::error::Result<Report> {
    let options = ImportOptions {
        mappings: Some(set.to_owned()),
        database: Some(database.to_owned()),
        ..ImportOptions::of(source)
    };
    let ui = Callbacks::new()
        .progress(|progress| (app.show)(&format!("{}: {}", progress.phase.name(), progress.words())))
        .confirm(|question| (app.answer)(question))
        .secret(|_need| Secret::from_passphrase_text(app.passphrase.into(), Strength::Strong).map(Some))
        .cancelled_by(app.cancelled);
    import(&options, &ui)
}

/// The application of this example shows everything, agrees to everything, and is never cancelled.
pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, set, database] = arguments.as_slice() else {
        return Err("usage: embed SOURCE SET DATABASE, with the passphrase in EMBED_PASSPHRASE".into());
    };
    let app = Application {
        show: &|line| eprintln!("{line}"),
        answer: &|_question| true,
        passphrase: &std::env::var("EMBED_PASSPHRASE").unwrap_or_default(),
        cancelled: &AtomicBool::new(false),
    };
    let report = import_tree(&app, source, set, database)?;
    println!("{:?}: {} rows rejected", report.outcome, report.rejected());
    Ok(())
}
