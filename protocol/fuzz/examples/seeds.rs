//! Writes a seed corpus: for each target a folder of valid inputs, every API and version among them.
//!
//! `cargo run --example seeds -- FOLDER`

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use strandline_protocol::catalog::Entry;
use strandline_protocol_fuzz::check::choice;
use strandline_protocol_fuzz::random::Random;
use strandline_protocol_fuzz::sample::Sample;
use strandline_protocol_fuzz::subject::{OTHERS, REQUESTS, RESPONSES};

/// Few, but not alike: null and not, empty and not.
const SAMPLES_PER_VERSION: u64 = 3;

fn main() -> io::Result<()> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        return Err(io::Error::other("usage: seeds FOLDER"));
    };
    messages(&folder.join("request"), &REQUESTS)?;
    messages(&folder.join("response"), &RESPONSES)?;
    messages(&folder.join("other"), &OTHERS)
}

fn messages(folder: &Path, entries: &[Entry]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (index, &entry) in entries.iter().enumerate() {
        let schema = entry.schema;
        for version in schema.versions.iter() {
            for seed in 0..SAMPLES_PER_VERSION {
                let mut input = choice(index, entry, version).to_vec();
                input.extend(Sample::new(schema, version, &mut Random::new(seed)).bytes);
                fs::write(folder.join(format!("{}-{version}-{seed}", schema.name)), input)?;
            }
        }
    }
    Ok(())
}
