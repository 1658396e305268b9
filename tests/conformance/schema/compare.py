"""Holds our schema description against Kafka's definitions: any difference fails, but for those with a reason.

usage: compare.py FOLDER_OF_KAFKA_DEFINITIONS OUR_DESCRIPTION.json
"""

import copy
import json
import sys

from definitions import kafka_messages, our_messages

REMOVED = "Kafka 4 keeps the file so that the key is not taken again, and has no version of it"

# Where the two differ on purpose: the difference, word for word as it is printed, and why it is one.
EXPECTED = {
    f"{name}{kind}: Kafka has it, we do not": REMOVED
    for name in ("ControlledShutdown", "LeaderAndIsr", "StopReplica", "UpdateMetadata")
    for kind in ("Request", "Response")
} | {
    "RequestHeader: versions: Kafka 1-2, we 0-2": "only ControlledShutdown 0 used it; a reader of old captures wants it",
}


def differences(kafka, ours):
    """Every difference between two sets of messages, as one line each."""
    for name in sorted(kafka.keys() | ours.keys()):
        if name not in ours:
            yield f"{name}: Kafka has it, we do not"
        elif name not in kafka:
            yield f"{name}: we have it, Kafka does not"
        else:
            yield from differences_within(name, kafka[name], ours[name])


def differences_within(path, kafka, ours):
    """The differences between two messages or two fields, and all below them."""
    for aspect in kafka:
        if aspect == "fields":
            yield from differences_of_fields(path, kafka["fields"], ours["fields"])
        # The type as well: to Python, 1 and True are equal.
        elif (type(kafka[aspect]), kafka[aspect]) != (type(ours[aspect]), ours[aspect]):
            yield f"{path}: {aspect}: Kafka {show(kafka[aspect])}, we {show(ours[aspect])}"


def differences_of_fields(path, kafka, ours):
    if kafka is None or ours is None:
        if kafka is not ours:
            yield f"{path}: only one of us has a structure here"
        return
    names, our_names = ([field["name"] for field in fields] for fields in (kafka, ours))
    if names != our_names:
        yield f"{path}: fields: Kafka {', '.join(names)}; we {', '.join(our_names)}"
        return
    for field, our_field in zip(kafka, ours):
        yield from differences_within(f"{path}.{field['name']}", field, our_field)


def show(value):
    if isinstance(value, tuple):
        first, last = value
        return f"{first}+" if last is None else f"{first}-{last}"
    return "none" if value is None else str(value)


def check_that_differences_are_seen(kafka, ours):
    """Plants each kind of difference in a copy of our side and insists that it is reported.

    Without this, a comparison that compares nothing would pass for ever.
    """
    before = set(differences(kafka, ours))

    def plant(what, change):
        changed = copy.deepcopy(ours)
        change(changed)
        if not set(differences(kafka, changed)) - before:
            sys.exit(f"self-test: a planted difference went unseen: {what}")

    fetch = ("FetchResponse", "Responses", "Partitions")
    header = ("RequestHeader", "ClientId")
    plant("a message missing", lambda messages: messages.pop("FetchRequest"))
    plant("a message too many", lambda messages: messages.update(Extra=dict(ours["FetchRequest"], name="Extra")))
    for aspect, value in {
        "kind": "response", "api key": 2, "versions": (4, 19), "flexible versions": (13, None),
        "latest version unstable": True,
    }.items():
        plant(aspect, lambda messages: messages["FetchRequest"].update({aspect: value}))
    for aspect, value in {
        "name": "Partition", "type": "int64", "versions": (1, None), "nullable versions": (3, None),
        "default": 0, "tag": 0, "ignorable": True, "never flexible": True,
    }.items():
        plant(aspect, lambda messages: fields(messages, fetch)[0].update({aspect: value}))
    plant("never flexible", lambda messages: find(messages, header).update({"never flexible": False}))
    plant("a field missing", lambda messages: fields(messages, fetch).pop())
    plant("a field too many", lambda messages: fields(messages, fetch).append(fields(messages, fetch)[0]))
    plant("the order of fields", lambda messages: fields(messages, fetch).reverse())
    plant("the name of a structure", lambda messages: find(messages, fetch).update({"type": "[]Partition"}))


def find(messages, path):
    """The field that a path of names leads to."""
    name, *rest = path
    found = messages[name]
    for name in rest:
        found = next(field for field in found["fields"] if field["name"] == name)
    return found


def fields(messages, path):
    return find(messages, path)["fields"]


def main():
    folder, description_path = sys.argv[1:]
    kafka = kafka_messages(folder)
    with open(description_path, encoding="utf-8") as description:
        ours = our_messages(json.load(description))
    check_that_differences_are_seen(kafka, ours)
    found = list(differences(kafka, ours))
    unexpected = [line for line in found if line not in EXPECTED]
    # A reason that explains nothing any more hides the next difference of that name.
    unexpected += [f"expected, but no longer there: {line}" for line in EXPECTED if line not in found]
    for line in unexpected:
        print(line)
    if unexpected:
        sys.exit(f"{len(unexpected)} differences between our schema and Kafka's definitions")
    print(f"schema: {len(ours)} messages are as Kafka defines them; {len(EXPECTED)} differences have a reason")


if __name__ == "__main__":
    main()
