//! What may have been meant by a name that there is not.

use strandline_client::{Client, Each, Error};
use strandline_protocol::ErrorCode;
use strandline_state::settings::nearest;

use crate::cluster::Failure;

/// A line for each topic that there is not and that resembles one that there is.
pub(crate) async fn topics<T>(client: &Client, results: &Each<T>) -> Vec<String> {
    let unknown = names_with(results, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    if unknown.is_empty() {
        return Vec::new();
    }
    // A hint is no reason for another failure.
    let known = client.admin().list_topics().await.unwrap_or_default();
    unknown
        .iter()
        .filter_map(|name| meant("topic", name, known.iter().map(|topic| topic.name.as_str())))
        .collect()
}

/// A line for each group that there is not and that resembles one that there is.
pub(crate) async fn groups<T>(client: &Client, results: &Each<T>) -> Vec<String> {
    let unknown = names_with(results, ErrorCode::GROUP_ID_NOT_FOUND);
    if unknown.is_empty() {
        return Vec::new();
    }
    let known = client.admin().list_groups().await.unwrap_or_default();
    unknown
        .iter()
        .filter_map(|name| meant("group", name, known.iter().map(|group| group.name.as_str())))
        .collect()
}

/// The failure of something with one topic, with what may have been meant.
pub(crate) async fn about_topic(client: &Client, error: Error, topic: &str) -> Failure {
    let results: Each<()> = vec![(topic.to_owned(), Err(error.clone()))];
    let hints = topics(client, &results).await;
    match (Failure::from(error), hints.first()) {
        (Failure::Refused(text), Some(hint)) => Failure::Refused(format!("{text}\nstrandline: {hint}")),
        (failure, _) => failure,
    }
}

fn names_with<T>(results: &Each<T>, code: ErrorCode) -> Vec<&str> {
    let is_unknown = |result: &Result<T, Error>| result.as_ref().err().and_then(Error::code) == Some(code);
    results.iter().filter(|(_, result)| is_unknown(result)).map(|(name, _)| name.as_str()).collect()
}

fn meant<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(|known| format!("there is no {what} {name}; there is {known}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told() {
        let known = ["orders", "customers"];
        let hint = meant("topic", "ordres", known.into_iter()).unwrap();
        assert_eq!(hint, "there is no topic ordres; there is orders");
        assert_eq!(meant("topic", "payments", known.into_iter()), None);
    }
}
