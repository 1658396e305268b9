//! The storage engine's rules: what only one module may do, and that the page of all rules names what is there.

use std::fs;

use crate::sources::{self, Source, workspace_root};

const ENGINE: &str = "broker/log/src/";

/// Lines of the engine, tests apart, that have one of these words and stand in none of the files that may.
fn offences(words: &[&str], may: &[&str]) -> Vec<String> {
    let engine = sources::all().into_iter().filter(|source| source.path.starts_with(ENGINE));
    let others = engine.filter(|source| !may.iter().any(|file| source.path == format!("{ENGINE}{file}")));
    let found = |source: Source| {
        let lines = source.production_lines().filter(|(_, line)| !line.trim_start().starts_with("//"));
        let bad = lines.filter(|(_, line)| words.iter().any(|word| line.contains(word)));
        bad.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())).collect::<Vec<_>>()
    };
    others.flat_map(found).collect()
}

#[test]
fn one_module_touches_the_disk() {
    let words = ["std::fs", "rustix::fs", "rustix::io", "File::open", "libc::f", "libc::s"];
    let offences = offences(&words, &["disk/real.rs", "disk/real/file.rs", "disk/real/kernel.rs"]);
    assert!(offences.is_empty(), "{offences:#?}");
}

#[test]
fn one_module_each_has_a_clock_and_chance() {
    let words = ["Instant::now", "SystemTime::now", "getrandom"];
    let offences = offences(&words, &["clock.rs", "random.rs"]);
    assert!(offences.is_empty(), "{offences:#?}");
}

const RULES: &str = "docs/ENGINE_RULES.md";

/// The words between backticks that name a file and something in it.
fn references(cell: &str) -> impl Iterator<Item = (&str, &str)> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.filter_map(|word| word.split_once(".rs:"))
}

fn read(path: &str) -> Option<String> {
    let root = workspace_root();
    let path = format!("{path}.rs");
    [root.join(ENGINE).join(&path), root.join(&path)].iter().find_map(|path| fs::read_to_string(path).ok())
}

fn has_code(text: &str, name: &str) -> bool {
    ["fn", "struct", "enum", "trait"].iter().any(|kind| {
        let declared = format!("{kind} {name}");
        text.match_indices(&declared).any(|(place, _)| {
            !text[place + declared.len()..].starts_with(|next: char| next.is_alphanumeric() || next == '_')
        })
    }) || text.contains(&format!("{name}("))
}

/// Whether there is a test of this name: a function, or one that a macro of the same file makes.
fn has_test(text: &str, name: &str) -> bool {
    let is_function = text
        .match_indices(&format!("fn {name}() "))
        .any(|(place, _)| text[..place].trim_end().ends_with("#[test]"));
    let is_made = text.contains("#[test]\n        fn $name()")
        && text.lines().any(|line| {
            line.trim_start().starts_with(&format!("{name}("))
                || line.trim_start().starts_with(&format!("{name}:"))
        });
    is_function || is_made
}

#[test]
fn every_rule_of_the_engine_names_code_and_a_test_that_are_there() {
    let page = fs::read_to_string(workspace_root().join(RULES)).unwrap();
    let mut missing = Vec::new();
    let mut rules = 0;
    for line in page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| rule") && !line.starts_with("| ---"))
    {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [rule, code, tests] = cells.as_slice() else { panic!("three columns: {line}") };
        rules += 1;
        let is_code = |(path, name): &(&str, &str)| read(path).is_some_and(|text| has_code(&text, name));
        let is_test = |(path, name): &(&str, &str)| read(path).is_some_and(|text| has_test(&text, name));
        missing.extend(
            references(code).filter(|one| !is_code(one)).map(|one| (rule.to_string(), format!("{one:?}"))),
        );
        missing.extend(
            references(tests).filter(|one| !is_test(one)).map(|one| (rule.to_string(), format!("{one:?}"))),
        );
        if references(code).next().is_none() || references(tests).next().is_none() {
            missing.push((rule.to_string(), "it names none".to_owned()));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(rules > 50, "only {rules} rules were found on {RULES}");
}
