//! What a shell, `man` and a bug report are told.

use crate::house::House;
use std::process::Command;

#[test]
fn the_long_version_names_the_engines_and_every_bundled_set() {
    let said = House::new().run(["--version"]).status(0).stdout;
    let words: Vec<_> = said.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(words[..3], ["treelift", "SQLite", "PostgreSQL"], "{said}");
    assert!(words[3..].iter().all(|word| *word == "set") && words.len() > 5, "{said}");
    let listed = House::new().run(["mappings", "list"]).status(0).stdout;
    for set in said.lines().skip(3).map(|line| line.split(' ').nth(1).unwrap()) {
        assert!(listed.contains(&format!("\n{set} ")), "{set}: {listed}");
    }
}

#[test]
fn bash_takes_the_completions_and_completes_a_command() {
    let house = House::new();
    house.file("treelift.bash", house.run(["completions", "bash"]).status(0).stdout);
    let asks = "source ./treelift.bash; COMP_WORDS=(treelift imp); COMP_CWORD=1; _treelift treelift imp treelift; \
                echo \"${COMPREPLY[*]}\"";
    let ran = Command::new("bash").args(["-ec", asks]).current_dir(house.work()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&ran.stdout).trim(), "import", "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn pages_of_the_manual_are_written_for_every_command() {
    let house = House::new();
    assert!(house.run(["man"]).status(0).stdout.contains(".SH NAME\ntreelift"));
    house.run(["man", "--dir", "man1"]).status(0);
    let pages: Vec<_> = std::fs::read_dir(house.path("man1")).unwrap().map(|page| page.unwrap().path()).collect();
    assert!(pages.len() > 30, "{pages:?}");
}

#[test]
fn a_passphrase_comes_from_what_a_command_prints() {
    let house = House::new();
    let import = |command: &str| {
        let source = crate::house::project("sample_data/notes");
        let fixed =
            ["import", source.to_str().unwrap(), "--database", "new.db", "--yes", "--passphrase-command", command];
        house.run(fixed)
    };
    let refused = import("echo red green blue yellow; exit 3").status(3);
    assert!(refused.stderr.contains("the passphrase command ended with status 3"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("yellow"), "{}", refused.stderr);
    import("echo red green blue yellow").status(0);
    import("printf 'red green blue yellow'").status(0);
}
