//! The `treelift` program: a thin skin around [`treelift::cli::main`].

use std::process::ExitCode;

fn main() -> ExitCode {
    treelift::cli::main(std::env::args_os())
}
