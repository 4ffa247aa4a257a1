//! A folder as the project's root is one, in which the commands of a page are run as a reader would.
//!
//! Commands are the lines of indented blocks and of blocks of `sh` that begin with a program's name, and in blocks of `console` and
//! `text` those behind `$ `; what stands below one in its block is what it prints. `RUN` (or the id behind `undo` and `--forget`), `FILE`
//! and the id behind `--plan` stand for the newest run, the newest backup and the newest plan, and `# status N` behind a command for how
//! it ends. Where a command would ask, the answer is yes.

#[cfg(feature = "postgres")]
use crate::house::server::Server;
use crate::house::{Ran, project};
use regex::{Captures, Regex};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

const PROGRAMS: [&str; 7] = ["treelift", "export", "sqlite3", "createdb", "psql", "chmod", "cp"];

/// A command of a page: the number of its line, its words, and the lines that it prints as far as the page shows them.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) at: usize,
    pub(crate) code: String,
    pub(crate) shows: Vec<String>,
}

/// The commands of a text in Markdown. A line of `listed` is one, too.
pub(crate) fn commands(text: &str, listed: &[&str]) -> Vec<Line> {
    let (mut fence, mut found, mut is_open) = (None, Vec::<Line>::new(), false);
    for (at, line) in text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            (fence, is_open) = (if fence.is_some() { None } else { Some(language.trim().to_owned()) }, false);
            continue; // the line of the fence itself
        }
        let is_one = |code: &&str| is_command(code) || listed.contains(code);
        let (body, code) = match fence.as_deref() {
            Some("sh" | "bash" | "") => (Some(line), Some(line.trim()).filter(is_one)),
            Some("console" | "text") => (Some(line), line.strip_prefix("$ ")),
            Some(_) => continue, // a file, or a program
            None => (line.strip_prefix("    "), line.strip_prefix("    ").map(str::trim).filter(is_one)),
        };
        let last = found.last_mut().filter(|_| is_open);
        is_open = (is_open || code.is_some()) && body.is_some();
        match (body, code, last) {
            (Some(body), _, Some(last)) if last.code.ends_with('\\') => {
                last.code.pop();
                last.code += body.trim();
            }
            (_, Some(code), _) => found.push(Line { at: at + 1, code: code.to_owned(), shows: Vec::new() }),
            (Some(body), None, Some(last)) if !(body.trim().is_empty() || body.starts_with('#')) => {
                last.shows.push(body.trim_end().to_owned());
            }
            _ => {} // it is prose, or what something prints
        }
    }
    found
}

fn is_command(code: &str) -> bool {
    let is_setting = |word: &&str| {
        word.split_once('=').is_some_and(|(name, _)| name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_'))
    };
    let mut words = code.split_whitespace().skip_while(is_setting);
    words.next().is_some_and(|word| PROGRAMS.contains(&word))
}

/// The folder, and what was exported and made in it.
pub(crate) struct Shell {
    folder: tempfile::TempDir,
    exported: BTreeMap<String, String>,
    /// Whether a command of treelift takes `--yes`, by its words.
    asks: BTreeMap<String, bool>,
    /// The query of the URLs of the server, and what its own programs read of their environment.
    server: (String, Vec<(&'static str, String)>),
    /// Databases of the server.
    created: BTreeSet<String>,
    /// The id of the newest plan.
    plan: String,
    /// The secret of commands that name none.
    pub(crate) passphrase: Option<&'static str>,
}

impl Shell {
    /// One whose commands may name databases of the tests' server.
    pub(crate) fn with_server() -> Self {
        let mut shell = Self::new();
        shell.server = server();
        shell
    }

    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["mappings", "sample_data"] {
            symlink(project(name), folder.path().join(name)).unwrap();
        }
        fs::create_dir(folder.path().join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_treelift"), folder.path().join("bin/treelift")).unwrap();
        let (exported, asks, server) = Default::default();
        let (created, plan, passphrase) = Default::default();
        Self { folder, exported, asks, server, created, plan, passphrase }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    fn bash(&self, script: &str) -> Ran {
        let bin = self.folder.path().join("bin");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["-o", "pipefail", "-c", script]).current_dir(self.folder.path()).stdin(Stdio::null()).env_clear();
        command.env("PATH", path).env("HOME", self.folder.path()).envs(&self.exported);
        command.envs(self.server.1.iter().map(|(name, value)| (name, value)));
        if let Some(passphrase) =
            self.passphrase.filter(|_| !["--key-file", "--passphrase"].iter().any(|one| script.contains(one)))
        {
            command.env("TREELIFT_PASSPHRASE", passphrase);
        }
        Ran::of(&mut command)
    }

    /// Runs one line; what is wrong is returned where it did not end as it should, or did not print what it should.
    pub(crate) fn run(&mut self, line: &Line) -> Result<(), String> {
        let (code, status) = match line.code.rsplit_once("# status ") {
            Some((code, status)) => (code.trim_end(), status.trim().parse().unwrap()),
            None => (line.code.split_once(" # ").map_or(line.code.as_str(), |(code, _comment)| code.trim_end()), 0),
        };
        if let Some((name, value)) = code.strip_prefix("export ").and_then(|set| set.split_once('=')) {
            let value = self.bash(&format!("printf %s {value}")).stdout;
            self.exported.insert(name.to_owned(), reached(&value, &self.server.0, ""));
            return Ok(());
        }
        if let Some(name) = code.strip_prefix("createdb ") {
            self.drop_database(name);
            self.created.insert(name.to_owned());
        }
        let mut script = self.filled_in(code)?;
        if self.asks(code) {
            script += " --yes";
        }
        let ran = self.bash(&script);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        if let Some(plan) = said.lines().find_map(|line| line.strip_prefix("plan ")) {
            self.plan = plan.trim().to_owned();
        }
        if ran.status != Some(status) {
            return Err(format!("`{script}` ended with {:?}, expected {status}\n{said}", ran.status));
        }
        // Ids differ from run to run.
        let ids = Regex::new("p1-[0-9a-f-]+|[0-9a-f]{8,}").unwrap();
        let mut printed = said.lines().map(|line| ids.replace_all(line.trim_end(), "…"));
        match line.shows.iter().find(|shown| !printed.any(|one| one == ids.replace_all(shown, "…"))) {
            Some(missing) => Err(format!("`{script}` does not print, in this order, `{missing}`, but\n{said}")),
            None => Ok(()),
        }
    }

    /// The line with the server of the tests where it names one, and with the names of this run.
    fn filled_in(&self, code: &str) -> Result<String, String> {
        let mut script = code.split('|').map(|part| self.reached(part)).collect::<Vec<_>>().join("|");
        let run = Regex::new(r" (RUN)\b|(?: undo| --forget) ([0-9a-f]{8})\b").unwrap();
        let file = Regex::new(r" (FILE)\b").unwrap();
        for (word, list, member) in [(run, "runs", "runs"), (file, "backup list", "backups")] {
            let Some(found) = word.captures(&script) else { continue };
            let at = found.get(1).or(found.get(2)).unwrap().range();
            script.replace_range(at, &self.newest(code, list, member)?);
        }
        Ok(Regex::new(r"--plan p1-\S+").unwrap().replace(&script, format!("--plan {}", self.plan)).into_owned())
    }

    fn reached(&self, part: &str) -> String {
        if part.trim_start().starts_with("psql ") {
            let server = Regex::new(r"postgresql://[^/\s]*/").unwrap();
            return server.replace_all(part, "").into_owned(); // its environment says where that is
        }
        reached(part, &self.server.0, "'")
    }

    /// The id of the newest run, or the path of the newest backup, of the database that a line names.
    fn newest(&self, code: &str, list: &str, member: &str) -> Result<String, String> {
        let database = code.split_once("--database ").map(|(_, behind)| behind.split_whitespace().next().unwrap());
        let named = database.map_or_else(String::new, |url| format!("--database {}", self.reached(url)));
        let all = self.bash(&format!("treelift {list} --json {named}")).status(0).json();
        let texts = |name: &str| {
            let all = all[member].as_array().unwrap().iter();
            all.map(|one| one[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let name = |path: &String| Path::new(path).file_name().unwrap().to_owned();
        let newest = match member {
            "runs" => texts("id").into_iter().next(), // they are listed so
            _ => texts("path").into_iter().max_by_key(name),
        };
        newest.ok_or_else(|| format!("`{code}`: the database has none"))
    }

    /// Whether a command of treelift would ask: it has `--yes`, and says neither that nor that it only tries.
    fn asks(&mut self, code: &str) -> bool {
        let Some((_, behind)) = code.split_once("treelift ") else { return false };
        if !is_command(code) || ["--yes", "--dry-run", "--help"].iter().any(|flag| behind.contains(flag)) {
            return false;
        }
        let words =
            behind.split_whitespace().take_while(|word| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        let words: Vec<&str> = words.take_while(|word| !word.starts_with('-')).take(2).collect();
        if let Some(known) = self.asks.get(&words.join(" ")) {
            return *known;
        }
        // The second word may be no command of its own: then its help is that of the first.
        let help = |words: &str| self.bash(&format!("treelift {words} --help")).stdout;
        let takes = help(&words.join(" ")).contains("--yes") || help(words[0]).contains("\n      --yes");
        self.asks.insert(words.join(" "), takes);
        takes
    }

    /// Makes the database of the server that a line names, unless the page did.
    pub(crate) fn create_database(&mut self, name: &str) {
        if self.created.insert(name.to_owned()) {
            self.drop_database(name);
            self.bash(&format!("createdb {name}")).status(0);
        }
    }

    fn drop_database(&self, name: &str) {
        self.bash(&format!("dropdb --if-exists --force {name}"));
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.created.iter().for_each(|name| self.drop_database(name));
    }
}

/// The text with the server of the tests, of which this is the query, wherever it names a database of one.
fn reached(text: &str, query: &str, quote: &str) -> String {
    let url = Regex::new(r"'?postgresql://[^/\s']*/(\w+)(?:\?([^\s']*))?'?").unwrap();
    let of = |found: &Captures<'_>| {
        let own = found.get(2).map_or_else(String::new, |own| format!("&{}", own.as_str()));
        format!("{quote}postgresql://postgres@/{}?{query}{own}{quote}", &found[1])
    };
    url.replace_all(text, of).into_owned()
}

#[cfg(feature = "postgres")]
fn server() -> (String, Vec<(&'static str, String)>) {
    // Databases are called as pages call them, and those that are there are dropped.
    let other = std::env::var("TREELIFT_TEST_POSTGRES").is_ok_and(|named| named.contains("://"));
    assert!(
        !other,
        "commands of pages run on the tests' own server alone: leave TREELIFT_TEST_POSTGRES out, or use `embedded`"
    );
    let server = Server::new();
    let (_, query) = server.url.split_once('?').unwrap();
    let of = |name: &str| query.split('&').find_map(|one| one.strip_prefix(name)).unwrap_or_default().to_owned();
    (query.to_owned(), vec![("PGHOST", of("host=")), ("PGPORT", of("port=")), ("PGUSER", "postgres".to_owned())])
}

#[cfg(not(feature = "postgres"))]
fn server() -> (String, Vec<(&'static str, String)>) {
    Default::default()
}

#[test]
fn commands_are_told_from_prose_and_from_what_is_printed() {
    let text = "Say `treelift check`:\n\n    treelift check notes\n    A=b treelift runs # status 3\n    refused: nothing\n\n\
                ```sh\ncp a b\n# why\nls\n```\n\n```text\ntreelift says\n```\n\n       treelift import a \\\n           --yes\n\n    no: prose\n\n\
                ```console\n$ treelift check b\nvalid\n```\n";
    let found: Vec<_> = commands(text, &[]).into_iter().map(|one| (one.code, one.shows)).collect();
    let expected = [
        ("treelift check notes", vec![]),
        ("A=b treelift runs # status 3", vec!["refused: nothing"]),
        ("cp a b", vec!["ls"]),
        ("treelift import a --yes", vec![]),
        ("treelift check b", vec!["valid"]),
    ];
    assert_eq!(found, expected.map(|(code, shows)| (code.to_owned(), shows.into_iter().map(str::to_owned).collect())));
    assert!(commands("```sh\nls\n```", &["ls"])[0].code == "ls");
}
