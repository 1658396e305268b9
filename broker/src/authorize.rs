//! Who may do what: asked for each resource before any state is looked up, so that a refusal tells nobody whether
//! a name exists.

use std::fmt;

use crate::context::Call;

/// What somebody wants to do with a resource. Kafka's, with their numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Operation {
    Read = 3,
    Write = 4,
    Create = 5,
    Delete = 6,
    Alter = 7,
    Describe = 8,
    ClusterAction = 9,
    DescribeConfigs = 10,
    AlterConfigs = 11,
    IdempotentWrite = 12,
}

impl Operation {
    /// Kafka's number for it.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// What it is done to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resource<'a> {
    /// A topic of this name, whether or not it exists.
    Topic(&'a str),
    /// The whole cluster.
    Cluster,
    /// A consumer group.
    Group(&'a str),
    /// A producer's transactional id.
    TransactionalId(&'a str),
}

/// Decides who may do what.
pub trait Authorizer: Send + Sync + fmt::Debug {
    /// Whether the one who calls may do this.
    fn authorize(&self, call: &Call, operation: Operation, resource: Resource<'_>) -> bool;

    /// Whether there is any topic, be it one that could be made, that the one who calls may do this to.
    ///
    /// As it is here it is right for those who make no difference between topics. Whoever does has to say more.
    fn authorize_any_topic(&self, call: &Call, operation: Operation) -> bool {
        self.authorize(call, operation, Resource::Topic(""))
    }
}

/// Lets everybody do everything.
#[derive(Debug)]
pub struct AllowAll;

impl Authorizer for AllowAll {
    fn authorize(&self, _: &Call, _: Operation, _: Resource<'_>) -> bool {
        true
    }
}
