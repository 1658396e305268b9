use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DefaultPrincipalData {
    #[wire("0+", name = "Type")]
    pub kind: Text,
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub token_authenticated: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
