//! Ctrl-C and the like: the first asks the job to stop, the second ends it at once.

use crate::error::{Error, Result};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The signals received since [`Signals::watch`].
#[derive(Debug, Default)]
pub(super) struct Signals {
    number: Arc<AtomicUsize>,
    at_once: Arc<AtomicBool>,
}

impl Signals {
    /// Starts to listen.
    pub(super) fn watch() -> Result<Self> {
        let signals = Self::default();
        for signal in [SIGINT, SIGTERM] {
            signals
                .listen(signal)
                .map_err(|error| Error::environment(format!("cannot listen for signals: {}", error.kind())))?;
        }
        Ok(signals)
    }

    fn listen(&self, signal: i32) -> std::io::Result<()> {
        // The order matters: the second signal must find the flag that the first one set.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&self.at_once))?;
        flag::register(signal, Arc::clone(&self.at_once))?;
        let number = usize::try_from(signal).expect("signals are positive");
        flag::register_usize(signal, Arc::clone(&self.number), number)?;
        Ok(())
    }

    /// The signal that asked to stop, if one did.
    pub(super) fn asked_to_stop(&self) -> Option<i32> {
        match self.number.load(Ordering::SeqCst) {
            0 => None,
            number => i32::try_from(number).ok(),
        }
    }

    /// Runs a function that waits for the user; a signal meanwhile ends the program at once, because
    /// the wait itself would not notice it.
    pub(super) fn at_once_during<T>(&self, wait: impl FnOnce() -> T) -> T {
        let before = self.at_once.swap(true, Ordering::SeqCst);
        let answer = wait();
        self.at_once.store(before, Ordering::SeqCst);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_is_remembered_and_arms_the_end() {
        // Not one that ends the test program, should another test arm it too.
        let signal = signal_hook::consts::SIGUSR1;
        let signals = Signals::default();
        signals.listen(signal).expect("listens");
        assert_eq!(signals.asked_to_stop(), None);
        signal_hook::low_level::raise(signal).expect("raised");
        assert_eq!(signals.asked_to_stop(), Some(signal));
        assert!(signals.at_once.load(Ordering::SeqCst));
    }
}
