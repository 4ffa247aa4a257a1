//! Ends what a server does for a connection, from a thread of its own.

use crate::interrupt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Waits for a signal that asks to stop, and then has the server end what it does for a connection: a lock may be waited
/// for as long as the user says, and an index may take long to make.
pub(super) struct Watch {
    over: Arc<AtomicBool>,
    /// Whether a statement is to be ended without a signal.
    enough: Arc<AtomicBool>,
}

impl Watch {
    /// `end` asks the server to end the statement that runs.
    pub(super) fn start(end: impl Fn() + Send + 'static) -> Self {
        const MOMENT: Duration = Duration::from_millis(100);
        let watch = Self { over: Arc::default(), enough: Arc::default() };
        let (over, enough) = (Arc::clone(&watch.over), Arc::clone(&watch.enough));
        let wait = move || {
            while !over.load(Ordering::Relaxed) {
                if enough.load(Ordering::Relaxed) || interrupt::asked().is_some() {
                    end();
                }
                std::thread::sleep(MOMENT);
            }
        };
        // Where the system starts no thread, statements come to their own ends as well.
        _ = std::thread::Builder::new().name("signals".to_owned()).spawn(wait);
        watch
    }

    /// Ends the statement that runs; `rest` takes what still comes of it.
    pub(super) fn end_statement(&self, rest: impl FnOnce()) {
        self.enough.store(true, Ordering::Relaxed);
        rest();
        self.enough.store(false, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
