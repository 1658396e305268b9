"""Has a tool of the ecosystem look at a broker, and holds what it says against what was done.

usage: see.py exporter|monitor|console FOLDER BIN
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker

TOPIC, GROUP = "orders", "billing"
PARTITIONS, RECORDS, COMMITTED = 3, 30, 4
LAG = RECORDS - PARTITIONS * COMMITTED
TIMEOUT_S = 90


class Unseen(Exception):
    """A tool does not see what is there."""


def until(what, is_so):
    deadline = time.monotonic() + TIMEOUT_S
    while not is_so():
        if time.monotonic() > deadline:
            raise Unseen(f"{what}: not within {TIMEOUT_S} s")
        time.sleep(0.5)


def prepare(address):
    """A topic with records, and a group that has read some of them and has a member."""
    client = {"bootstrap.servers": address}
    # It has to outlive what it was asked.
    admin = AdminClient(client)
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(30)
    producer = Producer(client)
    for number in range(RECORDS):
        producer.produce(TOPIC, value=f"order {number}", partition=number % PARTITIONS)
    producer.flush(30)
    consumer = Consumer({**client, "group.id": GROUP, "enable.auto.commit": False, "auto.offset.reset": "earliest"})
    consumer.subscribe([TOPIC])
    until("the group's assignment", lambda: consumer.poll(0.2) is not None)
    places = [TopicPartition(TOPIC, partition, COMMITTED) for partition in range(PARTITIONS)]
    consumer.commit(offsets=places, asynchronous=False)
    return consumer


def scraped(url, metric):
    """The numbers of a metric that are of the group, as an exporter tells them; none while it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return []
    return [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(metric + "{") and f'"{GROUP}"' in line]


def exported(folder, command, url, is_told):
    """Runs an exporter until it tells what it should."""
    path = folder / "exporter.log"
    with open(path, "w") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process:
        def is_there():
            if process.poll() is not None:
                raise Unseen(f"the exporter ended: {path.read_text()[-3000:]}")
            return is_told()
        try:
            until(f"what the group did, at {url}", is_there)
        except Unseen as unseen:
            raise Unseen(f"{unseen}; it says {path.read_text()[-3000:]}") from unseen
        finally:
            process.terminate()
            process.wait(30)


def exporter(folder, binaries, address):
    """kafka-overwatch scans the cluster, and serves what it saw to Prometheus."""
    configuration = {"clusters": {"here": {
        "cluster_scan_interval_in_seconds": 10, "cluster_config": {"kafka": {"bootstrap.servers": address}},
        "reporting_config": {}}}}
    path = folder / "overwatch.yaml"
    # What is JSON is YAML.
    path.write_text(json.dumps(configuration))
    url = "http://127.0.0.1:8000/metrics"
    exported(folder, [f"{binaries}/kafka-overwatch", "-c", path], url, lambda: LAG in scraped(url, "consumer_group_lag"))
    return f"kafka-overwatch tells Prometheus of a lag of {LAG}"


def monitor(folder, binaries, address):
    """kafkatop prints what it knows of groups and topics."""
    def said(*words):
        done = subprocess.run([f"{binaries}/kafkatop", "--kafka-broker", address, *words], capture_output=True, text=True,
                              timeout=TIMEOUT_S, cwd=folder, check=False)
        if done.returncode:
            raise Unseen(f"kafkatop {words}: {done.stdout}{done.stderr}")
        return done.stdout
    summary = json.loads(said("--summary-json", "--all"))
    each = LAG // PARTITIONS
    if summary.get(GROUP, {}).get("topics") != {TOPIC: {"partitions": PARTITIONS, "lag_max": each, "lag_min": each}}:
        raise Unseen(f"kafkatop's summary: {summary}")
    topics = said("--topicinfo", "--text")
    if TOPIC not in topics:
        raise Unseen(f"kafkatop's topics: {topics}")
    return f"kafkatop sees {GROUP} and its lag of {LAG}"


# Run by the console's own Python: its page without a browser.
PAGE = """
import sys
from streamlit.testing.v1 import AppTest
import kafka_viewer.ui as ui
sys.argv = ["ui.py", "--config", sys.argv[1]]
page = AppTest.from_file(ui.__file__, default_timeout=60).run()
print([each.value for each in page.subheader])
page.selectbox[0].select("orders").run()
page.radio[0].set_value("From beginning").run()
next(each for each in page.button if each.label == "Load Messages").click().run()
print([(each.label, each.value) for each in page.metric])
print(sorted(each.value for each in page.code))
print([each.value for each in page.error], [each.value for each in page.exception])
"""


def console(folder, binaries, address):
    """kafka-viewer's page connects, counts and shows records."""
    path = folder / "viewer.properties"
    path.write_text(f"kafka.bootstrap.servers={address}\n")
    (folder / "page.py").write_text(PAGE)
    done = subprocess.run([f"{binaries}/python", "page.py", path], capture_output=True, text=True, timeout=TIMEOUT_S * 2, cwd=folder,
                          check=False, env={**os.environ, "PYTHONPATH": ""})
    wanted = ["Status: Connected", f"('Total Records', '{RECORDS}')", f"('Partitions', '{PARTITIONS}')", "order 29", "[] []"]
    missing = [words for words in wanted if words not in done.stdout]
    if done.returncode or missing:
        raise Unseen(f"kafka-viewer does not show {missing}: {done.stdout}{done.stderr[-3000:]}")
    return f"kafka-viewer shows {RECORDS} records of {PARTITIONS} partitions"


def main(tool, folder, binaries):
    folder = pathlib.Path(folder)
    with Broker(folder) as broker:
        member = prepare(broker.address)
        try:
            print(f"ecosystem: {TOOLS[tool](folder, binaries, broker.address)}", flush=True)
        finally:
            member.close()


TOOLS = {"exporter": exporter, "monitor": monitor, "console": console}

if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Unseen as error:
        sys.exit(f"ecosystem: {error}")
