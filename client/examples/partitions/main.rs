//! Holds our choice of partitions against another's: reads keys with their partitions from standard input, each as length,
//! key, number of partitions and partition, and says how many there were. Ends with 1 at the first difference.

use std::io::{Read, Write, stdin, stdout};
use std::process::ExitCode;

use strandline_client::partition_of_key;

fn number(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (first, rest) = bytes.split_first_chunk()?;
    Some((i32::from_be_bytes(*first), rest))
}

/// The key, the number of partitions and the partition that come first, and what comes after them.
fn next(bytes: &[u8]) -> Option<(&[u8], i32, i32, &[u8])> {
    let (length, rest) = number(bytes)?;
    let (key, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    let (partitions, rest) = number(rest)?;
    let (partition, rest) = number(rest)?;
    Some((key, partitions, partition, rest))
}

fn main() -> ExitCode {
    let mut bytes = Vec::new();
    if let Err(error) = stdin().read_to_end(&mut bytes) {
        eprintln!("{error}");
        return ExitCode::from(2);
    }
    let (mut rest, mut keys) = (bytes.as_slice(), 0);
    while let Some((key, partitions, partition, after)) = next(rest) {
        let ours = partition_of_key(key, partitions);
        if ours != partition {
            eprintln!("{key:?} of {partitions}: {ours} instead of {partition}");
            return ExitCode::FAILURE;
        }
        (rest, keys) = (after, keys + 1);
    }
    if !rest.is_empty() {
        eprintln!("the last {} bytes are no key", rest.len());
        return ExitCode::from(2);
    }
    match writeln!(stdout(), "{keys}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(2),
    }
}
