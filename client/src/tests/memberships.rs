//! What a member of a group says of itself, and what it is told when it is none any more.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use strandline_protocol::ErrorCode;

use super::in_time;
use super::troubled::{Cluster, TOPIC};
use crate::{Consumer, GroupProtocol, RebalanceListener};

const PARTITIONS: usize = 4;
const BOTH: [GroupProtocol; 2] = [GroupProtocol::Classic, GroupProtocol::Consumer];

/// What a listener was told, and of how many partitions.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<(&'static str, usize)>>>);

type Told<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

impl Diary {
    fn note(&self, what: &'static str, partitions: &[(String, i32)]) -> Told<'static> {
        self.0.lock().unwrap().push((what, partitions.len()));
        Box::pin(std::future::ready(()))
    }

    fn read(&self) -> Vec<(&'static str, usize)> {
        self.0.lock().unwrap().clone()
    }
}

impl RebalanceListener for Diary {
    fn assigned<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Told<'a> {
        self.note("assigned", partitions)
    }

    fn revoked<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Told<'a> {
        self.note("revoked", partitions)
    }

    fn lost<'a>(&'a mut self, partitions: &'a [(String, i32)]) -> Told<'a> {
        self.note("lost", partitions)
    }
}

async fn member(cluster: &Cluster, protocol: GroupProtocol, rack: &str) -> (Consumer, Diary) {
    let client = cluster.client().await;
    let builder = client.consumer().group("readers").group_protocol(protocol).rack(rack);
    let mut member = builder.session_timeout(Duration::from_millis(150)).start().unwrap();
    let diary = Diary::default();
    member.subscribe_with(&[TOPIC], Some(Box::new(diary.clone()))).unwrap();
    (member, diary)
}

/// Comes for records, of which there are none, until the diary has so many entries.
async fn attend(member: &mut Consumer, diary: &Diary, entries: usize) {
    let what = format!("entry {entries} of the diary");
    in_time(&what, async {
        while diary.read().len() < entries {
            let _none = tokio::time::timeout(Duration::from_millis(5), member.next()).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_member_says_which_rack_it_is_in() {
    for protocol in BOTH {
        for rack in ["", "zone-a"] {
            let cluster = Cluster::start(1, PARTITIONS, 0, 1).await;
            let (mut member, diary) = member(&cluster, protocol, rack).await;
            attend(&mut member, &diary, 1).await;
            let said = Some(rack).filter(|rack| !rack.is_empty()).map(Into::into);
            assert_eq!(cluster.inner().group.racks, BTreeSet::from([said]), "{protocol:?}");
        }
    }
}

#[tokio::test]
async fn what_a_member_had_that_is_none_any_more_is_lost_and_not_let_go_of() {
    for protocol in BOTH {
        let cluster = Cluster::start(1, PARTITIONS, 0, 1).await;
        let (mut member, diary) = member(&cluster, protocol, "").await;
        attend(&mut member, &diary, 1).await;
        cluster.inner().group.fence();
        attend(&mut member, &diary, 3).await;
        let all = PARTITIONS;
        assert_eq!(diary.read(), [("assigned", all), ("lost", all), ("assigned", all)], "{protocol:?}");
    }
}

#[tokio::test]
async fn what_a_member_had_whose_name_another_one_took_is_lost_for_good() {
    for protocol in BOTH {
        let cluster = Cluster::start(1, PARTITIONS, 0, 1).await;
        let (mut member, diary) = member(&cluster, protocol, "").await;
        attend(&mut member, &diary, 1).await;
        in_time("it knows where to read from", async {
            while member.position(TOPIC, 0).is_none() {
                let _none = tokio::time::timeout(Duration::from_millis(5), member.next()).await;
            }
        })
        .await;
        cluster.inner().group.turned_away = Some(ErrorCode::FENCED_INSTANCE_ID);
        let error = in_time("it hears of it", member.next()).await.unwrap_err();
        assert!(error.is_fatal() && error.code() == Some(ErrorCode::FENCED_INSTANCE_ID), "{error:?}");
        assert_eq!(diary.read(), [("assigned", PARTITIONS), ("lost", PARTITIONS)], "{protocol:?}");
        assert_eq!(member.position(TOPIC, 0), None, "it reads no more of it");
    }
}
