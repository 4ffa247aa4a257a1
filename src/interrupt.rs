//! A signal's request to stop, for work that has no [`Ui`](crate::config::Ui) at hand: statements of
//! a database and loops over bytes. Process-wide, because signals are.

use crate::error::{Error, Result};
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// The number of the signal that asked to stop, 0 for none: for whoever listens to signals.
pub(crate) fn flag() -> Arc<AtomicUsize> {
    Arc::clone(&SIGNAL)
}

/// The signal that asked to stop, if one did.
pub(crate) fn asked() -> Option<i32> {
    match SIGNAL.load(Ordering::Relaxed) {
        0 => None,
        number => i32::try_from(number).ok(),
    }
}

/// The error to end with, where a signal asked to stop.
pub(crate) fn error() -> Option<Error> {
    asked().map(Error::interrupted)
}

/// Ends a job where a signal asked to stop.
pub(crate) fn check() -> Result<()> {
    error().map_or(Ok(()), Err)
}

/// Copies everything, unless a signal asks to stop. How many bytes it was.
pub(crate) fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<u64> {
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        if asked().is_some() {
            // Not of the kind `Interrupted`, which readers take for a request to try again.
            return Err(io::Error::other("interrupted"));
        }
        let read = from.read(&mut buffer)?;
        if read == 0 {
            to.flush()?;
            return Ok(bytes);
        }
        to.write_all(&buffer[..read])?;
        bytes += read as u64;
    }
}

/// The error of a loop that [`copy`] ended, where it was a signal that ended it.
pub(crate) fn of(error: &io::Error) -> Option<Error> {
    if error.kind() == io::ErrorKind::Other { self::error() } else { None }
}
