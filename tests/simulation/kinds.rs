//! What topics there are: each name stands for one kind, so that whoever sees a topic knows how it is kept.

use strandline_protocol::Compression;

use crate::world::World;

/// How a topic is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// As it comes.
    Plain,
    /// With its durability left to the page cache: a power cut may take its end.
    Async,
    /// Of the records with one key the last stays.
    Keyed,
    /// Compressed by the broker, whatever its producers do.
    Squeezed(Compression),
}

/// The topics that are kept as they come.
const PLAIN: &[&str] = &["one", "two"];

/// The topic whose durability is left to the page cache.
const ASYNC: &str = "async";

/// The topic that is compacted.
const KEYED: &str = "keyed";

/// The names that topics have in this run.
pub(crate) fn names(world: &World) -> Vec<&'static str> {
    let codec = world.any(&Compression::ALL);
    PLAIN.iter().copied().chain([ASYNC, KEYED, squeezed(codec)]).collect()
}

/// How Kafka calls a codec when a topic is to be compressed with it.
const fn squeezed(codec: Compression) -> &'static str {
    match codec {
        Compression::None => "uncompressed",
        codec => codec.name(),
    }
}

impl Kind {
    /// What a name stands for.
    pub(crate) fn of(name: &str) -> Self {
        let codec = Compression::ALL.into_iter().find(|codec| squeezed(*codec) == name);
        match (name, codec) {
            (ASYNC, _) => Self::Async,
            (KEYED, _) => Self::Keyed,
            (_, Some(codec)) => Self::Squeezed(codec),
            _ => Self::Plain,
        }
    }

    /// What is set for such a topic.
    pub(crate) fn settings(self, world: &World) -> Vec<(&'static str, &'static str)> {
        let mut settings = vec![("internal.segment.bytes", world.any(&["3500", "8000", "100000"]))];
        match self {
            Self::Plain => {}
            Self::Async => settings.push(("strandline.durability", "async")),
            Self::Keyed => {
                // Small, so that there is something to be compacted.
                settings = vec![("internal.segment.bytes", world.any(&["3000", "4500"]))];
                settings.push(("cleanup.policy", "compact"));
                settings.push(("min.cleanable.dirty.ratio", world.any(&["0", "0.01", "0.5"])));
                settings.push(("delete.retention.ms", world.any(&["0", "1000", "86400000"])));
            }
            Self::Squeezed(codec) => settings.push(("compression.type", squeezed(codec))),
        }
        settings
    }
}
