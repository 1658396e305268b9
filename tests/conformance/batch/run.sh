#!/usr/bin/env bash
# Holds our record batches against Kafka's own classes. Random batches that we built, patched and emptied must be
# whole to Kafka and hold the same records; and the batches that Kafka writes must still be the golden ones.

source "$(dirname "$0")/../kafka.sh"
need cargo java mvn

fetch_jar org.apache.kafka kafka-clients "$KAFKA_VERSION"
# What kafka-clients compresses and logs with, and the JSON of the samples.
fetch_jar org.xerial.snappy snappy-java "$SNAPPY_VERSION"
fetch_jar at.yawk.lz4 lz4-java "$LZ4_VERSION"
fetch_jar com.github.luben zstd-jni "$ZSTD_VERSION"
fetch_jar org.slf4j slf4j-api "$SLF4J_VERSION"
fetch_jar org.slf4j slf4j-nop "$SLF4J_VERSION"
fetch_jar com.fasterxml.jackson.core jackson-databind "$JACKSON_VERSION"
fetch_jar com.fasterxml.jackson.core jackson-core "$JACKSON_VERSION"
fetch_jar com.fasterxml.jackson.core jackson-annotations "$JACKSON_ANNOTATIONS_VERSION"

kafka_batches() {
    java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/batch/KafkaBatches.java" "$@"
}

# The compressed ones are left out: their bytes are those of the platform's zlib as much as Kafka's.
portable() {
    sed -E '/^(#|gzip |snappy |lz4 |zstd )/d' "$1"
}

kafka_batches golden >"$WORK_FOLDER/golden.hex"
[[ $(portable "$WORK_FOLDER/golden.hex" | wc -l) -ge 18 ]] || { echo "batch: Kafka wrote too few batches" >&2; exit 1; }
diff <(portable "$REPOSITORY_FOLDER/protocol/tests/golden/batch/kafka.hex") <(portable "$WORK_FOLDER/golden.hex") \
    || { echo "batch: the golden file is not what Kafka $KAFKA_VERSION writes" >&2; exit 1; }

STRANDLINE_SAMPLES="$WORK_FOLDER/samples.jsonl" cargo test --quiet --locked \
    --manifest-path "$REPOSITORY_FOLDER/Cargo.toml" --package strandline-protocol --test batch \
    -- --ignored write_samples_for_kafka >"$WORK_FOLDER/samples.log" 2>&1 || { cat "$WORK_FOLDER/samples.log" >&2; exit 1; }
kafka_batches check "$WORK_FOLDER/samples.jsonl"
