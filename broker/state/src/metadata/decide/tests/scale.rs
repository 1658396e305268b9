//! With 100,000 topics a change still costs what a change costs.

use super::*;

const TOPICS: u128 = 100_000;

#[test]
fn the_hundred_thousandth_topic_copies_no_more_than_the_first_ones() {
    let mut image = cluster(1);
    // An image that somebody reads, taken before each change: what a change copies is what it does not share.
    let mut copied_most = [0; 2];
    for number in 0..TOPICS {
        let before = (number % 997 == 0).then(|| image.clone());
        let command = create(vec![topic(&format!("topic.{number:06}"), number + 1)]);
        carry_out(&mut image, &command);
        if let Some(before) = before {
            let half = usize::from(number >= TOPICS / 2);
            copied_most[half] = copied_most[half].max(image.nodes_apart(&before));
        }
    }
    assert_eq!((image.topic_count(), image.partition_count()), (100_000, 100_000));
    // Ids and names, lookalikes, the topic's own partitions, each from the root to a leaf, and what splits.
    assert!(copied_most.iter().all(|copied| (4..=24).contains(copied)), "{copied_most:?}");
}

#[test]
fn a_topic_of_a_hundred_thousand_partitions_is_changed_in_place() {
    let mut image = cluster(1);
    let big = NewTopic { partition_count: 100_000, ..topic("big", 1) };
    carry_out(&mut image, &create(vec![big]));
    let before = image.clone();
    carry_out(&mut image, &BumpLeaderEpochs { partitions: vec![(Uuid::from(1), 54_321)] });
    assert!(image.nodes_apart(&before) <= 8, "{}", image.nodes_apart(&before));
    let partition =
        |image: &MetadataImage| image.topic("big").unwrap().partition(54_321).unwrap().leader_epoch();
    assert_eq!((partition(&before), partition(&image)), (0, 1));
}
