//! Running the programs of PostgreSQL: what they are told, and how they end.
//!
//! No password stands in their arguments or their environment: it is in a file that only this user may read, as libpq
//! reads it ("The Password File", PostgreSQL 18, 32.16).

use super::super::address::{Address, Tls};
use crate::database::scratch::Scratch;
use crate::error::{Error, Result};
use crate::finding::printable;
use crate::interrupt;
use crate::platform;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// So much of what a program says is shown.
const MOST_SAID: usize = 400;
/// So long a program has to end by itself, once it is told to.
const GRACE: Duration = Duration::from_secs(3);
const MOMENT: Duration = Duration::from_millis(20);

/// What a program says of its version; none where it says nothing.
pub(super) fn version(program: &Path) -> Option<String> {
    let said = Command::new(program).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(said.stdout).ok()
}

/// A program, and the private folder for what it is told and what it says.
pub(super) struct Program {
    command: Command,
    name: String,
    folder: Scratch,
}

impl Program {
    /// One that connects to no server.
    pub(super) fn new(program: &Path) -> Result<Self> {
        let folder = Scratch::new(program)?;
        let mut command = Command::new(program);
        // The user's own settings for other programs are none of theirs, and may hold a password.
        let names = std::env::vars_os().map(|(name, _)| name);
        names.filter(|name| name.as_encoded_bytes().starts_with(b"PG")).for_each(|name| {
            command.env_remove(name);
        });
        command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::null());
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { command, name, folder })
    }

    /// One that connects to this database, over TLS where the connection of treelift does.
    pub(super) fn connecting(program: &Path, address: &Address, is_over_tls: bool) -> Result<Self> {
        let mut this = Self::new(program)?;
        let ports: Vec<String> = address.ports.iter().map(u16::to_string).collect();
        let command = &mut this.command;
        command.env("PGHOST", address.hosts.join(",")).env("PGPORT", ports.join(","));
        command.env("PGUSER", &address.user).env("PGDATABASE", &address.database).env("PGGSSENCMODE", "disable");
        command.env("PGAPPNAME", "treelift").arg("--no-password");
        if let Some(options) = address.options.for_programs() {
            command.env("PGOPTIONS", options);
        }
        if let Some(seconds) = address.patience {
            command.env("PGCONNECT_TIMEOUT", seconds.to_string());
        }
        let passwords = this.folder.path().join("passwords");
        if let Some(password) = &address.password {
            let line = Zeroizing::new(password_line(password.expose_secret()));
            write(&passwords, line.as_bytes())?;
        }
        // Where there is no password, that file is not there, and no other one is read.
        this.command.env("PGPASSFILE", &passwords);
        if is_over_tls || address.tls == Tls::Always {
            let roots = this.folder.path().join("roots.pem");
            write(&roots, &trusted(address)?)?;
            this.command.env("PGSSLMODE", "verify-full").env("PGSSLROOTCERT", &roots);
        } else {
            this.command.env("PGSSLMODE", "disable");
        }
        Ok(this)
    }

    /// Adds arguments.
    pub(super) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs it to its end, with its output in a file.
    pub(super) fn run_into(mut self, to: File) -> Result<()> {
        self.command.stdout(to);
        self.start()?.end()
    }

    /// Runs it to its end.
    pub(super) fn run(self) -> Result<()> {
        self.start()?.end()
    }

    /// Starts it, to read what it gives.
    pub(super) fn read(mut self) -> Result<(Running, BufReader<ChildStdout>)> {
        self.command.stdout(Stdio::piped());
        let mut running = self.start()?;
        let output = running.child.stdout.take().ok_or_else(|| Error::bug("the output of a program is not there"))?;
        Ok((running, BufReader::with_capacity(1 << 16, output)))
    }

    fn start(mut self) -> Result<Running> {
        let said = self.folder.path().join("said");
        let file = create(&said)?;
        let child = self.command.stderr(file).spawn();
        let child = child.map_err(|error| fault(&self.name, &format!("it cannot be started: {}", error.kind())))?;
        Ok(Running { child, name: self.name, said, _folder: self.folder })
    }
}

/// A program that runs. Dropped, it is ended.
pub(super) struct Running {
    child: Child,
    name: String,
    said: PathBuf,
    _folder: Scratch,
}

impl Running {
    /// Waits for its end, unless a signal asks to stop.
    pub(super) fn end(mut self) -> Result<()> {
        loop {
            interrupt::check()?;
            let ended = self.child.try_wait();
            match ended.map_err(|error| fault(&self.name, &error.kind().to_string()))? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => {
                    // A signal of the terminal goes to both.
                    interrupt::check()?;
                    let said = first_line(&self.said).unwrap_or_else(|| status.to_string());
                    return Err(fault(&self.name, &said));
                }
                None => sleep(MOMENT),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is told nothing.
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        // It has the server end its statement.
        platform::ask_to_end(&self.child);
        let since = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && since.elapsed() < GRACE {
            sleep(MOMENT);
        }
        // Whatever is left of it then.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn fault(name: &str, why: &str) -> Error {
    Error::environment(format!("`{name}` failed: {why}"))
}

/// The first line that tells an error; the lines below it may tell of rows.
fn first_line(said: &Path) -> Option<String> {
    let lines = BufReader::new(File::open(said).ok()?).lines();
    let line = lines.map_while(io::Result::ok).find(|line| line.contains("error:"))?;
    let line: String = line.split_once("error:")?.1.trim().chars().take(MOST_SAID).collect();
    Some(printable(&line))
}

/// The line of the password file that holds for every server, where `\` and `:` are escaped.
fn password_line(password: &str) -> String {
    let mut line = String::with_capacity(2 * password.len() + 16);
    line.push_str("*:*:*:*:");
    for letter in password.chars() {
        if matches!(letter, '\\' | ':') {
            line.push('\\');
        }
        line.push(letter);
    }
    line.push('\n');
    line
}

/// The certificates that the connections of treelift trust, in PEM form: every version of libpq reads a file.
fn trusted(address: &Address) -> Result<Vec<u8>> {
    if let Some(path) = &address.roots {
        return fs::read(path).map_err(|error| {
            Error::environment(format!("the certificates cannot be read: {}", error.kind())).at(path)
        });
    }
    let mut text = String::new();
    for certificate in rustls_native_certs::load_native_certs().certs {
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in STANDARD.encode(certificate).as_bytes().chunks(64) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    Ok(text.into_bytes())
}

fn create(path: &Path) -> Result<File> {
    platform::create_private(path).map_err(|error| {
        Error::environment(format!("a private file cannot be made: {}", error.kind())).at(path.display())
    })
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = create(path)?.write_all(bytes);
    written.map_err(|error| {
        Error::environment(format!("a private file cannot be written: {}", error.kind())).at(path.display())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_field_of_the_password_file() {
        assert_eq!(password_line(r"a:b\c"), "*:*:*:*:a\\:b\\\\c\n");
    }
}
