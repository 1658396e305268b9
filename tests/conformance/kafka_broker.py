"""One real Kafka broker in a folder of its own, reachable over the loopback only.

Owns the process, its configuration and its storage; knows nothing of clients but the ports they come through.
"""

import random
import signal
import socket
import subprocess
import time
from contextlib import contextmanager


def free_ports(count):
    """As many ports as asked for that nobody listens on at this moment.

    They lie below those that connections go out by: while a broker is away, a client that tries its port again and
    again would sooner or later go out by that very port, and find itself there.
    """
    sockets = []
    try:
        while len(sockets) < count:
            each = socket.socket()
            try:
                each.bind(("127.0.0.1", random.randrange(10_000, 32_000)))
                sockets.append(each)
            except OSError:
                each.close()
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class KafkaBroker:
    """A broker with one listener per client: `listeners` has (name, port, advertised port) for each.

    It can be stopped and started again, on the same ports and the same data. `settings` outdo those of this file.
    """

    def __init__(self, folder, classpath, listeners, settings=None):
        self.folder = folder
        self.ports = [port for _, port, _ in listeners]
        # It lives for moments: what makes it fast after minutes only makes it slow to start.
        self.java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classpath]
        self.configuration = folder / "server.properties"
        self.configuration.write_text(server_properties(folder, listeners, settings or {}))
        self.process = None
        format_storage = ["kafka.tools.StorageTool", "format", "--config", self.configuration, "--cluster-id"]
        with open(folder / "broker.log", "w") as log:
            subprocess.run([*self.java, *format_storage, "c29tZS1jbHVzdGVyLWlkMQ"], check=True, stdout=log, stderr=log)

    def start(self):
        with open(self.folder / "broker.log", "a") as log:
            self.process = subprocess.Popen([*self.java, "kafka.Kafka", self.configuration], stdout=log, stderr=log)
        for port in self.ports:
            wait_for(port, self.process)

    def stop(self, signal_number=signal.SIGTERM):
        """The status that the broker ends with."""
        self.process.send_signal(signal_number)
        return self.process.wait()


@contextmanager
def running_broker(folder, classpath, listeners):
    broker = KafkaBroker(folder, classpath, listeners)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def server_properties(folder, listeners, settings):
    controller, internal = free_ports(2)
    places = [("CONTROLLER", controller), ("INTERNAL", internal)] + [(name, port) for name, port, _ in listeners]
    advertised = [("INTERNAL", internal)] + [(name, port) for name, _, port in listeners]

    def addresses(places):
        return ",".join(f"{name}://127.0.0.1:{port}" for name, port in places)

    properties = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INTERNAL",
        "listeners": addresses(places),
        "advertised.listeners": addresses(advertised),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name, _ in places),
        "log.dirs": f"{folder}/data",
        # One broker holds the only replica of everything.
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "auto.create.topics.enable": "false",
    }
    return "".join(f"{name}={value}\n" for name, value in (properties | settings).items())


def wait_for(port, process, timeout_s=240):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the broker ended before it listened: see broker.log")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens on port {port}: see broker.log")
