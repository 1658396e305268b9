//! Writes a seed corpus: for each target a folder of valid inputs, every API and version among them.
//!
//! `cargo run --example seeds -- FOLDER`

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use strandline_protocol::any::Entry;
use strandline_protocol::apis::API_KEYS;
use strandline_protocol::batch::{BatchBuilder, ControlRecord, NewRecord, RecordHeader};
use strandline_protocol::{Compression, group_log, transaction_log};
use strandline_protocol_fuzz::check::message::choice;
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
    messages(&folder.join("other"), &OTHERS)?;
    coordinator_logs(&folder.join("coordinator_log"))?;
    frames(&folder.join("frame"))?;
    batches(&folder.join("batch"))?;
    for codec in Compression::ALL.into_iter().skip(1) {
        compressed(&folder.join(codec.name()), codec)?;
    }
    Ok(())
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

fn coordinator_logs(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for record in group_log::RECORD_TYPES.iter().chain(transaction_log::RECORD_TYPES) {
        let (key, value) = (record.key.schema, record.value.schema);
        for version in value.versions.iter() {
            let mut key_bytes = record.id.to_be_bytes().to_vec();
            key_bytes.extend(Sample::new(key, 0, &mut Random::new(1)).bytes);
            let mut input = vec![u8::try_from(key_bytes.len()).unwrap_or(u8::MAX)];
            input.extend(key_bytes);
            input.extend(version.to_be_bytes());
            input.extend(Sample::new(value, version, &mut Random::new(1)).bytes);
            fs::write(folder.join(format!("{}-{version}", value.name)), input)?;
        }
    }
    Ok(())
}

/// A request of every API, in a frame of its own.
fn frames(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for api in API_KEYS.iter().map(|key| key.api()) {
        let version = api.versions().last;
        let mut content = [api.key.into(), version].map(i16::to_be_bytes).concat();
        // Correlation id, no client id, and no tags where the header has them.
        content.extend([0, 0, 0, 7, 0xFF, 0xFF]);
        content.extend((api.request_header_version(version) == 2).then_some(0));
        content.extend(Sample::new(api.request.schema, version, &mut Random::new(1)).bytes);
        let length = i32::try_from(content.len()).unwrap_or_default();
        let input = [&[1, 3][..], &length.to_be_bytes(), &content].concat();
        fs::write(folder.join(api.name), input)?;
    }
    Ok(())
}

/// Batches as they are, and to be made whole again by the target with every codec.
fn batches(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let headers = [RecordHeader::new("trace", Some(b"a")), RecordHeader::new("trace", None)];
    let mut builder = BatchBuilder::new().producer(4_711, 0, 17);
    for value in [None, Some(&b""[..]), Some(b"ebb"), Some(&[7; 300])] {
        let record = NewRecord { key: value, value, headers: &headers, ..NewRecord::at(1_700_000_000_000) };
        builder.append(&record).map_err(io::Error::other)?;
    }
    let ordinary = builder.build().map_err(io::Error::other)?;
    let marker = ControlRecord::Commit { coordinator_epoch: 3 };
    let marker = marker.transaction_marker(1_700_000_000_000, 4_711, 0).map_err(io::Error::other)?;
    let two = [&ordinary[..], &marker].concat();
    for (name, batch) in [("ordinary", &ordinary[..]), ("marker", &marker), ("two", &two)] {
        fs::write(folder.join(name), [&[0], batch].concat())?;
        for codec in Compression::ALL {
            let repair = 1 | codec.id() << 1;
            fs::write(folder.join(format!("{name}-{codec}")), [&[repair], batch].concat())?;
        }
    }
    Ok(())
}

fn compressed(folder: &Path, codec: Compression) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let contents = [vec![], b"ebb".to_vec(), b"the tide comes in, ".repeat(200), Random::new(1).bytes(3_000)];
    for (number, content) in contents.iter().enumerate() {
        let compressed = codec.compress(None, content).map_err(io::Error::other)?;
        fs::write(folder.join(number.to_string()), [&[2][..], &compressed].concat())?;
    }
    Ok(())
}
