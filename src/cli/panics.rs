//! The message of a panic: that it is a bug, and where. Never the panic's own text, which may hold data.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write;
use std::panic::{self, Location};

/// Replaces the panic message of the standard library.
pub(super) fn install() {
    panic::set_hook(Box::new(|panic| {
        let mut words = words(panic.location());
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            words += &trace.to_string();
        }
        // A panic inside a panic would abort the process without a message.
        let _ = std::io::stderr().write_all(words.as_bytes());
    }));
}

fn words(location: Option<&Location>) -> String {
    let place = location.map(|place| format!("\n  at {}:{}", place.file(), place.line())).unwrap_or_default();
    format!(
        "error: this is a bug in treelift{place}\n\
         hint: please report the place and the command; unless `committed` was printed, nothing was written\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_names_its_place() {
        let place = Location::caller();
        assert_eq!(
            words(Some(place)),
            format!(
                "error: this is a bug in treelift\n  at {}:{}\nhint: please report the place and the command; \
                 unless `committed` was printed, nothing was written\n",
                place.file(),
                place.line()
            )
        );
    }
}
