"""Sets everything that a running broker takes, and sees that it acts; sees as well that nothing is left out.

usage: effects.py FOLDER CONFIGURATION.md
"""

import os
import pathlib
import subprocess
import sys
import time

from confluent_kafka.admin import ResourceType

import brokers
import topics
from world import BROKER_ID, EAGER, Unseen, World, must, until

NOTHING = "nothing comes of it in this build"
SLOW = {"cleanup.policy", "delete.retention.ms", "max.compaction.lag.ms", "min.compaction.lag.ms"}
# Who said a value, in the answer to DescribeConfigs.
DYNAMIC_BROKER_CONFIG = 2


def rows(configuration):
    """The tables of the documentation, by what they are of."""
    found, title = {}, None
    for line in configuration.read_text().splitlines():
        if line.startswith("#"):
            title = line.lstrip("# ")
        elif line.startswith("| `"):
            found.setdefault(title, []).append([cell.strip().strip("`") for cell in line.strip("|").split(" | ")])
    return found


def missing(names, checks, idle):
    """Settings that nobody looks at; and those that are looked at, or let off, and are not there."""
    names, seen = set(names), set(checks) | idle
    return sorted(names - seen), sorted(seen - names)


def check_lists(world, documented):
    """What there is to be set has a check, or says that nothing comes of it."""
    of_topics = documented["Of a topic"]
    idle = {row[0] for row in of_topics if NOTHING in row[1]}
    world.create("listed")
    names = world.described(ResourceType.TOPIC, "listed")
    planted = missing([*names, "planted"], topics.CHECKS, idle)
    must(f"a planted setting is not missed: {planted}", planted == (["planted"], []))
    found = missing(names, topics.CHECKS, idle)
    must(f"settings of topics without a check, and checks of none: {found}", found == ([], []))
    both = idle & set(topics.CHECKS)
    must(f"settings that are said to do nothing, and do something: {both}", not both)

    dynamic = [name for name, entry in world.described(ResourceType.BROKER, BROKER_ID).items() if not entry.is_read_only]
    defaults = {row[0]: row[1] for row in documented["Of a broker, for topics that say nothing themselves"]
                if row[-1] == "while the broker runs"}
    found = missing(dynamic, brokers.CHECKS, set(defaults))
    must(f"settings of brokers without a check, and checks of none: {found}", found == ([], []))
    return {name: setting for name, setting in defaults.items() if setting in topics.CHECKS}, idle


def timed(what, check, *given):
    started = time.monotonic()
    try:
        found = check(*given)
    except Exception as error:
        raise Unseen(f"{what}: {error}") from error
    print(f"{what:<60}{time.monotonic() - started:6.1f} s", flush=True)
    return found


def of_topics(world):
    """Each on a topic; gives back what shows it again."""
    shown = []
    for setting, check in topics.CHECKS.items():
        topic = f"topic-{setting}"

        def once(topic=topic, setting=setting, check=check):
            shows = check(world, topic, lambda value: world.alter_topic(topic, {setting: value}))
            shows()
            return shows
        shown.append((setting, timed(f"{setting} of a topic", once)))
    return shown


def for_all(world, defaults):
    """Each for all topics, and taken back before the next one. Of those that have a topic compacted, which takes its time,
    one is enough: it is the same way by which they all come to a log."""
    for name, setting in defaults.items():
        if setting in SLOW:
            continue
        def once(name=name, setting=setting):
            topics.CHECKS[setting](world, f"all-{name}", lambda value: world.alter_broker({name: value}))()
            world.alter_broker({name: None})
        timed(f"{name} of the broker", once)


def of_broker(world):
    for setting, check in brokers.CHECKS.items():
        timed(setting, check, world, lambda value, setting=setting: world.alter_broker({setting: value}))
    for setting in brokers.CHECKS:
        world.alter_broker({setting: EAGER.get(setting)})


def levels(world):
    """A part of the broker says more in its log, and no other does; until it is told to say less."""
    def said(part):
        lines = (world.folder / "broker.log").read_text().splitlines()
        return len([line for line in lines if f" DEBUG {part}:" in line])

    def turn(level):
        change = ["config", "alter", "--loggers", BROKER_ID, "--set", f"strandline_log::checkpoint={level}"]
        subprocess.run([os.environ["STRANDLINE"], *change, "--brokers", world.broker.address], check=True, capture_output=True)

    def has_more():
        before = said("strandline_log::checkpoint")
        world.create(f"said-{time.monotonic_ns()}")
        # A checkpoint comes within its interval, or with the next thing that its log's writer is woken for.
        deadline = time.monotonic() + 3
        while said("strandline_log::checkpoint") == before and time.monotonic() < deadline:
            time.sleep(0.05)
        return said("strandline_log::checkpoint") > before
    must("a log that says everything", not has_more())
    turn("DEBUG")
    until("a log that says more", has_more)
    must("all parts say more", said("strandline_log::journal") + said("strandline_broker::net") == 0)
    turn("WARN")
    until("a log that says less", lambda: not has_more())


def kept(world, topic):
    """What was set for the broker is in force after a restart, and says who said it."""
    told = {"strandline.metrics.partitions": "0", "strandline.checkpoint.interval.ms": "31", "message.max.bytes": "1000"}
    world.create(topic)
    world.alter_broker(told)
    yield
    found = world.described(ResourceType.BROKER, BROKER_ID)
    for setting, value in told.items():
        entry = found[setting]
        must(f"{setting} is {entry.value} of {entry.source} after a restart",
             entry.value == value and entry.source == DYNAMIC_BROKER_CONFIG)
    until("metrics without partitions", lambda: "\nstrandline_partition_log_end_offset{" not in world.metrics())
    must("a large record is taken", world.refuses("MSG_SIZE_TOO_LARGE", topic=topic, value=topics.LARGE))
    world.alter_broker(dict.fromkeys(told))
    until("partitions in the metrics", lambda: "\nstrandline_partition_log_end_offset{" in world.metrics())
    yield


def main(folder, configuration):
    documented = rows(pathlib.Path(configuration))
    with World(pathlib.Path(folder)) as world:
        defaults, idle = check_lists(world, documented)
        shown = of_topics(world)
        for_all(world, defaults)
        of_broker(world)
        timed("levels of the log's parts", levels, world)
        for name in "asked to go", "killed":
            keeps = kept(world, f"limited-{name.split()[0]}")
            next(keeps)
            world.restart()
            next(keeps)
            if name == "killed":
                for setting, shows in shown:
                    timed(f"{setting}, the broker having been {name}", shows)
    print(f"effects: {len(shown)} settings of topics, {len(defaults) - len(SLOW)} for all topics and {len(brokers.CHECKS)} of the broker do "
          f"what they say, at once and after restarts; {len(idle)} say that they do nothing")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except Unseen as error:
        sys.exit(f"effects: {error}")
