//! The command line: words, colours, prompts, progress, exit status.

/// Runs the program with these arguments.
pub fn main(_args: std::env::ArgsOs) -> std::process::ExitCode {
    std::process::ExitCode::from(2)
}
