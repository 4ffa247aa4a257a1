//! Planned flags: known by name, refused, and hidden from help.

use crate::error::{Error, Result};
use clap::{Arg, ArgAction, ArgMatches, Command};

/// Flags by command, and whether they take a value.
const FLAGS: &[(&str, &[(&str, bool)])] =
    &[("import", &[("exit-code", false), ("follow-outside", false), ("lossy-text", false)])];

/// Adds the names that are not built yet to the command line.
pub(super) fn recognise(mut command: Command) -> Command {
    for (name, flags) in FLAGS {
        command = command.mut_subcommand(*name, |command| {
            command.args(flags.iter().map(|(flag, takes_value)| {
                let action = if *takes_value { ArgAction::Append } else { ArgAction::SetTrue };
                Arg::new(*flag).long(*flag).action(action).hide(true)
            }))
        });
    }
    command
}

/// Refuses an unbuilt flag by its name.
pub(super) fn refuse(matches: &ArgMatches) -> Result<()> {
    let Some((name, below)) = matches.subcommand() else {
        return Ok(());
    };
    let flags = FLAGS.iter().filter(|(command, _)| *command == name).flat_map(|(_, flags)| *flags);
    for (flag, takes_value) in flags {
        if if *takes_value { below.contains_id(flag) } else { below.get_flag(flag) } {
            return Err(not_built(&format!("--{flag}")));
        }
    }
    Ok(())
}

/// The error for one name.
pub(super) fn not_built(name: &str) -> Error {
    Error::request(format!("`{name}` is not built yet")).hint("`treelift --help` lists what is available")
}

#[cfg(test)]
mod tests {
    use super::super::args::Cli;
    use super::*;
    use clap::CommandFactory;

    fn refusal(line: &str) -> String {
        let args = std::iter::once("treelift").chain(line.split_whitespace());
        let matches = recognise(Cli::command()).try_get_matches_from(args).unwrap_or_else(|error| panic!("{error}"));
        let error = refuse(&matches).expect_err("refused");
        assert_eq!(error.status(), 2);
        error.message
    }

    #[test]
    fn flags_are_refused_by_name() {
        assert_eq!(refusal("import --lossy-text ./old"), "`--lossy-text` is not built yet");
    }

    #[test]
    fn unbuilt_names_are_not_in_the_help() {
        let mut command = recognise(Cli::command());
        let import = command.find_subcommand_mut("import").expect("there").render_long_help().to_string();
        assert!(!import.contains("--lossy-text"), "{import}");
    }

    #[test]
    fn built_names_are_not_refused() {
        let matches = recognise(Cli::command()).try_get_matches_from(["treelift", "import", "./old"]).expect("parses");
        assert!(refuse(&matches).is_ok());
    }
}
