//! `treelift backup`

mod create;
mod list;
mod place;
mod promote;
mod prune;
mod restore;
mod words;

use crate::cli::args::backup::BackupCommand;
use crate::cli::output::Output;
use crate::error::Result;

/// Runs the command.
pub(super) fn run(command: BackupCommand, output: &Output) -> Result<u8> {
    match command {
        BackupCommand::Create(args) => create::run(&args, output),
        BackupCommand::List(args) => list::run(&args, output),
        BackupCommand::Restore(args) => restore::run(&args, output),
        BackupCommand::Promote(args) => promote::run(&args, output),
        BackupCommand::Prune(args) => prune::run(&args, output),
    }
}
