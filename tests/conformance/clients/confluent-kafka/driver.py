"""librdkafka, by its Python binding, does what the story asks."""

import sys
import time
from functools import cache

from confluent_kafka import (
    OFFSET_BEGINNING, OFFSET_END, Consumer, ConsumerGroupTopicPartitions, KafkaException, Producer, TopicPartition)
from confluent_kafka import KafkaError as ClientError
from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic, OffsetSpec

from talk import KafkaError, serve, to_bytes, to_text

BROKER = {"bootstrap.servers": sys.argv[1]}
TIMEOUT_S = 60
admin = AdminClient(BROKER)


def checked(error):
    if error is not None:
        # Told not to move a consumer whose offset is gone, librdkafka has a number of its own for that.
        code = ClientError.OFFSET_OUT_OF_RANGE if error.code() == ClientError._AUTO_OFFSET_RESET else error.code()
        raise KafkaError(code, error.str())


def result(future):
    try:
        return future.result(TIMEOUT_S)
    except KafkaException as error:
        checked(error.args[0])


def create(topic, partitions, replicas=1, settings=None):
    result(admin.create_topics([NewTopic(topic, partitions, replicas, config=settings or {})])[topic])


def grow(topic, partitions):
    result(admin.create_partitions([NewPartitions(topic, partitions)])[topic])


def describe(topic):
    found = result(admin.describe_topics(TopicCollection([topic]))[topic])
    return {"partitions": [
        {"partition": each.id, "leader": each.leader.id, "replicas": [node.id for node in each.replicas],
         "isr": [node.id for node in each.isr]}
        for each in found.partitions]}


def list_topics():
    return {"topics": list(admin.list_topics(timeout=TIMEOUT_S).topics)}


def delete(topic):
    result(admin.delete_topics([topic])[topic])


def delete_records(topic, partition, offset):
    place = TopicPartition(topic, partition, offset)
    result(admin.delete_records([place])[place])


def group(group, topic):
    """What an administrator sees of a group, with its offsets in the order of the partitions."""
    described = result(admin.describe_consumer_groups([group])[group])
    listed = result(admin.list_consumer_groups()).valid
    found = result(admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group]).topic_partitions
    found = sorted(each for each in found if each.topic == topic)
    return {
        "state": described.state.name.title(), "members": len(described.members), "offsets": [each.offset for each in found],
        "listed": group in [each.group_id for each in listed]}


def offsets(topic, partition):
    place = TopicPartition(topic, partition)
    return {
        name: result(admin.list_offsets({place: spec})[place]).offset
        for name, spec in (("earliest", OffsetSpec.earliest()), ("latest", OffsetSpec.latest()))}


@cache
def producer(compression, acks, idempotent):
    return Producer({
        **BROKER, "compression.type": compression, "acks": acks, "enable.idempotence": idempotent, "linger.ms": 20,
        "topic.metadata.propagation.max.ms": 3000, "message.timeout.ms": TIMEOUT_S * 1000})


def produce(topic, partition, records, compression, acks, idempotent):
    delivered, errors = [], []

    def on_delivery(error, message):
        errors.append(error) if error else delivered.append(message.offset())

    sender = producer(compression, acks, idempotent)
    for record in records:
        sender.produce(
            topic, partition=partition, key=to_bytes(record["key"]), value=to_bytes(record["value"]),
            headers=[(key, to_bytes(value)) for key, value in record["headers"]], timestamp=record["timestamp"],
            on_delivery=on_delivery)
    sender.flush(TIMEOUT_S)
    for error in errors:
        checked(error)
    return {"offsets": delivered}


def consume(topic, partition, count, isolation="read_uncommitted", narrow=False, then=None, **rest):
    start = rest["from"]
    consumer = Consumer({
        **BROKER, "group.id": "never joined", "enable.auto.commit": False, "auto.offset.reset": "error",
        "isolation.level": isolation, "enable.partition.eof": then is not None, "check.crcs": True,
        **({"fetch.max.bytes": 1000, "message.max.bytes": 1000, "fetch.message.max.bytes": 1} if narrow else {})})
    place = TopicPartition(topic, partition, {"earliest": OFFSET_BEGINNING, "latest": OFFSET_END}.get(str(start), 0))
    if "offset" in start:
        place.offset = start["offset"]
    if "time" in start:
        place.offset = start["time"]
        (place,) = consumer.offsets_for_times([place], timeout=TIMEOUT_S)
    consumer.assign([place])
    try:
        return {"records": list(read(consumer, count, then))}
    finally:
        consumer.close()


def read(consumer, count, then):
    deadline = time.monotonic() + TIMEOUT_S
    while count > 0 and time.monotonic() < deadline:
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error() and message.error().code() == ClientError._PARTITION_EOF:
            # It has come to the end, so that what comes now is new.
            if then:
                produce(**then)
                then = None
            continue
        checked(message.error())
        count -= 1
        yield {
            "offset": message.offset(), "timestamp": message.timestamp()[1], "key": to_text(message.key()),
            "value": to_text(message.value()), "headers": [[key, to_text(value)] for key, value in message.headers() or []]}


serve(
    {"commands": ["create", "grow", "describe", "list", "delete", "delete_records", "offsets", "produce", "consume", "group"],
     "compressions": ["none", "gzip", "snappy", "lz4", "zstd"], "acks": ["0", "1", "all"], "idempotent": True},
    {"create": create, "grow": grow, "describe": describe, "list": list_topics, "delete": delete,
     "delete_records": delete_records, "offsets": offsets, "produce": produce, "consume": consume,
     "group": group})
