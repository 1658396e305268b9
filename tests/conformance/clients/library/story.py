"""The one story that every client goes through, and what it must find in it: the same with Kafka and with Strandline.

usage: story.py CASES.json WORK_FOLDER COMMAND [HELPER_COMMAND], each command one word to a shell

Owns the expectations. How a client is asked is in driven.py, how a broker is restarted in broker.py.
"""

import json
import random
import shlex
import sys
import time
from pathlib import Path

from broker import Broker
from driven import Client, Driver, Failure

TOPIC = "story"
SETTLE_TIMEOUT_S = 60
# A batch of the story is this much younger than the one before it.
BATCH_STEP_MS = 10_000


def same(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: found {str(found)[:600]}\n  instead of {str(expected)[:600]}")


def without_empty(record):
    """The record, with null for what is empty."""
    headers = [[key, value or None] for key, value in record["headers"]]
    return dict(record, key=record["key"] or None, value=record["value"] or None, headers=headers)


class Log:
    """What must be in one partition: its records, by offset, from `start` on."""

    def __init__(self, client, partition, topic=TOPIC):
        self.client = client
        self.place = {"topic": topic, "partition": partition}
        self.records = []
        # The first offset of each append.
        self.appended = []
        self.start = 0

    def produce(self, records, compression="none", acks="all", idempotent=False):
        if not self.client.driver.sets_timestamps:
            # No two appends are of the same millisecond: a time stands between them.
            time.sleep(0.002)
        began_ms = int(time.time() * 1000)
        answer = self.client.ask("produce", **self.place, records=records, compression=compression, acks=acks, idempotent=idempotent)
        first = len(self.records)
        expected = list(range(first, first + len(records)))
        if acks != "0" and answer["offsets"] is not None:
            same(f"offsets of {self.place} by {compression} {acks}", answer["offsets"], expected)
        self.records += [dict(record, offset=offset) for record, offset in zip(records, expected)]
        self.appended.append(first)
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while acks == "0" and self.bounds()["latest"] != len(self.records) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.check_bounds()
        if not self.client.driver.sets_timestamps:
            window_ms = (began_ms, int(time.time() * 1000))
            for record in self.records[first:]:
                record["timestamp"] = window_ms

    def bounds(self):
        return self.client.ask("offsets", **self.place)

    def check_bounds(self):
        same(f"bounds of {self.place}", self.bounds(), {"earliest": self.start, "latest": len(self.records)})

    def read(self, start, first, **more):
        """Reads from `start`, a form of saying where that must lead to the offset `first`, to the end."""
        expected = self.records[first:]
        # That there is nothing, its bounds tell.
        if expected:
            found = self.client.ask("consume", **self.place, **{"from": start}, count=len(expected), **more)["records"]
            self.compare(found, expected, start)

    def compare(self, found, expected, start):
        same(f"number of records of {self.place} from {start}", len(found), len(expected))
        for one, other in zip(found, expected):
            if isinstance(other["timestamp"], tuple) and other["timestamp"][0] <= one["timestamp"] <= other["timestamp"][1]:
                other = dict(other, timestamp=one["timestamp"])
            if "empty" in self.client.driver.differs:
                one, other = without_empty(one), without_empty(other)
            same(f"a record of {self.place} from {start}", one, other)

    def read_all(self, **more):
        self.check_bounds()
        self.read("earliest", self.start, **more)

    def read_since(self, time_ms):
        first = next(record["offset"] for record in self.records if record["timestamp"] >= time_ms)
        self.read({"time": time_ms}, first)


class Story:
    """The parts of the story, in the order of `play`."""

    def __init__(self, client, broker, cases):
        self.client = client
        self.driver = client.driver
        self.broker = broker
        self.cases = cases
        self.random = random.Random(1)
        self.next_ms = cases["first_timestamp"]
        self.compressions = [each for each in cases["compressions"] if each in self.driver.compressions]
        # One partition for each thing that producers can be told.
        self.compressed, self.acknowledged, self.idempotent, self.large = (Log(client, number) for number in range(4))
        self.logs = [self.compressed, self.acknowledged, self.idempotent, self.large]

    def play(self):
        self.create()
        self.produce()
        self.read_everything()
        self.restart()
        self.read_everything()
        self.produce_more()
        self.read_from_places()
        self.restart()
        self.read_everything(isolation="read_committed")
        self.delete_records()
        self.grow()
        self.err()
        self.restart()
        self.read_everything(narrow=True)
        self.delete()

    def batch(self):
        """The records of the table, later than all before them."""
        base_ms = self.next_ms
        self.next_ms += BATCH_STEP_MS
        timed = [dict(record, timestamp=base_ms + record["at"]) for record in self.cases["records"]]
        records = [{key: value for key, value in record.items() if key != "at"} for record in timed]
        if "null header" in self.driver.differs:
            for record in records:
                record["headers"] = [[key, value or ""] for key, value in record["headers"]]
        return records

    def one(self, bytes_count):
        """A record that no codec makes smaller."""
        self.next_ms += BATCH_STEP_MS
        value = self.random.randbytes(bytes_count).decode("latin-1")
        return {"key": "large", "value": value, "headers": [], "timestamp": self.next_ms}

    def restart(self):
        self.broker.restart()
        self.check_partitions()
        self.settle("errors", lambda: [self.client.attempt("offsets", **log.place).get("error", 0) for log in self.logs], [0] * len(self.logs))

    def create(self):
        self.client.ask("create", topic=TOPIC, partitions=len(self.logs), settings=self.cases["topic_settings"])
        for topic, settings in self.cases["error_topics"].items():
            self.client.ask("create", topic=topic, partitions=1, settings=settings)
        self.check_topics([TOPIC, *self.cases["error_topics"]])

    def check_topics(self, topics):
        # Kafka makes topics of its own once it is asked for a group's coordinator, as librdkafka does with any group id.
        self.settle("topics", lambda: sorted(each for each in self.client.ask("list")["topics"] if each[:2] != "__"), sorted(topics))
        if TOPIC in topics:
            self.check_partitions()

    def check_partitions(self):
        partitions = [{"partition": number, "leader": 1, "replicas": [1], "isr": [1]} for number in range(len(self.logs))]
        self.settle("partitions", lambda: self.client.attempt("describe", topic=TOPIC).get("partitions"), partitions)

    def settle(self, what, find, expected):
        """Kafka's brokers learn of topics, and of leaders, a moment after they answer; with Strandline it is so at once."""
        waits = self.broker.kind.startswith("kafka") or "metadata" in self.driver.differs
        deadline = time.monotonic() + (SETTLE_TIMEOUT_S if waits else 0)
        while (found := find()) != expected and time.monotonic() < deadline:
            time.sleep(0.2)
        same(what, found, expected)

    def produce(self):
        for compression in self.compressions:
            self.compressed.produce(self.batch(), compression=compression)
            self.large.produce([self.one(self.cases["large_value_bytes"])], compression=compression)
            if self.driver.idempotent:
                self.idempotent.produce(self.batch(), compression=compression, idempotent=True)
        for acks in self.driver.acks:
            self.acknowledged.produce(self.batch(), acks=acks)

    def produce_more(self):
        """By producers that knew the broker before it was restarted."""
        self.compressed.produce(self.batch(), compression=self.compressions[-1])
        self.acknowledged.produce(self.batch(), acks=self.driver.acks[-1])
        if self.driver.idempotent:
            for compression in self.compressions:
                self.idempotent.produce(self.batch(), compression=compression, idempotent=True)

    def read_everything(self, **more):
        for log in self.logs:
            log.read_all(**more)

    def read_from_places(self):
        for first in (1, 7, 8, len(self.compressed.records) - 1):
            self.compressed.read({"offset": first}, first)
        if self.driver.sets_timestamps:
            timestamps = [record["timestamp"] for record in self.compressed.records]
            # Between two, before all, the one out of order, the last.
            for time_ms in (timestamps[9], timestamps[9] - 500, timestamps[0] - 1, timestamps[4] - 1, timestamps[-1]):
                self.compressed.read_since(time_ms)
        else:
            self.compressed.read({"time": self.cases["first_timestamp"]}, 0)
            # Before what was appended first, second, somewhere in the middle and last.
            appended = self.compressed.appended
            for first in (*appended[:2], appended[len(appended) // 2], appended[-1]):
                self.compressed.read({"time": self.compressed.records[first]["timestamp"][0]}, first)
        self.read_what_comes()

    def read_what_comes(self):
        """A consumer at the end that waits for what is produced then."""
        log, records = self.acknowledged, self.batch()
        began_ms = int(time.time() * 1000)
        first = len(log.records)
        then = {**log.place, "records": records, "compression": "none", "acks": "all", "idempotent": False}
        found = self.client.ask("consume", **log.place, **{"from": "latest"}, count=len(records), then=then)["records"]
        expected = [dict(record, offset=first + index) for index, record in enumerate(records)]
        for record in expected if not self.driver.sets_timestamps else []:
            record["timestamp"] = (began_ms, int(time.time() * 1000))
        log.records += expected
        log.compare(found, expected, "the end")
        log.check_bounds()

    def delete_records(self):
        log = self.compressed
        log.start = 5
        self.client.ask("delete_records", **log.place, offset=log.start)
        log.read_all()
        self.expect_error("consume what was deleted", 1, {"do": "consume", **log.place, "from": {"offset": 2}, "count": 1})

    def grow(self):
        self.client.ask("grow", topic=TOPIC, partitions=len(self.logs) + 2)
        self.logs += [Log(self.client, len(self.logs)), Log(self.client, len(self.logs) + 1)]
        self.check_topics([TOPIC, *self.cases["error_topics"]])
        # By a producer that did not know the topic when it was smaller: when a client looks again is its own affair.
        self.logs[-1].produce(self.batch(), compression=self.compressions[-1], acks="1")

    def err(self):
        for case in self.cases["errors"]:
            request = {key: value for key, value in case.items() if key not in ("name", "error")}
            if request["do"] in ("produce", "consume", "delete_records"):
                request["partition"] = 0
            if request["do"] == "produce":
                record = dict(self.one(request.pop("bytes")), timestamp=self.cases["first_timestamp"])
                record["key"] = request.pop("key", "key")
                request |= {"records": [record], "compression": "none", "acks": "all", "idempotent": False}
            self.expect_error(case["name"], case["error"], request)
        for topic in self.cases["error_topics"]:
            Log(self.client, 0, topic).check_bounds()
        self.check_topics([TOPIC, *self.cases["error_topics"]])

    def expect_error(self, name, error, request):
        """Or what this client makes of the error; None if it cannot be brought about with it."""
        error = self.driver.differs.get(name, error)
        if error is not None:
            answer = self.client.attempt(**request)
            same(f"error to {name}, {str(answer)[:300]}", answer.get("error"), error)

    def delete(self):
        for topic in [TOPIC, *self.cases["error_topics"]]:
            self.client.ask("delete", topic=topic)
        self.check_topics([])
        # The same name, another topic: nothing of the old one is in it.
        self.logs = [Log(self.client, 0)]
        self.client.ask("create", topic=TOPIC, partitions=1, settings=self.cases["topic_settings"])
        self.check_topics([TOPIC])
        self.logs[0].check_bounds()
        self.logs[0].produce(self.batch(), compression=self.compressions[1], acks="1")
        self.restart()
        self.read_everything()


def perform(play):
    """Starts a broker, and the drivers that the command line names, for `play`; the program fails with what is not right."""
    cases = json.loads(Path(sys.argv[1]).read_text())
    folder, commands = Path(sys.argv[2]), sys.argv[3:]
    with Broker(folder) as broker:
        drivers = [Driver([*shlex.split(command), broker.address]) for command in commands]
        try:
            play(drivers, broker, cases)
            for driver in drivers:
                driver.close()
        except Failure as failure:
            print((folder / "broker.log").read_text()[-3000:], file=sys.stderr)
            sys.exit(f"failed: {failure}")
        finally:
            for driver in drivers:
                driver.kill()


if __name__ == "__main__":
    perform(lambda drivers, broker, cases: Story(Client(*drivers), broker, cases).play())
