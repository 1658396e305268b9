"""librdkafka, by its Python binding, writes transactions."""

import json
import sys

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

TIMEOUT_S = 60
producers, opened = {}, set()


def again(step):
    """What may be tried again is."""
    while True:
        try:
            return step()
        except KafkaException as error:
            if not error.args[0].retriable():
                raise


def init(producer, id, timeout_ms):
    producers[producer] = Producer({
        "bootstrap.servers": sys.argv[1], "transactional.id": id, "transaction.timeout.ms": timeout_ms,
        "reconnect.backoff.max.ms": 500, "metadata.recovery.strategy": "none"})
    again(lambda: producers[producer].init_transactions(TIMEOUT_S))


def send(producer, topic, records, group=None, positions=None):
    sender, errors = producers[producer], []
    if producer not in opened:
        sender.begin_transaction()
        opened.add(producer)
    for partition, value in records:
        sender.produce(topic, value, partition=partition, on_delivery=lambda error, _: errors.append(error) if error else None)
    sender.flush(TIMEOUT_S)
    if errors:
        raise KafkaException(errors[0])
    if group:
        places = [TopicPartition(topic, partition, offset) for partition, offset in positions]
        metadata = Consumer({"bootstrap.servers": sys.argv[1], "group.id": group, "metadata.recovery.strategy": "none"}).consumer_group_metadata()
        again(lambda: sender.send_offsets_to_transaction(places, metadata, TIMEOUT_S))


def end(producer, commit):
    opened.discard(producer)
    sender = producers[producer]
    again(lambda: sender.commit_transaction(TIMEOUT_S) if commit else sender.abort_transaction(TIMEOUT_S))


print("{}", flush=True)
for line in sys.stdin:
    request = json.loads(line)
    try:
        {"init": init, "send": send, "end": end}[request.pop("do")](**request)
        answer = {}
    except KafkaException as error:
        answer = {"error": error.args[0].code(), "text": str(error)}
    print(json.dumps(answer), flush=True)
