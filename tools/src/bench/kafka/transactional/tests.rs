use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use strandline_client::BrokerAddress;
use strandline_protocol::apis::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResponse, AddPartitionsToTxnTopicResult,
};
use strandline_protocol::apis::end_txn::EndTxnResponse;
use strandline_protocol::apis::init_producer_id::InitProducerIdResponse;
use strandline_protocol::apis::produce::{PartitionProduceResponse, ProduceResponse, TopicProduceResponse};
use strandline_protocol::frame::{LENGTH_BYTES, OutboundFrame};
use strandline_protocol::headers::RequestHeader;
use strandline_protocol::{Reader, Request, Response};

use super::*;

const SECOND: Versions = Versions { init: 5, add: None, end: 5 };
const FIRST: Versions = Versions { init: 5, add: Some(3), end: 4 };
const BACKOFF: Duration = Duration::ZERO;

/// The broker's end of a connection.
struct Peer(TcpStream);

impl Peer {
    fn read<R: Request>(&mut self) -> (i16, i32, R) {
        let mut length = [0; LENGTH_BYTES];
        self.0.read_exact(&mut length).unwrap();
        let mut content = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        self.0.read_exact(&mut content).unwrap();
        let mut reader = Reader::new(content.into());
        let (api, header) = RequestHeader::read_with_api(&mut reader).unwrap();
        assert_eq!(api.key, R::KEY);
        let version = header.request_api_version;
        (version, header.correlation_id, R::read(&mut reader, version).unwrap())
    }

    fn answer<R: Response>(&mut self, version: i16, correlation_id: i32, response: &R) {
        let frame = OutboundFrame::response(version, correlation_id, response).unwrap();
        for piece in frame.into_pieces() {
            let Piece::Slice(slice) = piece else { panic!("not in memory") };
            self.0.write_all(&slice).unwrap();
        }
    }

    fn answer_produce(&mut self, results: &[(i32, ErrorCode)]) -> Vec<(i32, i16, i32)> {
        let (version, correlation_id, request) = self.read::<ProduceRequest>();
        assert_eq!(request.transactional_id.as_deref(), Some("till"));
        let written = request.topic_data[0].partition_data.iter().map(|data| {
            let bytes = data.records.as_ref().unwrap().pieces().flat_map(|piece| match piece {
                Piece::Slice(slice) => slice.to_vec(),
                Piece::External(_) => panic!("not in memory"),
            });
            let bytes: Vec<u8> = bytes.collect();
            let header = *BatchView::parse(&bytes).unwrap().header();
            assert!(header.attributes.is_transactional());
            (data.index, header.producer_epoch, header.base_sequence)
        });
        let written = written.collect();
        let result = |(index, error_code): &(i32, ErrorCode)| PartitionProduceResponse {
            index: *index,
            error_code: *error_code,
            ..Default::default()
        };
        let partition_responses = results.iter().map(result).collect();
        let topic = TopicProduceResponse { partition_responses, ..Default::default() };
        let response = ProduceResponse { responses: vec![topic], ..Default::default() };
        self.answer(version, correlation_id, &response);
        written
    }
}

/// A producer with one connection to one broker, and what it writes.
struct Scene {
    producer: Producer,
    links: Links,
    peer: Peer,
    content: Content,
}

impl Scene {
    fn new(versions: Versions, produce: i16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = BrokerAddress::new("127.0.0.1", listener.local_addr().unwrap().port());
        let mut links = Links::new().unwrap();
        let place = links.open(&address).unwrap();
        let peer = Peer(listener.accept().unwrap().0);
        let parts = [3, 4].map(|partition| Part::new(partition, place, produce)).into();
        let producer = Producer::new("till", place, versions, parts);
        let content = Content::of("orders".into(), Uuid::ZERO, (5, 100), true).unwrap();
        let mut scene = Self { producer, links, peer, content };
        scene.go_on();
        let (version, correlation_id, request) = scene.peer.read::<InitProducerIdRequest>();
        assert_eq!(request.transactional_id.as_deref(), Some("till"));
        let response = InitProducerIdResponse { producer_id: 7, producer_epoch: 0, ..Default::default() };
        scene.peer.answer(version, correlation_id, &response);
        scene.take();
        assert!(scene.producer.is_named() && !scene.producer.is_busy());
        scene
    }

    fn go_on(&mut self) {
        self.producer.go_on(Instant::now(), &self.content, &mut self.links).unwrap();
    }

    fn take(&mut self) -> Step {
        loop {
            for place in self.links.wait(Duration::from_secs(10)).unwrap() {
                if let Some(bytes) = self.links.next(place).unwrap() {
                    return self.producer.take(place, bytes, BACKOFF).unwrap();
                }
            }
        }
    }

    fn end(&mut self, response: &EndTxnResponse) -> Step {
        self.go_on();
        let (version, correlation_id, request) = self.peer.read::<EndTxnRequest>();
        assert!(request.committed);
        self.peer.answer(version, correlation_id, response);
        self.take()
    }
}

#[test]
fn what_was_refused_is_written_again_and_the_rest_is_not() {
    let mut scene = Scene::new(SECOND, 13);
    scene.go_on();
    let busy = ErrorCode::CONCURRENT_TRANSACTIONS;
    assert_eq!(scene.peer.answer_produce(&[(3, ErrorCode::NONE), (4, busy)]), [(3, 0, 0), (4, 0, 0)]);
    assert!(matches!(scene.take(), Step::Again));
    assert!(scene.producer.rests_until().is_some());
    scene.go_on();
    assert_eq!(scene.peer.answer_produce(&[(4, ErrorCode::NONE)]), [(4, 0, 0)]);
    assert!(matches!(scene.take(), Step::On));
    let refused = EndTxnResponse { error_code: busy, ..Default::default() };
    assert!(matches!(scene.end(&refused), Step::Again));
    let raised = EndTxnResponse { producer_id: 7, producer_epoch: 1, ..Default::default() };
    assert!(matches!(scene.end(&raised), Step::Over { .. }));
    // With a new epoch the numbers begin again.
    scene.go_on();
    let all = [(3, ErrorCode::NONE), (4, ErrorCode::NONE)];
    assert_eq!(scene.peer.answer_produce(&all), [(3, 1, 0), (4, 1, 0)]);
}

#[test]
fn partitions_are_announced_where_they_have_to_be_and_numbers_go_on() {
    let mut scene = Scene::new(FIRST, 11);
    for sequence in [0, 5] {
        scene.go_on();
        let (version, correlation_id, request) = scene.peer.read::<AddPartitionsToTxnRequest>();
        assert_eq!(request.v3_and_below_topics[0].partitions, [3, 4]);
        let results_by_partition = [3, 4].map(|partition_index| AddPartitionsToTxnPartitionResult {
            partition_index,
            ..Default::default()
        });
        let topic = AddPartitionsToTxnTopicResult {
            name: "orders".into(),
            results_by_partition: results_by_partition.into(),
            ..Default::default()
        };
        let response =
            AddPartitionsToTxnResponse { results_by_topic_v3_and_below: vec![topic], ..Default::default() };
        scene.peer.answer(version, correlation_id, &response);
        assert!(matches!(scene.take(), Step::On));
        scene.go_on();
        let all = [(3, ErrorCode::NONE), (4, ErrorCode::NONE)];
        assert_eq!(scene.peer.answer_produce(&all), [(3, 0, sequence), (4, 0, sequence)]);
        assert!(matches!(scene.take(), Step::On));
        assert!(matches!(scene.end(&EndTxnResponse::default()), Step::Over { .. }));
    }
}

#[test]
fn an_error_that_stays_ends_it() {
    let mut scene = Scene::new(SECOND, 13);
    scene.go_on();
    scene.peer.answer_produce(&[(3, ErrorCode::INVALID_PRODUCER_EPOCH), (4, ErrorCode::NONE)]);
    let place = scene.links.wait(Duration::from_secs(10)).unwrap()[0];
    let bytes = scene.links.next(place).unwrap().unwrap();
    let error = scene.producer.take(place, bytes, BACKOFF).err().unwrap();
    assert!(error.to_string().contains("INVALID_PRODUCER_EPOCH"), "{error}");
}
