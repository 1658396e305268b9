//! One client at one kind of work, in a process of its own. Prints one line of JSON.
//!
//! usage: strandline-client-bench CLIENT WORK BROKERS TOPIC PARTITIONS RECORDS RECORD_BYTES
//!
//! CLIENT is `strandline`, `librdkafka` or `krafka`, WORK is `produce`, `consume` or `latency`; for `latency` RECORDS is how
//! many are sent at 1,000 a second. For `consume` there are `strandline-checked`, `librdkafka-checked`, and the same with
//! `-unchecked`, which do or do not look at the checksums of batches, and `floor` and `floor-unchecked`, which are no clients.

mod floor;
mod krafka_client;
mod librdkafka;
mod measure;
mod ours;

use measure::Work;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [client, kind, brokers, topic, partitions, records, record_bytes] = words.as_slice() else {
        return Err("usage: CLIENT WORK BROKERS TOPIC PARTITIONS RECORDS RECORD_BYTES".into());
    };
    let work = Work {
        brokers: brokers.clone(),
        topic: topic.clone(),
        partitions: partitions.parse()?,
        records: records.parse()?,
        record_bytes: record_bytes.parse()?,
    };
    let figures = match (client.as_str(), kind.as_str()) {
        ("strandline", "produce") => ours::run(ours::produce(&work))?,
        ("strandline" | "strandline-checked", "consume") => ours::run(ours::consume(&work, true))?,
        ("strandline-unchecked", "consume") => ours::run(ours::consume(&work, false))?,
        ("strandline", "latency") => ours::latency(&work)?,
        ("krafka", "produce") => ours::run(krafka_client::produce(&work))?,
        ("krafka", "consume") => ours::run(krafka_client::consume(&work))?,
        ("krafka", "latency") => krafka_client::latency(&work)?,
        ("librdkafka", "produce") => librdkafka::produce(&work)?,
        ("librdkafka" | "librdkafka-unchecked", "consume") => librdkafka::consume(&work, false)?,
        ("librdkafka-checked", "consume") => librdkafka::consume(&work, true)?,
        ("floor", "consume") => floor::consume(&work, true)?,
        ("floor-unchecked", "consume") => floor::consume(&work, false)?,
        ("librdkafka", "latency") => librdkafka::latency(&work)?,
        _ => return Err(format!("no {client} or no {kind}").into()),
    };
    println!("{figures}");
    Ok(())
}
