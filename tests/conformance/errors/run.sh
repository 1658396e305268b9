#!/usr/bin/env bash
# Compares our error codes with Kafka's: codes, names, and which of them a client may try again.

source "$(dirname "$0")/../kafka.sh"
need cargo java mvn python3

fetch_jar org.apache.kafka kafka-clients "$KAFKA_VERSION"
# Kafka's table of errors logs, which is not wanted here but has to link.
fetch_jar org.slf4j slf4j-api "$SLF4J_VERSION"
fetch_jar org.slf4j slf4j-nop "$SLF4J_VERSION"
java -cp "$WORK_FOLDER/jars/*" "$CONFORMANCE_FOLDER/errors/KafkaErrors.java" >"$WORK_FOLDER/kafka.json"
strandline wire errors -o json >"$WORK_FOLDER/ours.json"
python3 -B "$CONFORMANCE_FOLDER/errors/compare.py" "$WORK_FOLDER/kafka.json" "$WORK_FOLDER/ours.json"
