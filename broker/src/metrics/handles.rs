//! Handles of counters and histograms, as a table: the field, the kind, the name with its labels, the text.

macro_rules! handles {
    (@type counter) => { metrics::Counter };
    (@type histogram) => { metrics::Histogram };
    ($(#[$meta:meta])* $struct:ident; $(
        $field:ident: $kind:ident $name:literal $({$($label:literal = $value:literal),+})?, $help:literal;
    )+) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(super) struct $struct {
            $($field: $crate::metrics::handles::handles!(@type $kind),)+
        }

        impl $struct {
            pub(super) fn new(exporter: &$crate::metrics::exporter::Exporter) -> Self {
                Self { $($field: exporter.$kind($name, &[$($(($label, $value)),+)?], $help),)+ }
            }
        }
    };
}

pub(super) use handles;
