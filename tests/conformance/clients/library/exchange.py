"""What one client compresses another reads, by every codec that both have and in both directions.

usage: exchange.py CASES.json WORK_FOLDER COMMAND OTHER_COMMAND…, each command one word to a shell

First it shows that it can fail, with clients of dictionaries of which the one that reads changes something.
"""

import json
import sys
from pathlib import Path

from driven import Client, Failure
from planted import Dictionaries, NoBroker, lies
from story import Log, Story, perform


def hand_over(writer, reader, topic, broker, cases):
    """Has one write the records of the table with each codec, and the other read them."""
    story = Story(Client(writer), broker, cases)
    story.compressions = [each for each in story.compressions if each in reader.compressions]
    if len(story.compressions) < 2:
        raise Failure(f"the two have nothing in common but {story.compressions}")
    story.client.ask("create", topic=topic, partitions=1, settings=cases["topic_settings"])
    log = Log(story.client, 0, topic)
    story.settle("the new topic", lambda: story.client.attempt("offsets", **log.place).get("error", 0), 0)
    for compression in story.compressions:
        log.produce(story.batch(), compression=compression)
    for compression in story.compressions:
        log.produce([story.one(cases["large_value_bytes"])], compression=compression)
    log.client = Client(reader)
    log.read_all()
    return story.compressions


def exchange(one, other, broker, cases, number=0):
    """Both directions. What was exchanged is the codecs by which it was."""
    there = hand_over(one, other, f"there-{number}", broker, cases)
    return there + hand_over(other, one, f"back-{number}", broker, cases)


def check_plants(cases):
    """A reader that changes anything of a record is found out, whichever of the two it is."""
    changes = [(name, lie) for name, lie in lies() if name in ("key", "value", "headers", "null", "timestamp", "offset", "lost record")]
    for name, lie in [("nothing", lambda *_: None), *changes]:
        for is_first in (True, False):
            honest, other = Dictionaries(cases, lambda *_: None), Dictionaries(cases, lie)
            other.topics = honest.topics
            try:
                exchange(*((other, honest) if is_first else (honest, other)), NoBroker(), cases)
                is_seen = False
            except Failure:
                is_seen = True
            if is_seen != (name != "nothing"):
                sys.exit(f"a planted difference in {name}: {'seen' if is_seen else 'not seen'}")


def play(drivers, broker, cases):
    """The first one with each of the others."""
    for number, other in enumerate(drivers[1:]):
        codecs = exchange(drivers[0], other, broker, cases, number)
        print(f"exchanged: {' '.join(codecs)}", file=sys.stderr)


if __name__ == "__main__":
    check_plants(json.loads(Path(sys.argv[1]).read_text()))
    perform(play)
