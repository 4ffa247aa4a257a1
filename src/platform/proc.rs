//! What Linux tells of processes below `/proc`. Other systems have no such files, and nothing is known there.

use rustix::fs::{major, minor};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The number of the process that has locks on a file, and its name if it has one.
/// (`F_GETLK` would need the file open, and closing it would drop locks of our own.)
pub(crate) fn lock_holder(path: &Path) -> Option<(String, Option<String>)> {
    let file = fs::metadata(path).ok()?;
    let id = format!("{:02x}:{:02x}:{}", major(file.dev()), minor(file.dev()), file.ino());
    let locks = fs::read_to_string("/proc/locks").ok()?;
    // `1: POSIX  ADVISORY  WRITE 4242 08:01:131075 1073741824 1073742335`
    let process = locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip(1).skip_while(|word| *word == "->");
        let process = words.nth(3)?;
        (words.next()? == id).then_some(process)
    })?;
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    Some((process.to_owned(), Some(name.trim().to_owned()).filter(|name| !name.is_empty())))
}

/// Whether a signal was ignored when the program started.
pub(super) fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_is_listened_to_is_not_ignored() {
        assert!(!is_ignored(signal_hook::consts::SIGUSR1));
        // Rust ignores it before a program begins.
        assert!(is_ignored(signal_hook::consts::SIGPIPE));
    }
}
