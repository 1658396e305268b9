//! Who a forwarded request came from: the `request_principal` of an Envelope, as Kafka's default builder
//! writes it behind a two-byte version.

use crate::{TaggedFields, Text, Wire};

/// An authenticated principal.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DefaultPrincipalData {
    /// The kind of principal; `User` unless a custom authorizer knows others.
    #[wire("0+", name = "Type")]
    pub kind: Text,
    /// Its name within the kind.
    #[wire("0+")]
    pub name: Text,
    /// Whether it authenticated by a delegation token.
    #[wire("0+")]
    pub token_authenticated: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
