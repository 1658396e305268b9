"""A member of a group, by librdkafka's Python binding."""

from confluent_kafka import Consumer, KafkaException, TopicPartition

from membership import ADDRESS, GROUP, TOPIC, listen, over, say

consumer = Consumer({
    "bootstrap.servers": ADDRESS, "group.id": GROUP, "enable.auto.commit": False, "auto.offset.reset": "earliest",
    "partition.assignment.strategy": "range", "session.timeout.ms": 10000, "heartbeat.interval.ms": 500,
    "topic.metadata.refresh.interval.ms": 1000})


def on_assign(_, partitions):
    say(assigned=[each.partition for each in partitions])


def on_revoke(_, __):
    say(assigned=[])


consumer.subscribe([TOPIC], on_assign=on_assign, on_revoke=on_revoke, on_lost=on_revoke)
listen()
while not over.is_set():
    found = [each for each in consumer.consume(100, timeout=0.2) if not each.error()]
    for each in found:
        say(record=[each.partition(), each.offset()])
    ends = {each.partition(): each.offset() + 1 for each in found}
    if ends:
        try:
            places = consumer.commit(offsets=[TopicPartition(TOPIC, *each) for each in ends.items()], asynchronous=False)
            say(committed=[[each.partition, each.offset] for each in places if not each.error])
        except KafkaException:
            # It is read again by whoever has the partition next.
            pass
consumer.close()
