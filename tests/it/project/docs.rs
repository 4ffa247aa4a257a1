//! The docs keep what they promise: commands, links, codes and keys are compared with the program.

use crate::house::{House, Ran, copy_tree, project};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use treelift::finding::{CODES, Severity};
use treelift::mapping::codes;
use treelift::mapping::load::keys::{self, Keys};

/// The lines of a page's first fenced block that is a shell session, without comments.
fn commands(page: &str) -> Vec<String> {
    let text = fs::read_to_string(project(page)).unwrap();
    let block = text.split("```sh\n").nth(1).unwrap_or_else(|| panic!("{page} has a ```sh block"));
    let lines = block.split("```").next().unwrap().replace("\\\n", " ");
    lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn the_first_two_commands_of_the_readme_do_the_job_and_pass_the_tests() {
    let commands = commands("README.md");
    let [job, tests] = &commands[..] else { panic!("{commands:?}") };
    let arguments = job.strip_prefix("cargo run --release -- ").expect("it runs the program");
    let house = House::new();
    copy_tree(&project("sample_data/fossawork"), &house.path("sample_data/fossawork"));
    fs::copy(project(crate::house::PASSPHRASE_FILE), house.path(crate::house::PASSPHRASE_FILE)).unwrap();
    let run = house.run(arguments.split_whitespace()).status(0);
    assert!(run.last_line().starts_with("committed: "), "{}", run.stdout);
    assert!(house.path("fossawork_v2.db").is_file());

    assert_eq!(tests, "./tests/run");
    assert!(fs::read_to_string(project(".ci/run")).unwrap().contains("\n./tests/run\n"), "CI runs the same tests");
}

/// `TREELIFT_BLESS=1` rewrites it.
#[test]
fn the_readme_shows_what_the_first_command_prints() {
    const OPENING: &str = "```text\n";
    let readme = fs::read_to_string(project("README.md")).unwrap();
    let arguments = commands("README.md")[0].strip_prefix("cargo run --release -- ").unwrap().to_owned();
    let house = House::new();
    copy_tree(&project("sample_data/fossawork"), &house.path("sample_data/fossawork"));
    fs::copy(project(crate::house::PASSPHRASE_FILE), house.path(crate::house::PASSPHRASE_FILE)).unwrap();
    let printed = house.run(arguments.split_whitespace()).status(0).stdout;
    let (before, rest) = readme.split_once(OPENING).expect("a ```text block");
    let (shown, after) = rest.split_once("```").unwrap();
    if std::env::var_os("TREELIFT_BLESS").is_some() {
        fs::write(project("README.md"), format!("{before}{OPENING}{printed}```{after}")).unwrap();
        return;
    }
    assert_eq!(without_digest(shown), without_digest(&printed));
}

/// The line of the set without its digest, which changes with every edit of a mapping.
fn without_digest(text: &str) -> String {
    text.lines().map(|line| if line.starts_with("set ") { "set" } else { line }).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_readme_is_short_and_names_every_command_that_is_built() {
    let readme = fs::read_to_string(project("README.md")).unwrap();
    assert!(readme.lines().count() < 250);
    for command in [
        "import",
        "runs",
        "check",
        "inspect",
        "explain",
        "export",
        "schema",
        "backup",
        "credentials status",
        "credentials encrypt",
        "credentials verify",
        "credentials rekey",
        "credentials hand-over",
        "credentials new-key-file",
    ] {
        assert!(readme.contains(&format!("treelift {command}")), "{command}");
    }
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    for page in [
        "README.md",
        "CONTRIBUTING.md",
        "mappings/README.md",
        "docs/auditors.md",
        "docs/compared.md",
        "docs/your-own-tree.md",
        "docs/migration-day.md",
        "docs/credentials.md",
        "docs/exit-statuses.md",
        "docs/schema.md",
        "docs/backup.md",
        "docs/runs.md",
        "sample_data/README.md",
    ] {
        let text = fs::read_to_string(project(page)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
            if !link.is_empty() && !link.contains("://") {
                assert!(project(page).parent().unwrap().join(link).exists(), "{page}: {link}");
            }
        }
    }
}

#[test]
fn the_help_of_every_command_shows_an_example() {
    let below = |name: &'static str, all: &[&'static str]| all.iter().map(|one| vec![name, one]).collect::<Vec<_>>();
    let mut commands: Vec<Vec<&str>> =
        ["import", "runs", "check", "inspect", "explain", "export", "credentials", "schema", "backup"]
            .map(|name| vec![name])
            .into();
    commands.push(Vec::new());
    commands
        .extend(below("credentials", &["status", "encrypt", "verify", "rekey", "rotate", "hand-over", "new-key-file"]));
    let schema = ["status", "migrate", "rollback", "history", "validate", "new", "stamp", "test", "tidy"];
    commands.extend(below("schema", &schema));
    commands.extend(below("backup", &["create", "list", "restore", "promote", "prune"]));
    for command in &commands {
        let house = House::new();
        let help = Ran::of(house.command(command).arg("--help")).status(0).stdout;
        let examples = help.split("Example").nth(1).unwrap_or_else(|| panic!("{command:?}: {help}"));
        assert!(examples.contains("\n  treelift "), "{command:?}: {help}");
    }
}

/// `docs/findings.md` is generated from the codes; `TREELIFT_BLESS=1` rewrites it.
#[test]
fn every_finding_is_on_its_page() {
    let page = findings_page();
    let path = project("docs/findings.md");
    if std::env::var_os("TREELIFT_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(path).unwrap(), page);
}

fn findings_page() -> String {
    const FAMILIES: [(&str, &str); 12] = [
        ("F", "Files and directories"),
        ("J", "JSON"),
        ("S", "Shapes and records"),
        ("V", "Values"),
        ("R", "Rows, keys, references"),
        ("O", "Owners"),
        ("X", "Secrets"),
        ("U", "Parts of the mapping set that the tree never used"),
        ("T", "The target"),
        ("D", "Differences between a database and its source"),
        ("A", "Assertions of a mapping set"),
        ("M", "Mapping sets, checked by `check` and before every run"),
    ];
    let mut page = "# Findings\n\nWhat a run may report about the data it reads. Codes are stable: a script may rely on them.\n\
                    `treelift explain CODE` prints the same. An *error* keeps a run from being committed, a *warning* should be\n\
                    looked at before the report is signed off, a *note* changes nothing.\n"
        .to_owned();
    let mut named = 0;
    for (letter, family) in FAMILIES {
        let codes: Vec<_> = CODES.iter().chain(codes::CODES).filter(|code| code.id.starts_with(letter)).collect();
        if codes.is_empty() {
            continue;
        }
        named += codes.len();
        let _infallible =
            write!(page, "\n## {letter}: {family}\n\n| code | severity | meaning | what to do |\n|---|---|---|---|\n");
        for code in codes {
            let severity = match code.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            let _infallible = writeln!(
                page,
                "| [`{0}`](codes/{0}.md) | {severity} | {1} | {2} |",
                code.id,
                cell(code.title),
                cell(code.help)
            );
        }
    }
    assert_eq!(named, CODES.len() + codes::CODES.len(), "every family has a heading");
    page
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The names in the first cells of the tables under a heading of the reference.
fn reference(heading: &str) -> (Vec<String>, String) {
    let page = fs::read_to_string(project("mappings/README.md")).unwrap();
    let section = page.split(&format!("\n## {heading}\n")).nth(1).unwrap_or_else(|| panic!("no heading {heading}"));
    let section = section.split("\n## ").next().unwrap().to_owned();
    let cells = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let cells = cells.map(|line| line.split(" | ").next().unwrap());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(|name| {
        let name = name.split(" =").next().unwrap().trim_matches(['[', ']']);
        let name = name.strip_prefix("table.NAME.").or(name.strip_prefix("source.")).unwrap_or(name);
        name.strip_suffix(".NAME").unwrap_or(name).to_owned()
    });
    (names.collect(), section.clone())
}

#[test]
fn what_the_reference_shows_of_a_set_is_part_of_a_sound_one() {
    let page = fs::read_to_string(project("mappings/README.md")).unwrap();
    let blocks: Vec<&str> = page.split("\n\n").filter(|block| block.starts_with("    [")).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let house = House::new();
        copy_tree(&project("mappings/notes"), &house.path("set"));
        let part = block.lines().map(|line| format!("{}\n", line.trim_start()));
        let set = fs::read_to_string(house.path("set/set.toml")).unwrap();
        fs::write(house.path("set/set.toml"), format!("{set}\n{}", part.collect::<String>())).unwrap();
        house.run(["check", "set"]).status(0);
    }
}

#[test]
fn every_key_of_the_language_stands_once_in_its_reference() {
    // The heading, the keys in its tables, those of a table in a table (by its key), and its words.
    type Chapter<'k> = (&'k str, &'k [&'k Keys], &'k [(&'k str, &'k Keys)], &'k [&'k Keys]);
    let chapters: &[Chapter<'_>] = &[
        (
            "A set",
            &[&keys::SET],
            &[
                ("recognise", &keys::RECOGNISE),
                ("after", &keys::AFTER),
                ("assert", &keys::ASSERT),
                ("audit", &keys::AUDIT),
                ("strings", &keys::STRINGS),
                ("isolation", &keys::ISOLATION),
                ("version", &keys::VERSION),
            ],
            &[
                &keys::UNKNOWN_MEMBERS,
                &keys::ASSERT_CATEGORY,
                &keys::ASSERT_GIVES,
                &keys::ENGINES,
                &keys::AUDIT_PARTS,
                &keys::LONE_SURROGATE,
                &keys::NUL,
                &keys::CASE_TWINS,
                &keys::JOURNAL,
            ],
        ),
        ("A mapping", &[&keys::MAPPING, &keys::SOURCE], &[], &[&keys::FORMAT]),
        ("Shapes", &[&keys::SHAPE], &[], &[]),
        ("Conditions", &[&keys::CONDITION], &[], &[&keys::TYPES]),
        ("Rules", &[&keys::RULE], &[], &[&keys::ON_DUPLICATE, &keys::ON_EXISTING]),
        ("Columns", &[&keys::SOURCES, &keys::EXPRESSION, &keys::BY, &keys::COLUMN], &[], &[]),
        ("Policies", &[], &[], &[&keys::POLICY]),
        ("Secrets", &[&keys::PROTECTION], &[], &[]),
        ("Hand-over", &[&keys::HAND_OVER, &keys::FERNET], &[("salt", &keys::FERNET_SALT)], &[]),
        (
            "Owners and precedence",
            &[&keys::OWNERS, &keys::FIND],
            &[("unknown", &keys::UNKNOWN)],
            &[&keys::UNKNOWN_WORDS, &keys::OWNERLESS],
        ),
    ];
    let policies = ["on_absent", "on_missing", "on_empty", "on_error", "on_dangling", "default"].map(str::to_owned);
    let mut judged = 0;
    for (heading, tables, inner, words) in chapters {
        judged += tables.len() + inner.len() + words.len();
        let (mut found, section) = reference(heading);
        let inner = inner.iter().flat_map(|(of, keys)| keys.built().map(move |key| format!("{of}.{key}")));
        let mut wanted: Vec<String> =
            tables.iter().flat_map(|keys| keys.built()).map(str::to_owned).chain(inner).collect();
        match *heading {
            "Columns" => wanted.retain(|key| !policies.contains(key) && key != "declassify"),
            "Secrets" => wanted.push("declassify".to_owned()),
            "Policies" => wanted.extend(policies.clone()),
            _ => {}
        }
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted, "the tables under `{heading}`");
        for word in words.iter().flat_map(|keys| keys.built()) {
            let said = section.contains(&format!("\"{word}\"")) || section.contains(&format!("`{word}`"));
            assert!(said, "`{word}` under `{heading}`");
        }
    }
    assert_eq!(judged, keys::all().count(), "every table of keys has its place");
}

#[test]
fn every_test_file_is_listed() {
    let root = project("tests/it");
    for entry in walkdir::WalkDir::new(&root).min_depth(1).into_iter().map(Result::unwrap) {
        let (folder, name) = (entry.path().parent().unwrap(), entry.path().file_stem().unwrap().to_str().unwrap());
        let list = folder.join(if folder == root { "main.rs" } else { "mod.rs" });
        let text = fs::read_to_string(&list).unwrap_or_default();
        assert!(text.starts_with("//! "), "{} says what is in its folder", list.display());
        let is_listed = |line: &str| line.trim_start_matches("pub(crate) ") == format!("mod {name};");
        let is_list = ["main", "mod"].contains(&name);
        assert!(is_list || text.lines().any(is_listed), "{} is never run", entry.path().display());
    }
}

/// The source files below `src/`: path, and lines without comments and unit tests.
fn sources() -> Vec<(String, Vec<String>)> {
    let files = walkdir::WalkDir::new(project("src")).sort_by_file_name().into_iter().map(Result::unwrap);
    let is_source = |name: &str| name.ends_with(".rs") && !name.ends_with("tests.rs");
    let files = files.filter(|entry| is_source(&entry.file_name().to_string_lossy()));
    let name = |path: &Path| path.strip_prefix(project("src")).unwrap().to_str().unwrap().to_owned();
    let code = |path: PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        text.lines().filter(is_code).map(|line| line.split(" // ").next().unwrap().to_owned()).collect()
    };
    files.map(|entry| (name(entry.path()), code(entry.into_path()))).collect()
}

/// The layers as `lib.rs` draws them, lowest first. What it does not name is a job's own. A module may
/// use those of its own layer and of the ones below.
struct Layers(Vec<Vec<String>>);

const JOBS: usize = 4;

impl Layers {
    fn of_the_map() -> Self {
        let text = fs::read_to_string(project("src/lib.rs")).unwrap();
        let names = |line: &str| line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let mut layers: Vec<_> = text.lines().filter(|line| line.starts_with("//! - ")).map(names).collect();
        layers.reverse();
        assert_eq!(layers.len(), JOBS + 2, "lib.rs lists its layers");
        layers.push(vec!["lib".to_owned(), "main".to_owned()]);
        Self(layers)
    }

    fn of(&self, module: &str) -> usize {
        self.0.iter().position(|layer| layer.iter().any(|name| name == module)).unwrap_or(JOBS)
    }
}

#[test]
fn a_layer_imports_only_from_those_below_it() {
    let layers = Layers::of_the_map();
    let mut wrong = Vec::new();
    for (file, lines) in sources() {
        let own = file.split(['/', '.']).next().unwrap();
        for line in &lines {
            for used in line.split("crate::").skip(1).flat_map(first_names) {
                if layers.of(&used) > layers.of(own) {
                    wrong.push(format!("{file}: {}", line.trim()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The modules named by what follows `crate::`: one, or several in braces.
fn first_names(path: &str) -> Vec<String> {
    let name =
        |text: &str| text.trim().split(|c: char| !(c.is_ascii_lowercase() || c == '_')).next().unwrap().to_owned();
    let names = match path.strip_prefix('{') {
        Some(several) => several.split('}').next().unwrap().split(',').map(name).collect(),
        None => vec![name(path)],
    };
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

#[test]
fn only_the_command_line_prints() {
    const PRINTING: [&str; 8] =
        ["println!", "eprintln!", "print!(", "eprint!(", "io::stdout", "io::stderr", "anstream", "rpassword"];
    // `outputs` hands out the two streams as files for a report that is to be written to one of them.
    no_line_of(|file| !file.starts_with("cli/") && file != "outputs.rs", &PRINTING, "prints");
}

#[test]
fn only_one_folder_knows_which_operating_system_it_is() {
    const OF_SYSTEMS: [&str; 11] = [
        "rustix",
        "std::os",
        "os::unix",
        "os::fd",
        "cfg(unix)",
        "cfg(windows)",
        "target_os",
        "target_family",
        "/proc/",
        "/dev/",
        "/etc/",
    ];
    // Modules of tests are folders too, and make links and pipes.
    no_line_of(
        |file| !file.starts_with("platform/") && !file.contains("/tests/"),
        &OF_SYSTEMS,
        "asks the system itself",
    );
}

#[test]
fn sql_stands_only_below_database() {
    const SQL: [&str; 12] = [
        "\"SELECT ",
        "\"INSERT ",
        "\"UPDATE ",
        "\"DELETE FROM",
        "\"CREATE ",
        "\"ALTER ",
        "\"DROP ",
        "\"PRAGMA",
        "\"BEGIN",
        "\"COMMIT",
        "\"ROLLBACK",
        "rusqlite",
    ];
    no_line_of(|file| !file.starts_with("database/"), &SQL, "speaks SQL");
}

#[test]
fn an_engine_is_known_in_its_own_folder_alone() {
    const OF_ENGINES: [(&str, &[&str]); 2] = [("database/sqlite/", &OF_SQLITE), ("database/postgres/", &OF_SERVER)];
    const OF_SERVER: [&str; 5] = ["postgres::", "Dialect::Postgresql", "PostgresDatabase", "pg_class", "VACUUM"];
    const OF_SQLITE: [&str; 12] = [
        "sqlite::",
        "Dialect::Sqlite",
        "SqliteDatabase",
        "rusqlite",
        "sqlite_schema",
        "sqlite_master",
        "SQLite format 3",
        "-journal\"",
        "-wal\"",
        "-shm\"",
        "VACUUM",
        "\"PRAGMA",
    ];
    // The list of engines in its three parts, and how the test of the contract names a new database.
    const LISTS: [&str; 4] =
        ["database/mod.rs", "database/dialect.rs", "database/url.rs", "database/contract/tests/mod.rs"];
    // Tells what a file of the source is that should have been JSON.
    const FORMS_OF_FILES: &str = "source/formats.rs";
    let mut wrong = Vec::new();
    for entry in walkdir::WalkDir::new(project("src")).into_iter().map(Result::unwrap) {
        let file = entry.path().strip_prefix(project("src")).unwrap().to_str().unwrap();
        if !file.ends_with(".rs") || LISTS.contains(&file) {
            continue;
        }
        let of_others =
            || OF_ENGINES.iter().filter(|(folder, _)| !file.starts_with(folder)).flat_map(|(_, words)| *words);
        let own = || OF_ENGINES.iter().filter(|(folder, _)| file.starts_with(folder)).flat_map(|(_, words)| *words);
        // Unit tests too: they are run for every engine.
        let text = fs::read_to_string(entry.path()).unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let is_of_another = |word: &&&str| !own().any(|own| own == *word);
        let known = code.filter(|line| of_others().filter(is_of_another).any(|word| line.contains(word)));
        wrong.extend(known.map(|line| format!("{file}: {}", line.trim())));
    }
    wrong.retain(|line| !line.starts_with(FORMS_OF_FILES));
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn the_engine_knows_no_application() {
    let of_applications: BTreeSet<_> =
        ["fossawork", "workfossa", "dispenser", "work_order", "work order", "pushover", "prover"].into();
    for entry in walkdir::WalkDir::new(project("src"))
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
    {
        let text = fs::read_to_string(entry.path()).unwrap().to_lowercase();
        for name in &of_applications {
            assert!(!text.contains(name), "{} names `{name}`", entry.path().display());
        }
    }
}

#[track_caller]
fn no_line_of(judged: impl Fn(&str) -> bool, words: &[&str], does: &str) {
    let mut wrong = Vec::new();
    for (file, lines) in sources().into_iter().filter(|(file, _)| judged(file)) {
        wrong.extend(
            lines
                .iter()
                .filter(|line| words.iter().any(|word| line.contains(word)))
                .map(|line| format!("{file} {does}: {}", line.trim())),
        );
    }
    assert_eq!(wrong, Vec::<String>::new());
}
