//! What no consumer can do without: the same bytes out of a socket and a look at each batch, by a plain program with one
//! thread, one buffer, and nothing that is handed to anybody. It is no client, and shows how near one is.

use std::io::{Read, Write};
use std::net::TcpStream;

use bytes::Bytes;
use serde_json::Value;
use strandline_protocol::Piece;
use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic};
use strandline_protocol::batch::batches;
use strandline_protocol::frame::{OutboundFrame, read_response};

use crate::Failure;
use crate::measure::{Clock, Work};

const VERSION: i16 = 12;

fn request(work: &Work, offsets: &[i64]) -> FetchRequest {
    let partition = |(partition, offset): (i32, &i64)| FetchPartition {
        partition,
        fetch_offset: *offset,
        partition_max_bytes: 1 << 20,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: work.topic.as_str().into(),
        partitions: (0..).zip(offsets).map(partition).collect(),
        ..Default::default()
    };
    // No session, so that every request is the same.
    let session_epoch = -1;
    let topics = vec![topic];
    FetchRequest {
        max_wait_ms: 500,
        min_bytes: 1,
        max_bytes: 16 << 20,
        session_epoch,
        topics,
        ..Default::default()
    }
}

fn ask(stream: &mut TcpStream, request: &FetchRequest, mut buffer: Vec<u8>) -> Result<Bytes, Failure> {
    for piece in OutboundFrame::request(VERSION, 1, Some("floor".into()), request)?.into_pieces() {
        if let Piece::Slice(slice) = piece {
            stream.write_all(&slice)?;
        }
    }
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    buffer.resize(u32::from_be_bytes(length) as usize, 0);
    stream.read_exact(&mut buffer)?;
    Ok(buffer.into())
}

/// Counts the records of an answer as the batches' headers say. The offsets move on.
fn count(response: &FetchResponse, checks: bool, offsets: &mut [i64]) -> Result<u64, Failure> {
    let mut records = 0;
    for partition in response.responses.iter().flat_map(|topic| &topic.partitions) {
        let bytes = partition.records.as_ref().and_then(|records| records.as_slice()).ok_or("no records")?;
        for batch in batches(bytes).map_while(Result::ok) {
            if checks {
                batch.check_crc()?;
            }
            records += batch.header().record_count as u64;
            offsets[partition.partition_index as usize] = batch.header().last_offset() + 1;
        }
    }
    Ok(records)
}

pub(crate) fn consume(work: &Work, checks: bool) -> Result<Value, Failure> {
    let mut stream = TcpStream::connect(&work.brokers)?;
    stream.set_nodelay(true)?;
    let mut offsets = vec![0; work.partitions as usize];
    let mut buffer = Vec::new();
    let clock = Clock::start();
    let mut records = 0;
    while records < work.records {
        let content = ask(&mut stream, &request(work, &offsets), buffer)?;
        let (_, response) = read_response::<FetchRequest>(content.clone(), VERSION)?;
        records += count(&response, checks, &mut offsets)?;
        drop(response);
        buffer = content.try_into_mut().map_err(|_| "somebody still reads")?.into();
    }
    Ok(clock.stop(records, records * work.record_bytes as u64))
}
