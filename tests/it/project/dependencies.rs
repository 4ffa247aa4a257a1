//! What is built into the program is under licences that allow it, comes from one registry, and is there once: `deny.toml`
//! says so, for `cargo deny` and for this.

use crate::house::project;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

/// The packages of the lock file.
fn packages() -> Vec<Value> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--all-features"];
    let ran = Command::new(env!("CARGO")).args(arguments).current_dir(project("")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let metadata: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let all = metadata["packages"].as_array().unwrap();
    let others = all.iter().filter(|package| package["name"] != "treelift").cloned().collect::<Vec<_>>();
    assert!(others.len() > 100, "{} packages", others.len());
    others
}

fn rules() -> toml::Table {
    fs::read_to_string(project("deny.toml")).unwrap().parse().unwrap()
}

fn words<'r>(rules: &'r toml::Table, section: &str, key: &str) -> BTreeSet<&'r str> {
    rules[section][key].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

fn named(package: &Value) -> String {
    format!("{} {}", package["name"].as_str().unwrap(), package["version"].as_str().unwrap())
}

/// Whether an SPDX expression can be met by these licences. Older crates write `/` for `OR`.
fn is_allowed(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.replace('/', " OR ");
    let mut depth = 0_i32;
    let split = |word: &str, depth: &mut i32| {
        let mut parts = vec![String::new()];
        for token in expression.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
            *depth += i32::from(token == "(") - i32::from(token == ")");
            match (token == word, *depth) {
                (true, 0) => parts.push(String::new()),
                _ => {
                    let last = parts.last_mut().expect("one");
                    *last = format!("{last} {token}");
                }
            }
        }
        parts.into_iter().map(|part| part.trim().to_owned()).collect::<Vec<_>>()
    };
    let inner = expression.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    if let Some(inner) = inner.filter(|inner| !inner.contains(['(', ')'])) {
        return is_allowed(inner, allowed);
    }
    let either = split("OR", &mut depth);
    if either.len() > 1 {
        return either.iter().any(|part| is_allowed(part, allowed));
    }
    let both = split("AND", &mut depth);
    if both.len() > 1 {
        return both.iter().all(|part| is_allowed(part, allowed));
    }
    allowed.contains(expression.trim())
}

#[test]
fn an_expression_of_licences_is_read_as_spdx_means_it() {
    let allowed = BTreeSet::from(["MIT", "ISC"]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("(GPL-3.0 OR BSD-3-Clause) AND ISC", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}

#[test]
fn every_licence_is_allowed_and_every_allowed_one_is_needed() {
    let rules = rules();
    let allowed = words(&rules, "licenses", "allow");
    let packages = packages();
    let licence = |package: &Value| package["license"].as_str().unwrap_or_default().to_owned();
    let wrong: Vec<_> = packages.iter().filter(|package| !is_allowed(&licence(package), &allowed)).map(named).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    for one in &allowed {
        let is_used = packages.iter().any(|package| licence(package).contains(one));
        assert!(is_used, "no dependency is under {one}");
    }
}

#[test]
fn everything_comes_from_one_registry() {
    let sources: BTreeSet<_> = packages().iter().map(|package| package["source"].to_string()).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.first().is_some_and(|source| source.starts_with("\"registry+")), "{sources:?}");
}

#[test]
fn no_crate_is_there_twice_but_those_that_the_rules_name() {
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages() {
        let text = |key: &str| package[key].as_str().unwrap().to_owned();
        versions.entry(text("name")).or_default().insert(text("version"));
    }
    let rules = rules();
    let mut skipped = words(&rules, "bans", "skip");
    for (name, mut versions) in versions {
        let is_of = |skip: &str, version: &str| {
            let begin = skip.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('@'));
            let rest = begin.and_then(|begin| version.strip_prefix(begin));
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        skipped.retain(|skip| {
            let before = versions.len();
            versions.retain(|version| !is_of(skip, version));
            versions.len() == before
        });
        assert!(versions.len() <= 1, "{name} is there as {versions:?}");
    }
    assert!(skipped.is_empty(), "{skipped:?} are not there");
}

#[test]
fn every_file_of_the_crate_can_be_packaged() {
    let ran = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--locked"])
        .current_dir(project(""))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let listed = String::from_utf8(ran.stdout).unwrap();
    let made = |name: &&str| !["Cargo.toml.orig", ".cargo_vcs_info.json"].contains(name);
    let listed: Vec<&str> = listed.lines().filter(made).collect();
    // A link to a folder, or to nothing, cannot be.
    let wrong: Vec<_> = listed.iter().filter(|name| !project(name).is_file()).collect();
    assert!(wrong.is_empty() && listed.len() > 1000, "{} files, {wrong:?}", listed.len());
}
