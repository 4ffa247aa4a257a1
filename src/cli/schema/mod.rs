//! `treelift schema`

mod change;
mod history;
mod new;
mod status;
mod test;
mod tidy;
mod validate;

use crate::cli::args::schema::SchemaCommand;
use crate::cli::output::Output;
use crate::error::Result;

/// Runs the command.
pub(super) fn run(command: SchemaCommand, output: &Output) -> Result<u8> {
    match command {
        SchemaCommand::Status(args) => status::run(&args, output),
        SchemaCommand::Migrate(args) => change::migrate(&args, output),
        SchemaCommand::Rollback(args) => change::rollback(&args, output),
        SchemaCommand::History(args) => history::run(&args, output),
        SchemaCommand::Validate(args) => validate::run(&args, output),
        SchemaCommand::New(args) => new::run(&args, output),
        SchemaCommand::Stamp(args) => change::stamp(&args, output),
        SchemaCommand::Test(args) => test::run(&args, output),
        SchemaCommand::Tidy(args) => tidy::run(&args, output),
    }
}
