//! The `treelift` program: a thin skin around [`treelift::cli::main`].

use std::process::ExitCode;

/// What readers make in one thread is freed in another, by the thousand: that of glibc takes a quarter more CPU for it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    treelift::cli::main(std::env::args_os())
}
