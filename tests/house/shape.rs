//! Files and functions stay short, and code that reads a wire or a disk has no way to panic on what it reads.

use std::collections::BTreeMap;
use std::fs;

use crate::sources::{self, Source};

const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 60;

/// No exception goes beyond this.
const FILE_LINES_LIMIT: usize = 1_000;

/// What is longer than it should be, with its length: entries only ever shrink.
const RATCHET: &str = "tests/house/ratchet.txt";

#[test]
fn files_and_functions_are_short_or_on_the_ratchet() {
    let mut found = BTreeMap::new();
    for source in sources::all() {
        let lines = source.text.lines().count();
        assert!(lines <= FILE_LINES_LIMIT, "{}: {lines} lines", source.path);
        if lines > FILE_LINES_MAX {
            found.insert(source.path.clone(), lines);
        }
        for (name, lines) in functions(&source) {
            if lines > FUNCTION_LINES_MAX {
                found.insert(format!("{}:{name}", source.path), lines);
            }
        }
    }
    let ratchet = fs::read_to_string(sources::workspace_root().join(RATCHET)).unwrap();
    let allowed: BTreeMap<String, usize> = ratchet
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (lines, place) = line.split_once(' ').expect("a number, then a place");
            (place.to_owned(), lines.parse().expect("a number of lines"))
        })
        .collect();
    assert_eq!(found, allowed, "left: what is too long; right: what {RATCHET} allows, to the line");
}

/// Functions and how many lines they have, told by rustfmt's indentation.
fn functions(source: &Source) -> Vec<(String, usize)> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut functions = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        // What ends here is declared, in a trait, and has no body.
        let Some(name) = function_name(line).filter(|_| !line.ends_with(';')) else { continue };
        let indentation = &line[..line.len() - line.trim_start().len()];
        let end = format!("{indentation}}}");
        let length = lines[start..].iter().position(|line| *line == end).unwrap_or(0) + 1;
        functions.push((name.to_owned(), length));
    }
    functions
}

fn function_name(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let mut words = code.split_whitespace().take_while(|word| !word.starts_with("//"));
    let is_qualifier =
        |word: &str| matches!(word, "const" | "async" | "unsafe" | "extern") || word.starts_with("pub");
    words.by_ref().find(|word| !is_qualifier(word)).filter(|word| *word == "fn")?;
    words.next()?.split(['(', '<']).next()
}

#[test]
fn the_function_finder_finds() {
    let text = "impl A {\n    pub(crate) fn one(\n        a: u8,\n    ) {\n        if a {\n        }\n    }\n}\n\nasync fn two<T>() {}\n// fn no\n    fn no();\n";
    let source = Source { path: String::new(), text: text.to_owned() };
    let expected = [("one", 6), ("two", 1)].map(|(name, lines)| (name.to_owned(), lines));
    assert_eq!(functions(&source), expected);
}

/// The crates whose input comes from a network or a disk.
const READERS: [&str; 3] = ["protocol/src/", "broker/", "client/"];

/// Indexing is seen by clippy alone (`indexing_slicing`); these the eye can see, and no lint level can hide them.
const PANICS: [&str; 7] = [
    ".unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
    "allow(clippy::indexing",
];

#[test]
fn what_reads_input_cannot_panic_on_it() {
    let mut offences = Vec::new();
    for source in sources::all() {
        if !READERS.iter().any(|folder| source.path.starts_with(folder)) {
            continue;
        }
        for (number, line) in source.production_lines() {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && PANICS.iter().any(|panic| line.contains(panic)) {
                offences.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(offences.is_empty(), "{offences:#?}");
}
