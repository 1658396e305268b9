//! Our codec and the independent one on the same bytes, for every message and version that both know.
//!
//! The other codec follows Kafka's definitions of a later day. Where the two differ for that reason it is
//! said here, once and in full: what differs beyond these lists fails.

use std::collections::BTreeSet;

use strandline_protocol::any::Entry;
use strandline_protocol::apis::{API_KEYS, ApiKey};
use strandline_protocol::catalog;
use strandline_protocol::{group_log, transaction_log};

use crate::support::canonical;
use crate::support::generate::SEED_FULL;
use crate::support::peer::{self, Peer};
use crate::support::random::Random;
use crate::support::sample::{self, Sample};
use crate::support::shown::{Dialect, OURS, Shown};
use crate::support::value::Structure;

/// Messages with other versions than ours: the versions over there, and why.
const OTHER_VERSIONS: &[(&str, &str, &str)] = &[
    ("ApiVersionsRequest", "0-5", "5 names the cluster and node that the client means to reach"),
    ("ApiVersionsResponse", "0-5", "goes with the request"),
    ("TxnOffsetCommitRequest", "0-6", "6 has topic ids"),
    ("TxnOffsetCommitResponse", "0-6", "goes with the request"),
    ("DeleteGroupsRequest", "0-3", "goes with the response"),
    ("DeleteGroupsResponse", "0-3", "3 has error messages"),
    ("StreamsGroupHeartbeatRequest", "0-1", "goes with the response"),
    ("StreamsGroupHeartbeatResponse", "0-1", "1 asks for a description of the topology, and has a wider lag"),
    ("StreamsGroupDescribeRequest", "0-1", "1 can ask for a description of the topology"),
    ("StreamsGroupDescribeResponse", "0-1", "1 has the description of the topology"),
    ("RequestHeader", "1-2", "0 went with ControlledShutdown, which left Kafka before"),
];

/// Messages that are not among ours.
const OTHER_MESSAGES: &[(&str, &str)] = &[
    ("AbortedTxn", "an entry of Kafka's index of aborted transactions, a file that we do not keep"),
    ("StreamsGroupTopologyDescriptionUpdateRequest", "came after 4.3"),
    ("StreamsGroupTopologyDescriptionUpdateResponse", "came after 4.3"),
];

/// Fields that later definitions renamed or added, and one that no version left has a place for.
const THEIRS: Dialect = Dialect {
    renamed: &[
        ("ControlRecordTypeSchema", "type_", "Type"),
        ("TxnOffsetCommitRequest", "generation_id_or_member_epoch", "GenerationId"),
        ("StreamsGroupHeartbeatResponse", "acceptable_recovery_lag_legacy", "AcceptableRecoveryLag"),
        ("StreamsGroupHeartbeatResponse", "acceptable_recovery_lag", "(the wider one of version 1)"),
    ],
    beyond: &[
        ("ApiVersionsRequest", "cluster_id"),
        ("ApiVersionsRequest", "node_id"),
        ("DeletableGroupResult", "error_message"),
        ("StreamsGroupDescribeRequest", "include_topology_description"),
        ("DescribedGroup", "topology_description"),
        ("DescribedGroup", "topology_description_status"),
        ("StreamsGroupHeartbeatResponse", "acceptable_recovery_lag"),
        ("StreamsGroupHeartbeatResponse", "topology_description_required"),
        ("TxnOffsetCommitRequestTopic", "topic_id"),
        ("TxnOffsetCommitResponseTopic", "topic_id"),
    ],
    without: &[("FetchPartition", "PartitionMaxBytes")],
};

/// The messages and versions that both know.
fn shared() -> impl Iterator<Item = (Entry, Peer, Vec<i16>)> {
    catalog::all().filter_map(|entry| {
        let peer = peer::find(entry.schema.name)?;
        let versions = entry.schema.versions.intersection(peer.versions).iter().collect();
        Some((entry, peer, versions))
    })
}

#[test]
fn both_know_the_same_messages_and_versions() {
    let logs = group_log::RECORD_TYPES.iter().chain(transaction_log::RECORD_TYPES);
    let in_logs: BTreeSet<_> =
        logs.flat_map(|record| [record.key.schema.name, record.value.schema.name]).collect();
    for entry in catalog::all() {
        let name = entry.schema.name;
        let Some(peer) = peer::find(name) else {
            assert!(in_logs.contains(name), "{name}: the other codec lacks records of coordinators only");
            continue;
        };
        let ours = entry.schema.versions;
        let row = OTHER_VERSIONS.iter().find(|(message, ..)| *message == name);
        let expected = row.map_or(ours.to_string(), |(_, theirs, _)| (*theirs).to_owned());
        assert_eq!(peer.versions.to_string(), expected, "{name}");
        assert!(row.is_none() || peer.versions != ours, "{name} is no exception any more");
        let both = ours.intersection(peer.versions);
        let flexible = both.intersection(entry.schema.flexible_versions);
        assert_eq!(both.intersection(peer.flexible_versions), flexible, "flexible versions of {name}");
    }
    let only_theirs: Vec<_> =
        peer::all().iter().map(|peer| peer.name).filter(|name| catalog::find(name).is_none()).collect();
    let listed: Vec<_> = OTHER_MESSAGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(only_theirs.iter().collect::<BTreeSet<_>>(), listed.iter().collect());
}

/// The other codec's own registry, so that no message of its can be missing above.
#[test]
fn both_have_the_same_apis() {
    let mut keys: BTreeSet<i16> = API_KEYS.iter().map(|&key| key.into()).collect();
    for descriptor in kafka_wire::API_DESCRIPTORS {
        let (key, request, response) =
            (descriptor.api_key.value(), descriptor.request.name, descriptor.response.name);
        assert!(peer::find(request).is_some() && peer::find(response).is_some(), "{request}");
        if OTHER_MESSAGES.iter().any(|(name, _)| *name == request) {
            continue;
        }
        let api = ApiKey::try_from(key).unwrap().api();
        assert_eq!((api.request.schema.name, api.response.schema.name), (request, response));
        assert!(keys.remove(&key), "{request} twice");
        let same_versions = !OTHER_VERSIONS.iter().any(|(name, ..)| *name == request);
        if same_versions {
            let unstable = api.request.schema.latest_version_unstable;
            assert_eq!(
                descriptor.latest_version_unstable, unstable,
                "{request}: whether the last version is stable"
            );
        }
        for version in api.versions().iter() {
            let flexible = api.request.schema.flexible_versions.contains(version);
            let theirs = kafka_wire::request_header_version(flexible);
            assert_eq!(api.request_header_version(version), theirs, "{request} v{version}");
            let version_there = kafka_wire_core::ApiVersion::new(version);
            let theirs = kafka_wire::response_header_version(descriptor.api_key, version_there, flexible);
            assert_eq!(api.response_header_version(version), theirs, "{response} v{version}");
        }
    }
    assert!(keys.is_empty(), "only we have {keys:?}");
}

/// What each writes, the other reads as the same values and writes as the same bytes.
#[test]
fn both_read_and_write_the_same() {
    for (entry, peer, versions) in shared() {
        for version in versions {
            for seed in 0..sample::seeds(6) {
                there_and_back(&Sample::new(entry, version, seed), &peer);
            }
        }
    }
}

fn there_and_back(sample: &Sample, peer: &Peer) {
    let (name, version) = (sample.name(), sample.version);
    let ours = sample.decoded();
    let our_bytes = sample::encode(&*ours, version).expect(&name);
    assert_eq!(our_bytes, sample.canonical.bytes, "{name}: our bytes");

    let theirs = peer.read(our_bytes, version).expect(&name);
    let agreed = THEIRS.agree(&sample.tree, &Shown::parse(&format!("{theirs:?}")));
    assert_eq!(agreed, Ok(()), "{name}: their values");
    let their_bytes = theirs.write(version).expect(&name);
    assert_eq!(their_bytes, sample.canonical.bytes, "{name}: their bytes");

    let back = sample::decode(sample.entry, version, their_bytes).expect(&name);
    assert_eq!(format!("{back:?}"), format!("{ours:?}"), "{name}: our values");
}

/// What was not said means the same to both: messages that the other codec made, not the generator.
#[test]
fn both_have_the_same_defaults() {
    let mut written = 0;
    for (entry, peer, versions) in shared() {
        let defaults = Structure::of_defaults(entry.schema.body);
        for version in versions {
            let expected = canonical::write(entry.schema, version, &defaults);
            match (peer.make_default().write(version), expected) {
                (Ok(bytes), Ok(expected)) => {
                    assert_eq!(bytes, expected.bytes, "{entry:?} v{version}");
                    let decoded = sample::decode(entry, version, bytes).unwrap();
                    let agreed = OURS.agree(&defaults, &Shown::parse(&format!("{decoded:?}")));
                    assert_eq!(agreed, Ok(()), "{entry:?} v{version}");
                    written += 1;
                }
                // A default of null, in a version from before the field could be null.
                (theirs, ours) => assert!(theirs.is_err() && ours.is_err(), "{entry:?} v{version}"),
            }
        }
    }
    assert!(written > 500, "{written}");
}

/// A message read in one version and written in another: both refuse, or both write the same.
#[test]
fn both_refuse_what_a_version_has_no_place_for() {
    let (mut refused, mut dropped) = (0, 0);
    for (entry, peer, versions) in shared() {
        for (&from, seed) in
            versions.iter().flat_map(|version| (0..sample::seeds(4)).map(move |seed| (version, seed)))
        {
            let sample = Sample::new(entry, from, seed);
            let name = sample.name();
            let ours = sample.decoded();
            let theirs = peer.read(sample.bytes(), from).expect(&name);
            for &into in versions.iter().filter(|&&into| into != from) {
                let name = format!("{name} written as v{into}");
                match (sample::encode(&*ours, into), theirs.write(into)) {
                    (Ok(ours), Ok(theirs)) => {
                        assert_eq!(ours, theirs, "{name}");
                        dropped += 1;
                    }
                    (Err(_), Err(_)) => refused += 1,
                    (ours, theirs) => panic!("{name}: {:?}, {:?}", ours.map(|_| ()), theirs.map(|_| ())),
                }
            }
        }
    }
    assert!(refused > 1_000 && dropped > 1_000, "{refused} refused, {dropped} written");
}

/// Both take the same bytes for a message, and for the same one. One exception: a truth value that is neither 0
/// nor 1, which Kafka's own reader takes for true, as ours does, and the other codec refuses.
#[test]
fn both_refuse_or_accept_the_same_damage() {
    let (mut refused, mut accepted) = (0, 0);
    for (entry, peer, versions) in shared() {
        for version in versions {
            let sample = Sample::new(entry, version, SEED_FULL);
            if sample.canonical.bytes.is_empty() {
                continue;
            }
            let name = sample.name();
            let mut random = Random::new(2, &name);
            for _ in 0..40 * sample::seeds(1) {
                let bytes = sample.damaged(&mut random);
                let ours = sample::decode(entry, version, bytes.clone());
                match (ours, peer.read(bytes.clone(), version)) {
                    (Ok(ours), Ok(theirs)) => {
                        let (ours, theirs) = (sample::encode(&*ours, version), theirs.write(version));
                        assert_eq!(ours.expect(&name), theirs.expect(&name), "{name}, {bytes:?}");
                        accepted += 1;
                    }
                    (Err(_), Err(_)) => refused += 1,
                    (Ok(_), Err(error)) if error.starts_with("invalid boolean byte") => {}
                    (ours, theirs) => panic!("{name}, {bytes:?}: {:?}, {:?}", ours.err(), theirs.err()),
                }
            }
        }
    }
    assert!(refused > 1_000 && accepted > 1_000, "{refused} refused, {accepted} accepted");
}
