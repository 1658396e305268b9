use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;
use strandline_log::clock::RealClock;
use strandline_log::disk::real::RealDisk;
use strandline_log::engine::{Options, Writer};
use strandline_log::random::Random;
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::*;

mod broker;

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: LogCommand,
}

fn said(words: &[&str]) -> (Result<(), Failure>, String) {
    let line = Line::parse_from(std::iter::once(&"log").chain(words));
    let mut out = Vec::new();
    let result = run(&line.command, &mut out);
    (result, String::from_utf8(out).unwrap())
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("strandline-dump-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_segment_is_told_batch_by_batch_and_record_by_record() {
    let folder = folder("segment");
    let path = folder.join("00000000000000000000.log");
    let mut bytes = Vec::new();
    for value in ["one", "two"] {
        let mut builder = BatchBuilder::new();
        builder.append(&NewRecord { value: Some(value.as_bytes()), ..NewRecord::at(5) }).unwrap();
        bytes.extend(builder.build().unwrap());
    }
    // The second batch begins behind the first.
    let second = bytes.len() / 2;
    bytes[second..second + 8].copy_from_slice(&1_i64.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let path = path.to_str().unwrap();

    let (result, text) = said(&["dump", path, "--deep"]);
    assert!(result.is_ok(), "{result:?}");
    assert!(
        text.contains("0-0  1 record ") && text.contains("value \"one\"") && text.contains("value \"two\""),
        "{text}"
    );
    let (_, text) = said(&["dump", path, "--deep", "--from", "1", "-o", "json"]);
    assert!(!text.contains("\"one\"") && text.lines().count() == 2, "{text}");
    let batch: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&batch["batch"]["baseOffset"], &batch["batch"]["records"]), (&1.into(), &1.into()));

    bytes[70] ^= 1;
    fs::write(path, &bytes).unwrap();
    let (result, _) = said(&["dump", path]);
    assert!(matches!(result, Err(Failure::Refused(_))), "a batch that has rotted is said to have");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_index_is_told_entry_by_entry() {
    let folder = folder("index");
    let path = folder.join("00000000000000000100.index");
    let entries: Vec<u8> = [7_u32, 4_096, 0, 0].iter().flat_map(|number| number.to_be_bytes()).collect();
    fs::write(&path, entries).unwrap();
    let (result, text) = said(&["dump", path.to_str().unwrap()]);
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(text, "  00000000000000000100.index  offset 107 at 4096\n", "and none of the zeros behind it");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_directory_without_partitions_is_one_all_the_same() {
    let folder = folder("directory");
    let (disk, clock) = (Arc::new(RealDisk::new(&folder).unwrap()), Arc::new(RealClock::new()));
    Writer::recover(disk, folder.clone(), Options::default(), clock, Random::from_seed(1))
        .unwrap()
        .close()
        .unwrap();
    let path = folder.to_str().unwrap();
    let (result, text) = said(&["list", path]);
    assert!(result.is_ok() && text.starts_with("TOPIC"), "{text}");
    let (result, text) = said(&["journal", path]);
    assert!(result.is_ok() && text.ends_with("the journal was closed\n"), "{text}");
    let (result, text) = said(&["manifest", path]);
    assert!(result.is_ok() && text.starts_with("checkpoint at frame"), "{text}");
    let json = |words: &[&str]| -> Vec<serde_json::Value> {
        let (_, text) = said(words);
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let manifest = json(&["manifest", path, "-o", "json"]);
    assert_eq!(manifest.len(), 1);
    assert!(
        manifest[0]["manifest"]["checkpoint"].is_u64() && manifest[0]["manifest"]["nextFolder"].is_string()
    );
    assert!(json(&["journal", path, "-o", "json"]).is_empty(), "what the manifest has is in it no more");
    let (result, _) = said(&["dump", path, "--topic", "orders"]);
    assert!(matches!(result, Err(Failure::Refused(what)) if what.contains("nothing of a topic orders")));
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_is_neither_is_refused_with_what_would_do() {
    let (result, _) = said(&["dump", "/etc/hostname"]);
    assert!(matches!(result, Err(Failure::Usage(what)) if what.contains("00000000000000000000.log")));
    let (result, _) = said(&["list", "/nowhere"]);
    assert!(matches!(result, Err(Failure::Usage(what)) if what.contains("cannot open /nowhere")));
}
