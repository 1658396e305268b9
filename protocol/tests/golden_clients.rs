//! Frames that real clients and a real broker exchanged, recorded by `tests/conformance/record`: our codec reads
//! every byte of them and writes the same ones back.

// Marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use strandline_protocol::any::AnyMessage;
    use strandline_protocol::apis::api_versions::ApiVersionsResponse;
    use strandline_protocol::apis::fetch::{FetchRequest, FetchResponse};
    use strandline_protocol::apis::join_group::JoinGroupRequest;
    use strandline_protocol::apis::metadata::{MetadataRequest, MetadataResponse};
    use strandline_protocol::apis::produce::{ProduceRequest, ProduceResponse};
    use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupResponse};
    use strandline_protocol::apis::{Api, ApiKey};
    use strandline_protocol::embedded::consumer::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
    use strandline_protocol::frame::read_response;
    use strandline_protocol::headers::{RequestHeader, ResponseHeader};
    use strandline_protocol::{Bytes, ErrorCode, Message, Reader, Records, Request, Writer};

    const CLIENTS: [&str; 6] = ["franz-go", "java", "kafka-python", "kafkajs", "librdkafka", "sarama"];

    /// A request and the response to it, each without its length.
    #[derive(Debug)]
    struct Exchange {
        api: &'static Api,
        client: String,
        version: i16,
        request: Bytes,
        response: Bytes,
    }

    impl Exchange {
        fn name(&self) -> String {
            format!("{} of {} v{}", self.api.name, self.client, self.version)
        }

        /// The request's header, and a reader that stands behind it.
        fn request_header(&self) -> (RequestHeader, Reader) {
            let mut reader = Reader::new(self.request.clone());
            let (api, header) = RequestHeader::read_with_api(&mut reader).unwrap();
            assert_eq!(
                (api.key, header.request_api_version),
                (self.api.key, self.version),
                "{}",
                self.name()
            );
            (header, reader)
        }

        fn request_as<R: Request>(&self) -> R {
            let (_, mut reader) = self.request_header();
            let message = R::read(&mut reader, self.version).unwrap();
            reader.finish().unwrap();
            message
        }

        fn response_as<R: Request>(&self) -> R::Response {
            read_response::<R>(self.response.clone(), self.version).unwrap().1
        }

        fn knows_version(&self) -> bool {
            self.api.versions().contains(self.version)
        }

        /// The client without its version, which changes when the frames are recorded anew.
        fn client_name(&self) -> &str {
            self.client.rsplit_once('-').unwrap().0
        }

        /// Each client names its topic after itself, and its ids after the topic.
        fn topic(&self) -> String {
            format!("golden-{}", self.client_name())
        }
    }

    fn exchanges(file: &str) -> Vec<Exchange> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/clients").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        lines.chunks(2).map(|pair| exchange(pair[0], pair[1])).collect()
    }

    fn exchange(request_line: &str, response_line: &str) -> Exchange {
        let (client, version, request) = parse(request_line, "request");
        let (_, _, response) = parse(response_line, "response");
        let api = ApiKey::try_from(i16::from_be_bytes([request[0], request[1]])).unwrap().api();
        Exchange { api, client: client.to_owned(), version, request, response }
    }

    /// A line is a client, a version, a direction and a frame in hex.
    fn parse<'line>(line: &'line str, direction: &str) -> (&'line str, i16, Bytes) {
        let words: Vec<_> = line.split(' ').collect();
        assert_eq!(words[2], direction);
        let digits = |at: usize| u8::from_str_radix(&words[3][at..at + 2], 16).unwrap();
        (words[0], words[1].parse().unwrap(), (0..words[3].len()).step_by(2).map(digits).collect())
    }

    fn all_exchanges() -> Vec<Exchange> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/clients");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.flat_map(|name| exchanges(name.to_str().unwrap())).collect()
    }

    /// The header and the body written one behind the other, as a frame has them.
    fn written(header: &impl AnyMessage, header_version: i16, body: &dyn AnyMessage, version: i16) -> Bytes {
        let mut writer = Writer::new();
        header.write_any(&mut writer, header_version).unwrap();
        body.write_any(&mut writer, version).unwrap();
        writer.into_bytes().unwrap()
    }

    #[test]
    fn requests_of_real_clients_return() {
        for exchange in all_exchanges().iter().filter(|exchange| exchange.knows_version()) {
            let (header, mut reader) = exchange.request_header();
            let body = exchange.api.request.read(&mut reader, exchange.version).unwrap();
            reader.finish().unwrap();
            let header_version = exchange.api.request_header_version(exchange.version);
            let bytes = written(&header, header_version, &*body, exchange.version);
            assert_eq!(bytes, exchange.request, "{}", exchange.name());
        }
    }

    #[test]
    fn responses_of_a_real_broker_return() {
        for exchange in all_exchanges().iter().filter(|exchange| exchange.knows_version()) {
            let mut reader = Reader::new(exchange.response.clone());
            let header_version = exchange.api.response_header_version(exchange.version);
            let header = ResponseHeader::read(&mut reader, header_version).unwrap();
            let body = exchange.api.response.read(&mut reader, exchange.version).unwrap();
            reader.finish().unwrap();
            assert_eq!(header.correlation_id, exchange.request_header().0.correlation_id);
            let bytes = written(&header, header_version, &*body, exchange.version);
            assert_eq!(bytes, exchange.response, "{}", exchange.name());
        }
    }

    #[test]
    fn six_clients_say_who_they_are() {
        let all = all_exchanges();
        let clients: BTreeSet<_> = all.iter().map(Exchange::client_name).collect();
        assert_eq!(Vec::from_iter(clients), CLIENTS);
        for exchange in &all {
            let client_id = exchange.request_header().0.client_id.unwrap();
            assert!(client_id.starts_with(&exchange.topic()), "{}: {client_id}", exchange.name());
        }
    }

    // A broker answers what it does not know in version 0, whatever was asked, so that the client can read the
    // versions to choose from.
    #[test]
    fn a_version_that_the_broker_does_not_know_is_answered_in_the_oldest() {
        let exchanges = exchanges("api_versions.txt");
        let newer: Vec<_> = exchanges.iter().filter(|exchange| !exchange.knows_version()).collect();
        assert!(!newer.is_empty());
        for exchange in newer {
            assert_eq!(exchange.request_header().0.request_api_version, 5);
            let mut reader = Reader::new(exchange.response.slice(4..));
            let answer = ApiVersionsResponse::read(&mut reader, 0).unwrap();
            reader.finish().unwrap();
            assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION);
            let offered =
                answer.api_keys.iter().find(|api| api.api_key == i16::from(ApiKey::ApiVersions)).unwrap();
            assert_eq!((offered.min_version, offered.max_version), (0, 4));
        }
    }

    #[test]
    fn produced_records_are_in_the_request() {
        for exchange in exchanges("produce.txt") {
            let request: ProduceRequest = exchange.request_as();
            assert_eq!((request.acks, request.topic_data.len()), (-1, 1), "{}", exchange.name());
            let partition = &request.topic_data[0].partition_data[0];
            assert!(holds_key(partition.records.as_ref()), "{}", exchange.name());
            // Names gave way to ids.
            assert_eq!(request.topic_data[0].name.is_empty(), exchange.version >= 13);
            assert_ne!(request.topic_data[0].topic_id.is_zero(), exchange.version >= 13);
            let response: ProduceResponse = exchange.response_as::<ProduceRequest>();
            let partition = &response.responses[0].partition_responses[0];
            assert_eq!((partition.error_code, partition.index < 2), (ErrorCode::NONE, true));
        }
    }

    #[test]
    fn every_client_fetched_its_record() {
        let mut clients = BTreeSet::new();
        for exchange in exchanges("fetch.txt") {
            let response: FetchResponse = exchange.response_as::<FetchRequest>();
            let partitions = response.responses.iter().flat_map(|topic| &topic.partitions);
            if partitions.into_iter().any(|partition| holds_key(partition.records.as_ref())) {
                clients.insert(exchange.client);
            }
        }
        assert_eq!(clients.len(), CLIENTS.len());
    }

    /// Whether there is a batch of the only version that Kafka still writes, with the key that all clients use.
    fn holds_key(records: Option<&Records>) -> bool {
        let bytes = records.and_then(Records::as_slice).map_or(&[][..], |bytes| bytes);
        bytes.get(16) == Some(&2) && bytes.windows(3).any(|window| window == b"key")
    }

    #[test]
    fn members_subscribe_in_the_embedded_protocol() {
        for exchange in exchanges("join_group.txt") {
            let request: JoinGroupRequest = exchange.request_as();
            assert_eq!(request.protocol_type, "consumer");
            for protocol in request.protocols {
                let subscription =
                    ConsumerProtocolSubscription::from_versioned_bytes(protocol.metadata).unwrap();
                assert_eq!(subscription.topics, [exchange.topic().as_str()], "{}", exchange.name());
            }
        }
    }

    #[test]
    fn leaders_assign_in_the_embedded_protocol() {
        let mut clients = BTreeSet::new();
        for exchange in exchanges("sync_group.txt") {
            let request: SyncGroupRequest = exchange.request_as();
            let response: SyncGroupResponse = exchange.response_as::<SyncGroupRequest>();
            assert_eq!(request.assignments.len(), 1, "{}: the only member is the leader", exchange.name());
            assert_eq!(response.assignment, request.assignments[0].assignment, "{}", exchange.name());
            let assignment = ConsumerProtocolAssignment::from_versioned_bytes(response.assignment).unwrap();
            for topic in assignment.assigned_partitions {
                assert_eq!((topic.topic.as_str(), topic.partitions.len()), (exchange.topic().as_str(), 2));
                clients.insert(exchange.client.clone());
            }
        }
        assert_eq!(clients.len(), CLIENTS.len());
    }

    #[test]
    fn metadata_shows_the_broker_and_the_topic() {
        let mut clients = BTreeSet::new();
        for exchange in exchanges("metadata.txt") {
            let response: MetadataResponse = exchange.response_as::<MetadataRequest>();
            assert_eq!(response.brokers.len(), 1, "{}", exchange.name());
            assert_eq!(response.brokers[0].host, "127.0.0.1");
            let topic = exchange.topic();
            let mut topics = response.topics.iter().filter(|answer| answer.name.as_deref() == Some(&topic));
            if topics.any(|topic| topic.partitions.len() == 2) {
                clients.insert(exchange.client);
            }
        }
        assert_eq!(clients.len(), CLIENTS.len());
    }
}
