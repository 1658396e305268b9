//! Who may depend on whom, and on what from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::sources::workspace_root;

/// The walls: a crate of ours, and the crates of ours that it may use. What is not listed is refused.
const MAY_USE: &[(&str, &[&str])] = &[
    ("strandline-protocol-derive", &[]),
    ("strandline-protocol", &["strandline-protocol-derive"]),
    ("strandline-log", &["strandline-protocol"]),
    ("strandline-state", &["strandline-protocol"]),
    ("strandline-broker", &["strandline-log", "strandline-protocol", "strandline-state"]),
    ("strandline-client", &["strandline-protocol"]),
    ("strandline-client-stage", &["strandline-broker", "strandline-client"]),
    (
        "strandline",
        &[
            "strandline-broker",
            "strandline-client",
            "strandline-log",
            "strandline-protocol",
            "strandline-state",
        ],
    ),
    ("strandline-tests", &["strandline-log", "strandline-protocol"]),
];

/// What a sans-io crate must never reach, at any depth: sockets, threads and clocks come with these.
const SANS_IO: &[&str] = &["strandline-protocol", "strandline-state"];
const IO_CRATES: &[&str] = &["mio", "socket2", "rustix", "polling", "async-io", "time", "chrono"];

/// tokio-util's codec traits bring tokio itself; without these features it has no socket and no clock.
const TOKIO_FEATURES_WITH_IO: &[&str] = &["net", "fs", "process", "time", "rt", "rt-multi-thread", "signal"];

/// Crates that are there in two versions, each with a reason. Empty is what we want.
const DUPLICATES: &[&str] = &[];

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo).args(arguments).current_dir(workspace_root()).output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn packages() -> Vec<Value> {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--no-deps", "--locked"]))
            .unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

#[test]
fn crates_use_only_what_lies_below_them() {
    let walls: BTreeMap<_, _> = MAY_USE.iter().copied().collect();
    let packages = packages();
    let names: BTreeSet<_> = packages.iter().map(|package| text(package, "name")).collect();
    assert_eq!(names, walls.keys().copied().collect(), "every crate has its place in the house");
    for package in &packages {
        let name = text(package, "name");
        for dependency in package["dependencies"].as_array().unwrap() {
            let (used, is_dev) = (text(dependency, "name"), dependency["kind"] == "dev");
            let allowed = is_dev || !names.contains(used) || walls[name].contains(&used);
            assert!(allowed, "{name} must not use {used}");
        }
    }
}

#[test]
fn every_crate_takes_the_lints_and_versions_of_the_workspace() {
    for package in packages() {
        let manifest = fs::read_to_string(text(&package, "manifest_path")).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package["name"]);
        for line in manifest.lines().skip_while(|line| !line.contains("dependencies]")) {
            let states_version = line.contains("version =") || line.contains("= \"");
            assert!(!states_version, "{}: {line}: versions stand in the root", package["name"]);
        }
    }
}

#[test]
fn sans_io_crates_reach_no_socket() {
    for name in SANS_IO {
        let tree =
            cargo(&["tree", "--locked", "-p", name, "-e", "normal", "--prefix", "none", "-f", "{p} {f}"]);
        for line in tree.lines() {
            let mut words = line.split_whitespace();
            let (used, _version) = (words.next().unwrap_or_default(), words.next());
            assert!(!IO_CRATES.contains(&used), "{name} reaches {used}");
            if used == "tokio" {
                let features: Vec<_> = words.flat_map(|word| word.split(',')).collect();
                let with_io = features.iter().find(|feature| TOKIO_FEATURES_WITH_IO.contains(feature));
                assert_eq!(with_io, None, "{name} reaches tokio with a feature that does I/O");
            }
        }
    }
}

/// What compiles C, or looks for what was.
const MAKES_C: &[&str] = &["bindgen", "cc", "cmake", "pkg-config"];

#[test]
fn there_is_no_c_in_a_client_unless_somebody_asks_for_it() {
    let makes_c = |more: &[&str]| {
        let words = ["tree", "--locked", "-p", "strandline-client", "-e", "normal,build", "--prefix", "none"];
        let tree = cargo(&[&words, more].concat());
        let names = tree.lines().filter_map(|line| line.split_whitespace().next());
        names.filter(|name| MAKES_C.contains(name)).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!(makes_c(&[]), BTreeSet::new());
    assert!(!makes_c(&["--features", "zstd-c"]).is_empty(), "libzstd is C: nothing is looked for");
}

#[test]
fn no_crate_is_there_twice() {
    let tree = cargo(&["tree", "--locked", "--workspace", "-d", "-e", "normal,build", "--prefix", "depth"]);
    let twice: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.strip_prefix('0'))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| !DUPLICATES.contains(name))
        .collect();
    assert!(twice.is_empty(), "{twice:?}:\n{tree}");
}

/// What the root of the workspace may hold; build output and git's own folder apart.
const TOP_LEVEL: &[&str] = &[
    ".ci",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "broker",
    "client",
    "clippy.toml",
    "docs",
    "protocol",
    "rustfmt.toml",
    "tests",
    "tools",
];

#[test]
fn the_top_level_is_the_house() {
    for entry in fs::read_dir(workspace_root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(matches!(name.as_str(), ".git" | "target") || TOP_LEVEL.contains(&name.as_str()), "{name}");
    }
}
