#!/usr/bin/env bash
# Compares every message of ours with the definitions that Kafka ships inside its jars: names, order of fields,
# types, versions, nullability, defaults, tags. The definitions are fetched by name and never kept.

source "$(dirname "$0")/../kafka.sh"
need cargo java mvn python3 unzip

fetch_message_jars
for jar in "$WORK_FOLDER"/jars/*.jar; do
    # One folder each: a definition that two jars have must not hide behind itself.
    folder="$WORK_FOLDER/definitions/$(basename "$jar" .jar)"
    mkdir -p "$folder"
    unzip -q "$jar" 'common/message/*.json' -d "$folder"
done
strandline wire schema -o json >"$WORK_FOLDER/ours.json"
python3 -B "$CONFORMANCE_FOLDER/schema/compare.py" "$WORK_FOLDER/definitions" "$WORK_FOLDER/ours.json"
