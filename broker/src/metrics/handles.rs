//! Handles of counters and histograms, as a table of families: the kind, the name, the text, and a field for each set of
//! labels.

macro_rules! handles {
    (@type counter) => { metrics::Counter };
    (@type histogram) => { metrics::Histogram };
    ($(#[$meta:meta])* $struct:ident; $(
        $kind:ident $name:literal, $help:literal: $(
            $field:ident $({$($label:literal = $value:literal),+})?
        ),+;
    )+) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(super) struct $struct {
            $($($field: $crate::metrics::handles::handles!(@type $kind),)+)+
        }

        impl $struct {
            pub(super) fn new(exporter: &$crate::metrics::exporter::Exporter) -> Self {
                Self { $($($field: exporter.$kind($name, &[$($(($label, $value)),+)?], $help),)+)+ }
            }
        }
    };
}

pub(super) use handles;

/// A count as counters take it.
pub(super) fn number(count: usize) -> u64 {
    count.try_into().unwrap_or(u64::MAX)
}
