"""Holds our table of error codes against Kafka's: any difference fails, but for those with a reason.

usage: compare.py KAFKA.json OURS.json, both lists of objects with code, name and retry
"""

import json
import sys

# Where the two differ on purpose: the difference, word for word as it is printed, and why it is one.
EXPECTED = {}


def differences(kafka, ours):
    kafka, ours = ({error["code"]: error for error in errors} for errors in (kafka, ours))
    for code in sorted(kafka.keys() | ours.keys()):
        if code not in ours:
            yield f"{code}: Kafka has {kafka[code]['name']}, we do not"
        elif code not in kafka:
            yield f"{code}: we have {ours[code]['name']}, Kafka does not"
        else:
            for aspect in ("name", "retry"):
                theirs, own = kafka[code][aspect], ours[code][aspect]
                if theirs != own:
                    yield f"{code} {kafka[code]['name']}: {aspect}: Kafka {theirs}, we {own}"


def check_that_differences_are_seen(kafka, ours):
    """Plants each kind of difference and insists that it is reported: else a check of nothing would pass."""
    before = set(differences(kafka, ours))
    plants = {
        "a code missing": ours[1:],
        "a code too many": [*ours, {"code": 9_999, "name": "OTHER", "retry": "never"}],
        "another name": [{**ours[0], "name": "OTHER"}, *ours[1:]],
        "another retry": [{**ours[0], "retry": "OTHER"}, *ours[1:]],
    }
    for what, changed in plants.items():
        if not set(differences(kafka, changed)) - before:
            sys.exit(f"self-test: a planted difference went unseen: {what}")


def main():
    kafka, ours = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
    if len({error["code"] for error in ours}) != len(ours):
        sys.exit("our table has a code twice")
    check_that_differences_are_seen(kafka, ours)
    found = list(differences(kafka, ours))
    unexpected = [line for line in found if line not in EXPECTED]
    unexpected += [f"expected, but no longer there: {line}" for line in EXPECTED if line not in found]
    for line in unexpected:
        print(line)
    if unexpected:
        sys.exit(f"{len(unexpected)} differences between our error codes and Kafka's")
    print(f"errors: {len(ours)} codes are as Kafka has them; {len(EXPECTED)} differences have a reason")


if __name__ == "__main__":
    main()
