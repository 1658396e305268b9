"""Kafka's message definitions and our schema description, brought into one form.

Owns the reading of both sides, nothing else: what is equal and what is not is decided by compare.py. The form is
plain dictionaries and lists, named as Kafka names things, with every default spelt out and every range parsed.
"""

import json
import re
from pathlib import Path

INTEGERS = {"int8", "int16", "uint16", "int32", "uint32", "int64"}
PRIMITIVES = INTEGERS | {"bool", "float64", "uuid", "string", "bytes", "records"}

# What a definition may say and where it ends up here. A word that is not listed stops the comparison: the day
# Kafka adds one, somebody has to decide whether it changes what stands on the wire.
MESSAGE_WORDS = {
    "apiKey", "type", "name", "validVersions", "flexibleVersions", "latestVersionUnstable", "fields",
    "commonStructs",
    "listeners",  # which listeners of Kafka's offer the API: says nothing about bytes
}
FIELD_WORDS = {
    "name", "type", "versions", "nullableVersions", "taggedVersions", "tag", "default", "ignorable",
    "flexibleVersions", "fields",
    "about",  # prose
    "entityType",  # a hint for Kafka's own tools: a topic name, a group id
    "mapKey",  # how Kafka's Java class stores the array
    "zeroCopy",  # how Kafka's Java class holds the bytes
}
KINDS = {
    "request": "request", "response": "response", "coordinator-key": "record key",
    "coordinator-value": "record value", "data": "other", "header": "other",
}


def versions(text):
    """A range as (first, last), last being None where it has no end; None for no version at all."""
    if text == "none":
        return None
    match = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text)
    if match is None:
        raise ValueError(f"not a range of versions: {text!r}")
    first, endless, last = match.groups()
    return (int(first), None if endless else int(last or first))


def kafka_messages(folder):
    """The definitions below `folder`, by name."""
    messages = {}
    for path in sorted(Path(folder).rglob("*.json")):
        # Whole-line comments only: a definition has no others, and "//" may stand inside a string.
        text = re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.MULTILINE)
        message = kafka_message(json.loads(text))
        if message["name"] in messages:
            raise ValueError(f"{path}: {message['name']} is defined twice")
        messages[message["name"]] = message
    return messages


def kafka_message(definition):
    refuse_unknown(definition, MESSAGE_WORDS)
    structures = {common["name"]: common["fields"] for common in definition.get("commonStructs", [])}
    return {
        "name": definition["name"],
        "kind": KINDS[definition["type"]],
        "api key": definition.get("apiKey"),
        "versions": versions(definition["validVersions"]),
        "flexible versions": versions(definition.get("flexibleVersions", "none")),
        "latest version unstable": definition.get("latestVersionUnstable", False),
        "fields": [kafka_field(field, structures) for field in definition.get("fields", [])],
    }


def kafka_field(definition, structures):
    refuse_unknown(definition, FIELD_WORDS)
    tagged = definition.get("taggedVersions")
    # A field that gives only its tagged versions has those.
    there = versions(definition.get("versions", tagged))
    if tagged is not None and versions(tagged) != there:
        raise ValueError(f"{definition['name']}: tagged in some of its versions only, which we cannot describe")
    field_type = definition["type"]
    element = field_type.removeprefix("[]")
    if element in PRIMITIVES:
        fields = None
    else:
        fields = [kafka_field(field, structures) for field in definition.get("fields") or structures[element]]
    return {
        "name": definition["name"],
        "type": field_type,
        "versions": there,
        "nullable versions": versions(definition.get("nullableVersions", "none")),
        "default": kafka_default(field_type, definition.get("default")),
        "tag": definition.get("tag") if tagged is not None else None,
        "ignorable": definition.get("ignorable", False),
        "never flexible": definition.get("flexibleVersions") == "none",
        "fields": fields,
    }


def kafka_default(field_type, default):
    """What the field holds where nothing was said: "zero", "null", a number or a truth value.

    A bare null (not the word in quotes) says nothing to Kafka's generator: the field starts out empty, not null.
    """
    if default is None or default == "":
        return "zero"
    if default == "null":
        return "null"
    if field_type in INTEGERS:
        number = default if isinstance(default, int) else int(default, 0)
        return number or "zero"
    if field_type == "bool" and str(default).lower() in ("true", "false"):
        return str(default).lower() == "true" or "zero"
    raise ValueError(f"a default that we cannot describe: {field_type} = {default!r}")


def our_messages(description):
    """The messages of `strandline wire schema -o json`, by name."""
    kinds, keys = {}, {}
    for api in description["apis"]:
        for kind in ("request", "response"):
            kinds[api[kind]], keys[api[kind]] = kind, api["key"]
    for record in description["recordTypes"]:
        for kind in ("key", "value"):
            kinds[record[kind]], keys[record[kind]] = f"record {kind}", record["type"]
    messages = {}
    for message in description["messages"]:
        name = message["name"]
        if name in messages:
            raise ValueError(f"{name} is described twice")
        messages[name] = {
            "name": name,
            "kind": kinds.pop(name, "other"),
            "api key": keys.get(name),
            "versions": versions(message["versions"]),
            "flexible versions": versions(message["flexibleVersions"]),
            "latest version unstable": message["latestVersionUnstable"],
            "fields": [our_field(field) for field in message["fields"]],
        }
    if kinds:
        raise ValueError(f"in a table, but not described: {', '.join(sorted(kinds))}")
    return messages


def our_field(field):
    nested = field.get("fields")
    default = field.get("default", "zero")
    return {
        "name": field["name"],
        "type": field["type"],
        "versions": versions(field["versions"]),
        "nullable versions": versions(field["nullableVersions"]),
        "default": "null" if default is None else default,
        "tag": field.get("tag"),
        "ignorable": field["ignorable"],
        "never flexible": field["neverFlexible"],
        "fields": None if nested is None else [our_field(inner) for inner in nested],
    }


def refuse_unknown(definition, words):
    unknown = definition.keys() - words
    if unknown:
        raise ValueError(f"{definition.get('name')}: words without a meaning here: {', '.join(sorted(unknown))}")
