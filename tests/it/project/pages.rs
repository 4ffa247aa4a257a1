//! Every command of every page is run, and every command and flag that a page names is one of the program.
//!
//! A page is a story: its commands run in their order, in one folder, from what it takes for granted (a tree, a database, a key).

use super::shell::{Line, Shell, commands};
use crate::house::{House, copy_tree, project};
use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// Pages whose commands are run by other tests, or were those of another version.
const NOT_HERE: [&str; 3] = ["CHANGELOG.md", "docs/codes/", "docs/your-own-tree.md"];

/// Lines of a page that no test can run, and why.
const NOT_RUN: [(&str, &str); 5] = [
    ("./tests/run", "it runs this test"),
    ("sudo apt-get install -y postgresql", "it installs a server; the tests have theirs"),
    ("sudo -u postgres createuser --createdb \"$USER\"", "the server of the tests has its own user"),
    ("sudo -u postgres createuser --createdb --pwprompt app", "it asks for a password on a terminal"),
    ("sudo -u postgres createdb --owner app app", "the server of the tests has no such user"),
];

/// What a reader has instead of what a page names.
const INSTEAD: [(&str, &str); 2] =
    [("cargo run --release -- ", "treelift "), ("/srv/fossawork/data", "sample_data/fossawork")];

/// What happens on a page before a command: its page, how the command begins, and what is run for it.
fn before() -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
    let mut before = Vec::new();
    for line in include_str!("pages.txt").lines().filter(|line| !(line.is_empty() || line.starts_with('#'))) {
        match (line.strip_prefix("    "), line.split_once(": "), before.last_mut()) {
            (Some(code), _, Some((_, _, script))) => Vec::push(script, code),
            (None, Some((page, begins)), _) => before.push((page, begins, Vec::new())),
            _ => panic!("neither a page nor a command: {line}"),
        }
    }
    before
}

/// The pages by their paths, with what they say.
fn pages() -> BTreeMap<String, String> {
    let is_ours = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || name.starts_with("target"))
    };
    let files = walkdir::WalkDir::new(project("")).into_iter().filter_entry(is_ours).map(Result::unwrap);
    let pages = files.filter(|file| file.path().extension().is_some_and(|end| end == "md"));
    let name = |file: &walkdir::DirEntry| file.path().strip_prefix(project("")).unwrap().to_str().unwrap().to_owned();
    let pages: BTreeMap<_, _> = pages.map(|file| (name(&file), fs::read_to_string(file.path()).unwrap())).collect();
    assert!(pages.len() > 100, "{} pages", pages.len());
    pages
}

/// The commands of a page that are run here.
fn story(text: &str) -> Vec<Line> {
    let text = INSTEAD.iter().fold(text.to_owned(), |text, (names, instead)| text.replace(names, instead));
    let lines = commands(&text, &NOT_RUN.map(|(line, _)| line));
    lines.into_iter().filter(|line| NOT_RUN.iter().all(|(listed, _)| *listed != line.code)).collect()
}

fn is_of_a_server(line: &Line) -> bool {
    ["createdb ", "psql ", "postgresql://"].iter().any(|word| line.code.contains(word))
}

/// Makes what a line takes for granted, in the way in which treelift makes it.
fn provide(shell: &mut Shell, code: &str) {
    let run = |shell: &mut Shell, code: String| shell.run(&Line { at: 0, code, shows: Vec::new() }).unwrap();
    let named = |pattern: &str| Regex::new(pattern).unwrap().captures(code).map(|found| found[1].to_owned());
    let is_missing = |shell: &Shell, name: &String| !shell.path().join(name).exists();
    if !code.starts_with("treelift ") {
        return;
    }
    let tree = named(r"[ '](?:\./)?(old(?:_data)?)\b");
    if let Some(tree) = tree.as_ref().filter(|tree| is_missing(shell, tree)) {
        copy_tree(&project("sample_data/fossawork"), &shell.path().join(tree));
    }
    let key = named(r"--key-file (\S+)");
    if let Some(key) = key.as_ref().filter(|key| is_missing(shell, key)) {
        run(shell, format!("treelift credentials new-key-file {key}"));
    }
    let makes_one = ["treelift import ", "treelift schema migrate "].iter().any(|one| code.starts_with(one));
    let database = named(r"sqlite:///\./(\S+)").filter(|_| !makes_one);
    if let Some(database) = database.as_ref().filter(|database| is_missing(shell, database)) {
        let key = key.map_or_else(String::new, |key| format!(" --key-file {key}"));
        let tree = tree.unwrap_or_else(|| "sample_data/fossawork".to_owned());
        run(shell, format!("treelift import {tree} --database sqlite:///./{database}{key}"));
    }
    for found in Regex::new(r"postgresql://[^/\s']*/(\w+)").unwrap().captures_iter(code) {
        shell.create_database(&found[1]);
    }
}

/// What goes wrong where somebody follows a page.
fn follow(page: &str, text: &str) -> Vec<String> {
    let story = story(text);
    let mut shell = if story.iter().any(is_of_a_server) { Shell::with_server() } else { Shell::new() };
    shell.passphrase = Some("correct horse battery staple");
    let (before, mut wrong) = (before(), Vec::new());
    for line in story {
        if cfg!(not(feature = "postgres")) && is_of_a_server(&line) {
            break; // what follows is about a server
        }
        for (_, begins, script) in before.iter().filter(|(of, begins, _)| *of == page && line.code.starts_with(begins))
        {
            for code in script {
                let step = Line { at: line.at, code: (*code).to_owned(), shows: Vec::new() };
                provide(&mut shell, code);
                wrong.extend(shell.run(&step).err().map(|why| format!("{page}:{}, before `{begins}`: {why}", line.at)));
            }
        }
        provide(&mut shell, &line.code);
        wrong.extend(shell.run(&line).err().map(|why| format!("{page}:{}: {why}", line.at)));
    }
    wrong
}

/// Follows all pages but the READMEs of sets, which have tests of their own.
fn follow_all(of_a_server: bool) {
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        let is_elsewhere = NOT_HERE.iter().any(|begins| page.starts_with(begins)) || SETS.contains(&page.as_str());
        if !is_elsewhere && story(&text).iter().any(is_of_a_server) == of_a_server {
            wrong.extend(follow(&page, &text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_can_be_followed() {
    follow_all(false);
}

#[cfg(feature = "postgres")]
#[test]
fn every_page_that_names_a_server_of_postgres_can_be_followed() {
    follow_all(true);
}

/// Pages of which each has a test, since they are long.
const SETS: [&str; 4] = [
    "mappings/combatlog/README.md",
    "mappings/guild-api/README.md",
    "mappings/trivia/README.md",
    "mappings/vibes/README.md",
];

fn follow_set(set: &str) {
    let page = SETS.iter().find(|page| page.contains(set)).unwrap();
    let text = &pages()[*page];
    assert!(story(text).len() > 5, "{page} has its commands");
    let wrong = follow(page, text);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_readme_of_combatlog_can_be_followed() {
    follow_set("combatlog");
}

#[test]
fn the_readme_of_guild_api_can_be_followed_on_a_file_and_postgres() {
    follow_set("guild-api");
}

#[test]
fn the_readme_of_trivia_can_be_followed() {
    follow_set("trivia");
}

#[test]
fn the_readme_of_vibes_can_be_followed_on_a_file_and_postgres() {
    follow_set("vibes");
}

/// A line that is run no more, or before which nothing needs to happen any more, is taken off its list.
#[test]
fn what_is_listed_of_pages_is_still_in_them() {
    let pages = pages();
    for (listed, reason) in NOT_RUN {
        let is_there = pages.values().any(|text| commands(text, &[listed]).iter().any(|line| line.code == listed));
        assert!(is_there, "no page has `{listed}` ({reason})");
        assert!(!listed.contains("treelift "), "`{listed}` is a command of treelift: run it");
    }
    for (page, begins, _) in before() {
        assert!(story(&pages[page]).iter().any(|line| line.code.starts_with(begins)), "{page} has no `{begins}`");
    }
    for (names, _) in INSTEAD {
        assert!(pages.values().any(|text| text.contains(names)), "no page has `{names}`");
    }
}

/// The commands of the program by their words, each with its flags, as a shell that completes them knows them.
fn known() -> BTreeMap<Vec<String>, BTreeSet<String>> {
    let script = House::new().run(["completions", "bash"]).status(0).stdout;
    let mut words = BTreeMap::from([("treelift".to_owned(), Vec::new())]);
    let below = Regex::new(r#"\n +(\w+),([\w-]+)\)\n +cmd="(\w+)""#).unwrap();
    let (mut left, mut before) = (below.captures_iter(&script).collect::<Vec<_>>(), 0);
    while left.len() != before {
        before = left.len();
        left.retain(|found| {
            let of_this = words.get(&found[1]).map(|above| [above.as_slice(), &[found[2].to_owned()]].concat());
            of_this.map(|of_this| words.insert(found[3].to_owned(), of_this)).is_none()
        });
    }
    let flags = Regex::new(r#"\n +(treelift\w*)\)\n +opts="([^"]*)""#).unwrap();
    let of = |found: regex::Captures<'_>| {
        let flags = found[2].split(' ').filter(|word| word.starts_with('-'));
        (words[&found[1]].clone(), flags.map(str::to_owned).collect())
    };
    let known: BTreeMap<Vec<String>, BTreeSet<String>> = flags.captures_iter(&script).map(of).collect();
    assert!(left.is_empty() && known.len() > 40 && known[&vec!["import".to_owned()]].contains("--dry-run"), "{script}");
    known
}

/// What stands in backquotes on a page, outside of blocks.
fn in_backquotes(text: &str) -> Vec<String> {
    let mut is_fenced = false;
    let prose = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_fenced ^= is_fence;
        !(is_fenced || is_fence || line.starts_with("    "))
    });
    let prose = prose.collect::<Vec<_>>().join("\n").replace("\\|", "|");
    let code = Regex::new("`([^`]+)`").unwrap();
    code.captures_iter(&prose).map(|found| found[1].split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// What is wrong with a command, the end of one (`restore --latest`) or flags; nothing where it is code of another kind.
fn unknown(known: &BTreeMap<Vec<String>, BTreeSet<String>>, code: &str) -> Option<String> {
    let (is_whole, words) = code.strip_prefix("treelift ").map_or((false, code), |words| (true, words));
    let words: Vec<String> = words.split(' ').map(|word| word.trim_matches(['[', ']']).to_owned()).collect();
    let is_name = |word: &&String| {
        word.starts_with(|first: char| first.is_ascii_lowercase()) && !word.contains(['/', '.', ':', '='])
    };
    let names: Vec<String> = words.iter().take_while(is_name).cloned().collect();
    if let Some(several) = names.iter().find(|name| name.contains('|')) {
        let each = several.split('|').map(|one| code.replacen(several.as_str(), one, 1));
        return each.into_iter().find_map(|one| unknown(known, &one));
    }
    let is_flag = |word: &&str| {
        word.trim_start_matches('-').len() < word.len()
            && word.trim_start_matches('-').starts_with(|first: char| first.is_ascii_alphabetic())
    };
    let flags: Vec<&str> = words.iter().map(|word| word.split('=').next().unwrap()).filter(is_flag).collect();
    let leads_to = |length: usize| {
        let fits = |one: &Vec<String>| if is_whole { *one == names[..length] } else { one.ends_with(&names[..length]) };
        known.iter().filter(|(one, _)| fits(one)).collect::<Vec<_>>()
    };
    let length = (0..=names.len()).rev().find(|length| !leads_to(*length).is_empty()).unwrap();
    let commands = leads_to(length);
    if length == 0 && !is_whole && !is_flag(&words[0].as_str()) {
        return (!flags.is_empty()).then(|| "which program is this?".to_owned());
    }
    let has_others = |one: &[String]| known.keys().any(|below| below.len() > one.len() && below.starts_with(one));
    if names.len() > length && commands.iter().all(|(one, _)| has_others(one)) {
        return Some(format!("there is no command `{}`", names[length]));
    }
    let takes_all = |own: &BTreeSet<String>| flags.iter().all(|flag| own.contains(*flag));
    (!commands.iter().any(|(_, own)| takes_all(own))).then(|| "no command takes this".to_owned())
}

/// How code begins that has flags of other programs.
const OF_OTHERS: [&str; 18] = [
    "--alter",
    "--createdb",
    "--list",
    "--name value",
    "--no-default-features",
    "--update",
    "-c%20",
    "-u user:value",
    "alembic ",
    "cargo ",
    "convmv ",
    "cp ",
    "find ",
    "gzip ",
    "iconv ",
    "python3 ",
    "rsync ",
    "ulimit ",
];

#[test]
fn every_command_and_flag_that_a_page_names_is_there() {
    let known = known();
    let (mut wrong, mut others) = (Vec::new(), BTreeSet::new());
    for (page, text) in pages().iter().filter(|(page, _)| *page != "CHANGELOG.md") {
        for code in in_backquotes(text) {
            match OF_OTHERS.iter().find(|begins| code.starts_with(**begins)) {
                Some(other) => _ = others.insert(*other),
                None => wrong.extend(unknown(&known, &code).map(|why| format!("{page}: `{code}`: {why}"))),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unused: Vec<_> = OF_OTHERS.iter().filter(|other| !others.contains(**other)).collect();
    assert!(unused.is_empty(), "no page has {unused:?}");
    for (code, is_wrong) in
        [("treelift improt a", true), ("schema migrat --to 1", true), ("--dry-runs", true), ("restore --latest", false)]
    {
        assert_eq!(unknown(&known, code).is_some(), is_wrong, "{code}");
    }
}
