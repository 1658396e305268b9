use super::*;

fn marked(codes: &[ErrorCode]) -> Marked {
    Marked((0..).zip(codes).map(|(index, code)| (Text::from_static("topic"), index, *code)).collect())
}

/// Every code that Kafka's own coordinator knows of as an answer to WriteTxnMarkers, and one that it does not.
#[test]
fn each_answer_has_its_fate() {
    let fates = [
        (ErrorCode::NONE, Fate::Settled),
        (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, Fate::Settled),
        (ErrorCode::INVALID_PRODUCER_EPOCH, Fate::Settled),
        (ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT, Fate::Settled),
        (ErrorCode::UNSUPPORTED_VERSION, Fate::Settled),
        (ErrorCode::NOT_LEADER_OR_FOLLOWER, Fate::Again),
        (ErrorCode::NOT_ENOUGH_REPLICAS, Fate::Again),
        (ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND, Fate::Again),
        (ErrorCode::REQUEST_TIMED_OUT, Fate::Again),
        (ErrorCode::KAFKA_STORAGE_ERROR, Fate::Again),
        (ErrorCode::CORRUPT_MESSAGE, Fate::Again),
        (ErrorCode::MESSAGE_TOO_LARGE, Fate::Again),
        (ErrorCode::RECORD_LIST_TOO_LARGE, Fate::Again),
        (ErrorCode::INVALID_REQUIRED_ACKS, Fate::Again),
        (ErrorCode::UNKNOWN_SERVER_ERROR, Fate::Again),
        (ErrorCode::TRANSACTION_COORDINATOR_FENCED, Fate::Fenced),
    ];
    for (code, fate) in fates {
        assert_eq!(Fate::of(code), fate, "{code}");
        let is_fenced = fate == Fate::Fenced;
        assert_eq!(marked(&[ErrorCode::NONE, code]).is_fenced(), is_fenced);
        let mut settled = vec![(Text::from_static("topic"), 0)];
        if fate == Fate::Settled {
            settled.push((Text::from_static("topic"), 1));
        }
        assert_eq!(marked(&[ErrorCode::NONE, code]).settled(), settled.into_iter().collect(), "{code}");
    }
}

/// A log's refusals as the worker hears of them.
#[test]
fn what_a_log_says_comes_to_a_code_that_is_tried_again_or_not() {
    let of = |refusal| Fate::of(code_of(Some(Err(refusal))));
    assert_eq!(of(Refusal::UnknownPartition), Fate::Again, "it is being deleted: the next look knows");
    assert_eq!(of(Refusal::Offline("gone".into())), Fate::Again);
    assert_eq!(of(Refusal::DiskFull), Fate::Again);
    assert_eq!(of(Refusal::Closed), Fate::Again);
    assert_eq!(Fate::of(code_of(None)), Fate::Again);
    for loading in [
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
        ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::NOT_COORDINATOR,
    ] {
        assert_eq!(Fate::of(of_coordinator(loading)), Fate::Again);
    }
}
