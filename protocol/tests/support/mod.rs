//! What the tests of the messages stand on: random values of any message, made from its schema alone.
//!
//! Nothing here calls the codec that is under test, except [`sample`], which lists its messages:
//! [`generate`] makes a tree of values, [`canonical`] writes it by an interpreter of the schema, [`shown`]
//! reads a decoded struct's values back from its `Debug` text, [`peer`] is the independent codec.

pub(crate) mod canonical;
pub(crate) mod generate;
pub(crate) mod peer;
pub(crate) mod random;
pub(crate) mod sample;
pub(crate) mod shown;
pub(crate) mod synthetic;
pub(crate) mod value;
