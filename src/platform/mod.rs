//! All that the program wants of the operating system beyond what the standard library offers everywhere, in the
//! program's own words. Nothing outside of this folder asks which system that is, so that another one is one more file
//! with the functions of `unix.rs`.

#[cfg(not(unix))]
compile_error!("treelift runs on Unix: another system needs a file beside `src/platform/unix.rs` that offers the same");

#[cfg(unix)]
mod proc;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use proc::lock_holder;
#[cfg(unix)]
pub(crate) use unix::*;
