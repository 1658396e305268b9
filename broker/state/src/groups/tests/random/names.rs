//! Members with configured names: a process that comes back has another id and the same name, and two processes that are
//! given one name take it from each other.

use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::{ErrorCode, Text};

use super::{CLIENTS, Client, GROUP, Life};
use crate::groups::tests::driver::joining;
use crate::groups::{Reply, Request};

/// The configured name of each client, if it has one.
pub(super) const NAMES: [Option<&str>; CLIENTS] = [None, None, Some("alone"), Some("shared"), Some("shared")];

/// The place in its group that an id stands for: the name, of one that has a name, since its id changes.
pub(super) fn place_of(id: &Text) -> Text {
    let named = NAMES.iter().flatten().find(|name| id.starts_with(**name));
    named.map_or_else(|| id.clone(), |name| Text::from(*name))
}

impl Life {
    /// A client joins, with an id or, if it has a name, without.
    pub(super) fn join(&mut self, at: usize, id: Text) -> Client {
        let mut join = joining(GROUP, &id);
        join.request.group_instance_id = NAMES[at].map(Text::from);
        let ticket = self.driver.join(join);
        Client::Joining(id, ticket)
    }

    pub(super) fn say_it_lives(&mut self, at: usize, joined: &JoinGroupResponse) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id: joined.generation_id,
            member_id: joined.member_id.clone(),
            group_instance_id: NAMES[at].map(Text::from),
            ..Default::default()
        };
        match self.driver.call(Request::Heartbeat(request)) {
            Reply::Heartbeat(code) => code,
            other => panic!("{other:?}"),
        }
    }

    /// The id that has this one's place now.
    pub(super) fn holder_of(&self, id: &Text) -> Text {
        let place = place_of(id);
        let members = self.classic().into_iter().flat_map(|group| group.members());
        let mut holders = members.map(|(holder, _)| holder).filter(|holder| place_of(holder) == place);
        holders.next().unwrap_or(id).clone()
    }

    pub(super) fn is_member(&self, id: &Text) -> bool {
        self.classic().is_some_and(|group| group.members().any(|(member, _)| member == id))
    }
}

#[test]
fn names_are_taken_over_in_random_lives() {
    let (mut replaced, mut fenced) = (0, 0);
    for seed in 0..40 {
        let mut life = Life::new(seed, super::Plant::None);
        for step in 0..200 {
            life.step = step;
            let at = life.numbers.below(CLIENTS);
            if life.numbers.one_in(8) {
                life.clients[at] = Client::Out;
            }
            life.driver.pass_ms(1);
            let before: Vec<_> = life.clients.clone();
            life.advance(at).unwrap();
            let inside = before.iter().filter_map(|client| match client {
                Client::In(joined, _) => Some(&joined.member_id),
                _ => None,
            });
            replaced += inside.filter(|id| place_of(id) != **id && life.holder_of(id) != **id).count();
            if let Client::In(joined, _) = life.clients[at].clone() {
                fenced += usize::from(life.say_it_lives(at, &joined) == ErrorCode::FENCED_INSTANCE_ID);
            }
        }
    }
    assert!(replaced > 10 && fenced > 10, "{replaced} replaced, {fenced} fenced");
}
