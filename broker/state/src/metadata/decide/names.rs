//! Which names a topic may have.

use strandline_protocol::ErrorCode;

use super::Refusal;
use crate::metadata::MetadataImage;

/// A topic's name has no more bytes than this.
const NAME_BYTES_MAX: usize = 249;

/// The metadata log is a log like others, and must not be a topic besides.
const CLUSTER_METADATA: &str = "__cluster_metadata";

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::INVALID_TOPIC_EXCEPTION, message)
}

/// Whether a topic may have this name, whatever other topics there are.
pub fn validate_topic_name(name: &str) -> Result<(), Refusal> {
    let fault = match name {
        "" => "the empty string is not allowed".to_owned(),
        "." => "'.' is not allowed".to_owned(),
        ".." => "'..' is not allowed".to_owned(),
        _ if name.len() > NAME_BYTES_MAX => {
            // What was sent may be long: the answer need not be.
            let shown: String = name.chars().take(NAME_BYTES_MAX).collect();
            format!("the length of '{shown}' is longer than the max allowed length {NAME_BYTES_MAX}")
        }
        _ if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')) => {
            format!(
                "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
            )
        }
        _ => return Ok(()),
    };
    Err(invalid(format!("Topic name is invalid: {fault}")))
}

/// Whether a new topic may have this name beside those that there are.
pub(super) fn validate_new_name(image: &MetadataImage, name: &str) -> Result<(), Refusal> {
    if name == CLUSTER_METADATA {
        let message = format!("Creation of internal topic {CLUSTER_METADATA} is prohibited.");
        return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
    }
    validate_topic_name(name)?;
    if image.topic(name).is_some() {
        return Err(Refusal::new(ErrorCode::TOPIC_ALREADY_EXISTS, format!("Topic '{name}' already exists.")));
    }
    match image.lookalike(name) {
        Some(other) => Err(invalid(format!("Topic '{name}' collides with existing topic: {other}"))),
        None => Ok(()),
    }
}

/// Whether a topic of this name belongs to the brokers, whoever makes it.
pub fn is_internal_name(name: &str) -> bool {
    matches!(name, "__consumer_offsets" | "__transaction_state" | "__share_group_state")
}
