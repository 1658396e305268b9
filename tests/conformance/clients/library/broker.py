"""The broker that a client's story is played against, either Kafka or Strandline: one node on the loopback.

Owns its process and its folder. Which of the two it is makes no difference to anyone but this file and DATA_FOLDER.
"""

import os
import signal
import subprocess
import sys
import time

from kafka_broker import KafkaBroker, free_ports, wait_for

STOP_TIMEOUT_S = 60


class StrandlineBroker:
    """The same face as KafkaBroker's: its data in `folder`/data, what it prints in `folder`/broker.log."""

    def __init__(self, folder, command, port, settings):
        self.folder = folder
        self.ports = [port]
        (http,) = free_ports(1)
        self.command = [*command, "--data-dir", folder / "data", "--listen", f"127.0.0.1:{port}", "--http", f"127.0.0.1:{http}"]
        for name, value in settings.items():
            self.command += ["--set", f"{name}={value}"]
        self.process = None

    def start(self):
        with open(self.folder / "broker.log", "a") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        for port in self.ports:
            wait_for(port, self.process)

    def stop(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        return self.process.wait(STOP_TIMEOUT_S)


class Broker:
    """A fresh broker, started; `restart` alternates between asking it to go and killing it.

    With `dev` it is one for a stranger's first steps: topics come to be when they are named. `more` are settings besides.
    """

    def __init__(self, folder, dev=False, more=None):
        self.kind = os.environ["BROKER"]
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        if self.kind.startswith("kafka"):
            settings = {**({"auto.create.topics.enable": "true"} if dev else {}), **(more or {})}
            self.broker = KafkaBroker(folder, os.environ["KAFKA_CLASSPATH"], [("CLIENTS", port, port)], settings)
        else:
            settings = {**({} if dev else {"node.id": 1, "auto.create.topics.enable": "false"}), **(more or {})}
            self.broker = StrandlineBroker(folder, [os.environ["STRANDLINE"], "dev" if dev else "serve"], port, settings)
        self.data_folder = folder / "data"
        self.kills_next = False
        self.runs = False

    def __enter__(self):
        self.broker.start()
        self.runs = True
        return self

    def __exit__(self, *_):
        if self.runs:
            self.stop(signal.SIGTERM)

    def stop(self, signal_number):
        self.runs = False
        status = self.broker.stop(signal_number)
        # The Java machine ends with the signal's number added to 128; we end with 0 when we are asked to.
        expected = -signal_number
        if signal_number == signal.SIGTERM:
            expected = 0 if self.kind == "strandline" else 143
        if status != expected:
            raise RuntimeError(f"the broker ended with {status} on signal {signal_number}, not with {expected}")

    def restart(self):
        self.stop(signal.SIGKILL if self.kills_next else signal.SIGTERM)
        self.kills_next = not self.kills_next
        started = time.monotonic()
        self.broker.start()
        self.runs = True
        print(f"restarted in {time.monotonic() - started:.2f} s", file=sys.stderr)
