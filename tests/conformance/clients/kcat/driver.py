"""kcat, one process for each thing that the story asks: an old librdkafka, as Debian has it."""

import json
import re
import subprocess
import sys
import tempfile

from talk import KafkaError, serve, to_bytes, to_text

KCAT = ["kcat", "-b", sys.argv[1], "-m", "30"]
TIMEOUT_S = 60
# What stands between a key and its value, and between records, and in nothing of the story.
KEY_END, RECORD_END = b"<key|value>", b"<record|record>"
# kcat says errors in words.
CODES = {
    "Broker: Offset out of range": 1, "Broker: Unknown topic or partition": 3, "Broker: Message size too large": 10,
    "Broker: Invalid topic": 17, "Broker: Invalid timestamp": 32, "Broker: Broker failed to validate record": 87}


def kcat(*words, stdin=b""):
    done = subprocess.run([*KCAT, *map(str, words)], input=stdin, capture_output=True, timeout=2 * TIMEOUT_S, check=False)
    return checked(done.returncode, done.stdout, done.stderr)


def checked(status, output, errors):
    if status != 0:
        text = errors.decode("utf-8", "replace")
        code = next((code for words, code in CODES.items() if words in text), -1)
        raise KafkaError(code, text)
    return output


def list_topics():
    return {"topics": [each["topic"] for each in json.loads(kcat("-L", "-J"))["topics"]]}


def describe(topic):
    (found,) = json.loads(kcat("-L", "-J", "-t", topic))["topics"]
    if "error" in found:
        raise KafkaError(CODES[found["error"]])
    return {"partitions": [
        {"partition": each["partition"], "leader": each["leader"], "replicas": [node["id"] for node in each["replicas"]],
         "isr": [node["id"] for node in each["isrs"]]} for each in found["partitions"]]}


def offsets(topic, partition):
    def offset(special):
        return int(kcat("-Q", "-t", f"{topic}:{partition}:{special}").split()[-1])

    return {"earliest": offset(-2), "latest": offset(-1)}


def produce(topic, partition, records, compression, acks, idempotent):
    """One process for each run of records that one command line can say: headers are said there, and what is null."""
    runs = []
    for record in records:
        like = (record["headers"], record["value"] is None)
        if runs and runs[-1][0] == like:
            runs[-1][1].append(record)
        else:
            runs.append((like, [record]))
    for (headers, is_null), run in runs:
        words = ["-P", "-t", topic, "-p", partition, "-X", f"compression.codec={compression}", "-X", f"acks={acks}"]
        words += ["-X", f"enable.idempotence={str(idempotent).lower()}", "-X", "linger.ms=20"]
        words += ["-K", KEY_END.decode(), "-D", RECORD_END.decode(), *(["-Z"] if is_null else [])]
        for key, value in headers:
            words += ["-H", key.encode() if value is None else key.encode() + b"=" + to_bytes(value)]
        with tempfile.NamedTemporaryFile() as file:
            file.write(RECORD_END.join(said(record) for record in run))
            file.flush()
            done = subprocess.run(
                [*KCAT, *(each if isinstance(each, bytes) else str(each) for each in words), "-l", file.name],
                capture_output=True, timeout=2 * TIMEOUT_S, check=False)
        checked(done.returncode, done.stdout, done.stderr)
    return {"offsets": None}


def said(record):
    value = to_bytes(record["value"] or "")
    return value if record["key"] is None else to_bytes(record["key"]) + KEY_END + value


def consume(topic, partition, count, isolation="read_uncommitted", narrow=False, then=None, **rest):
    start = {"earliest": "beginning", "latest": "end"}.get(str(rest["from"]))
    if start is None:
        start = rest["from"]["offset"] if "offset" in rest["from"] else f"s@{rest['from']['time']}"
    words = ["-C", "-t", topic, "-p", str(partition), "-o", str(start), "-c", str(count), "-f", "%o %T %K %S %h\n%k%s"]
    words += ["-X", f"isolation.level={isolation}", "-X", "check.crcs=true", "-X", "auto.offset.reset=error"]
    if narrow:
        words += ["-X", "fetch.message.max.bytes=1"]
    process = subprocess.Popen([*KCAT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if then:
        # It has come to the end, so that what comes now is new.
        while b"Reached end of topic" not in (line := process.stderr.readline()):
            checked(0 if line else 1, b"", line)
        produce(**then)
    output, errors = process.communicate(timeout=2 * TIMEOUT_S)
    return {"records": list(parse(checked(process.returncode, output, errors)))}


def parse(output):
    while output:
        head, output = output.split(b"\n", 1)
        offset, timestamp, key_length, value_length, headers = re.fullmatch(rb"(\d+) (\d+) (-?\d+) (-?\d+) (.*)", head, re.DOTALL).groups()
        texts = []
        for length in (int(key_length), int(value_length)):
            texts.append(None if length < 0 else to_text(output[:length]))
            output = output[max(length, 0):]
        yield {
            "offset": int(offset), "timestamp": int(timestamp), "key": texts[0], "value": texts[1],
            "headers": [header(each) for each in headers.split(b",") if each]}


def header(text):
    key, value = text.split(b"=")
    return [key.decode(), None if value == b"NULL" else to_text(value)]


serve(
    {"commands": ["describe", "list", "offsets", "produce", "consume"], "acks": ["0", "1", "all"], "idempotent": True,
     "compressions": ["none", "gzip", "snappy", "lz4", "zstd"], "sets_timestamps": False,
     # Its records are of now.
     "differs": {"produce a record from long ago": None}},
    {"describe": describe, "list": list_topics, "offsets": offsets, "produce": produce, "consume": consume})
