//! The command line: text, colors, prompts, progress, exit status. Nothing else prints or reads the
//! terminal.

mod args;
mod backup;
mod check;
mod credentials;
mod database_url;
mod excerpt;
mod explain;
mod export;
mod habits;
mod hidden;
mod import;
mod inspect;
mod judged;
mod log;
mod managed;
mod mapping_set;
mod mappings;
mod output;
mod panics;
mod progress;
mod report;
mod runs;
mod scaffold;
mod schema;
mod secrets;
mod signals;
mod stale;
mod terminal;
mod transfer;
mod unbuilt;
mod undo;
mod variants;
mod verify;
mod version;
mod watch;

use crate::error::{Error, Result};
use args::{Cli, Command};
use clap::{CommandFactory, FromArgMatches};
use output::{Output, Preferences};
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Runs the program with these arguments, the first being its own name.
///
/// The one place where an [`Error`] becomes text and an exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    panics::install();
    let args: Vec<_> = args.into_iter().collect();
    let mut output = Output::new(Preferences::scan(&args));
    let outcome = catch_unwind(AssertUnwindSafe(|| run(&args, &mut output)));
    let status = match outcome {
        Ok(Ok(status)) => status,
        Ok(Err(error)) => {
            output.error(&error);
            error.status()
        }
        Err(_) => {
            // The hook has already printed the place, on whichever thread it happened.
            let bug = Error::bug("this is a bug in treelift; standard error names its place");
            output.error_as_document(&bug);
            bug.status()
        }
    };
    log::end(status);
    ExitCode::from(status)
}

fn run(args: &[OsString], output: &mut Output) -> Result<u8> {
    let mut command = unbuilt::recognise(Cli::command());
    if args.iter().any(|arg| arg == "--version") {
        command = command.long_version(version::long());
    }
    let matches = match command.try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return output.usage(&error),
    };
    unbuilt::refuse(&matches)?;
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return output.usage(&error),
    };
    output.apply(&cli.global);
    let log_file = cli.global.log_file.as_deref().map(|path| log::open(path, &matches)).transpose()?;
    // What only reads files has nothing to clean up: a signal ends it at once.
    let only_reads = match &cli.command {
        Command::Check(args) => args.against.is_none(),
        Command::Inspect(_) | Command::Report { .. } | Command::Completions { .. } | Command::Man { .. } => true,
        _ => false,
    };
    if !only_reads {
        signals::watch()?;
        stale::remove(output);
    }
    match cli.command {
        Command::Import(args) => import::run(*args, log_file, output),
        Command::Verify(args) => verify::run(*args, log_file, output),
        Command::Runs(args) => runs::run(&args, output),
        Command::Report { command } => report::run(&command, output),
        Command::Undo(args) => undo::run(&args, output),
        Command::Check(args) => check::run(&args, output),
        Command::Mappings { command } => mappings::run(&command, output),
        Command::Inspect(args) => inspect::run(&args, output),
        Command::Explain(args) => explain::run(&args, output),
        Command::Schema { command } => schema::run(command, output),
        Command::Backup { command } => backup::run(command, output),
        Command::Transfer(args) => transfer::run(&args, output),
        Command::Export(args) => export::run(&args, log_file, output),
        Command::Credentials { command } => credentials::run(command, output),
        Command::Completions { shell } => habits::completions(shell, output),
        Command::Man { dir } => habits::man(dir.as_deref(), output),
    }
}
