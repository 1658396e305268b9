"""A short life of librdkafka, by its Python binding."""

import sys

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

TOPIC = "golden-librdkafka"
common = {"bootstrap.servers": sys.argv[1], "client.id": "golden-librdkafka"}

admin = AdminClient(common)
for future in admin.create_topics([NewTopic(TOPIC, 2, 1)]).values():
    future.result()
for future in admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, TOPIC)]).values():
    future.result()

plain = Producer(common)
plain.produce(TOPIC, key=b"key", value=b"value", headers=[("header", b"1"), ("header", b"2")], partition=0)
plain.flush()

transactional = Producer({**common, "transactional.id": "golden-librdkafka-transaction"})
transactional.init_transactions()
transactional.begin_transaction()
transactional.produce(TOPIC, key=b"key", value=b"in a transaction", partition=1)

settings = {"group.id": "golden-librdkafka", "auto.offset.reset": "earliest", "enable.auto.commit": False}
consumer = Consumer({**common, **settings, "heartbeat.interval.ms": 300})
consumer.subscribe([TOPIC])
while (message := consumer.poll(1.0)) is None or message.error():
    pass
transactional.send_offsets_to_transaction([TopicPartition(TOPIC, 1, 1)], consumer.consumer_group_metadata())
transactional.commit_transaction()
consumer.commit(message, asynchronous=False)
consumer.get_watermark_offsets(TopicPartition(TOPIC, 0))
consumer.committed([TopicPartition(TOPIC, 0)])
consumer.poll(1.0)
consumer.close()

for future in admin.delete_topics([TOPIC]).values():
    future.result()
