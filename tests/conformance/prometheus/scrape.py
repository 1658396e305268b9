"""Lets a real Prometheus scrape a broker at work, and asks it everything that the dashboard and the alerts ask.

Owns both processes; both end with this.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

from kafka_broker import free_ports, wait_for

WORK, REPOSITORY = Path(sys.argv[1]), Path(sys.argv[2])
STRANDLINE = os.environ["STRANDLINE"]
SCRAPE_EVERY_S = 1
NAME = re.compile(r"\b(?:strandline|process)_[a-z0-9_]+\b|\bup\b")
PARTITIONS = 10_000
SCRAPES = 20
# So much processor time a scrape of so many partitions may take, of the build that is not optimized: on a machine with a
# load of eight that takes 20 to 30 ms, and the release 3. tests/bench/metrics/run.sh holds the release against its goal.
SCRAPE_CPU_MS_MAX = 100
TICKS_PER_S = os.sysconf("SC_CLK_TCK")

# What happens to nobody here, and so has no series: nothing else is let off.
SUFFIXES = ("_bucket", "_sum", "_count")


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read()


def strandline(*words, check=True):
    return subprocess.run([STRANDLINE, *words], check=check, capture_output=True, text=True)


class Broker:
    def __init__(self, folder):
        self.port, self.http = free_ports(2)
        self.address = f"127.0.0.1:{self.port}"
        command = [STRANDLINE, "serve", "--data-dir", folder / "data", "--listen", self.address]
        command += ["--http", f"127.0.0.1:{self.http}", "--set", "log.retention.check.interval.ms=100"]
        command += ["--set", "strandline.checkpoint.interval.ms=100", "--log-format", "json", "--log", "info"]
        self.log = folder / "broker.log"
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_for(self.port, self.process)

    def metrics(self):
        return get(f"http://127.0.0.1:{self.http}/metrics").decode()

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def work(self):
        """Everything that has a metric happens, once at least."""
        brokers = ["--brokers", self.address]
        strandline("topic", "create", "compacted", "--config", "cleanup.policy=compact", "--config", "internal.segment.bytes=4000",
                   "--config", "min.cleanable.dirty.ratio=0.01", *brokers)
        strandline("topic", "create", "orders", "--partitions", "3", "--config", "internal.segment.bytes=200000",
                   "--config", "retention.bytes=400000", *brokers)
        strandline("bench", "produce", "--topic", "orders", "--seconds", "3", *brokers)
        for _ in range(5):
            lines = "".join(f"key-{number % 7}:{number:0100}\n" for number in range(300))
            kcat = ["kcat", "-b", self.address, "-P", "-t", "compacted", "-K:", "-X", "batch.num.messages=10"]
            subprocess.run(kcat, input=lines, text=True, check=True, capture_output=True)
            time.sleep(0.5)
        # Of each key one record may be left by now.
        kcat = ["kcat", "-b", self.address, "-G", "watchers", "-X", "auto.offset.reset=earliest", "-c", "5", "compacted"]
        subprocess.run(kcat, check=True, capture_output=True, timeout=60)
        strandline("bench", "consume", "--topic", "orders", "--seconds", "3", *brokers, check=False)
        strandline("topic", "create", "orders", *brokers, check=False)
        with socket.create_connection(("127.0.0.1", self.port)) as stranger:
            stranger.sendall(b"\0\0\0\x0aGET / HTTP")


def prometheus(folder, broker):
    (port,) = free_ports(1)
    rules = REPOSITORY / "docs/alerts/strandline.rules.yml"
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: {SCRAPE_EVERY_S}s, evaluation_interval: {SCRAPE_EVERY_S}s}}\n"
        f"rule_files: ['{rules}']\n"
        "scrape_configs:\n"
        f"  - {{job_name: strandline, static_configs: [{{targets: ['127.0.0.1:{broker.http}']}}]}}\n"
    )
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    with open(folder / "prometheus.log", "w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    wait_for(port, process)
    return process, f"http://127.0.0.1:{port}/api/v1"


def ask(api, expression):
    answer = json.loads(get(f"{api}/query?query={urllib.parse.quote(expression)}"))
    if answer["status"] != "success":
        raise RuntimeError(f"{expression}: {answer}")
    return answer["data"]["result"]


def dashboard_queries():
    dashboard = json.loads((REPOSITORY / "docs/dashboards/strandline.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "30s").replace("$instance", ".*")


def missing(api, names):
    return sorted(name for name in names if not ask(api, f"count({name})"))


def until(what, is_so, seconds=60):
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.5)


def check_queries(api):
    queries = list(dashboard_queries())
    groups = json.loads(get(f"{api}/rules"))["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    names = {name for _, query in queries for name in NAME.findall(query)}
    names |= {name for rule in rules for name in NAME.findall(rule["query"])}
    if not missing(api, ["strandline_nothing_of_the_kind"]):
        raise RuntimeError("a planted metric that is not there was not missed")
    until("every metric that is used", lambda: not missing(api, names) or print(missing(api, names), file=sys.stderr))
    until("every panel", lambda: all(ask(api, query) for _, query in queries)
          or print([title for title, query in queries if not ask(api, query)], file=sys.stderr))
    sick = [(rule["name"], rule["lastError"]) for rule in rules if rule.get("lastError")]
    if sick:
        raise RuntimeError(f"rules that cannot be evaluated: {sick}")
    firing = {alert["metric"]["alertname"] for alert in ask(api, 'ALERTS{alertstate="firing",severity="page"}')}
    if firing:
        raise RuntimeError(f"of a broker that is well it is said: {firing}")
    print(f"prometheus: {len(names)} metrics in {len(queries)} queries of the dashboard and {len(rules)} alerts have data")


def check_format(broker):
    text = broker.metrics()
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    if checked.returncode or checked.stdout or checked.stderr:
        raise RuntimeError(f"promtool check metrics: {checked.stdout}{checked.stderr}")
    planted = subprocess.run(["promtool", "check", "metrics"], input="# TYPE a counter\na 1\n", capture_output=True, text=True)
    if not planted.returncode:
        raise RuntimeError("promtool says nothing of a planted counter without its ending")
    print(f"prometheus: promtool has nothing against {text.count('# TYPE ')} metrics in {len(text)} bytes")


def check_cost(broker):
    """What is looked at is the processor's time of the whole broker; ticks of 10 ms, so over many scrapes."""
    for number in range(10):
        strandline("topic", "create", f"many-{number}", "--partitions", str(PARTITIONS // 10), "--brokers", broker.address)
    time.sleep(3)
    idle_before = broker.cpu_seconds()
    time.sleep(5)
    idle = (broker.cpu_seconds() - idle_before) / 5
    started, before = time.monotonic(), broker.cpu_seconds()
    sizes = [len(broker.metrics()) for _ in range(SCRAPES)]
    took = time.monotonic() - started
    cost_ms = (broker.cpu_seconds() - before - idle * took) / SCRAPES * 1_000
    print(f"prometheus: a scrape of {PARTITIONS} partitions is {sizes[-1]} bytes, {took / SCRAPES * 1_000:.1f} ms, "
          f"{cost_ms:.1f} ms of processor time")
    if cost_ms > SCRAPE_CPU_MS_MAX:
        raise RuntimeError(f"a scrape takes {cost_ms:.1f} ms of processor time, and {SCRAPE_CPU_MS_MAX} at most")


def check_log(broker):
    def is_told(line):
        return line["message"].startswith("the log begins further on") and line["partition"].startswith("orders-")

    def read():
        lines = broker.log.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]
    until("retention in the log, as JSON", lambda: any(map(is_told, read())))
    said = read()
    levels = sorted({line["level"] for line in said})
    print(f"prometheus: {len(said)} lines of JSON in the broker's log, of levels {', '.join(levels)}")


def main():
    broker = Broker(WORK)
    api_process = None
    try:
        api_process, api = prometheus(WORK, broker)
        broker.work()
        check_format(broker)
        check_queries(api)
        check_log(broker)
        check_cost(broker)
    finally:
        for process in broker.process, api_process:
            if process:
                process.terminate()
                process.wait(60)


main()
