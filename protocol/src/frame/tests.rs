use super::*;
use crate::apis::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use crate::records::{External, Records};
use proptest::prelude::*;
use std::sync::Arc;

fn framed(content: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes
}

/// Feeds `stream` in steps of `step` bytes, as far as there is room.
fn assemble(stream: &[u8], step: usize, length_max: usize) -> Result<Vec<Bytes>, FrameError> {
    let mut assembler = FrameAssembler::new(length_max);
    let mut frames = Vec::new();
    let mut rest = stream;
    loop {
        while let Some(frame) = assembler.next_frame()? {
            frames.push(frame);
        }
        if rest.is_empty() {
            return Ok(frames);
        }
        let room = assembler.room();
        let spare = room.capacity() - room.len();
        assert!(spare > 0, "a read without room would look like the end of the stream");
        let (now, later) = rest.split_at(step.min(spare).min(rest.len()));
        room.extend_from_slice(now);
        rest = later;
    }
}

proptest! {
    #[test]
    fn frames_come_whole_however_the_bytes_arrive(
        lengths in prop::collection::vec(4usize..40_000, 1..8),
        step in 1usize..70_000,
    ) {
        let contents: Vec<Vec<u8>> =
            lengths.iter().map(|&length| (0..=250).cycle().take(length).collect()).collect();
        let stream: Vec<u8> = contents.iter().flat_map(|content| framed(content)).collect();
        let frames = assemble(&stream, step, 1 << 20).unwrap();
        prop_assert_eq!(frames, contents);
    }
}

#[test]
fn lengths_that_no_frame_has_are_refused() {
    for length in [-1, i32::MIN, 0, 3] {
        assert!(
            matches!(content_length(length.to_be_bytes(), 100), Err(FrameError::TooShort(_))),
            "{length}"
        );
    }
    for length in [101, i32::MAX] {
        assert!(
            matches!(content_length(length.to_be_bytes(), 100), Err(FrameError::TooLong { .. })),
            "{length}"
        );
    }
    assert_eq!(content_length(100i32.to_be_bytes(), 100).unwrap(), 100);
}

#[test]
fn a_promised_length_takes_no_memory() {
    let promised = 100 << 20;
    let mut assembler = FrameAssembler::new(promised);
    assembler.room().extend_from_slice(&u32::try_from(promised).unwrap().to_be_bytes());
    for received in (LENGTH_BYTES..4 << 20).step_by(1 << 10) {
        assert!(assembler.next_frame().unwrap().is_none());
        assert_eq!(assembler.announced_length().unwrap(), Some(promised));
        let room = assembler.room();
        room.extend_from_slice(&[0; 1 << 10]);
        let held = assembler.held_bytes();
        assert!(held <= UNPROVEN_BYTES_MAX.max(5 * received), "{held} bytes held for {received} received");
    }
}

#[test]
fn an_idle_connection_holds_nothing() {
    let mut assembler = FrameAssembler::new(1 << 20);
    assembler.room().extend_from_slice(&framed(b"ping"));
    assert_eq!(assembler.next_frame().unwrap().unwrap(), "ping");
    assert_eq!(assembler.held_bytes(), 0);
}

/// Reads one frame in reads of `read_bytes`, and counts the bytes that moved to a larger buffer meanwhile.
fn moved_bytes(assembler: &mut FrameAssembler, stream: &[u8], read_bytes: usize) -> usize {
    let mut moved = 0;
    let mut rest = stream;
    while !rest.is_empty() {
        assert!(assembler.next_frame().unwrap().is_none());
        let before = assembler.buffer.as_ptr();
        let room = assembler.room();
        if room.as_ptr() != before {
            moved += room.len();
        }
        let (now, later) = rest.split_at(rest.len().min(room.capacity() - room.len()).min(read_bytes));
        room.extend_from_slice(now);
        rest = later;
    }
    assert_eq!(assembler.next_frame().unwrap().unwrap(), stream[LENGTH_BYTES..]);
    moved
}

#[test]
fn large_frames_are_hardly_copied_while_they_arrive() {
    let stream = framed(&vec![7; 1 << 20]);
    for read_bytes in [500, 1 << 13, 200_000] {
        let mut assembler = FrameAssembler::new(1 << 21);
        let first = moved_bytes(&mut assembler, &stream, read_bytes);
        assert!(first < stream.len() * 2 / 3, "{first} bytes moved in reads of {read_bytes}");
        let second = moved_bytes(&mut assembler, &stream, read_bytes);
        assert!(
            second <= UNPROVEN_BYTES_MAX.min(read_bytes),
            "{second} bytes moved in reads of {read_bytes}"
        );
    }
}

#[test]
fn the_codec_and_the_assembler_agree() {
    let mut codec = FrameCodec::new(100);
    let mut buffer = BytesMut::from(framed(b"four").as_slice());
    buffer.extend_from_slice(&framed(b"fives")[..6]);
    assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), "four");
    assert!(codec.decode(&mut buffer).unwrap().is_none());
    buffer.extend_from_slice(&framed(b"fives")[6..]);
    assert_eq!(codec.decode(&mut buffer).unwrap().unwrap(), "fives");
    buffer.extend_from_slice(&[0xFF; 4]);
    assert!(matches!(codec.decode(&mut buffer), Err(FrameError::TooShort(-1))));
}

fn fetch_response(records: Records) -> FetchResponse {
    let partitions = vec![PartitionData { records: Some(records), ..Default::default() }];
    FetchResponse {
        responses: vec![FetchableTopicResponse { partitions, ..Default::default() }],
        ..Default::default()
    }
}

#[test]
fn large_payloads_stay_where_they_lie() {
    let tail = Bytes::from(vec![1; 100_000]);
    let file: Arc<dyn std::any::Any + Send + Sync> = Arc::new("a file");
    let external = External { source: file, position: 4_096, length: 1 << 30 };
    let pieces = vec![Piece::Slice(tail.clone()), Piece::External(external.clone())];
    let frame = OutboundFrame::response(16, 5, &fetch_response(pieces.into())).unwrap();

    let pieces = frame.clone().into_pieces();
    assert!(pieces.contains(&Piece::External(external)));
    assert_eq!(frame.memory_bytes(), frame.len() - (1 << 30));
    assert!(frame.clone().into_own().is_err());
    let shares_the_buffer =
        |piece: &Piece| matches!(piece, Piece::Slice(slice) if slice.as_ptr() == tail.as_ptr());
    assert!(pieces.iter().any(shares_the_buffer));
    assert_eq!(pieces.iter().map(Piece::len).sum::<usize>(), frame.len());
    let Some(Piece::Slice(start)) = pieces.first() else { panic!("a frame starts with its length") };
    let announced = u32::from_be_bytes(*start.first_chunk().unwrap());
    assert_eq!(announced as usize + LENGTH_BYTES, frame.len());

    let refused = FrameCodec::new(1 << 20).encode(frame, &mut BytesMut::new());
    assert!(matches!(refused, Err(FrameError::NotInMemory)));
}

#[test]
fn pieces_in_memory_and_one_buffer_are_the_same_bytes() {
    for length in [0, 1, 1_023, 1_024, 70_000] {
        let records = Bytes::from(vec![3; length]);
        let response = fetch_response(records.clone().into());
        let frame = OutboundFrame::response(12, 5, &response).unwrap();
        let mut sent = BytesMut::new();
        FrameCodec::new(1 << 20).encode(frame, &mut sent).unwrap();
        let content = sent.freeze().slice(LENGTH_BYTES..);
        assert_eq!(response_correlation_id(&content), Some(5));
        let (correlation_id, read) = read_response::<FetchRequest>(content.clone(), 12).unwrap();
        assert_eq!((correlation_id, &read), (5, &response));
        let slice = read.responses[0].partitions[0].records.as_ref().unwrap().as_slice().unwrap().clone();
        let inside = content.as_ptr_range().contains(&slice.as_ptr());
        assert!(inside || length == 0, "decoded records share the frame's buffer");
    }
}

/// Which of these frames, read at once, lie in the buffer that they came in, where all are brief or none is.
fn shared(lengths: &[usize], is_brief: bool) -> Vec<bool> {
    let mut assembler = FrameAssembler::new(1 << 20);
    let stream: Vec<u8> = lengths.iter().flat_map(|length| framed(&vec![7; *length])).collect();
    assembler.room().extend_from_slice(&stream);
    let buffer = assembler.buffer.as_ptr_range();
    let is_shared = |length: &usize| {
        let frame = assembler.next_frame_where(|_| is_brief).unwrap().unwrap();
        assert_eq!(frame, vec![7; *length]);
        buffer.contains(&frame.as_ptr())
    };
    lengths.iter().map(is_shared).collect()
}

#[test]
fn small_frames_share_a_buffer_that_is_well_used_if_they_are_let_go_of_soon() {
    assert_eq!(shared(&[1_023, 1_024, 4_096, 4_097], true), [false, true, true, true]);
    assert_eq!(shared(&[1_023, 1_024, 4_096, 4_097], false), [false, false, false, true]);
    assert_eq!(shared(&[1_024; 7], true), [false; 7], "less than half of it is used");
    assert_eq!(shared(&[1_024; 8], true), [true; 8], "the last one as well");
}

#[test]
fn small_frames_that_came_together_are_copied_together_if_they_are_let_go_of_soon() {
    let lengths: Vec<usize> = [100, 1_023, 40].repeat(20);
    let stream: Vec<u8> =
        lengths.iter().zip(0..).flat_map(|(length, number)| framed(&vec![number; *length])).collect();
    // Whether each lies right behind the one before, where those with these numbers are brief.
    let neighbours = |is_brief: &dyn Fn(u8) -> bool| -> Vec<bool> {
        let mut assembler = FrameAssembler::new(1 << 20).with_buffers(FrameBuffers::new(1 << 20));
        assembler.buffer = BytesMut::from(stream.as_slice());
        let take = |(length, number): (&usize, u8)| {
            let frame = assembler.next_frame_where(|content| is_brief(content[0])).unwrap().unwrap();
            assert_eq!(frame, vec![number; *length]);
            frame
        };
        let frames: Vec<_> = lengths.iter().zip(0..).map(take).collect();
        assert_eq!(assembler.received_bytes() + assembler.copied.len(), 0);
        let is_behind =
            |pair: &[Bytes]| pair[0].as_ptr_range().end.wrapping_add(LENGTH_BYTES) == pair[1].as_ptr();
        frames.windows(2).map(is_behind).collect()
    };
    let brief = neighbours(&|_| true);
    let breaks = brief.iter().filter(|is_behind| !**is_behind).count();
    assert_eq!(breaks, stream.len() / UNPROVEN_BYTES_MAX, "as much as a small buffer holds: {brief:?}");
    assert!(neighbours(&|number| number % 2 == 0).iter().all(|is_behind| !is_behind));
}
