"""Holds what Kafka's DumpLogSegments says of our segments against what was written into them.

compare.py EXPECTED DUMP: the first was written with the segments, the second is everything that the tool printed. A line
of the tool that is not known here is a difference: so an error in words that nobody has thought of is one.
"""

import re
import sys

# Every line that the tool may print, and what is read from it.
RECORD = re.compile(r"\| offset: (\d+) CreateTime: (\d+) ")
BATCH = re.compile(r"baseOffset: \d+ .* isvalid: true$")
ABORTED = re.compile(r"version: 0 producerId: (\d+) firstOffset: (\d+) lastOffset: (\d+) lastStableOffset: (\d+)$")
ENTRY = re.compile(r"(offset: \d+ position: \d+|timestamp: \d+ offset: \d+)$")
HARMLESS = re.compile(r"(Log starting offset: \d+|.*\.index is empty\.)$")
# The tool counts from -1 in every segment that does not begin at 0, Kafka's own ones as well: run.sh shows that. The
# gap itself stands on the next line.
GAP = re.compile(r"Non-consecutive offsets in .*/(\d{20})\.log$")
GAP_FROM_NOTHING = re.compile(r"  -1 is followed by (\d+)$")

# Enough to see what is wrong.
SHOWN_MAX = 20


def expected_segments(path):
    segments = {}
    for line in open(path, encoding="utf-8"):
        word, *values = line.split()
        if word == "segment":
            records, aborted = segments.setdefault(values[0], ([], []))
        elif word == "record":
            records.append(tuple(map(int, values)))
        else:
            aborted.append(tuple(map(int, values)))
    return segments


def dumped_segments(path, problems):
    segments, entries, gap = {}, 0, None
    for line in open(path, encoding="utf-8"):
        line = line.rstrip("\n")
        if line.startswith("Dumping "):
            log = re.sub(r"\.\w+$", ".log", line.removeprefix("Dumping "))
            records, aborted = segments.setdefault(log, ([], []))
        elif found := RECORD.match(line):
            records.append(tuple(map(int, found.groups())))
        elif found := ABORTED.match(line):
            aborted.append(tuple(map(int, found.groups())))
        elif found := GAP.match(line):
            gap = int(found.group(1))
        elif (found := GAP_FROM_NOTHING.match(line)) and int(found.group(1)) == gap:
            pass
        elif ENTRY.match(line):
            entries += 1
        elif not BATCH.match(line) and not HARMLESS.match(line):
            problems.append(f"the tool says: {line}")
    if entries < 100:
        problems.append(f"the indexes have {entries} entries, too few to show anything")
    return segments


def main(expected_path, dump_path):
    problems = []
    expected, dumped = expected_segments(expected_path), dumped_segments(dump_path, problems)
    if len(expected) < 15:
        problems.append(f"{len(expected)} segments are too few to show anything")
    for path in sorted(expected.keys() | dumped.keys()):
        for what, ours, kafkas in zip(("records", "aborted"), expected.get(path, ()), dumped.get(path, ()), strict=False):
            if ours != kafkas:
                problems.append(f"{path}: {len(ours)} {what} were written, the tool sees {len(kafkas)}, or others")
    if expected.keys() != dumped.keys():
        problems.append("the tool has not seen the segments that were written")
    for problem in problems[:SHOWN_MAX]:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
