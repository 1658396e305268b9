"""Opens a transaction that writes to a topic and moves a group in another, and leaves it open until somebody ends its input.

usage: hold.py BROKERS TRANSACTIONAL_ID TOPIC GROUP READ_TOPIC, with the packages of clients/confluent-kafka
"""

import sys

from confluent_kafka import Consumer, Producer, TopicPartition

brokers, transactional_id, topic, group, read_topic = sys.argv[1:]
producer = Producer({"bootstrap.servers": brokers, "transactional.id": transactional_id})
producer.init_transactions(60)
producer.begin_transaction()
producer.produce(topic, b"never")
producer.flush(60)
metadata = Consumer({"bootstrap.servers": brokers, "group.id": group}).consumer_group_metadata()
producer.send_offsets_to_transaction([TopicPartition(read_topic, 0, 9)], metadata, 60)
print("open", flush=True)
sys.stdin.read()
