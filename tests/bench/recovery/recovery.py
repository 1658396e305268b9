"""Fills a broker, kills it while it is written to, and says when it was ready again: as a table.

Ready is what /readyz says: journal replayed, logs and metadata held against each other, listeners open. What was
acknowledged right before each kill is asked for afterwards.
"""

import argparse
import http.client
import os
import pathlib
import shutil
import signal
import subprocess
import time

from kafka_broker import free_ports


class Victim:
    """A broker in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.port, self.http = free_ports(2)
        self.process = None

    def start(self):
        """Milliseconds until it was ready."""
        command = [os.environ["STRANDLINE"], "serve", "--data-dir", self.folder / "data", "--listen", f"127.0.0.1:{self.port}"]
        command += ["--http", f"127.0.0.1:{self.http}", "--set", "num.partitions=1"]
        began = time.monotonic()
        with open(self.folder / "broker.log", "a") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        while not self.is_ready():
            if self.process.poll() is not None:
                raise SystemExit(f"the broker ended: see {self.folder}/broker.log")
            time.sleep(0.002)
        return (time.monotonic() - began) * 1_000

    def is_ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=60)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def strandline(self, *words, check=True):
        command = [os.environ["STRANDLINE"], *map(str, words), "--brokers", f"127.0.0.1:{self.port}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if check and done.returncode != 0:
            raise SystemExit(f"{words}: {done.stderr}")
        return done.stdout

    def memory_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) // 1_024 for line in status.splitlines() if line.startswith("VmHWM"))


def bytes_in(folder):
    # It says so, and goes on, where a file goes meanwhile: the broker still removes what it has given up.
    return int(subprocess.run(["du", "-sb", folder], capture_output=True, text=True, check=False).stdout.split()[0])


def round_of(victim, what, topic, kills):
    """Kills it under load, some times."""
    for _ in range(kills):
        load = [os.environ["STRANDLINE"], "bench", "produce", "--topic", topic, "--brokers", f"127.0.0.1:{victim.port}"]
        load += ["--seconds", "60", "--batches-per-request", "50", "--batch-bytes", "4096"]
        writing = subprocess.Popen(load, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(3)
        victim.kill()
        writing.kill()
        writing.wait()
        busy = os.getloadavg()[0]
        milliseconds = victim.start()
        began = time.monotonic()
        victim.strandline("bench", "produce", "--topic", topic, "--records", "1")
        answered = (time.monotonic() - began) * 1_000
        gigabytes = bytes_in(victim.folder / "data") / 1e9
        print(f"{what:<34} {gigabytes:>7.1f} {milliseconds:>9.0f} {answered:>14.0f} {victim.memory_mib():>8} {busy:>6.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("work_folder", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--gigabytes", type=float, default=15)
    parser.add_argument("--partitions", type=int, default=6_200)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=3)
    given = parser.parse_args()
    folder = (given.folder or given.work_folder) / "recovery"
    folder.mkdir(parents=True)
    victim = Victim(folder)
    try:
        print(f"{'back after kill -9':<34} {'GB':>7} {'ready ms':>9} {'and written ms':>14} {'MiB':>8} {'load':>6}")
        print(f"{'nothing in it':<34} {0:>7} {victim.start():>9.0f}", flush=True)
        if given.partitions:
            victim.strandline("topic", "create", "full", "--partitions", given.partitions)
            records = int(given.gigabytes * 1e9 / 1_100)
            victim.strandline("bench", "produce", "--topic", "full", "--records", records, "--batch-bytes", 65_536,
                              "--batches-per-request", 16)
            round_of(victim, f"{given.partitions} partitions", "full", given.kills)
            victim.strandline("topic", "delete", "full", "--yes")
        if given.many:
            victim.strandline("topic", "create", "many", "--partitions", given.many)
            # Each has something in it.
            victim.strandline("bench", "produce", "--topic", "many", "--records", given.many, "--record-bytes", 100,
                              "--batch-bytes", 200, "--batches-per-request", 500)
            round_of(victim, f"{given.many} partitions", "many", given.kills)
        victim.process.send_signal(signal.SIGTERM)
        victim.process.wait()
    finally:
        if victim.process and victim.process.poll() is None:
            victim.kill()
        shutil.rmtree(folder, ignore_errors=True)


main()
