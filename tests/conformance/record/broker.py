"""One real Kafka broker in a folder of its own, reachable over the loopback only.

Owns the process, its configuration and its storage; knows nothing of clients but the ports they come through.
"""

import socket
import subprocess
import time
from contextlib import contextmanager


def free_ports(count):
    """As many ports as asked for that nobody listens on at this moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@contextmanager
def running_broker(folder, classpath, listeners):
    """A broker with one listener per client: `listeners` has (name, port, advertised port) for each."""
    configuration = folder / "server.properties"
    configuration.write_text(server_properties(folder, listeners))
    java = ["java", "-Xmx512m", "-cp", classpath]
    with open(folder / "broker.log", "w") as log:
        format_storage = ["kafka.tools.StorageTool", "format", "--config", configuration, "--cluster-id"]
        subprocess.run([*java, *format_storage, "c29tZS1jbHVzdGVyLWlkMQ"], check=True, stdout=log, stderr=log)
        broker = subprocess.Popen([*java, "kafka.Kafka", configuration], stdout=log, stderr=log)
        try:
            for _, port, _ in listeners:
                wait_for(port, broker)
            yield
        finally:
            broker.terminate()
            broker.wait()


def server_properties(folder, listeners):
    controller, internal = free_ports(2)
    places = [("CONTROLLER", controller), ("INTERNAL", internal)] + [(name, port) for name, port, _ in listeners]
    advertised = [("INTERNAL", internal)] + [(name, port) for name, _, port in listeners]

    def addresses(places):
        return ",".join(f"{name}://127.0.0.1:{port}" for name, port in places)

    return "\n".join([
        "process.roles=broker,controller",
        "node.id=1",
        f"controller.quorum.voters=1@127.0.0.1:{controller}",
        "controller.listener.names=CONTROLLER",
        "inter.broker.listener.name=INTERNAL",
        f"listeners={addresses(places)}",
        f"advertised.listeners={addresses(advertised)}",
        "listener.security.protocol.map=" + ",".join(f"{name}:PLAINTEXT" for name, _ in places),
        f"log.dirs={folder}/data",
        # One broker holds the only replica of everything.
        "offsets.topic.replication.factor=1",
        "offsets.topic.num.partitions=1",
        "transaction.state.log.replication.factor=1",
        "transaction.state.log.min.isr=1",
        "transaction.state.log.num.partitions=1",
        "group.initial.rebalance.delay.ms=0",
        "auto.create.topics.enable=false",
        "",
    ])


def wait_for(port, process, timeout_s=60):
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError("the broker ended before it listened: see broker.log")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens on port {port}: see broker.log")
