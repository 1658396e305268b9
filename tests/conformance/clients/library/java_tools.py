"""Kafka's own command line tools, from its artifacts: how they are started, and how a broker is put before them."""

import os
import sys
from pathlib import Path

from broker import Broker
from driven import Failure

JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m", "-cp", os.environ["TOOLS_CLASSPATH"]]
TOOLS = "org.apache.kafka.tools."


def same(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: found {str(found)[:2000]}\n  instead of {str(expected)[:2000]}")


def play(story):
    """`story(broker, folder).play()` with a broker of its own, in the folder that the program was given."""
    folder = Path(sys.argv[1])
    with Broker(folder) as broker:
        try:
            story(broker, folder).play()
        except Failure as failure:
            print((folder / "broker.log").read_text()[-3000:], file=sys.stderr)
            sys.exit(f"failed: {failure}")
