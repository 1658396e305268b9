"""Kafka Connect from a file to a topic to a file, by one worker, and by two that are killed, the broker as well. What the
exactly-once source wrote must be each line once, in order; no line may be missing in the other file.

usage: connect.py FOLDER SECONDS SEED, with the class path in CONNECT_CLASSPATH
"""

import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

from broker import Broker
from kafka_broker import free_ports
from reading import Failure, Reader, same

JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx384m", "-cp", os.environ["CONNECT_CLASSPATH"]]
SETTLE_TIMEOUT_S = 150
# Whoever was killed is missed soon.
SETTINGS = {"group.min.session.timeout.ms": 1_000, "group.initial.rebalance.delay.ms": 0}
COMMON = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "offset.flush.interval.ms": 500,
    "plugin.discovery": "service_load",
    "reconnect.backoff.max.ms": 300,
    "producer.reconnect.backoff.max.ms": 300,
    "consumer.reconnect.backoff.max.ms": 300,
    "consumer.session.timeout.ms": 2_000,
    "consumer.heartbeat.interval.ms": 300,
}
DISTRIBUTED = {
    "group.id": "workers",
    "session.timeout.ms": 2_000,
    "heartbeat.interval.ms": 300,
    "scheduled.rebalance.max.delay.ms": 0,
    "exactly.once.source.support": "enabled",
    "config.storage.topic": "connect-configs",
    "offset.storage.topic": "connect-offsets",
    "offset.storage.partitions": 5,
    "status.storage.topic": "connect-status",
    "status.storage.partitions": 2,
    "config.storage.replication.factor": 1,
    "offset.storage.replication.factor": 1,
    "status.storage.replication.factor": 1,
}


class Lines:
    """A file that lines are added to, as whole ones."""

    def __init__(self, path):
        self.path = path
        self.written = []
        self.file = open(path, "a")
        self.ends = threading.Event()
        self.thread = None

    def add(self, count):
        for _ in range(count):
            self.written.append(f"line {len(self.written)}")
            self.file.write(self.written[-1] + "\n")
        self.file.flush()

    def keep_adding(self):
        def run():
            while not self.ends.wait(0.02):
                self.add(1)

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    def end(self):
        self.ends.set()
        self.thread.join()


class Worker:
    """A process of Connect, and its REST interface."""

    def __init__(self, folder, name, program, settings, files=()):
        (self.port,) = free_ports(1)
        self.log = folder / f"{name}.log"
        settings = {**COMMON, **settings, "listeners": f"http://127.0.0.1:{self.port}"}
        configuration = write_properties(folder / f"{name}.properties", settings)
        self.command = [*JAVA, f"org.apache.kafka.connect.cli.{program}", configuration, *files]
        self.process = None
        self.start()

    def start(self):
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)

    def check(self):
        if self.process.poll() is not None:
            raise Failure(f"a worker ended by itself with {self.process.returncode}")

    def kill(self):
        self.check()
        self.process.kill()
        self.process.wait()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("a worker does not end when it is asked to") from None
        # 143: by the signal, after everything was closed.
        same("how a worker ends", status in (0, 143), True)

    def ask(self, method, path, body=None):
        """The answer, or None as long as there is none to be had."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, data=body and json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                text = answer.read()
                return json.loads(text) if text else {}
        except urllib.error.HTTPError as error:
            if error.code in (404, 409, 500, 503):
                # It is not known yet, or the workers are about to share their work out.
                return None
            raise Failure(f"{method} {path}: {error.code} {error.read()}") from None
        except (urllib.error.URLError, OSError):
            self.check()
            return None


def write_properties(path, settings):
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return path


def source(file, topic):
    return {"connector.class": "FileStreamSource", "tasks.max": 1, "file": file, "topic": topic}


def sink(file, topic):
    return {"connector.class": "FileStreamSink", "tasks.max": 1, "file": file, "topics": topic}


def wait_for(what, condition, workers=()):
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while not (found := condition()):
        for worker in workers:
            worker.check()
        if time.monotonic() > deadline:
            raise Failure(f"{what} does not come about")
        time.sleep(0.1)
    return found


def read_sink(path):
    """The lines of a sink's file, each where it came first: what was not yet committed when a worker died comes again."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return list(dict.fromkeys(lines))


def carry(lines, path, workers):
    wait_for(f"that all lines are in {path.name}", lambda: len(read_sink(path)) >= len(lines.written), workers)
    same(f"the lines of {path.name}", read_sink(path), lines.written)


def standalone(broker, folder):
    """One worker, its offsets in a file; it outlives the broker's restart, and goes on after its own."""
    lines, target = Lines(folder / "source-alone.txt"), folder / "sink-alone.txt"
    reader = Reader(broker.address, "alone", 1)
    reader.create()
    lines.add(300)
    settings = {"bootstrap.servers": broker.address, "offset.storage.file.filename": folder / "offsets-alone"}
    files = [
        write_properties(folder / "source.properties", {"name": "alone-source", **source(lines.path, "alone")}),
        write_properties(folder / "sink.properties", {"name": "alone-sink", **sink(target, "alone")}),
    ]
    worker = Worker(folder, "alone", "ConnectStandalone", settings, files)
    try:
        carry(lines, target, [worker])
        broker.restart()
        lines.add(300)
        carry(lines, target, [worker])
        worker.end()
        lines.add(300)
        worker.start()
        carry(lines, target, [worker])
        same("each line of the topic", list(dict.fromkeys(reader.read("read_committed")[0])), lines.written)
        worker.end()
    finally:
        worker.process.kill()
    return len(lines.written)


class Distributed:
    """Two workers that share a source and a sink, and everything that they know in topics of the broker."""

    def __init__(self, broker, folder, choose):
        self.broker = broker
        self.folder = folder
        self.choose = choose
        self.lines, self.target = Lines(folder / "source.txt"), folder / "sink.txt"
        self.reader = Reader(broker.address, "carried", 1)
        self.reader.create()
        settings = {**DISTRIBUTED, "bootstrap.servers": broker.address}
        # Each makes the topics that it does not find: one after the other.
        self.workers = [Worker(folder, "worker-1", "ConnectDistributed", settings)]
        wait_for("that the first worker answers", lambda: self.ask("GET", "/connectors") is not None, self.workers)
        self.workers.append(Worker(folder, "worker-2", "ConnectDistributed", settings))
        self.kills, self.restarts = 0, 0

    def ask(self, method, path, body=None):
        """What the first worker says that has something to say."""
        answers = (worker.ask(method, path, body) for worker in self.workers if worker.process.poll() is None)
        return next((answer for answer in answers if answer is not None), None)

    def begin(self):
        more = {"exactly.once.support": "required", "transaction.boundary": "poll", "producer.override.linger.ms": 5}
        for name, settings in (("source", {**source(str(self.lines.path), "carried"), **more}), ("sink", sink(str(self.target), "carried"))):
            wait_for(f"connector {name}", lambda: self.ask("PUT", f"/connectors/{name}/config", settings), self.workers)
        for name in ("source", "sink"):
            wait_for(f"that {name} runs", lambda: self.states(name) == ["RUNNING", "RUNNING"], self.workers)

    def states(self, name):
        """Of the connector and its one task."""
        status = self.ask("GET", f"/connectors/{name}/status")
        if status is None:
            return []
        states = [status["connector"]["state"], *(task["state"] for task in status["tasks"])]
        if "FAILED" in states:
            raise Failure(f"{name} has failed: {status}")
        return states

    def trouble(self, seconds):
        """Workers and broker are killed while lines come."""
        self.lines.keep_adding()
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at or not (self.kills and self.restarts):
            time.sleep(self.choose.uniform(2, 4))
            if self.restarts and (self.choose.random() < 0.5 or not self.kills):
                worker = self.choose.choice(self.workers)
                worker.kill()
                time.sleep(self.choose.choice([0, 3]))
                worker.start()
                self.kills += 1
            else:
                self.broker.restart()
                self.restarts += 1
        self.lines.end()

    def check(self):
        wait_for("that every line is carried", lambda: len(read_sink(self.target)) >= len(self.lines.written))
        self.reader.settle()
        same("the lines of the topic", self.reader.read("read_committed"), [self.lines.written])
        same("the lines of the file", read_sink(self.target), self.lines.written)
        place = {"filename": str(self.lines.path)}
        size = self.lines.path.stat().st_size
        expected = {"offsets": [{"partition": place, "offset": {"position": size}}]}
        wait_for("that the source's offset is the file's size", lambda: self.ask("GET", "/connectors/source/offsets") == expected, self.workers)

    def end(self):
        for name in ("source", "sink"):
            wait_for(f"that {name} is deleted", lambda: self.ask("DELETE", f"/connectors/{name}") is not None, self.workers)
        wait_for("that none is left", lambda: self.ask("GET", "/connectors") == [], self.workers)
        for worker in self.workers:
            worker.end()


def distributed(broker, folder, seconds, choose):
    both = Distributed(broker, folder, choose)
    try:
        both.lines.add(300)
        both.begin()
        both.trouble(seconds)
        both.check()
        both.end()
    finally:
        both.lines.ends.set()
        for worker in both.workers:
            worker.process.kill()
    return f"{len(both.lines.written)} lines by two, each once; {both.kills} kills of workers, {both.restarts} restarts of the broker"


def main():
    folder, seconds, seed = pathlib.Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    print(f"seed {seed}", flush=True)
    with Broker(folder, more=SETTINGS) as broker:
        try:
            print(f"{standalone(broker, folder)} lines by one worker", flush=True)
            print(distributed(broker, folder, seconds, random.Random(seed)))
        except Failure as failure:
            for log in sorted(folder.glob("*.log")):
                print(f"--- {log.name}\n{log.read_text()[-4000:]}", file=sys.stderr)
            sys.exit(f"failed: {failure}")


if __name__ == "__main__":
    main()
