//! Fetching, as a client sees it.

mod ahead;
mod errors;
mod limits;
mod waiting;

use strandline_log::engine::{ReadOut, Slice, UpTo};
use strandline_protocol::apis::fetch::FetchRequest;
use strandline_protocol::{ErrorCode, Piece};

use crate::api::Reply;
use crate::api::tests::{Rig, batch, fetch_request, records};
use crate::api::topics::TopicRules;

#[tokio::test]
async fn a_batch_in_the_tail_is_sent_from_where_it_lies() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    rig.produce("t", batch(&[&[7; 100 << 10]])).await;
    let ReadOut { slices, .. } = rig.log("t", 0).read(0, 1 << 20, UpTo::End).unwrap();
    let [Slice::Memory(lying)] = &slices[..] else { panic!("{slices:?}") };
    for version in [4, 12, 18] {
        let reply = rig.reply(version, &fetch_request("t", &[(0, 0)])).await;
        let Reply::Send { frame, .. } = reply else { panic!("{reply:?}") };
        let sent = frame.into_pieces().iter().find_map(|piece| match piece {
            Piece::Slice(slice) if slice.len() > 100 << 10 => Some(slice.as_ptr_range()),
            _ => None,
        });
        assert_eq!(sent, Some(lying.as_ref().as_ptr_range()), "version {version}");
    }
}

#[tokio::test]
async fn a_session_is_told_what_is_new_and_nothing_else() {
    let rig = Rig::new();
    rig.create("t", 3, TopicRules::default());
    let opening = FetchRequest { session_epoch: 0, ..fetch_request("t", &[(0, 0), (1, 0), (2, 0)]) };
    let first = rig.call(13, &opening).await;
    assert_eq!(first.responses[0].partitions.len(), 3);
    let id = first.session_id;
    assert!(id > 0);
    let go_on = |session_epoch| FetchRequest {
        session_id: id,
        session_epoch,
        min_bytes: 1,
        max_bytes: 1 << 20,
        ..Default::default()
    };
    let quiet = rig.call(13, &go_on(1)).await;
    assert_eq!((quiet.error_code, quiet.session_id, quiet.responses.len()), (ErrorCode::NONE, id, 0));
    rig.produce("t", batch(&[b"a"])).await;
    let news = rig.call(13, &go_on(2)).await;
    assert_eq!(records(&news), [(0, 0, b"a".to_vec())]);
    assert_eq!(news.responses[0].partitions.len(), 1);
    let late = rig.call(13, &go_on(2)).await;
    assert_eq!((late.error_code, late.session_id), (ErrorCode::INVALID_FETCH_SESSION_EPOCH, 0));
    let named = FetchRequest { session_id: id, session_epoch: 3, ..fetch_request("t", &[(0, 1)]) };
    assert_eq!(rig.call(13, &named).await.responses.len(), 0);
    let end = FetchRequest { session_id: id, session_epoch: -1, ..Default::default() };
    assert_eq!(rig.call(13, &end).await.session_id, 0);
    assert_eq!(rig.call(13, &go_on(4)).await.error_code, ErrorCode::FETCH_SESSION_ID_NOT_FOUND);
}
