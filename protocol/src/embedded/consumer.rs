use crate::{Bytes, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolSubscription {
    #[wire("0+")]
    pub topics: Vec<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub user_data: Option<Bytes>,
    #[wire("1+", ignorable)]
    pub owned_partitions: Vec<OwnedPartitions>,
    #[wire("2+", default = -1, ignorable)]
    pub generation_id: i32,
    #[wire("3+", nullable = "3+", default = null, ignorable)]
    pub rack_id: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicPartition")]
pub struct OwnedPartitions {
    #[wire("1+")]
    pub topic: Text,
    #[wire("1+")]
    pub partitions: Vec<i32>,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolAssignment {
    #[wire("0+")]
    pub assigned_partitions: Vec<AssignedPartitions>,
    #[wire("0+", nullable = "0+", default = null)]
    pub user_data: Option<Bytes>,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicPartition")]
pub struct AssignedPartitions {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
}
