//! Every command in the README of a bundled set, run in its order, as a reader would from the project's root.
//!
//! Commands are the lines of indented blocks and of blocks of `sh` that begin with a program's name. `RUN` and `FILE` stand for the
//! newest run and the newest backup of the database of the line, and `# status N` behind a command for how it ends. Where a
//! command would ask, the answer is yes.

#[cfg(feature = "postgres")]
use crate::house::server::Server;
use crate::house::{Ran, project};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

const PROGRAMS: [&str; 7] = ["treelift", "export", "sqlite3", "createdb", "psql", "chmod", "cp"];

/// The commands of a text in Markdown, each with the number of its line.
fn commands(text: &str) -> Vec<(usize, String)> {
    let (mut fence, mut found) = (None, Vec::new());
    for (at, line) in text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(language.trim().to_owned()) };
            continue; // the line of the fence itself
        }
        let code = match &fence {
            Some(language) => (language == "sh").then_some(line),
            None => line.strip_prefix("    "),
        };
        let Some(code) = code.filter(|code| is_command(code)) else { continue }; // it is prose, or what something prints
        found.push((at + 1, code.to_owned()));
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

/// A folder as the project's root is one, and what was exported in it.
struct Shell {
    folder: tempfile::TempDir,
    exported: BTreeMap<String, String>,
    /// Whether a command of treelift takes `--yes`, by its words.
    asks: BTreeMap<String, bool>,
    /// The query of the URLs of the server, and what its own programs read of their environment.
    server: (String, Vec<(&'static str, String)>),
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["mappings", "sample_data"] {
            symlink(project(name), folder.path().join(name)).unwrap();
        }
        fs::create_dir(folder.path().join("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_treelift"), folder.path().join("bin/treelift")).unwrap();
        Self { folder, exported: BTreeMap::new(), asks: BTreeMap::new(), server: server() }
    }

    fn bash(&self, script: &str) -> Ran {
        let bin = self.folder.path().join("bin");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["-c", script]).current_dir(self.folder.path()).stdin(Stdio::null()).env_clear();
        command.env("PATH", path).env("HOME", self.folder.path()).envs(&self.exported);
        command.envs(self.server.1.iter().map(|(name, value)| (name, value)));
        Ran::of(&mut command)
    }

    /// Runs one line; what it said is returned where it did not end as it should.
    fn run(&mut self, line: &str) -> Result<(), String> {
        let (code, status) = match line.rsplit_once("# status ") {
            Some((code, status)) => (code.trim_end(), status.trim().parse().unwrap()),
            None => (line, 0),
        };
        if let Some((name, value)) = code.strip_prefix("export ").and_then(|set| set.split_once('=')) {
            let value = self.bash(&format!("printf %s {value}")).stdout;
            self.exported.insert(name.to_owned(), self.reached(&value));
            return Ok(());
        }
        if let Some(name) = code.strip_prefix("createdb ") {
            self.bash(&format!("dropdb --if-exists {name}"));
        }
        let mut script = self.reached(code);
        for (word, list, member) in [("RUN", "runs", "runs"), ("FILE", "backup list", "backups")] {
            if code.split_whitespace().any(|one| one == word) {
                let newest = self.newest(&script, list, member)?;
                script = script.replace(&format!(" {word}"), &format!(" {newest}"));
            }
        }
        if self.asks(code) {
            script += " --yes";
        }
        let ran = self.bash(&script);
        if ran.status == Some(status) {
            return Ok(());
        }
        Err(format!("`{script}` ended with {:?}, expected {status}\n{}{}", ran.status, ran.stdout, ran.stderr))
    }

    /// The line with the server of the tests where it names one on this machine.
    fn reached(&self, code: &str) -> String {
        let Some(at) = code.find("postgresql:///") else { return code.to_owned() };
        let name = &code[at + "postgresql:///".len()..];
        let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
        let (query, _) = &self.server;
        let quote = |url: String| if code.starts_with("postgresql") { url } else { format!("'{url}'") };
        let url = quote(format!("postgresql://postgres@/{}?{query}", &name[..end]));
        format!("{}{url}{}", &code[..at], &name[end..])
    }

    /// The id of the newest run, or the path of the newest backup, of the database that a line names.
    fn newest(&self, script: &str, list: &str, member: &str) -> Result<String, String> {
        let database = script.split_once("--database ").map(|(_, behind)| behind.split_whitespace().next().unwrap());
        let named = database.map_or_else(String::new, |url| format!("--database {url}"));
        let all = self.bash(&format!("treelift {list} --json {named}")).status(0).json();
        let texts = |name: &str| {
            let all = all[member].as_array().unwrap().iter();
            all.map(|one| one[name].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let name = |path: &String| Path::new(path).file_name().unwrap().to_owned();
        let newest = match member {
            "runs" => texts("id").pop(),
            _ => texts("path").into_iter().max_by_key(name),
        };
        newest.ok_or_else(|| format!("`{script}`: the database has none"))
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
}

#[cfg(feature = "postgres")]
fn server() -> (String, Vec<(&'static str, String)>) {
    let server = Server::new();
    let (_, query) = server.url.split_once('?').unwrap();
    let of = |name: &str| query.split('&').find_map(|one| one.strip_prefix(name)).unwrap_or_default().to_owned();
    (query.to_owned(), vec![("PGHOST", of("host=")), ("PGPORT", of("port=")), ("PGUSER", "postgres".to_owned())])
}

#[cfg(not(feature = "postgres"))]
fn server() -> (String, Vec<(&'static str, String)>) {
    (String::new(), Vec::new())
}

/// Runs them all, and drops the databases that they made on the server.
fn follow(set: &str) {
    let text = fs::read_to_string(project(&format!("mappings/{set}/README.md"))).unwrap();
    let found = commands(&text);
    assert!(found.len() > 5, "the README of `{set}` has its commands");
    let mut shell = Shell::new();
    let mut wrong = Vec::new();
    for (line, code) in &found {
        if cfg!(not(feature = "postgres")) && ["createdb", "psql", "postgresql"].iter().any(|word| code.contains(word))
        {
            break; // what follows is about a server
        }
        if let Err(why) = shell.run(code) {
            wrong.push(format!("mappings/{set}/README.md:{line}: {why}"));
        }
    }
    for (_, code) in &found {
        if let Some(name) = code.strip_prefix("createdb ") {
            shell.bash(&format!("dropdb --if-exists --force {name}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_of_combatlog_can_be_followed() {
    follow("combatlog");
}

#[test]
fn the_readme_of_guild_api_can_be_followed() {
    follow("guild-api");
}

#[test]
fn the_readme_of_trivia_can_be_followed() {
    follow("trivia");
}

#[test]
fn the_readme_of_vibes_can_be_followed() {
    follow("vibes");
}

#[test]
fn commands_are_told_from_prose_and_from_what_is_printed() {
    let text = "Say `treelift check`:\n\n    treelift check notes\n    A=b treelift runs # status 3\n    refused: nothing\n\n\
                ```sh\ncp a b\nls\n```\n\n```text\ntreelift says\n```\n";
    let found: Vec<String> = commands(text).into_iter().map(|(_, code)| code).collect();
    assert_eq!(found, ["treelift check notes", "A=b treelift runs # status 3", "cp a b"]);
}
