//! The user interface of a job on a terminal: progress, questions, signals.

use super::output::Output;
use super::progress::{Display, Showing};
use super::secrets::{self, SecretSource};
use super::{log, output};
use crate::config::{Phase, SecretNeed, Ui};
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::interrupt;
use crate::secret::keys::Secret;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How questions are answered and how much is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// `--yes`: every question is answered yes.
    pub(super) yes: bool,
    /// `-q`: no progress, no messages.
    pub(super) quiet: bool,
    /// `--progress`.
    pub(super) showing: Showing,
}

impl Manner {
    /// As the user asked for it.
    pub(super) fn of(yes: bool, output: &Output) -> Self {
        Self { yes, quiet: output.is_quiet(), showing: output.showing() }
    }
}

/// A [`Ui`] on standard input and standard error.
#[derive(Debug)]
pub(super) struct Terminal {
    manner: Manner,
    attended: bool,
    progress: Display,
    secret: Mutex<Option<SecretSource>>,
    new_secret: Mutex<Option<SecretSource>>,
}

impl Terminal {
    /// Starts to listen for signals.
    pub(super) fn new(manner: Manner, secret: SecretSource) -> Result<Self> {
        let watched = io::stderr().is_terminal();
        Ok(Self {
            manner,
            attended: watched && io::stdin().is_terminal(),
            progress: Display::new(manner.showing, watched && !manner.quiet),
            secret: Mutex::new(Some(secret)),
            new_secret: Mutex::new(None),
        })
    }

    /// Adds the source of the new secret that replaces the old one.
    pub(super) fn with_new_secret(self, source: SecretSource) -> Self {
        Self { new_secret: Mutex::new(Some(source)), ..self }
    }

    /// Removes the progress display, before the result is printed.
    pub(super) fn end(&self) {
        self.progress.end();
    }

    /// Asks for the number of one of the listed choices.
    pub(super) fn choose(&self, question: &str, among: usize) -> Result<usize> {
        if !self.attended {
            return Err(Error::request(format!("no terminal to ask on: {question}")));
        }
        let answer = self.progress.suspended(|| read(&format!("{question} ")))?;
        let number = answer.trim().parse().ok().filter(|number| (1..=among).contains(number));
        number.map(|number: usize| number - 1).ok_or_else(|| Error::request("no valid choice, nothing was changed"))
    }

    /// Whether there is a terminal to ask on.
    pub(super) fn is_attended(&self) -> bool {
        self.attended
    }
}

impl Terminal {
    fn obtain(&self, source: &Mutex<Option<SecretSource>>, need: SecretNeed) -> Result<Option<Secret>> {
        let source = source.lock().unwrap_or_else(PoisonError::into_inner).take();
        let source = source.ok_or_else(|| Error::bug("the passphrase or key was asked for twice"))?;
        self.progress.suspended(|| secrets::obtain(source, need, self.attended))
    }
}

impl Ui for Terminal {
    fn phase(&self, phase: Phase, files: u64, bytes: u64) {
        log::phase(phase, files, bytes);
        self.progress.phase(phase, files, bytes);
    }

    fn advance(&self, files: u64, bytes: u64) {
        self.progress.advance(files, bytes);
    }

    fn interrupted(&self) -> Option<i32> {
        interrupt::asked()
    }

    fn confirm(&self, question: &str) -> Result<bool> {
        let question = printable(question);
        if self.manner.yes {
            log::asked(&question, true);
            return Ok(true);
        }
        if !self.attended {
            return Err(Error::request(format!("no terminal to ask on, and no `--yes`: {question}"))
                .hint("give `--yes` to answer yes"));
        }
        let answer = self.progress.suspended(|| ask(&question))?;
        log::asked(&question, answer);
        Ok(answer)
    }

    fn secret(&self, need: SecretNeed) -> Result<Option<Secret>> {
        self.obtain(&self.secret, need)
    }

    fn new_secret(&self) -> Result<Secret> {
        let secret = self.obtain(&self.new_secret, SecretNeed::Create)?;
        secret.ok_or_else(|| Error::bug("a required secret was not asked for"))
    }

    fn say(&self, line: &str) {
        log::said(line);
        if !self.manner.quiet {
            // A message that cannot be shown does not end a run.
            self.progress.suspended(|| drop(writeln!(io::stderr(), "{}", printable(line))));
        }
    }

    fn warn(&self, fault: &Error) {
        log::warning(fault);
        self.progress.suspended(|| drop(io::stderr().write_all(output::warning_words(fault).as_bytes())));
    }
}

fn ask(question: &str) -> Result<bool> {
    read(&format!("{question} [y/N] ")).map(|answer| is_yes(&answer))
}

/// Writes a question and reads one line.
fn read(question: &str) -> Result<String> {
    let unreadable = |error: io::Error| Error::environment(format!("cannot ask on the terminal: {}", error.kind()));
    let mut stderr = io::stderr();
    write!(stderr, "{question}").and_then(|()| stderr.flush()).map_err(unreadable)?;
    // On a thread of its own, as a wait for input does not notice a signal.
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = String::new();
        // Where nobody waits any more, the program ends.
        let _ = sender.send(io::stdin().read_line(&mut answer).map(|_| answer));
    });
    loop {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok(answer) => return answer.map_err(unreadable),
            Err(RecvTimeoutError::Timeout) => interrupt::check()?,
            Err(RecvTimeoutError::Disconnected) => return Err(Error::bug("the thread that reads an answer is gone")),
        }
    }
}

/// Anything but `y` or `yes` means no, including the end of the input.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unattended(yes: bool) -> Terminal {
        Terminal {
            manner: Manner { yes, quiet: true, showing: Showing::None },
            attended: false,
            progress: Display::new(Showing::None, false),
            secret: Mutex::new(Some(SecretSource::prompt())),
            new_secret: Mutex::new(None),
        }
    }

    #[test]
    fn a_question_without_a_terminal_is_refused_unless_yes_was_given() {
        let error = unattended(false).confirm("change `x.db`?").expect_err("refused");
        assert_eq!(error.status(), 2);
        assert_eq!(error.message, "no terminal to ask on, and no `--yes`: change `x.db`?");
        assert!(unattended(true).confirm("change `x.db`?").expect("answered"));
    }

    #[test]
    fn only_y_and_yes_mean_yes() {
        assert!(["y\n", "Yes\n", " YES "].into_iter().all(is_yes));
        assert!(!["", "\n", "n\n", "yeah\n", "yes please\n"].into_iter().any(is_yes));
    }
}
