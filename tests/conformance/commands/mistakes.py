"""What a person types wrong, at a broker's start and after: it ends at once, says in a sentence what is wrong and what would
be right, and changes nothing.

usage: mistakes.py WORK_FOLDER, with our command line in STRANDLINE.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

from broker import StrandlineBroker
from kafka_broker import free_ports

STRANDLINE = os.environ["STRANDLINE"]
FOLDER = Path(sys.argv[1]) / "mistakes"
USAGE, FAILED, UNREACHABLE = 2, 1, 3
# Who may do everything sees nothing of permissions.
LIKE_ANYBODY = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []

FILES = {
    "value.toml": 'log.dirs = "x"\n"num.partitions" = "three"\n',
    "name.toml": "[log]\nretention.hours = 24\nsegment.byte = 5\n",
    "broken.toml": "[log\n",
    "server.properties": "node.id=1\nlisteners=PLAINTEXT://:9092\n",
    "file": "",
}


def serve(*words, data="new"):
    return ("serve", "--data-dir", data, "--listen", f"127.0.0.1:{PORTS[0]}", "--http", f"127.0.0.1:{PORTS[1]}", *words)


def settings():
    """A setting or an option that there is not, or a value that it does not take."""
    return [
        (USAGE, serve("--set", "log.retention.hour=3"), "log.retention.hours is known"),
        (USAGE, serve("--set", "retention.ms=3"), "log.retention.ms is known"),
        (USAGE, serve("--set", "hello=3"), "Unknown broker config name: hello", "config default"),
        (USAGE, serve("--set", "num.partitions=three"), "num.partitions", "Not a number of type INT"),
        (USAGE, serve("--set", "num.partitions=0"), "num.partitions", "at least 1"),
        (USAGE, serve("--set", "num.partitions"), "NAME=VALUE"),
        (USAGE, serve("--set", "log.segment.bytes=1GB"), "in bytes that is 1073741824"),
        (USAGE, serve("--set", "log.retention.ms=7d"), "in milliseconds that is 604800000"),
        (USAGE, serve("--set", "log.cleanup.policy=compress"), "compact, delete"),
        (USAGE, serve("--set", "auto.create.topics.enable=yes"), "true or false"),
        (USAGE, serve("--set", "strandline.journal.bytes=1000"), "at least 134217728"),
        (USAGE, ("serve", "--set", "log.dirs=a,b"), "one folder"),
        (USAGE, serve("--config", "none.toml"), "none.toml", "No such file"),
        (USAGE, serve("--config", "value.toml"), "value.toml:2", "num.partitions"),
        (USAGE, serve("--config", "name.toml"), "name.toml:3", "log.segment.bytes is known"),
        (USAGE, serve("--config", "broken.toml"), "broken.toml:1"),
        (USAGE, serve("--config", "server.properties"), "server.properties:2", "quoted"),
        (USAGE, ("serve",), "--data-dir", "log.dirs"),
        (USAGE, serve("--dta-dir", "x"), "--data-dir"),
        (USAGE, serve("--log", "inof"), "info"),
        (USAGE, ("topc", "list"), "topic"),
        (USAGE, ("topic", "lst"), "list"),
        (FAILED, ("config", "explain", "retention.hours"), "log.retention.hours is known"),
    ]


def places(live):
    """An address or a folder that is none, or another's."""
    port, http, data = live
    return [
        (USAGE, serve("--listen", "9092"), "9092", "HOST:PORT"),
        (USAGE, serve("--listen", "OTHER=127.0.0.1:99999"), "127.0.0.1:99999", "65535"),
        (USAGE, serve("--listen", "SSL=127.0.0.1:0"), "SSL", "there is no TLS"),
        (USAGE, serve("--set", "listeners=PLAINTEXT//0.0.0.0:9093")[:3] + ("--set", "listeners=PLAINTEXT//0.0.0.0:9093"), "NAME://HOST:PORT"),
        (USAGE, serve("--set", "advertised.listeners=broker.example"), "broker.example", "NAME://HOST:PORT"),
        (USAGE, serve("--set", "advertised.listeners=PLAINTEXT://0.0.0.0:1"), "cannot be advertised"),
        (USAGE, serve("--set", "advertised.listeners=OTHER://broker.example:1"), "OTHER", "no listener is called"),
        (FAILED, serve("--listen", f"OTHER=127.0.0.1:{port}"), f"127.0.0.1:{port}", "another program listens there"),
        (FAILED, serve("--http", f"127.0.0.1:{http}")[:5] + ("--http", f"127.0.0.1:{http}"), f"127.0.0.1:{http}", "another program listens there"),
        (FAILED, serve(data=str(data)), "in use by another process", "of its own"),
        (USAGE, serve(data="file"), "cannot make the data directory file"),
        (USAGE, serve(data="file/new"), "cannot make the data directory file/new", "a part of that path is a file"),
        (FAILED, serve(data="closed"), "cannot lock closed", "allowed to write there"),
        (USAGE, serve(data="closed/new"), "cannot make the data directory closed/new", "allowed to write there"),
        (FAILED, serve(data="full"), "no room on the disk", "bytes are free"),
        (USAGE, ("check", "empty"), "empty is no data directory"),
        (USAGE, ("check", "none"), "none", "No such file"),
        (USAGE, ("log", "dump", "empty"), "empty"),
        (UNREACHABLE, ("topic", "list", "--brokers", "127.0.0.1:1"), "127.0.0.1:1", "strandline dev"),
        (USAGE, ("topic", "list", "--profile", "none"), "there is no profile", "strandline profile set"),
    ]


def things():
    """What a broker that runs does not have, or does not do."""
    return [
        (FAILED, ("topic", "create", "bad/name"), "alphanumerics"),
        (USAGE, ("topic", "create", "x", "--partitions", "0"), "1..="),
        (FAILED, ("topic", "create", "x", "--config", "retention.mss=5"), "retention.ms is known"),
        (FAILED, ("topic", "create", "x", "--config", "retention.ms=1h"), "in milliseconds that is 3600000"),
        (FAILED, ("topic", "create", "x", "--replication-factor", "3"), "only 1 broker"),
        (FAILED, ("topic", "create", "orders"), "already exists"),
        (FAILED, ("topic", "describe", "ordres"), "there is orders"),
        (FAILED, ("topic", "describe", "parcels"), "there is no topic parcels", "strandline topic list"),
        (FAILED, ("consume", "parcels", "--exit"), "there is no topic parcels", "strandline topic list"),
        (FAILED, ("consume", "orders", "--partition", "7", "--exit"), "orders has no partition 7"),
        (USAGE, ("consume", "orders", "--from", "yesterday"), "beginning", "2026-01-31"),
        (USAGE, ("consume", "orders", "--format", "jsn"), "json"),
        (USAGE, ("produce", "orders", "-z", "zst"), "zstd"),
        (USAGE, ("topic", "delete", "orders"), "--yes"),
        (FAILED, ("topic", "alter", "orders", "--partitions", "1"), "already has 1 partition"),
        (FAILED, ("group", "describe", "nobody"), "strandline group list"),
        (FAILED, ("config", "alter", "--topic", "orders", "--set", "retentionms=5"), "retention.ms is known"),
        (FAILED, ("config", "alter", "--broker", "2", "--set", "log.cleaner.io.max.bytes.per.second=1"), "there is no broker 2; there is 1"),
        (FAILED, ("config", "alter", "--broker", "1", "--set", "num.partitions=3"), "set at the start"),
        (FAILED, ("config", "alter", "--broker", "1", "--set", "log.cleaner.io.max.bytes.per.second=10MB/s"), "in bytes per second that is 10485760"),
        (FAILED, ("config", "alter", "--loggers", "1", "--set", "strandline_lg=DEBUG"), "strandline_log is known"),
        (FAILED, ("config", "alter", "--loggers", "1", "--set", "strandline_log=DEBG"), "DEBUG"),
    ]


def typed(words, environment):
    return subprocess.run([*LIKE_ANYBODY, STRANDLINE, *words], cwd=FOLDER, env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)


def wrong(case, done):
    """What is not as it has to be about an answer."""
    status, _, *says = case
    missing = [part for part in says if part not in done.stderr]
    if missing or done.returncode != status:
        return f"status {done.returncode} and not {status}, without {missing}"
    # A code of a program, or where it gave up, helps nobody.
    if re.search(r"panicked|backtrace|\w+Error\b.*\{", done.stderr):
        return "what is said is for those who wrote it"
    return "it is said at length" if len(done.stderr.strip().splitlines()) > 8 else None


def planted(case, done):
    """The same answer with a sentence missing, and with another status, has to be seen."""
    if not wrong((*case, "what nobody says"), done) or not wrong((case[0] + 1, *case[1:]), done):
        sys.exit("mistakes: what is planted is not seen")


def main():
    FOLDER.mkdir()
    for name, text in FILES.items():
        (FOLDER / name).write_text(text)
    for name in ("empty", "closed", "full", "live"):
        (FOLDER / name).mkdir()
    (FOLDER / "closed").chmod(0o500)
    # A disk with room for a few files and no more.
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", FOLDER / "full"], check=True)
    broker = StrandlineBroker(FOLDER / "live", [STRANDLINE, "serve"], PORTS[2], {"node.id": 1})
    try:
        broker.start()
        http = broker.command[broker.command.index("--http") + 1].rsplit(":", 1)[1]
        nowhere = {**os.environ, "HOME": str(FOLDER), "XDG_CONFIG_HOME": ""}
        nowhere.pop("STRANDLINE_BROKERS", None)
        here = {**nowhere, "STRANDLINE_BROKERS": f"127.0.0.1:{PORTS[2]}"}
        subprocess.run([STRANDLINE, "topic", "create", "orders"], check=True, env=here, stdout=subprocess.DEVNULL)
        misspelt = {**nowhere, "STRANDLINE_NUM_PARTITION": "3"}
        cases = [(case, nowhere) for case in settings() + places((PORTS[2], http, FOLDER / "live/data"))]
        cases += [(case, here) for case in things()]
        cases += [((USAGE, serve(), "STRANDLINE_NUM_PARTITIONS is known"), misspelt)]
        failed = []
        for case, environment in cases:
            done = typed(case[1], environment)
            what = wrong(case, done)
            if what:
                failed.append(f"{' '.join(case[1])}: {what}:\n{done.stdout}{done.stderr}")
            else:
                planted(case, done)
        broker.stop()
        other = serve("--set", "node.id=2", data="live/data")
        done = typed(other, nowhere)
        what = wrong((USAGE, other, "belongs to node 1", "this is node 2", "node.id"), done)
        if what:
            failed.append(f"{' '.join(other)}: {what}:\n{done.stderr}")
        if failed:
            sys.exit("mistakes: " + "\n".join(failed))
        print(f"mistakes: {len(cases) + 1} of them are answered with what would be right")
    finally:
        if broker.process and broker.process.poll() is None:
            broker.process.kill()
        subprocess.run(["umount", FOLDER / "full"], check=False)


PORTS = free_ports(3)
main()
