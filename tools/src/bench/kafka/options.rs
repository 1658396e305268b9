//! The options that the benchmarks have in common. Their names are kept: measurements outside of this project use
//! them.

use clap::{Args, ValueEnum};
use strandline_protocol::Compression;

use crate::cluster::Connecting;

/// Which topic of which cluster, and whose processor time is counted.
#[derive(Args, Clone)]
pub(super) struct Target {
    #[command(flatten)]
    pub(super) connecting: Connecting,
    /// The topic. It is made if it is not there, and stays.
    #[arg(long, default_value = "strandline-bench", value_name = "NAME")]
    pub(super) topic: String,
    /// How many partitions the topic has: 1 where it is made and this is left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub(super) partitions: Option<i32>,
    /// How many copies each partition has, where the topic is made; the cluster's default where it is left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i16).range(1..))]
    pub(super) replication_factor: Option<i16>,
    /// A setting of the topic, where it is made; may be given more than once.
    #[arg(long, value_name = "NAME=VALUE", value_parser = crate::arguments::setting)]
    pub(super) config: Vec<(String, String)>,
    /// The broker's process on this machine: its processor time and memory are reported.
    #[arg(long, value_name = "PID")]
    pub(super) broker_pid: Option<u32>,
}

/// How much is measured.
#[derive(Args, Clone)]
pub(super) struct Length {
    /// For how long; 10 where neither this nor `--records` is given.
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub(super) seconds: Option<f64>,
    /// Until this many records are done.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) records: Option<u64>,
    /// Run for this long before anything is counted.
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS", value_parser = not_negative)]
    pub(super) warm_up_seconds: f64,
}

/// `acks`, as producers have it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Acks {
    /// No answer; the broker is taken at the socket's word.
    #[value(name = "0")]
    None,
    /// The leader's.
    #[value(name = "1")]
    Leader,
    /// All replicas' that are in sync.
    #[default]
    #[value(name = "all", alias = "-1")]
    All,
}

impl Acks {
    pub(super) const fn code(self) -> i16 {
        match self {
            Self::None => 0,
            Self::Leader => 1,
            Self::All => -1,
        }
    }
}

/// Kafka's names of the codecs.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum Codec {
    /// Not compressed.
    #[default]
    None,
    /// Gzip.
    Gzip,
    /// Snappy.
    Snappy,
    /// LZ4.
    Lz4,
    /// Zstandard.
    Zstd,
}

impl From<Codec> for Compression {
    fn from(codec: Codec) -> Self {
        match codec {
            Codec::None => Self::None,
            Codec::Gzip => Self::Gzip,
            Codec::Snappy => Self::Snappy,
            Codec::Lz4 => Self::Lz4,
            Codec::Zstd => Self::Zstd,
        }
    }
}

/// A number above zero.
pub(super) fn positive(text: &str) -> Result<f64, String> {
    not_negative(text).and_then(|value| if value > 0.0 { Ok(value) } else { Err("it is above 0".to_owned()) })
}

/// A number of at least zero.
pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("it is a number, and not below 0".to_owned()),
    }
}
