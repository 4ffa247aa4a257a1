//! Ctrl-C and the like: the first signal asks the command to stop, the second ends it at once.

use crate::error::{Error, Result};
use crate::interrupt;
use crate::platform;
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};

/// Listens for signals from now on. [`interrupt::asked`] tells which one asked to stop.
///
/// A file size limit is no request to stop: with the signal caught, the write itself fails, as on a full disk.
pub(super) fn watch() -> Result<()> {
    let asked = interrupt::flag();
    let caught = |signal: i32| flag::register(signal, Arc::default()).map(drop);
    platform::signals_to_end()
        .try_for_each(|signal| listen(signal, &asked))
        .and_then(|()| platform::SIGNALS_OF_WRITES.into_iter().try_for_each(caught))
        .map_err(|error| Error::environment(format!("cannot listen for signals: {}", error.kind())))
}

fn listen(signal: i32, asked: &Arc<AtomicUsize>) -> std::io::Result<()> {
    let at_once = Arc::new(AtomicBool::new(false));
    // The order matters: the second signal must find the flag that the first one set.
    flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&at_once))?;
    flag::register(signal, at_once)?;
    let number = usize::try_from(signal).expect("signals are positive");
    flag::register_usize(signal, Arc::clone(asked), number)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    #[test]
    fn the_first_signal_is_remembered_and_does_not_end_the_program() {
        // Not one that ends the test program, should another test listen to it too.
        let signal = signal_hook::consts::SIGUSR1;
        let asked = Arc::new(AtomicUsize::new(0));
        listen(signal, &asked).expect("listens");
        signal_hook::low_level::raise(signal).expect("raised");
        assert_eq!(asked.load(Ordering::SeqCst), usize::try_from(signal).expect("positive"));
    }
}
