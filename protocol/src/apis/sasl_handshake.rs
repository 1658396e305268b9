use crate::{ErrorCode, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "none")]
pub struct SaslHandshakeRequest {
    #[wire("0+")]
    pub mechanism: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "none")]
pub struct SaslHandshakeResponse {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub mechanisms: Vec<Text>,
}
