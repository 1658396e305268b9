#!/usr/bin/env bash
# Holds our codec against the Java classes that Kafka generates from its definitions: random values of every message
# in every version. Kafka must read our bytes, write the same ones, and see the same values in them.

source "$(dirname "$0")/../kafka.sh"
need cargo java mvn

fetch_message_jars
# Kafka's converters to JSON are in its jars, the library that they call is not.
fetch_jar com.fasterxml.jackson.core jackson-databind "$JACKSON_VERSION"
fetch_jar com.fasterxml.jackson.core jackson-core "$JACKSON_VERSION"
fetch_jar com.fasterxml.jackson.core jackson-annotations "$JACKSON_ANNOTATIONS_VERSION"

STRANDLINE_SAMPLES="$WORK_FOLDER/samples.jsonl" cargo test --quiet --locked \
    --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline-protocol --test oracle \
    -- --ignored write_samples_for_kafka >"$WORK_FOLDER/samples.log" 2>&1 || { cat "$WORK_FOLDER/samples.log" >&2; exit 1; }
java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/codec/KafkaCodec.java" "$WORK_FOLDER/samples.jsonl"
