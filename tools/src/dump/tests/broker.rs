//! What a broker itself has written, while it runs and afterwards.

use strandline_broker::embedded::EmbeddedBroker;
use strandline_client::{Client, ClientConfig, ProducerRecord};
use strandline_log::layout::FileKind;
use strandline_log::local_id::LocalId;

use super::super::directory::Opened;
use super::*;

/// Writes a record of each value, each acknowledged before the next.
fn write(broker: &EmbeddedBroker, topic: &str, values: &[&str]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(ClientConfig::new(broker.bootstrap()).unwrap()).await.unwrap();
        let producer = client.producer().start().unwrap();
        for value in values {
            producer.send(ProducerRecord::to(topic).value(value)).await.unwrap().await.unwrap();
        }
        producer.close().await;
    });
}

/// The values of a topic's records in the order in which the dump has them, and where their batches lie.
fn dumped(path: &str, topic: &str) -> (Vec<String>, Vec<String>) {
    let (result, text) = said(&["dump", path, "--topic", topic, "--deep", "-o", "json"]);
    assert!(result.is_ok(), "{result:?}");
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let (mut values, mut files) = (Vec::new(), Vec::new());
    for line in lines {
        match line.get("record") {
            Some(record) => values.push(record["value"].as_str().unwrap().to_owned()),
            None => files.push(line["batch"]["file"].as_str().unwrap().to_owned()),
        }
    }
    (values, files)
}

// The records of such a log are in no journal, and the manifest does not know the last of them before a checkpoint.
#[test]
fn what_an_asynchronous_log_has_written_since_the_manifest_was_is_told_too() {
    let folder = folder("async");
    let path = folder.to_str().unwrap();
    let settings = [("strandline.durability", "async")];
    let broker = strandline_broker::embedded().data_dir(&folder).topic_with("quick", 1, &settings).start();
    let broker = broker.unwrap();
    write(&broker, "quick", &["one", "two"]);
    broker.stop().unwrap();
    let (values, files) = dumped(path, "quick");
    assert_eq!(values, ["one", "two"]);
    assert!(files.iter().all(|file| file == "00000000000000000000.log"), "{files:?}");

    // As a broker leaves it that was killed: a batch, and the beginning of another.
    let opened = Opened::open(&folder).unwrap();
    let (id, _) =
        opened.partitions.iter().max_by_key(|(id, partition)| (partition.segments.len(), **id)).unwrap();
    let segment = opened.layout.segment(*id, 0, FileKind::Log);
    drop(opened);
    let mut builder = BatchBuilder::new();
    builder.append(&NewRecord { value: Some(b"three"), ..NewRecord::at(5) }).unwrap();
    let mut batch = builder.build().unwrap().to_vec();
    batch[..8].copy_from_slice(&2_i64.to_be_bytes());
    let mut bytes = fs::read(&segment).unwrap();
    bytes.extend(&batch);
    bytes.extend(&batch[..30]);
    fs::write(&segment, bytes).unwrap();
    assert_eq!(dumped(path, "quick").0, ["one", "two", "three"]);
    fs::remove_dir_all(folder).unwrap();
}

// A crash between the manifest's word and the last rename: the newer files are read under the names that they have.
#[test]
fn a_compacted_segment_is_read_before_it_has_its_name() {
    let folder = folder("swapped");
    let settings = [("strandline.durability", "async")];
    let broker = strandline_broker::embedded().data_dir(&folder).topic_with("keyed", 1, &settings).start();
    let broker = broker.unwrap();
    write(&broker, "keyed", &["old"]);
    broker.stop().unwrap();

    let mut opened = Opened::open(&folder).unwrap();
    let is_meant = |partition: &super::super::directory::Partition| !partition.segments.is_empty();
    let found = opened.partitions.iter().filter(|(_, partition)| is_meant(partition)).map(|(id, _)| *id);
    let id = found.max().unwrap();
    let partition = opened.partitions.get_mut(&id).unwrap();
    partition.row.as_mut().unwrap().is_swapping = true;
    partition.segments[0].1.generation = 1;
    assert_eq!(read(&opened, id), ["00000000000000000000.log"], "it has its name already");

    let named = opened.layout.segment(id, 0, FileKind::Log);
    let waiting = opened.layout.cleaned(id, 0, FileKind::Log, 1);
    opened.disk.rename(&named, &waiting).unwrap();
    // What it takes the place of is there still.
    fs::write(&named, "whatever was there before").unwrap();
    assert_eq!(read(&opened, id), ["00000000000000000000.log.1.cleaned"]);

    let facts = &mut opened.partitions.get_mut(&id).unwrap().segments[0].1;
    facts.generation = 2;
    fs::remove_file(&named).unwrap();
    let missing = opened.batches(id, (0, None), &mut |_| Ok(()));
    assert!(matches!(missing, Err(Failure::Refused(what)) if what.contains("is missing")));
    fs::remove_dir_all(folder).unwrap();
}

/// In which files the batches of a partition lie.
fn read(opened: &Opened, id: LocalId) -> Vec<String> {
    let mut files = Vec::new();
    opened
        .batches(id, (0, None), &mut |placed| {
            files.push(placed.file.to_owned());
            Ok(())
        })
        .unwrap();
    files
}
