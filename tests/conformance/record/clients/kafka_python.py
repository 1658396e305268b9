"""A short life of kafka-python."""

import sys
import time

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

TOPIC = "golden-kafka-python"
common = {"bootstrap_servers": sys.argv[1], "client_id": "golden-kafka-python"}

admin = KafkaAdminClient(**common)
admin.create_topics([NewTopic(TOPIC, 2, 1)])

producer = KafkaProducer(**common)
producer.send(TOPIC, key=b"key", value=b"value", headers=[("header", b"1")], partition=0).get(timeout=30)
producer.close()

consumer = KafkaConsumer(
    TOPIC, group_id="golden-kafka-python", auto_offset_reset="earliest", enable_auto_commit=False,
    heartbeat_interval_ms=300, **common)
while not consumer.poll(timeout_ms=1000):
    pass
consumer.commit()
consumer.end_offsets([TopicPartition(TOPIC, 0)])
consumer.committed(TopicPartition(TOPIC, 0))
time.sleep(1)
consumer.poll(timeout_ms=500)
consumer.close()

admin.delete_topics([TOPIC])
admin.close()
