//! `treelift completions` and `treelift man`: what a shell and `man` know of the command line, made of its definition.

use super::args::Cli;
use super::output::Output;
use crate::error::{Error, Result};
use clap::CommandFactory;
use clap_complete::Shell;
use std::io::{self, Write};
use std::path::Path;

/// The name that completions are for.
const NAME: &str = "treelift";

/// Prints a script that completes commands and flags in this shell.
pub(super) fn completions(shell: Shell, output: &Output) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
    print(&script, output)
}

/// Prints the manual page, or writes it with those of all commands into a folder.
pub(super) fn man(folder: Option<&Path>, output: &Output) -> Result<u8> {
    match folder {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| unwritten(&error, "the page"))?;
            print(&page, output)
        }
        Some(folder) => {
            let written = std::fs::create_dir_all(folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command().disable_help_subcommand(true), folder));
            written.map_err(|error| unwritten(&error, "the pages").at(folder.display()))?;
            Ok(0)
        }
    }
}

fn print(text: &[u8], output: &Output) -> Result<u8> {
    match output.bytes().write_all(text) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(unwritten(&error, "standard output")),
        _ => Ok(0),
    }
}

fn unwritten(error: &io::Error, what: &str) -> Error {
    Error::environment(format!("cannot write {what}: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_a_page_for_each_command() {
        let folder = tempfile::tempdir().expect("a folder");
        man(Some(folder.path()), &Output::new(super::super::output::Preferences::default())).expect("written");
        for name in ["treelift.1", "treelift-import.1", "treelift-schema-migrate.1", "treelift-credentials-rotate.1"] {
            let page = std::fs::read_to_string(folder.path().join(name)).unwrap_or_else(|_| panic!("no {name}"));
            assert!(page.contains(".SH NAME") && page.contains("Example"), "{name}: {page}");
        }
        assert!(!folder.path().join("treelift-help.1").exists());
    }

    #[test]
    fn every_shell_completes_the_import_and_its_flags() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::Elvish, Shell::PowerShell] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), NAME, &mut script);
            let script = String::from_utf8(script).expect("text");
            assert!(script.contains("import") && script.contains("max-rejects"), "{shell}");
        }
    }
}
