//! What may have been meant by a name that there is not.

use strandline_client::{Client, Each, Error};
use strandline_protocol::ErrorCode;
use strandline_state::settings::nearest;

use crate::cluster::Failure;
use crate::results::list;

/// A line for each topic that there is not: the one that it resembles, or where to look.
pub(crate) async fn topics<T>(client: &Client, results: &Each<T>) -> Vec<String> {
    let unknown = names_with(results, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    if unknown.is_empty() {
        return Vec::new();
    }
    // A hint is no reason for another failure.
    let known = client.admin().list_topics().await.unwrap_or_default();
    let names = || known.iter().map(|topic| topic.name.as_str());
    unknown.iter().map(|name| meant("topic", name, names())).collect()
}

/// The same for groups.
pub(crate) async fn groups<T>(client: &Client, results: &Each<T>) -> Vec<String> {
    let unknown = names_with(results, ErrorCode::GROUP_ID_NOT_FOUND);
    if unknown.is_empty() {
        return Vec::new();
    }
    let known = client.admin().list_groups().await.unwrap_or_default();
    let names = || known.iter().map(|group| group.name.as_str());
    unknown.iter().map(|name| meant("group", name, names())).collect()
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

/// The failure of something with one broker, with those that there are if there is none of that number.
pub(crate) fn about_broker(client: &Client, error: Error, id: i32) -> Failure {
    let metadata = client.metadata();
    if metadata.broker(id).is_some() {
        return Failure::from(error);
    }
    let known: Vec<_> = metadata.brokers.iter().map(|broker| broker.id).collect();
    Failure::Refused(format!("there is no broker {id}; there is {}", list(&known)))
}

fn names_with<T>(results: &Each<T>, code: ErrorCode) -> Vec<&str> {
    let is_unknown = |result: &Result<T, Error>| result.as_ref().err().and_then(Error::code) == Some(code);
    results.iter().filter(|(_, result)| is_unknown(result)).map(|(name, _)| name.as_str()).collect()
}

fn meant<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(known) => format!("there is no {what} {name}; there is {known}"),
        None => format!("there is no {what} {name}; `strandline {what} list` shows what there is"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told() {
        let known = ["orders", "customers"];
        let hint = |name| meant("topic", name, known.into_iter());
        assert_eq!(hint("ordres"), "there is no topic ordres; there is orders");
        assert_eq!(
            hint("payments"),
            "there is no topic payments; `strandline topic list` shows what there is"
        );
    }
}
