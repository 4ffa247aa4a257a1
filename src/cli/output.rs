//! Results go to standard output, everything else to standard error.

use super::args::{Global, color_choice};
use super::excerpt;
use super::hidden::hide_passwords;
use super::log;
use super::progress::Showing;
use crate::error::{Error, ErrorKind, Result};
use crate::finding::printable;
use crate::mapping::suggest;
use crate::platform::AsStream;
use crate::report::Report;
use crate::report::text::{Detail, Layout, WIDTH, summary, verdict};
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde_json::json;
use std::ffi::OsString;
use std::io::{self, Write};
use terminal_size::{Width, terminal_size_of};

/// A terminal with fewer columns breaks the lines itself.
const NARROWEST: u16 = 40;

/// How the caller wants output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Preferences {
    json: bool,
    color: ColorChoice,
    detail: Detail,
    showing: Showing,
}

impl Preferences {
    /// Reads the global flags before anything else is parsed, so that a usage error is reported in
    /// the requested format too. Errors in the flags themselves are left to the parser.
    pub(super) fn scan(args: &[OsString]) -> Self {
        let mut preferences = Self::default();
        let mut args = args.iter().skip(1).map_while(|arg| arg.to_str().filter(|arg| *arg != "--"));
        while let Some(arg) = args.next() {
            match arg {
                "--json" => preferences.json = true,
                "-q" | "--quiet" => preferences.detail = Detail::Brief,
                "-v" | "--verbose" => preferences.detail = Detail::All,
                "--color" => preferences.color = color_choice(args.next().unwrap_or_default()),
                _ => {
                    if let Some(when) = arg.strip_prefix("--color=") {
                        preferences.color = color_choice(when);
                    }
                }
            }
        }
        preferences
    }
}

/// The two streams and how they are written.
#[derive(Debug)]
pub(super) struct Output {
    preferences: Preferences,
}

impl Output {
    /// Writes as requested.
    pub(super) fn new(preferences: Preferences) -> Self {
        Self { preferences }
    }

    /// Writes as the parsed flags say.
    pub(super) fn apply(&mut self, global: &Global) {
        let detail = match (global.quiet, global.verbose) {
            (true, _) => Detail::Brief,
            (_, true) => Detail::All,
            _ => Detail::Screen,
        };
        self.preferences = Preferences { json: global.json, color: global.color, detail, showing: global.progress };
    }

    /// Whether only errors and the final line are printed.
    pub(super) fn is_quiet(&self) -> bool {
        self.preferences.detail == Detail::Brief
    }

    /// How progress is shown.
    pub(super) fn showing(&self) -> Showing {
        self.preferences.showing
    }

    /// Whether the result is one document.
    pub(super) fn is_document(&self) -> bool {
        self.preferences.json
    }

    /// An error as text.
    pub(super) fn words_of(error: &Error) -> String {
        fault_words("error", error, width(&io::stdout()))
    }

    /// Says what is true now; `false` where nobody reads it any more.
    pub(super) fn live(&self, words: &str) -> Result<bool> {
        let mut stream = AutoStream::new(io::stdout().lock(), self.preferences.color);
        match stream.write_all(paint(words).as_bytes()).and_then(|()| stream.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(Error::environment(format!("cannot write to standard output: {}", error.kind()))),
            Ok(()) => Ok(true),
        }
    }

    /// Whether everything is printed, however long.
    pub(super) fn is_verbose(&self) -> bool {
        self.preferences.detail == Detail::All
    }

    /// What is said before the result; nothing beside a document, and none in quiet mode.
    pub(super) fn preamble(&self, words: &str) -> Result<()> {
        if self.is_quiet() { Ok(()) } else { self.part(words) }
    }

    /// A part of the result of a command, as soon as it is known; nothing where the result is one document.
    pub(super) fn part(&self, words: &str) -> Result<()> {
        if self.preferences.json { Ok(()) } else { self.stdout(&paint(words)) }
    }

    /// The result of a command: its text, or with `--json` its document.
    pub(super) fn result(&self, words: &str, document: &serde_json::Value) -> Result<()> {
        if self.preferences.json { self.stdout(&format!("{document:#}\n")) } else { self.part(words) }
    }

    /// A message beside the result; none in quiet mode.
    pub(super) fn note(&self, line: &str) {
        if !self.is_quiet() {
            self.stderr(&paint(&format!("{}\n", printable(line))));
        }
    }

    /// Standard output for a result that is no text of the program's own: nothing of it is colored or stripped.
    pub(super) fn bytes(&self) -> impl Write {
        io::stdout().lock()
    }

    /// The last line of a command whose result is something else than words.
    pub(super) fn last(&self, line: &str) {
        self.stderr(&paint(line));
    }

    /// The result of a command that has changed something. It is done, whatever becomes of standard
    /// output: if that cannot be written, the text goes to standard error, and the exit status stays.
    pub(super) fn outcome(&self, words: &str, document: &serde_json::Value) {
        if let Err(error) = self.result(words, document) {
            self.warning(&error);
            self.stderr(&paint(words));
        }
    }

    /// A run's report; with `--json` the document, and the verdict on standard error. If standard output
    /// cannot be written, the summary goes to standard error, and the exit status stays that of the run.
    ///
    /// `scaffold`: the set that was written for it, as a document.
    pub(super) fn report(&self, report: &Report, scaffold: Option<&serde_json::Value>) {
        let json = self.preferences.json;
        let written = if json {
            self.stdout_by(|out| match scaffold {
                Some(scaffold) => write_with_scaffold(out, report, scaffold),
                None => report.write_json(out),
            })
        } else {
            self.stdout(&paint(&summary(report, self.layout(&io::stdout()))))
        };
        if let Err(error) = written {
            self.warning(&error);
            self.stderr(&paint(&summary(report, self.layout(&io::stderr()))));
        } else if json && !self.is_quiet() {
            self.stderr(&paint(&format!("{}\n", verdict(report))));
        }
    }

    /// How a report is laid out on a stream.
    fn layout(&self, stream: &impl AsStream) -> Layout {
        Layout { detail: self.preferences.detail, width: width(stream) }
    }

    fn warning(&self, fault: &Error) {
        log::warning(fault);
        self.stderr(&paint(&warning_words(fault)));
    }

    /// The error that ended the command.
    pub(super) fn error(&self, error: &Error) {
        log::error(error);
        self.stderr(&paint(&fault_words("error", error, width(&io::stderr()))));
        self.error_as_document(error);
    }

    /// The error as JSON, if it was asked for, when its text was printed already.
    pub(super) fn error_as_document(&self, error: &Error) {
        if self.preferences.json {
            let document = json!({ "error": error_document(error) });
            // The error was reported and decides the exit status; another one would not change it.
            let _ = self.stdout(&format!("{document:#}\n"));
        }
    }

    /// The parser's message: help and version are results, everything else is a usage error.
    pub(super) fn usage(&self, error: &clap::Error) -> Result<u8> {
        let words = hide_passwords(&error.render().ansi().to_string());
        if !error.use_stderr() {
            self.stdout(&words)?;
            return Ok(0);
        }
        self.stderr(&words);
        if self.preferences.json {
            let plain = hide_passwords(&error.render().to_string());
            let message = plain.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
            self.error_as_document(&Error::request(message));
        }
        Ok(2)
    }

    fn stdout(&self, text: &str) -> Result<()> {
        self.stdout_by(|out| out.write_all(text.as_bytes()))
    }

    fn stdout_by(&self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<()> {
        let mut stream = AutoStream::new(io::stdout().lock(), self.preferences.color);
        match write(&mut stream).and_then(|()| stream.flush()) {
            // The reader has gone, as with `| head`: not an error.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::environment(format!("cannot write to standard output: {}", error.kind())))
            }
            _ => Ok(()),
        }
    }

    fn stderr(&self, text: &str) {
        let mut stream = AutoStream::new(io::stderr().lock(), self.preferences.color);
        // A broken standard error cannot be reported anywhere.
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }
}

/// How many columns a stream has.
fn width(stream: &impl AsStream) -> u16 {
    terminal_size_of(stream).map_or(WIDTH, |(Width(width), _)| width.max(NARROWEST))
}

/// A report with one more member.
fn write_with_scaffold(out: &mut dyn Write, report: &Report, scaffold: &serde_json::Value) -> io::Result<()> {
    #[derive(serde::Serialize)]
    struct Both<'r> {
        #[serde(flatten)]
        report: &'r Report,
        scaffold: &'r serde_json::Value,
    }
    let mut out = io::BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, &Both { report, scaffold })?;
    out.write_all(b"\n").and_then(|()| out.flush())
}

/// A fault that does not end the command, as [`fault_words`] has it.
pub(super) fn warning_words(fault: &Error) -> String {
    fault_words("warning", fault, width(&io::stderr()))
}

/// A fault as text that is safe for a terminal of so many columns.
fn fault_words(severity: &str, error: &Error, width: u16) -> String {
    let code = error.code.map_or_else(String::new, |code| format!(" {code}"));
    let mut words = format!("{severity}{code}: {}\n", printable(&error.message));
    if let Some(place) = &error.place {
        words += &format!("  at {}\n", printable(place));
    }
    let mut hint = error.hint.as_deref();
    if let Some(excerpt) = &error.excerpt {
        // A short answer stands where the eye is.
        let beside = hint.take_if(|hint| hint.starts_with(suggest::MEANT));
        words += &excerpt::lines(excerpt, beside, severity == "warning", width.into());
    }
    if let Some(hint) = hint {
        words += &format!("hint: {}\n", printable(hint));
    }
    words.extend(error.more.iter().map(|error| fault_words(severity, error, width)));
    words
}

fn error_document(error: &Error) -> serde_json::Value {
    let kind = match error.kind {
        ErrorKind::Request => "request",
        ErrorKind::Environment => "environment",
        ErrorKind::Bug => "bug",
        ErrorKind::Interrupted(_) => "interrupted",
    };
    json!({
        "kind": kind,
        "code": error.code,
        "message": error.message,
        "place": error.place,
        "hint": error.hint,
        "more": error.more.iter().map(error_document).collect::<Vec<_>>(),
    })
}

/// Lines by the word they begin with.
const COLORS: &[(&str, AnsiColor)] = &[
    ("error", AnsiColor::Red),
    ("warning", AnsiColor::Yellow),
    ("hint:", AnsiColor::Cyan),
    ("refused:", AnsiColor::Red),
    ("dry run: would be refused:", AnsiColor::Red),
    ("interrupted:", AnsiColor::Red),
    ("failed:", AnsiColor::Red),
    ("committed without", AnsiColor::Yellow),
    ("dry run: acceptable", AnsiColor::Green),
    ("committed:", AnsiColor::Green),
    ("verified:", AnsiColor::Green),
    ("exported:", AnsiColor::Green),
];

/// Colors the words that lines begin with; the stream strips the colors where they are not wanted.
fn paint(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| match COLORS.iter().find(|(word, _)| line.starts_with(word)) {
            Some((word, color)) => {
                let style = Style::new().bold().fg_color(Some((*color).into()));
                format!("{style}{word}{style:#}{}", &line[word.len()..])
            }
            None => line.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences_are_read_in_any_position() {
        let scan = |line: &str| Preferences::scan(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(scan("treelift runs"), Preferences::default());
        assert_eq!(
            scan("treelift --json runs --color never -q"),
            Preferences { json: true, color: ColorChoice::Never, detail: Detail::Brief, showing: Showing::Auto }
        );
        assert_eq!(scan("treelift runs --color=always -v").color, ColorChoice::Always);
        assert_eq!(scan("treelift runs --color=pink"), Preferences::default());
        assert_eq!(scan("treelift import -- --json"), Preferences::default());
    }

    #[test]
    fn an_error_is_reported_with_its_place_its_hint_and_further_errors() {
        let mut error =
            Error::request("column `a\u{1b}[2J` is not there").at("sets/x.toml:3").hint("did you mean `b`?");
        error.more.push(Error::request("another"));
        assert_eq!(
            fault_words("error", &error, WIDTH),
            "\
error: column `a\\u{1b}[2J` is not there
  at sets/x.toml:3
hint: did you mean `b`?
error: another
"
        );
        assert_eq!(
            error_document(&error)["more"][0],
            json!({"kind": "request", "code": null, "message": "another", "place": null, "hint": null, "more": []})
        );
    }

    #[test]
    fn color_is_put_on_the_first_word_and_nothing_else_changes() {
        let painted = paint("error V001 a: b\n  help: c\ncommitted: 1 row into x\n");
        assert_eq!(
            painted,
            "\u{1b}[1m\u{1b}[31merror\u{1b}[0m V001 a: b\n  help: c\n\u{1b}[1m\u{1b}[32mcommitted:\u{1b}[0m 1 row into x\n"
        );
    }
}
