//! `treelift credentials`: one file per command.

mod encrypt;
mod hand_over;
mod new_key_file;
mod rekey;
mod rotate;
mod setting;
mod status;
mod verify;
mod words;

use crate::cli::args::credentials::Credentials;
use crate::cli::output::Output;
use crate::error::Result;

/// Runs one of them.
pub(super) fn run(command: Credentials, output: &Output) -> Result<u8> {
    match command {
        Credentials::Status(args) => status::run(&args, output),
        Credentials::Encrypt(args) => encrypt::run(*args, output),
        Credentials::Verify(args) => verify::run(args, output),
        Credentials::Rekey(args) => rekey::run(args, output),
        Credentials::Rotate(args) => rotate::run(args, output),
        Credentials::HandOver(args) => hand_over::run(args, output),
        Credentials::NewKeyFile(args) => new_key_file::run(&args, output),
    }
}
