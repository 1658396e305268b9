"""What the stories of transactions read, by librdkafka."""

import collections
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

SETTLE_TIMEOUT_S = 90

# What a client may make of being fenced: INVALID_PRODUCER_EPOCH, PRODUCER_FENCED, and librdkafka's own.
FENCED = (47, 90, -144)
# LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH.
OF_LEADERSHIP = (5, 6, 74, 75)


class Failure(Exception):
    """Something is not as Kafka has it."""


def same(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: found {str(found)[:1500]}\n  instead of {str(expected)[:1500]}")


class Reader:
    """Reads a topic, and what a group committed in it."""

    def __init__(self, address, topic, partitions):
        self.address = address
        self.topic = topic
        self.partitions = partitions
        self.admin = self.new_admin()

    def new_admin(self):
        return AdminClient({"bootstrap.servers": self.address, "metadata.recovery.strategy": "none"})

    def create(self):
        for made in self.admin.create_topics([NewTopic(self.topic, self.partitions, 1)]).values():
            made.result(30)

    def read(self, isolation):
        """The values of each partition, to the end."""
        consumer = Consumer({
            "bootstrap.servers": self.address, "group.id": "reader", "isolation.level": isolation,
            "enable.auto.commit": False, "enable.partition.eof": True, "auto.offset.reset": "earliest"})
        consumer.assign([TopicPartition(self.topic, partition, 0) for partition in range(self.partitions)])
        values, ended = collections.defaultdict(list), set()
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while len(ended) < self.partitions:
            if time.monotonic() > deadline:
                raise Failure("the topic is not read to its end")
            for message in consumer.consume(1000, 0.5):
                if message.error():
                    ended.add(message.partition())
                else:
                    values[message.partition()].append(message.value().decode())
        consumer.close()
        return [values[partition] for partition in range(self.partitions)]

    def ends(self, isolation):
        places = [TopicPartition(self.topic, partition) for partition in range(self.partitions)]
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while True:
            found = self.admin.list_offsets({place: OffsetSpec.latest() for place in places}, isolation_level=isolation)
            try:
                return [found[place].result(30).offset for place in places]
            except KafkaException as refused:
                # It asks with the leaders' epochs of before the broker was stopped, however often it is told that they are old.
                if refused.args[0].code() not in OF_LEADERSHIP or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
                self.admin = self.new_admin()

    def settle(self):
        """Waits until no transaction is open."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while (stable := self.ends(IsolationLevel.READ_COMMITTED)) != self.ends(IsolationLevel.READ_UNCOMMITTED):
            if time.monotonic() > deadline:
                raise Failure(f"a transaction stays open: {stable} are stable")
            time.sleep(0.1)

    def offset(self, group):
        """What the group committed in partition 0, once no transaction is about to change it."""
        asked = ConsumerGroupTopicPartitions(group, [TopicPartition(self.topic, 0)])
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while True:
            try:
                found = self.admin.list_consumer_group_offsets([asked], require_stable=True)[group].result(30)
                (place,) = found.topic_partitions
                if place.error is None:
                    return place.offset if place.offset >= 0 else None
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
            if time.monotonic() > deadline:
                raise Failure("the offset stays pending")
            time.sleep(0.1)
