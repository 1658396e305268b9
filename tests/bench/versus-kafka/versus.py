"""Runs the same work against Strandline and Kafka in turns, and prints figures and their ratios.

Owns both brokers' processes. What counts is the broker's processor time for each GB of records, and beside it the
throughput: driver and broker share the machine.
"""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

from broker import StrandlineBroker
from kafka_broker import KafkaBroker, free_ports
from plan import parser

TICKS = os.sysconf("SC_CLK_TCK")

# name, partitions, records, bytes of a record, bytes of a batch, linger
PRODUCE = [
    ("batches to 1 MB", 4, 1_000_000, 1_024, 1_000_000, 20),
    ("batches to 100 KB", 4, 500_000, 1_024, 100_000, 5),
    ("batches to 16 KB", 4, 250_000, 1_024, 16_384, 1),
    ("1,000 partitions", 1_000, 500_000, 1_024, 100_000, 50),
]
# records a second
LATENCY = [1_000, 5_000, 10_000]
# connections, and requests that each of them has on their way
REQUESTS = [(4, 16), (4, 64), (16, 64), (64, 64)]


class PageCache:
    """A page cache without free memory beside it. A host takes back what is free, and the first touch of such a page
    costs several times what the work on it does: it would fall on whoever writes first."""

    CHUNK_BYTES = 1 << 20
    FREE_KIB_LEFT = 384 << 10

    def __init__(self, folder):
        path = folder / "page-cache"
        with open(path, "wb") as hole:
            hole.truncate(self._kib("MemTotal") << 10)
        self.reader = open(path, "rb", buffering=0)
        # Read ahead, a hole is cached in large folios: where memory is fragmented the kernel then takes pages of the
        # cache for them for ever, and never what is free.
        os.posix_fadvise(self.reader.fileno(), 0, 0, os.POSIX_FADV_RANDOM)
        self.chunk = bytearray(self.CHUNK_BYTES)

    def top_up(self):
        while self._kib("MemFree") > self.FREE_KIB_LEFT:
            for _ in range(64):
                if not self.reader.readinto(self.chunk):
                    self.reader.seek(0)

    @staticmethod
    def _kib(key):
        lines = pathlib.Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(key + ":"))


class Side:
    """One of the two, on fresh data."""

    def __init__(self, kind, folder, settings=None):
        self.kind = kind
        # Nothing is removed before the end: on ext4 without a journal, whoever comes within a minute of a removal of
        # many files makes new ones slowly.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=folder))
        (port,) = free_ports(1)
        self.address = f"127.0.0.1:{port}"
        if kind == "kafka":
            self.broker = KafkaBroker(self.folder, os.environ["KAFKA_CLASSPATH"], [("CLIENTS", port, port)], settings)
            # Kafka's own start script: a heap of 1 GiB, and the collector that it chooses.
            jvm = ["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"]
            self.broker.java = ["java", *jvm, "-cp", os.environ["KAFKA_CLASSPATH"]]
        else:
            self.broker = StrandlineBroker(self.folder, [os.environ["STRANDLINE"], "serve"], port, settings or {})
        started = time.monotonic()
        self.broker.start()
        self.ready_s = time.monotonic() - started

    @property
    def pid(self):
        return self.broker.process.pid

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mib(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024

    def create(self, topic, partitions, durability=None):
        command = [os.environ["STRANDLINE"], "topic", "create", topic, "--partitions", str(partitions)]
        if durability and self.kind == "strandline":
            command += ["--config", f"strandline.durability={durability}"]
        subprocess.run([*command, "--brokers", self.address], check=True, stdout=subprocess.DEVNULL)

    def bench(self, *words):
        """What our own benchmark says of it: the same requests to both."""
        command = [os.environ["STRANDLINE"], "bench", *map(str, words), "--brokers", self.address, "-o", "json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    def stop(self):
        self.broker.stop()


def drive(side, driver, *words):
    """What the driver says, with the broker's processor time meanwhile."""
    before = side.cpu_s()
    command = [driver, words[0], side.address, *map(str, words[1:])]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures = json.loads(said.stdout)
    figures["broker_cpu"] = side.cpu_s() - before
    return figures


def floor(arguments, *words):
    """A plain program that does what no broker can leave out."""
    arguments.page_cache.top_up()
    folder = tempfile.mkdtemp(prefix="floor-", dir=arguments.folder)
    command = [arguments.floor, words[0], folder, *map(str, words[1:])]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def per_gb(figures, what="broker_cpu"):
    return figures[what] / (figures["bytes"] / 1e9)


def without_broker(figures):
    """MB/s that the driver would reach with the whole machine for itself and its syncs for nothing."""
    return os.cpu_count() * 1e3 / per_gb(figures, "driver_cpu")


def mb_s(figures):
    return figures["bytes"] / 1e6 / figures["seconds"]


def spread(numbers):
    return f"{statistics.median(numbers):.2f} ({min(numbers):.2f}-{max(numbers):.2f})"


def print_row(name, ours, kafkas, measure, unit, floors=()):
    """`floors` is what the machine has for it, in the same unit, without any broker."""
    ratios = [measure(one) / measure(other) for one, other in zip(ours, kafkas) if measure(other)]
    row = [name, unit, spread(list(map(measure, ours))), spread(list(map(measure, kafkas))), spread(ratios)]
    if floors:
        row.append(spread(floors))
    print("| " + " | ".join(row) + " |", flush=True)


def versus(arguments, work, settings=None, pairs=None):
    """`work(side)` on both in turns, each time on fresh data."""
    results = {"strandline": [], "kafka": []}
    for pair in range(pairs or arguments.pairs):
        # Who goes first changes, so that whatever the first leaves behind hits both.
        for kind in sorted(results, reverse=pair % 2 == 0):
            arguments.page_cache.top_up()
            side = Side(kind, arguments.folder, settings)
            try:
                results[kind].append(work(side))
            finally:
                side.stop()
    return results["strandline"], results["kafka"]


def produce_and_consume(arguments, name, partitions, records, record_bytes, batch_bytes, linger_ms):
    records = int(records * arguments.scale)

    def work(side):
        side.create("bench", partitions)
        produced = drive(side, arguments.driver, "produce", "bench", partitions, records, record_bytes, batch_bytes, linger_ms)
        consumed = drive(side, arguments.driver, "consume", "bench", partitions, records)
        return produced, consumed, {"rss": side.rss_mib(), "ready": side.ready_s}

    ours, kafkas = versus(arguments, work)
    # As much on its way as librdkafka has: five requests of each broker.
    words = ["produce", partitions, 5 * batch_bytes, records * record_bytes]
    floors = [per_gb(floor(arguments, *words), "cpu") for _ in ours]
    for index, what in enumerate(["produce", "consume"]):
        one, other = [each[index] for each in ours], [each[index] for each in kafkas]
        print_row(f"{what}, {name}", one, other, per_gb, "broker CPU s/GB", [] if index else floors)
        print_row(f"{what}, {name}", one, other, mb_s, "MB/s", list(map(without_broker, one)))
    print_row(f"after {name}", ours, kafkas, lambda each: each[2]["rss"], "MiB resident")
    print_row(f"start, {name}", ours, kafkas, lambda each: each[2]["ready"], "s to listening")


def latency(arguments, rate, durability):
    seconds = max(int(20 * arguments.scale), 3)

    def work(side):
        side.create("bench", 1, durability)
        return drive(side, arguments.driver, "latency", "bench", rate, seconds)

    ours, kafkas = versus(arguments, work)
    floors = [floor(arguments, "sync", rate, seconds) for _ in ours] if durability == "fsync" else []
    for quantile in ["p50", "p99", "p99_9"]:
        row = f"end to end, {rate} records/s, {durability}"
        print_row(row, ours, kafkas, lambda each: each[quantile], f"{quantile} ms", [each[quantile] for each in floors])


def requests(arguments):
    """Requests of one record each, with more and more of them on their way: a broker that syncs answers more of them the
    more it may sync at once."""
    records = int(200_000 * arguments.scale)

    def rate(side, connections, in_flight):
        words = ["--records", records, "--connections", connections, "--in-flight", in_flight, "--broker-pid", side.pid]
        return side.bench("requests", "--topic", "bench", *words)["requestsPerSecond"]

    def plain(connections, in_flight):
        return floor(arguments, "requests", connections, in_flight, records)["requestsPerSecond"]

    ours, kafkas = versus(arguments, lambda side: [rate(side, *at_once) for at_once in REQUESTS])
    floors = [[plain(*at_once) for at_once in REQUESTS] for _ in ours]
    for index, (connections, in_flight) in enumerate(REQUESTS):
        row = f"single-record requests, {connections * in_flight} on their way"
        print_row(row, ours, kafkas, lambda rates: rates[index], "/s", [rates[index] for rates in floors])
    print_row("single-record requests, the highest rate", ours, kafkas, max, "/s", list(map(max, floors)))


def partitions(arguments):
    ours, kafkas = versus(arguments, lambda side: side.bench("partitions", "--topic", "bench", "--partitions", 1_000))
    print_row("1,000 partitions made and written to", ours, kafkas, lambda each: each["writableMs"], "ms")


def main():
    words = parser("pairs")
    words.add_argument("--driver", required=True)
    words.add_argument("--floor", required=True)
    arguments = words.parse_args()
    arguments.page_cache = PageCache(arguments.folder)
    print("Strandline syncs before it acknowledges, Kafka does not. Median (least-most), ratio of pairs.\n")
    print("| work | unit | Strandline | Kafka | ratio | the machine's |\n| --- | --- | --- | --- | --- | --- |")
    for plan in PRODUCE:
        if arguments.only in plan[0]:
            produce_and_consume(arguments, *plan)
    for rate in LATENCY:
        for durability in ["fsync", "async"]:
            if arguments.only in f"latency {rate} {durability}":
                latency(arguments, rate, durability)
    if arguments.only in "requests":
        requests(arguments)
    if arguments.only in "partitions":
        partitions(arguments)


if __name__ == "__main__":
    main()
