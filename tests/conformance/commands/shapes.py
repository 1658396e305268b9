"""Holds the shapes of what commands answered about two brokers against each other.

usage: shapes.py ONE OTHER. The shape of an answer is its names and the kinds of its values; `null` goes with every kind,
since what is not known of one broker may be known of another.
"""

import json
import sys

# Answers whose shape depends on what a broker keeps, with the reason.
MEANT = {}


def shape(value):
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        merged = None
        for part in value:
            merged = merge(merged, shape(part))
        return [merged]
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (int, float)):
        return "number"
    return None if value is None else "text"


def merge(one, other):
    """Both in one; what does not go together is a text that says so."""
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, dict) and isinstance(other, dict):
        return {name: merge(one.get(name), other.get(name)) for name in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list):
        return [merge(one[0], other[0])]
    return one if one == other else f"{one!r} or {other!r}"


def differences(one, other, place):
    if one is None or other is None or one == other:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        found = [f"{place}.{name} is there only once" for name in sorted(set(one) ^ set(other))]
        for name in sorted(set(one) & set(other)):
            found += differences(one[name], other[name], f"{place}.{name}")
        return found
    if isinstance(one, list) and isinstance(other, list):
        return differences(one[0], other[0], f"{place}[]")
    return [f"{place} is {one!r} and {other!r}"]


def planted():
    """What it must see."""
    assert differences(shape({"a": 1}), shape({"a": "1"}), "")
    assert differences(shape([{"a": 1}]), shape([{"b": 1}]), "")
    assert not differences(shape({"a": [1, 2]}), shape({"a": []}), "") and not differences(shape({"a": None}), shape({"a": 1}), "")


def main():
    planted()
    one, other = (json.load(open(path)) for path in sys.argv[1:])
    found = [f"{name}: only one broker was asked" for name in sorted(set(one) ^ set(other))]
    for name in sorted(set(one) & set(other)):
        if name not in MEANT:
            found += [f"{name}: {what}" for what in differences(one[name], other[name], "")]
    if found:
        sys.exit("commands: the two brokers' answers differ:\n" + "\n".join(found))
    print(f"commands: {len(one)} answers have the same shape from both brokers")


if __name__ == "__main__":
    main()
