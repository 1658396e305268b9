//! Signs of life that are heeded, each held against what the same request is decided to come to.

use std::time::Duration;

use strandline_protocol::Text;

use super::world::GROUP;
use super::*;
use crate::coordinator::{Decision, Heeded, Machine, Ticket};
use crate::groups::{Caller, Groups, Request, Sign};

/// What is made of a request without a decision, if anything is.
pub(super) fn heed(
    groups: &mut Groups,
    now_ms: i64,
    caller: &Caller,
    request: &Request,
) -> Option<Heeded<Groups>> {
    let sign = match request {
        Request::Heartbeat(request) => Sign::Classic(request),
        Request::ConsumerGroupHeartbeat { request, .. } => Sign::Consumer(request, caller),
        _ => return None,
    };
    // As if both clocks had begun with the epoch.
    groups.heed(Duration::from_millis(now_ms.unsigned_abs()), now_ms, sign)
}

/// A decision comes to exactly the same: it sets the timers that are put off, or would be when they go off.
pub(super) fn check(groups: &Groups, ticket: Ticket, heeded: Heeded<Groups>, decision: &Decision<Groups>) {
    let Decision { records, passing, replies, timers, events, .. } = decision;
    assert!(records.is_empty() && passing.is_empty() && events.is_empty(), "more is to be done");
    assert_eq!(*replies, [(ticket, heeded.reply)]);
    let kept_ms = |timer| groups.put_off(timer).map(|until| i64::try_from(until.as_millis()).unwrap());
    let expected = match heeded.timer {
        Some((timer, at_ms)) => vec![(timer, Some(at_ms))],
        None => timers.iter().map(|(timer, _)| (timer.clone(), kept_ms(timer))).collect(),
    };
    assert_eq!(*timers, expected);
}

/// Whether a heartbeat is heeded; what it is decided to come to happens.
fn is_heeded(world: &mut World, beat: Beat) -> bool {
    let before = world.heeded;
    drop(world.beat(beat));
    world.heeded > before
}

#[test]
fn a_member_that_stays_is_heeded_until_something_is_new() {
    let mut world = World::new(&[("orders", 3)]);
    assert!(!is_heeded(&mut world, Beat::join("a", &["orders"])));
    assert!(is_heeded(&mut world, Beat::stay("a", 2)));
    assert!(is_heeded(&mut world, Beat::stay("a", 2).owning(&[("orders", &[0, 1, 2])])));
    // Another topic may be one that it reads: that is looked at once.
    world.put_topic("other", 1);
    assert!(!is_heeded(&mut world, Beat::stay("a", 2)));
    assert!(is_heeded(&mut world, Beat::stay("a", 2)));
    // It has to give up what another member shall have.
    assert!(!is_heeded(&mut world, Beat::join("b", &["orders"])));
    assert!(!is_heeded(&mut world, Beat::stay("a", 2)));
}

#[test]
fn nobody_else_is_heeded() {
    let mut world = World::new(&[("orders", 3)]);
    world.beat(Beat::join("a", &["orders"]).named("x")).unwrap();
    assert!(is_heeded(&mut world, Beat::stay("a", 2).named("x")));
    let says = |change: fn(
        &mut strandline_protocol::apis::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest,
    )| { Beat::stay("a", 2).with(change) };
    let others = [
        Beat::stay("b", 2),
        Beat::stay("a", 1),
        Beat::stay("a", 3),
        Beat::stay("a", 2).named("y"),
        says(|request| request.group_id = "another".into()),
        says(|request| request.rack_id = Some("r".into())),
        says(|request| request.rebalance_timeout_ms = 60_000),
        says(|request| request.server_assignor = Some("range".into())),
        says(|request| request.subscribed_topic_names = Some(vec!["orders".into()])),
        says(|request| request.subscribed_topic_regex = Some(Text::new())),
    ];
    for beat in others {
        let said = format!("{beat:?}");
        assert!(!is_heeded(&mut world, beat), "{said}");
    }
    let caller = Caller { client_id: "client".into(), client_host: "/127.0.0.2".into(), ..Caller::default() };
    let request = Beat::stay("a", 2).0;
    assert_eq!(request.group_id, GROUP);
    let (now_ms, sign) = (world.now_ms(), Sign::Consumer(&request, &caller));
    assert!(world.groups.heed(Duration::ZERO, now_ms, sign).is_none(), "one that has moved is written down");
}
