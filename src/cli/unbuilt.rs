//! Planned commands and flags: known by name, refused, and hidden from help.

use crate::error::{Error, Result};
use clap::{Arg, ArgAction, ArgMatches, Command};

const COMMANDS: &[&str] = &["completions", "man"];

/// Flags by command, and whether they take a value.
const FLAGS: &[(&str, &[(&str, bool)])] =
    &[("import", &[("exit-code", false), ("follow-outside", false), ("lossy-text", false)])];

/// Everything after the name, so that no argument of an unbuilt command is parsed.
const REST: &str = "rest";

/// Adds the names that are not built yet to the command line.
pub(super) fn recognise(mut command: Command) -> Command {
    command = command.subcommands(COMMANDS.iter().map(|name| unbuilt(name)));
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

fn unbuilt(name: &'static str) -> Command {
    let rest = Arg::new(REST).num_args(0..).trailing_var_arg(true).allow_hyphen_values(true).hide(true);
    Command::new(name).about("Not built yet").hide(true).disable_help_flag(true).arg(rest)
}

/// Refuses an unbuilt command or flag by its name.
pub(super) fn refuse(matches: &ArgMatches) -> Result<()> {
    let Some((name, below)) = matches.subcommand() else {
        return Ok(());
    };
    if COMMANDS.contains(&name) {
        return Err(not_built(name));
    }
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
    fn commands_are_refused_by_name_whatever_follows() {
        for name in COMMANDS {
            assert_eq!(refusal(name), format!("`{name}` is not built yet"));
        }
        assert_eq!(refusal("completions bash --help --json"), "`completions` is not built yet");
    }

    #[test]
    fn flags_are_refused_by_name() {
        assert_eq!(refusal("import --lossy-text ./old"), "`--lossy-text` is not built yet");
    }

    #[test]
    fn unbuilt_names_are_not_in_the_help() {
        let mut command = recognise(Cli::command());
        let help = command.render_long_help().to_string();
        for name in COMMANDS {
            assert!(!help.contains(&format!("\n  {name} ")), "{help}");
        }
        let import = command.find_subcommand_mut("import").expect("there").render_long_help().to_string();
        assert!(!import.contains("--lossy-text"), "{import}");
    }

    #[test]
    fn built_names_are_not_refused() {
        let matches = recognise(Cli::command()).try_get_matches_from(["treelift", "import", "./old"]).expect("parses");
        assert!(refuse(&matches).is_ok());
        // `credentials status` is not built, which says nothing of another `status`.
        let matches = recognise(Cli::command()).try_get_matches_from(["treelift", "schema", "status"]).expect("parses");
        assert!(refuse(&matches).is_ok());
    }
}
